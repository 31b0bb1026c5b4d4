"""Real servers for the integrations; a test that needs one is marked `server`."""

import json
from collections import Counter
from collections.abc import AsyncIterator, Callable, Iterator

import httpx
import pytest

from bot.practice import edge
from bot.registry import Registry, load
from tests.integrations.direct import direct
from tests.integrations.doing import Doing, PracticeEdge
from tests.servers.ask import answers
from tests.servers.envoy import Envoy, envoy
from tests.servers.haproxy import HAProxy, haproxy
from tests.servers.http_app import HttpApp, http_app
from tests.servers.process import HOST, free_port, running, scratch, spawn
from tests.servers.tools import require


@pytest.fixture(scope="session")
def registry() -> Registry:
    """The integrations as Jackline itself loads them."""
    return load()


@pytest.fixture
def two_apps() -> Iterator[tuple[HttpApp, HttpApp]]:
    with http_app("blue") as blue, http_app("green") as green:
        yield blue, green


@pytest.fixture
def plain_envoy(two_apps: tuple[HttpApp, HttpApp]) -> Iterator[Envoy]:
    """No runtime value is set at first: weights come from the configuration, 75 to 25."""
    blue, green = two_apps
    ports = {"blue": blue.port, "green": green.port}
    with envoy(clusters=ports, weights={"blue": 75, "green": 25}) as server:
        yield server


@pytest.fixture
async def on_envoy(registry: Registry, plain_envoy: Envoy) -> AsyncIterator[Doing]:
    async with direct("envoy/edge", plain_envoy.admin_url) as connection:
        yield Doing(registry, connection)


@pytest.fixture
def practice_edge() -> Iterator[PracticeEdge]:
    with http_app("primary") as primary, http_app("standby") as standby, scratch("edge") as folder:
        port, admin = free_port(), free_port()
        standby.down()
        upstreams = {name: primary.port for names in edge.ROUTES.values() for name in names}
        upstreams["payments_standby"] = standby.port
        config = edge.config(edge_port=port, admin_port=admin, upstreams=upstreams)
        (folder / "envoy.json").write_text(json.dumps(config))
        process = spawn(
            "edge",
            [require("envoy"), "-c", "envoy.json", "--disable-hot-restart", "--concurrency", "1"],
            folder=folder,
            ready=lambda: answers(f"http://{HOST}:{admin}/ready"),
        )
        with running(process):
            yield PracticeEdge(f"http://{HOST}:{port}", f"http://{HOST}:{admin}", primary, standby)


@pytest.fixture
async def on_practice(registry: Registry, practice_edge: PracticeEdge) -> AsyncIterator[Doing]:
    async with direct("envoy/edge", practice_edge.admin_url) as connection:
        yield Doing(registry, connection)


@pytest.fixture
def balancer(two_apps: tuple[HttpApp, HttpApp]) -> Iterator[HAProxy]:
    blue, green = two_apps
    with haproxy(servers={"blue": blue.port, "green": green.port}) as server:
        yield server


@pytest.fixture
async def on_haproxy(registry: Registry, balancer: HAProxy) -> AsyncIterator[Doing]:
    async with direct("haproxy/lb1", f"tcp://{balancer.stats_address}") as connection:
        yield Doing(registry, connection)


@pytest.fixture
def shop() -> Iterator[HttpApp]:
    with http_app("shop") as app:
        yield app


@pytest.fixture
def vendor() -> Iterator[HttpApp]:
    """Stands in for a vendor's API."""
    with http_app("vendor") as app:
        yield app


@pytest.fixture
async def on_http(registry: Registry, shop: HttpApp) -> AsyncIterator[Doing]:
    async with direct("http/shop", shop.url, timeout=2) as connection:
        yield Doing(registry, connection)


@pytest.fixture
def served_by() -> Callable[[str, int], Counter[str]]:
    """Who answers through a proxy; a status stands for an answer of the proxy's own."""

    def ask(url: str, count: int) -> Counter[str]:
        with httpx.Client() as client:
            got = [client.get(url) for _ in range(count)]
        return Counter(r.headers.get("x-served-by") or str(r.status_code) for r in got)

    return ask
