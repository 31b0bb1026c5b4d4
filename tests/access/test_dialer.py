"""Access paths to real targets: what is reached, over which address, and what is not sent."""

import asyncio
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from bot.access import Dialer
from bot.catalog import Catalog
from bot.errors import AuthFailed, BadInput, NotFound, NotSent, Unknown
from bot.registry import load
from tests.access.test_matrix import may
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    return http_server("shop")


def dialer(*targets: dict[str, Any], **pins: str) -> Dialer:
    """The targets, a direct path, and a pinned one for ``shop.invalid``."""
    paths = [
        {"name": "direct"},
        {"name": "pinned", "kind": "pinned", "connect_to": {"shop.invalid": HOST} | pins},
    ]
    catalog = Catalog.model_validate({"targets": list(targets), "paths": paths})
    return Dialer(lambda: catalog)


def target(url: str, **fields: Any) -> dict[str, Any]:
    return {"name": "http/shop", "url": url, **fields}


async def test_direct(shop: HttpApp) -> None:
    """Over plain TCP, with the target's base URL and its headers."""
    way = dialer(target(f"{shop.url}/base", headers={"X-Team": "shop"}))
    async with way.connect("http/shop") as link:
        assert (link.target, link.path) == ("http/shop", "direct")
        assert (await link.http.get("/state")).text == "ok"
    (received,) = shop.received
    assert (received.path, received.headers["x-team"]) == ("/base/state", "shop")


async def test_pinned_asks_no_dns(shop: HttpApp, monkeypatch: pytest.MonkeyPatch) -> None:
    """The name never resolves and nobody asks for it; the target still sees its own name."""
    asked: list[object] = []
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket, "getaddrinfo", lambda host, *a, **kw: (asked.append(host), real(host, *a, **kw))[1]
    )
    way = dialer(target(f"http://shop.invalid:{shop.port}"))
    async with way.connect("http/shop", "pinned") as link:
        assert (await link.http.get("/")).text == "ok"
    assert shop.received[0].headers["host"] == f"shop.invalid:{shop.port}"
    assert set(asked) <= {HOST}
    async with way.connect("http/shop", "direct") as link:
        with pytest.raises(httpx.ConnectError):
            await link.http.get("/")
    assert "shop.invalid" in asked


async def test_no_proxy_of_the_environment_comes_between(
    shop: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A path is what the catalog says, not what a variable says."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    async with dialer(target(shop.url)).connect("http/shop") as link:
        assert (await link.http.get("/")).text == "ok"


async def test_nothing_listens_nothing_was_sent() -> None:
    """An action over a refused port reports NotSent: the next path may be tried."""
    registry, port = load(), free_port()
    way = dialer(target(f"http://{HOST}:{port}"))
    call = registry.action("http.call")
    params = call.Params.model_validate({"target": "shop", "path": "/restart"})
    async with way.connect("http/shop") as link:
        with pytest.raises(NotSent):
            await call.apply(params, link)
        with pytest.raises(NotSent, match="cannot be reached over direct"):
            await link.exchange(b"show stat\n")


async def test_sent_and_never_answered_is_unknown(shop: HttpApp) -> None:
    """The target took it and cut the connection: nobody knows whether it took effect."""
    shop.default = Answer(drop=True)
    call = load().action("http.call")
    params = call.Params.model_validate({"target": "shop", "path": "/restart"})
    async with dialer(target(shop.url)).connect("http/shop") as link:
        with pytest.raises(Unknown):
            await call.apply(params, link)
    assert shop.count("/restart") == 1


@pytest.mark.parametrize(
    ("via", "asked", "paths"),
    [
        (["pinned", "direct"], (), ["pinned", "direct"]),
        (["direct", "pinned"], (), ["direct", "pinned"]),
        (["direct"], ("pinned",), ["pinned"]),
        (["pinned", "direct"], ("direct", "pinned"), ["direct", "pinned"]),
    ],
)
def test_the_order_of_paths(via: list[str], asked: tuple[str, ...], paths: list[str]) -> None:
    """The target's own order, unless the step says another."""
    assert dialer(target("http://shop.invalid", via=via)).paths("http/shop", asked) == paths


async def test_the_first_path_is_taken_if_none_is_named(shop: HttpApp) -> None:
    way = dialer(target(f"http://shop.invalid:{shop.port}", via=["pinned", "direct"]))
    async with way.connect("http/shop") as link:
        assert link.path == "pinned"
        assert (await link.http.get("/")).is_success


async def test_names_that_nobody_knows() -> None:
    """Target or path: said by name, before anything is opened."""
    way = dialer(target("http://shop.invalid"))
    with pytest.raises(NotFound, match=r"no target 'http/shopp'.*Known: http/shop"):
        way.paths("http/shopp")
    with pytest.raises(NotFound, match="no target"):
        async with way.connect("http/shopp"):
            pass
    with pytest.raises(NotFound, match="no access path 'ssh'"):
        async with way.connect("http/shop", "ssh"):
            pass


async def test_a_credential_comes_from_the_environment(
    shop: HttpApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Read when it is needed; missing, it is said by its name and nothing is opened."""
    way = dialer(target(shop.url, headers={"Authorization": "Bearer env:SHOP_TOKEN"}))
    with pytest.raises(AuthFailed, match="SHOP_TOKEN"):
        async with way.connect("http/shop"):
            pass
    monkeypatch.setenv("SHOP_TOKEN", "t0ken")
    async with way.connect("http/shop") as link:
        await link.http.get("/")
    assert shop.received[0].headers["authorization"] == "Bearer t0ken"


@pytest.mark.parametrize("url", ["http://shop:99999", "tcp://shop:port"])
async def test_a_target_without_a_real_port(url: str) -> None:
    """An error of ours that says so, not a crash in the middle of a run."""
    with pytest.raises(BadInput, match="http/shop"):
        async with dialer(target(url)).connect("http/shop"):
            pass


async def line_server(answer: Any) -> tuple[asyncio.Server, str]:
    server = await asyncio.start_server(answer, HOST, 0)
    return server, f"tcp://shop.invalid:{server.sockets[0].getsockname()[1]}"


async def test_a_line_protocol_over_a_pinned_path() -> None:
    """Sends, reads until the other side closes; the answer may come in parts."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"got ")
        await writer.drain()
        await asyncio.sleep(0.02)
        writer.write(await reader.readline())
        writer.close()

    server, url = await line_server(answer)
    async with server, dialer(target(url)).connect("http/shop", "pinned") as link:
        assert await link.exchange(b"show stat\n") == b"got show stat\n"


@pytest.mark.parametrize("way_to_fail", ["silence", "reset"])
async def test_a_line_protocol_without_an_answer(way_to_fail: str) -> None:
    """Sent, and no end of the answer: Unknown, within the caller's time."""
    done = asyncio.Event()

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readline()
        if way_to_fail == "reset":
            linger = struct.pack("ii", 1, 0)  # closing then cuts the connection off
            writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        else:
            await done.wait()
        writer.close()

    server, url = await line_server(answer)
    async with server, dialer(target(url)).connect("http/shop", "pinned") as link:
        if way_to_fail == "reset":
            with pytest.raises(Unknown):
                await link.exchange(b"set\n")
        else:
            async with asyncio.timeout(20):
                with pytest.raises(Unknown, match="did not answer over pinned"):
                    await link.exchange(b"set\n", timeout=0.2)
        done.set()


@contextmanager
def silent(address: str, port: int = 0) -> Iterator[int]:
    """Takes no connection and refuses none: a backlog that is full. Its port."""
    full = socket.socket()
    full.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    full.bind((address, port))
    full.listen(0)
    waiting = [socket.socket() for _ in range(3)]
    for each in waiting:
        each.setblocking(False)
        each.connect_ex(full.getsockname())
    try:
        yield full.getsockname()[1]
    finally:
        for each in (full, *waiting):
            each.close()


async def test_a_target_that_takes_no_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    """A backlog that is full: given up after the connect limit, as not sent."""
    monkeypatch.setattr("bot.access.openers.CONNECT_TIMEOUT", 0.3)
    with silent(HOST) as port:
        way = dialer(target(f"http://{HOST}:{port}"))
        async with asyncio.timeout(20), way.connect("http/shop") as link:
            with pytest.raises(NotSent):
                await link.exchange(b"x\n")
            with pytest.raises((httpx.ConnectError, httpx.ConnectTimeout)):
                await link.http.get("/")


@pytest.mark.parametrize(
    "path",
    [
        {"name": "plain"},
        {"name": "from", "kind": "interface", "bind": HOST},
        {"name": "card", "kind": "interface", "bind": "lo"},
    ],
    ids=lambda path: str(path["name"]),
)
async def test_a_name_whose_first_address_is_silent(
    shop: HttpApp, monkeypatch: pytest.MonkeyPatch, path: dict[str, Any]
) -> None:
    """As of a host that IPv6 does not reach any more: the next address is tried in time."""
    if path["name"] == "card":
        may("from-card")
    resolved_to(monkeypatch, "127.0.0.9", HOST)
    catalog = Catalog.model_validate({
        "targets": [target(f"http://two.invalid:{shop.port}", via=[path["name"]])], "paths": [path],
    })  # fmt: skip
    with silent("127.0.0.9", shop.port):
        async with Dialer(lambda: catalog).connect("http/shop", path["name"]) as link:
            assert (await link.http.get("/")).text == "ok"


async def test_a_bastion_whose_first_address_is_silent(
    shop: HttpApp, sshd_server: Sshd, monkeypatch: pytest.MonkeyPatch
) -> None:
    resolved_to(monkeypatch, "127.0.0.9", HOST)
    at = urlsplit(sshd_server.url)
    hop = {"url": f"ssh://{at.username}@two.invalid:{at.port}", **sshd_server.settings}
    catalog = Catalog.model_validate({
        "targets": [target(shop.url, via=["bastion"])],
        "paths": [{"name": "bastion", "kind": "ssh", "hops": [hop]}],
    })  # fmt: skip
    with silent("127.0.0.9", int(at.port or 0)):
        async with Dialer(lambda: catalog).connect("http/shop", "bastion") as link:
            assert (await link.http.get("/")).text == "ok"


def resolved_to(monkeypatch: pytest.MonkeyPatch, *addresses: str) -> None:
    """What `two.invalid` resolves to, in this order."""
    real = socket.getaddrinfo

    def asked(host: Any, port: Any, *args: Any, **more: Any) -> Any:
        named = addresses if host == "two.invalid" else (host,)
        return [found for each in named for found in real(each, port, *args, **more)]

    monkeypatch.setattr(socket, "getaddrinfo", asked)
