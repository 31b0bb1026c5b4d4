"""`drain-member` and `shed-load` on a real HAProxy, there and back."""

from pathlib import Path
from typing import Any

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.killing import at_commits
from tests.runbooks.room import Room, expire, running, until
from tests.runbooks.shipped.room import on_both, shipped
from tests.servers.fixtures import Start
from tests.servers.haproxy import HAProxy
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import wait_for

pytestmark = pytest.mark.server
NAMES = ("web1", "web2", "web3", "web4")


@pytest.fixture
def apps(http_server: Start[HttpApp]) -> dict[str, HttpApp]:
    return {name: http_server(name) for name in NAMES}


@pytest.fixture
def pool(haproxy_server: Start[HAProxy], apps: dict[str, HttpApp]) -> HAProxy:
    ports = {name: app.port for name, app in apps.items()}
    balancer = haproxy_server(servers=ports, shed={"/feed": 0, "/search": 0})
    wait_for(lambda: [row[5] for row in rows(balancer)] == ["2"] * len(NAMES), what="the pool")
    return balancer


def rows(pool: HAProxy) -> list[list[str]]:
    """HAProxy's own table; its sixth column is 2 for a server that is up."""
    lines = pool.command("show servers state app").splitlines()[2:]
    return [line.split() for line in lines if line.strip()]


def drained(pool: HAProxy) -> list[str]:
    return [row[3] for row in rows(pool) if int(row[6]) & 8]


def shares(pool: HAProxy) -> dict[str, int]:
    lines = pool.command(f"show map {pool.shed_map}").splitlines()
    return {key: int(value) for _, key, value in (line.split() for line in lines if line)}


def made(
    name: str, pool: HAProxy, store: Store, registry: Registry, folder: Path, **instead: str
) -> Room:
    targets = {"haproxy/lb1": f"tcp://{pool.stats_address}", "http/lb1": pool.url}
    return shipped(name, store, registry, folder, targets, **instead)


@on_both
async def test_members_are_drained_and_come_back(
    pool: HAProxy, apps: dict[str, HttpApp], store: Store, registry: Registry, tmp_path: Path
) -> None:
    """No request reaches them any more; undo has them take requests again."""
    room = made("drain-member", pool, store, registry, tmp_path)
    number = await room.approved(name="drain-member", servers="web1,web3")
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error) == ("succeeded", "")
    assert drained(pool) == ["web1", "web3"]
    for app in apps.values():
        app.received.clear()
    assert {pool.get("/").status for _ in range(20)} == {200}
    one, two, three, four = (apps[name].count("/") for name in NAMES)
    assert (one, three, two + four) == (0, 0, 20)
    await room.ask("undo", number)
    await room.work()
    assert (await room.run(number)).state == "aborted"
    assert drained(pool) == []


async def test_too_many_members_are_refused(
    pool: HAProxy, store: Store, registry: Registry, tmp_path: Path
) -> None:
    room = made("drain-member", pool, store, registry, tmp_path)
    number = await room.start(name="drain-member", servers="web1,web2,web3")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert "would make 3 changes; blast_radius.max_changes is 2." in run.error
    assert drained(pool) == []


class Loaded(dict[str, Answer]):
    """Checkout is slow until enough is turned away: the balancer itself says how much is."""

    def __init__(self, pool: HAProxy, enough: set[str]) -> None:
        super().__init__()
        self.pool, self.enough = pool, enough

    def get(self, path: str, default: Any = None) -> Any:
        if path != "/checkout":
            return default
        away = {key for key, share in shares(self.pool).items() if share == 100}
        return default if self.enough <= away else Answer(latency=0.5)


@on_both
@pytest.mark.parametrize(
    ("enough", "expected"),
    [({"/feed"}, {"/feed": 100, "/search": 0}), ({"/feed", "/search"}, {"/feed": 100, "/search": 100})],
)  # fmt: skip
async def test_load_is_shed_by_tiers(
    pool: HAProxy, apps: dict[str, HttpApp], store: Store, registry: Registry, tmp_path: Path,
    enough: set[str], expected: dict[str, int],
) -> None:  # fmt: skip
    """p2 first; p1 only where that did not suffice; undo brings both back."""
    for app in apps.values():
        app.answers = Loaded(pool, enough)
    instead = {"/etc/haproxy/shed.map": str(pool.shed_map), "wait: 15s": "wait: 500ms"}
    room = made("shed-load", pool, store, registry, tmp_path, **instead)
    number = await room.approved(name="shed-load")
    async with running(room.engine):
        run = await until(room, number, "succeeded")
        assert shares(pool) == expected
        assert pool.get("/feed").status == 503
        assert pool.get("/checkout").status == 200
        await room.ask("undo", run.number)
        await until(room, number, "aborted")
    assert shares(pool) == {"/feed": 0, "/search": 0}


class Died(BaseException):
    """The process is gone."""


async def test_it_stays_shed_though_jackline_dies_meanwhile(
    pool: HAProxy, apps: dict[str, HttpApp], store: Store, registry: Registry, tmp_path: Path
) -> None:
    """Checkout is quick again because the feed is away: no reason to let it in once more."""
    for app in apps.values():
        app.answers = Loaded(pool, {"/feed"})
    instead = {"/etc/haproxy/shed.map": str(pool.shed_map), "wait: 15s": "wait: 500ms"}
    room = made("shed-load", pool, store, registry, tmp_path, **instead)
    number = await room.approved(name="shed-load")

    def before(_: int) -> None:
        if shares(pool)["/feed"]:
            raise Died

    with at_commits(before, lambda _: None), pytest.raises(Died):
        await room.work()
    await expire(room)
    async with running(room.another("second")):
        await until(room, number, "succeeded")
    assert shares(pool) == {"/feed": 100, "/search": 0}


async def test_a_quick_checkout_sheds_nothing(
    pool: HAProxy, store: Store, registry: Registry, tmp_path: Path
) -> None:
    instead = {"/etc/haproxy/shed.map": str(pool.shed_map)}
    room = made("shed-load", pool, store, registry, tmp_path, **instead)
    number = await room.approved(name="shed-load")
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert run.error.startswith("Checkout is quick enough: there is nothing to shed")
    assert shares(pool) == {"/feed": 0, "/search": 0}
