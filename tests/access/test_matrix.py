"""Every protocol that we act over, over every kind of path: real servers, proxies and bastions."""

import asyncio
import errno
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from bot.errors import NotSent
from bot.registry import Registry
from tests.access.world import ASK, World, dialer_of, nowhere, stranger
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.sshd import sshd

pytestmark = pytest.mark.server
PATHS = [
    *("direct", "pinned", "socks", "socks-login", "socks-ssh", "connect-login"),
    *("bastion", "bastions", "from-address", "from-card", "bmc", "cloud"),
]
PROXIES = ("socks", "socks-login", "connect-login")


def may(kind: str) -> None:
    """Binding to a card may need a capability that a plain user lacks."""
    if kind != "from-card":
        return
    with socket.socket() as probe:
        try:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_BINDTODEVICE, b"lo")
        except OSError as error:
            if error.errno != errno.EPERM or os.geteuid() == 0:
                raise
            pytest.skip("this kernel lets only root (CAP_NET_RAW) bind to a network card")


@pytest.mark.parametrize("kind", PATHS)
@pytest.mark.parametrize("protocol", ASK)
async def test_each_protocol_over_each_path(
    trusted: World, registry: Registry, protocol: str, kind: str
) -> None:
    """Asked by the integration's own reading action, answered by the real server."""
    may(kind)
    dialer, target, path = trusted.dialer(protocol, kind)
    async with dialer.connect(target, path) as link:
        await ASK[protocol](registry, link)


def test_every_kind_of_path_is_here(servers: World) -> None:
    """Of those that the catalog knows, so that a new kind must come with its proof."""
    assert set(servers.paths()) == set(PATHS)
    from bot.catalog.path import Kind  # noqa: PLC0415 - only this claim is about it

    kinds = {path.get("kind", "direct") for path in servers.paths().values()}
    assert kinds == set(Kind.__args__)


@pytest.mark.parametrize("kind", PATHS)
async def test_a_wrong_certificate_over_each_path(trusted: World, kind: str) -> None:
    """Of an authority that we trust, and for another name: refused before anything is sent."""
    may(kind)
    dialer, target, path = trusted.dialer("thief", kind)
    before = trusted.thief.count()
    async with dialer.connect(target, path) as link:
        with pytest.raises(httpx.ConnectError, match="certificate is not valid for"):
            await link.http.get("/")
    assert trusted.thief.count() == before


@pytest.mark.parametrize("kind", PATHS)
async def test_nobody_listens_at_the_target(trusted: World, registry: Registry, kind: str) -> None:
    """Over every path and by every protocol that is known, and named with the path."""
    may(kind)
    for protocol, ask in ASK.items():
        dialer, target, path = trusted.dialer(protocol, kind, port=free_port())
        async with dialer.connect(target, path) as link:
            with pytest.raises(NotSent, match=f"cannot be reached over {path}:"):
                await ask(registry, link)


def broken(servers: World) -> list[tuple[str, dict[str, Any], str]]:
    """The kind, what is wrong with it, and what the error must name."""
    one, two = ({"url": b.url, **b.settings} for b in servers.bastions)
    gone = {**one, "url": f"ssh://me@{HOST}:{free_port()}"}
    other = stranger()
    shown = urlsplit(two["url"]).port
    return [
        *((kind, {"proxy": nowhere("socks5")}, "connect to proxy") for kind in PROXIES[:2]),
        ("connect-login", {"proxy": nowhere("http")}, "connect to proxy"),
        ("socks", {"proxy": servers.socks_login.url}, "authentication"),
        ("socks-login", {"credential": "connect"}, "authentication"),
        ("connect-login", {"credential": "proxy"}, "401|407"),
        ("connect-login", {"credential": None}, "401|407"),
        ("connect-login", {"credential": "none"}, "no credential 'none'"),
        ("socks-login", {"proxy": servers.shop.url.replace("http", "socks5")}, "version"),
        ("bastion", {"hops": [gone]}, "no SSH login"),
        ("bastions", {"hops": [one, gone]}, "no SSH login"),
        ("bastions", {"hops": [gone, two]}, "no SSH login"),
        ("bastion", {"hops": [{**one, "key": other["key"]}]}, "refuses .*'s key"),
        ("bastion", {"hops": [{**one, "key": "rubbish"}]}, "cannot be used"),
        ("bastion", {"hops": [{**one, "key": "env:NO_SUCH_KEY"}]}, "env:NO_SUCH_KEY is not set"),
        ("bastion", {"hops": [{**one, "host_key": other["host_key"]}]}, "pinned host key"),
        ("bastion", {"hops": [{**one, "host_key": "rubbish"}]}, "pinned host key|cannot be used"),
        ("bastions", {"hops": [one, {**two, "key": one["key"]}]}, f":{shown} refuses"),
        ("bastions", {"hops": [one, {**two, "host_key": one["host_key"]}]}, f":{shown} does not"),
        ("from-address", {"bind": "203.0.113.9"}, "assign requested address|could not bind"),
        ("from-card", {"bind": "jl-none0"}, "No such device"),
        ("pinned", {"connect_to": {"shop.invalid": "127.0.0.9"}}, "Connect call failed"),
    ]


async def test_a_path_that_is_broken_itself(trusted: World, registry: Registry) -> None:
    """Down, or it refuses us, or it is somebody else: nothing reached the target, and why is said.

    So the next path may be tried, which an `AuthFailed` would forbid.
    """
    may("from-card")
    before = trusted.shop.count("/state")
    for kind, change, said in broken(trusted):
        for protocol in ("http", "haproxy", "ssh"):
            dialer, target, path = trusted.dialer(protocol, kind, **change)
            async with asyncio.timeout(30), dialer.connect(target, path) as link:
                with pytest.raises(NotSent, match=rf"over {path}: .*({said})") as caught:
                    await ASK[protocol](registry, link)
            assert "sesame" not in str(caught.value)
    assert trusted.shop.count("/state") == before


@asynccontextmanager
async def mirror() -> AsyncIterator[int]:
    """Tells each caller where it seems to come from; its port."""

    async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(writer.get_extra_info("peername")[0].encode())
        writer.close()

    server = await asyncio.start_server(answer, HOST, 0)
    async with server:
        yield server.sockets[0].getsockname()[1]


@pytest.mark.parametrize(
    ("kind", "address"), [("direct", HOST), ("from-address", "127.0.0.2"), ("bmc", "127.0.0.3")]
)
async def test_it_goes_out_from_the_address_that_is_named(
    servers: World, kind: str, address: str
) -> None:
    async with mirror() as port:
        dialer = dialer_of(
            [{"name": "tcp/mirror", "url": f"tcp://{HOST}:{port}"}], {kind: servers.paths()[kind]}
        )
        async with dialer.connect("tcp/mirror", kind) as link:
            assert await link.exchange(b"") == address.encode()


async def test_the_proxies_and_bastions_were_really_on_the_way(
    trusted: World, registry: Registry
) -> None:
    """By their own logs."""
    port = str(trusted.shop.port)
    for kind, proxy in [
        ("socks", trusted.socks), ("socks-login", trusted.socks_login), ("connect-login", trusted.connect),
    ]:  # fmt: skip
        dialer, target, path = trusted.dialer("http", kind)
        async with dialer.connect(target, path) as link:
            await ASK["http"](registry, link)
        wait_for(lambda p=proxy: port in p.process.tail(500), what=f"{kind} to log it")
    first, second = trusted.bastions
    counts = [b.process.tail(5000).count("Accepted publickey") for b in (first, second)]
    dialer, target, path = trusted.dialer("http", "bastions")
    async with dialer.connect(target, path) as link:
        await ASK["http"](registry, link)
    for bastion, count in zip((first, second), counts, strict=True):
        assert bastion.process.tail(5000).count("Accepted publickey") == count + 1


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (b"HTTP/1.1 200 OK\r\nVia: me\r\n\r\nSSH-2.0-first\r\n", None),
        (b"HTTP/1.0 200\r\n\r\nSSH-2.0-first\r\n", None),
        (b"HTTP/1.1 403 Not for you\r\n\r\n", "the proxy answers 403 Not for you"),
        (b"HTTP/1.1 200 OK\r\n", "answer is none"),
        (b"SSH-2.0-x\r\n\r\n", "answer is none"),
        (b"x" * 200_000, "answer is none"),
        (b"", "answer is none"),
    ],
)
async def test_what_the_host_says_first_is_not_lost(answer: bytes, said: str | None) -> None:
    """It may come in one packet with the proxy's answer. And answers that are none."""

    async def proxy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(answer)
        writer.close()

    async with await asyncio.start_server(proxy, HOST, 0) as server:
        address = f"http://{HOST}:{server.sockets[0].getsockname()[1]}"
        dialer = dialer_of(
            [{"name": "tcp/host", "url": "tcp://host.invalid:22"}],
            {"p": {"kind": "proxy", "proxy": address}},
        )
        async with dialer.connect("tcp/host", "p") as link:
            if said is None:
                assert await link.exchange(b"") == b"SSH-2.0-first\r\n"
                return
            with pytest.raises(NotSent, match=said):
                await link.exchange(b"")


async def test_a_bastion_that_dies_in_between(trusted: World, registry: Registry) -> None:
    """What was under way broke, and does not look like an end; the next call logs in anew."""
    with sshd() as bastion:
        hops = [{"url": bastion.url, **bastion.settings}]
        dialer, target, path = trusted.dialer("http", "bastion", hops=hops)

        async def hold(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readline()
            await asyncio.to_thread(bastion.cut)
            writer.close()

        async with await asyncio.start_server(hold, HOST, 0) as server:
            port = server.sockets[0].getsockname()[1]
            async with dialer.connect(target, path) as link:
                reader, writer = await link.way.open((HOST, port))
                writer.write(b"order\n")
                with pytest.raises(ConnectionResetError, match="the line broke"):
                    await reader.read()
                writer.close()
                with pytest.raises(NotSent):
                    await link.way.open()
                bastion.start()
                await ASK["http"](registry, link)
