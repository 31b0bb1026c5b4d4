"""Real servers of every protocol that we act over, and a path of every kind that leads to them."""

import contextlib
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import asyncssh

from bot.access import Dialer
from bot.access.dialer import Link
from bot.catalog import Catalog
from bot.registry import Registry
from tests.integrations.doing import Doing
from tests.servers.authority import Authority
from tests.servers.haproxy import HAProxy, haproxy
from tests.servers.http_app import HttpApp, http_app
from tests.servers.postgres import PASSWORD, USER, Postgres
from tests.servers.process import HOST, free_port
from tests.servers.proxies import Proxy, microsocks, ssh_socks, tinyproxy
from tests.servers.redis import Redis, redis_sentinel
from tests.servers.sshd import Sshd, sshd

NAME = "shop.invalid"  # resolves nowhere: only a path that pins it knows where it is
LOGINS = {"PROXY_LOGIN": "jack:p@ss:w0rd/%", "CONNECT_LOGIN": "jack:sesame"}
NAMED = ("pinned", "bmc")  # the paths over which the targets are asked for by name
COMMANDS = {"list": {"argv": ["printf", "here"], "effect": "read"}}
Ask = Callable[[Registry, Link], Awaitable[Any]]


@dataclass
class World:
    """The servers; `catalog` names them at their own addresses, or at others."""

    authority: Authority
    shop: HttpApp
    secure: HttpApp
    thief: HttpApp
    redis: Redis
    postgres: Postgres
    balancer: HAProxy
    host: Sshd
    bastions: tuple[Sshd, Sshd]
    socks: Proxy
    socks_login: Proxy
    socks_ssh: Proxy
    connect: Proxy

    def paths(self) -> dict[str, dict[str, Any]]:
        """One of each kind, in each of its forms."""
        one, two = ({"url": b.url, **b.settings} for b in self.bastions)
        pins = {NAME: HOST}
        return {
            "direct": {},
            "pinned": {"kind": "pinned", "connect_to": pins},
            "socks": {"kind": "proxy", "proxy": self.socks.url},
            "socks-login": {"kind": "proxy", "proxy": self.socks_login.url, "credential": "proxy"},
            "socks-ssh": {"kind": "proxy", "proxy": self.socks_ssh.url},
            "connect-login": {"kind": "proxy", "proxy": self.connect.url, "credential": "connect"},
            "bastion": {"kind": "ssh", "hops": [one]},
            "bastions": {"kind": "ssh", "hops": [one, two]},
            "from-address": {"kind": "interface", "bind": "127.0.0.2"},
            "from-card": {"kind": "interface", "bind": "lo"},
            "bmc": {"kind": "bmc", "bind": "127.0.0.3", "connect_to": pins},
            "cloud": {"kind": "cloud"},
        }

    def targets(self) -> dict[str, tuple[str, dict[str, Any]]]:
        """Protocol → the target's name, and its entry."""
        sentinel = urlsplit(self.redis.url).port
        login = {"user": USER, "password": PASSWORD}
        command = {**self.host.settings, "commands": json.dumps(COMMANDS)}
        return {
            "http": ("http/shop", {"url": self.shop.url}),
            "https": ("http/secure", {"url": self.secure.url}),
            "redis": ("redis/sessions", {"url": f"tcp://{HOST}:{sentinel}"}),
            "postgres": ("postgres/orders", {"url": f"tcp://{HOST}:{self.postgres.port}",
                                             "settings": login}),
            "haproxy": ("haproxy/lb1", {"url": f"tcp://{self.balancer.stats_address}"}),
            "ssh": ("ssh/db1", {"url": self.host.url, "settings": command}),
            "thief": ("http/secure", {"url": self.thief.url}),
        }  # fmt: skip

    def dialer(
        self, protocol: str, kind: str, *, port: int = 0, **path: Any
    ) -> tuple[Dialer, str, str]:
        """To that target over that path, with changes; `Dialer.connect` takes the last two."""
        name, entry = self.targets()[protocol]
        if kind in NAMED:
            entry["url"] = entry["url"].replace(HOST, NAME)
        if port:
            own = urlsplit(entry["url"]).port
            entry["url"] = entry["url"].replace(f":{own}", f":{port}")
        dialer = dialer_of(
            [{"name": name, **entry, "via": [kind]}], {kind: self.paths()[kind] | path}
        )
        return dialer, name, kind


def dialer_of(targets: list[dict[str, Any]], paths: Mapping[str, dict[str, Any]]) -> Dialer:
    """A catalog of these; a proxy's credential is `proxy` or `connect`."""
    catalog = Catalog.model_validate({
        "targets": targets,
        "paths": [{"name": name, **path} for name, path in paths.items()],
        "credentials": [{"name": "proxy", "ref": "env:PROXY_LOGIN"},
                        {"name": "connect", "ref": "env:CONNECT_LOGIN"}],
    })  # fmt: skip
    return Dialer(lambda: catalog)


@contextlib.contextmanager
def world(postgres: Postgres, host: Sshd, folder: Path) -> Iterator[World]:
    """All of it for the time of the block."""
    authority = Authority(folder)
    with contextlib.ExitStack() as stack:
        enter = stack.enter_context
        shop = enter(http_app("shop"))
        first = enter(sshd())
        yield World(
            authority,
            shop,
            enter(http_app("secure", tls=authority.server(NAME, f"IP:{HOST}"))),
            enter(http_app("thief", tls=authority.server("thief.invalid"))),
            enter(redis_sentinel(replicas=1, sentinels=1, quorum=1)),
            postgres,
            enter(haproxy(servers={"blue": shop.port, "green": shop.port})),
            host,
            (first, enter(sshd())),
            enter(microsocks()),
            enter(microsocks(*LOGINS["PROXY_LOGIN"].split(":", 1))),
            enter(ssh_socks(first)),
            enter(tinyproxy(*LOGINS["CONNECT_LOGIN"].split(":"))),
        )


async def ask_http(registry: Registry, link: Link) -> None:
    out = await Doing(registry, link).apply("http.check", target="shop", path="/state")
    assert (out["ok"], out["served_by"]) == (True, {"shop": 1})


async def ask_https(registry: Registry, link: Link) -> None:
    out = await Doing(registry, link).apply("http.check", target="secure", path="/", count=2)
    assert (out["ok"], out["served_by"]) == (True, {"secure": 2})


async def ask_redis(registry: Registry, link: Link) -> None:
    out = await Doing(registry, link).apply("redis_sentinel.primary", cluster="sessions")
    assert (out["role"], out["replicas"]) == ("master", 1)


async def ask_postgres(registry: Registry, link: Link) -> None:
    out = await Doing(registry, link).apply("postgres.status", server="orders")
    assert out["role"] == "primary"


async def ask_haproxy(registry: Registry, link: Link) -> None:
    """It has no reading verb: a preview reads the backend's servers."""
    preview = await Doing(registry, link).preview(
        "haproxy.set_weight", balancer="lb1", backend="app", server="blue", weight=50
    )
    assert preview.state["weight"] == 100


async def ask_ssh(registry: Registry, link: Link) -> None:
    out = await Doing(registry, link).apply("ssh.read", host="db1", command="list")
    assert out["stdout"] == "here"


ASK: dict[str, Ask] = {
    "http": ask_http, "https": ask_https, "redis": ask_redis, "postgres": ask_postgres,
    "haproxy": ask_haproxy, "ssh": ask_ssh,
}  # fmt: skip


def stranger() -> dict[str, str]:
    """A key pair that nobody knows: as a login's key, and as a host's."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(key.export_public_key().decode().split()[:2])
    return {"key": key.export_private_key().decode(), "host_key": public}


def nowhere(scheme: str) -> str:
    """A proxy's address at which nobody is."""
    return f"{scheme}://{HOST}:{free_port()}"
