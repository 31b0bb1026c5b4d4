"""A pinned path needs no DNS, and still trusts nobody but the target by its own name."""

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import httpx
import pytest
from aiohttp import web

from bot.access import Dialer
from bot.catalog import Catalog
from bot.errors import NotSent
from bot.registry import load
from tests.servers.authority import Authority
from tests.servers.process import HOST

pytestmark = pytest.mark.server
Serve = Callable[[str], AbstractAsyncContextManager[int]]


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority(tmp_path_factory.mktemp("ca"))


@pytest.fixture
def serve(authority: Authority) -> Serve:
    """`serve(name)`: a TLS server on loopback whose certificate is for that name; its port."""

    @asynccontextmanager
    async def serving(name: str) -> AsyncIterator[int]:
        async def answer(request: web.BaseRequest) -> web.Response:
            return web.Response(text=f"{name} as {request.host}")

        runner = web.ServerRunner(web.Server(answer), shutdown_timeout=0)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0, ssl_context=authority.server(name)).start()
        yield int(runner.addresses[0][1])
        await runner.cleanup()

    return serving


def pinned(port: int) -> Dialer:
    catalog = Catalog.model_validate({
        "targets": [{"name": "http/shop", "url": f"https://shop.invalid:{port}", "via": ["pin"]}],
        "paths": [{"name": "pin", "kind": "pinned", "connect_to": {"shop.invalid": HOST}}],
    })  # fmt: skip
    return Dialer(lambda: catalog)


async def test_the_right_certificate(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Connected by address, proved by name: the name is sent, and checked."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    async with serve("shop.invalid") as port, pinned(port).connect("http/shop") as link:
        answer = await link.http.get("/")
        assert answer.text == f"shop.invalid as shop.invalid:{port}"


async def test_a_certificate_for_another_name(
    serve: Serve, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of an authority that is trusted, and of somebody else: refused, and nothing was sent."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.certificate))
    call = load().action("http.call")
    params = call.Params.model_validate({"target": "shop", "path": "/restart"})
    async with serve("thief.invalid") as port, pinned(port).connect("http/shop") as link:
        with pytest.raises(httpx.ConnectError, match=r"not valid for 'shop\.invalid'"):
            await link.http.get("/")
        with pytest.raises(NotSent):
            await call.apply(params, link)


async def test_an_authority_that_nobody_trusts(serve: Serve) -> None:
    async with serve("shop.invalid") as port, pinned(port).connect("http/shop") as link:
        with pytest.raises(httpx.ConnectError, match="CERTIFICATE_VERIFY_FAILED"):
            await link.http.get("/")
