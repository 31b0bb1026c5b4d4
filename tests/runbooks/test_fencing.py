"""Any number of engines over one store: one owner at a time, and a former owner changes nothing."""

import asyncio
import threading
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from bot.contract import Action, Call, Change, Connection, Effect, Frozen, Preview
from bot.errors import Retryable
from bot.registry import Registry
from bot.runbooks.journal import Fenced
from bot.store import Store, now
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, expire, runbook, running, until, write_folder
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.postgres import Postgres

LOOK = "action: http.check\nwith: {target: shop, path: /}"
FREE = "approvals: {count: 0}"


async def test_one_of_many_claims_a_run(make_room: MakeRoom) -> None:
    """All ask at once; the epoch says that it was claimed once."""
    room = make_room(runbook(CALL))
    number = await room.approved()
    before = (await room.run(number)).epoch
    engines = [room.another(f"engine-{i}") for i in range(5)]
    claims = await asyncio.gather(*(e.journal.claim() for e in engines))
    assert sum(len(c) for c in claims) == 1
    run = await room.run(number)
    assert run.epoch == before + 1
    assert run.owner.startswith("engine-")
    assert await room.engine.journal.claim() == []


async def test_a_former_owner_writes_nothing(make_room: MakeRoom) -> None:
    """Neither an intent nor an outcome, an end or a longer lease."""
    room = make_room(runbook(CALL))
    number = await room.approved()
    old, new = room.engine.journal, room.another("second").journal
    ((_, first),) = await old.claim()
    facts = {"action": "http.call", "target": "http/shop", "access_path": "direct"}
    attempt = await old.intend(number, first, "s1", "do", **facts)
    await old.renew(number, first)
    await expire(room)
    ((_, second),) = await new.claim()
    assert second == first + 1
    before = (await room.rows(), await room.run(number))
    for write in (
        old.settle(attempt, first, "done"),
        old.end(number, first, "succeeded"),
        old.intend(number, first, "s1", "do", **facts),
        old.renew(number, first),
    ):
        with pytest.raises(Fenced):
            await write
    assert [a.state for a in await room.attempts(number)] == ["intent"]
    assert (await room.rows(), await room.run(number)) == before
    await new.renew(number, second)


async def test_a_replica_whose_clock_is_wrong_takes_nothing_over(
    make_room: MakeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Leases begin and end by the database's clock: an owner that works is left alone."""
    room = make_room(runbook(CALL))
    if room.store.is_sqlite:
        pytest.skip("one machine has one clock")

    def off_by(minutes: int) -> None:
        for module in ("runbooks.journal", "runbooks.engine", "store.engine"):
            monkeypatch.setattr(f"bot.{module}.now", lambda: now() + timedelta(minutes=minutes))

    number = await room.approved()
    right, other = room.engine.journal, room.another("other").journal
    ((_, first),) = await right.claim()
    off_by(5)
    assert await other.claim() == []
    await right.renew(number, first)
    off_by(-5)
    await expire(room)
    ((_, second),) = await other.claim()
    await other.renew(number, second)
    await other.held_back(number, second, "s1", "the standby lags behind")
    async with other.fenced(number, second):
        pass
    monkeypatch.undo()
    assert await right.claim() == []


@pytest.mark.server
async def test_a_long_step_keeps_its_lease(
    make_room: MakeRoom, http_server: Start[HttpApp], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The step takes several leases; the other engine keeps its hands off."""
    for module in ("journal", "engine"):
        monkeypatch.setattr(f"bot.runbooks.{module}.LEASE", timedelta(seconds=2))
    shop = http_server("shop")
    shop.answers["/restart"] = Answer(latency=4.5)
    room = make_room(runbook(CALL), http__shop=shop.url)
    number = await room.approved()
    async with running(room.engine, room.another("second")):
        run = await until(room, number, "succeeded")
    assert (shop.count("/restart"), len(await room.attempts(number))) == (1, 1)
    assert run.epoch == 2  # planned and run


@pytest.mark.server
@pytest.mark.parametrize(
    ("step", "state", "sent"),
    [
        (CALL, "unknown", 1),
        ("action: http.put\nwith: {target: shop, path: /restart, body: 1}", "succeeded", 2),
    ],
)
async def test_an_owner_that_wakes_up_too_late(
    make_room: MakeRoom, http_server: Start[HttpApp], step: str, state: str, sent: int
) -> None:
    """It was paused in the middle of a call. What the new owner decided stands."""
    shop = http_server("shop")
    taken = threading.Event()
    method = "POST" if sent == 1 else "PUT"
    shop.answers[f"{method} /restart"] = Answer(held=taken)
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    late = asyncio.create_task(room.work(1))
    async with asyncio.timeout(10):
        while not [r for r in shop.received if r.method == method]:
            await asyncio.sleep(0.02)
    await expire(room)
    shop.answers[f"{method} /restart"] = Answer()
    await room.work(1, room.another("second"))
    rows, run = await room.rows(), await room.run(number)
    assert run.state == state
    taken.set()
    await late
    assert (await room.rows(), await room.run(number)) == (rows, run)
    assert len([r for r in shop.received if r.method == method]) == sent


@pytest.mark.server
async def test_two_engines_share_the_work(make_room: MakeRoom, http_server: Start[HttpApp]) -> None:
    """Ten runs, two engines: each run is done once, and the record is unbroken."""
    shop = http_server("shop")
    room = make_room(runbook(LOOK, front=FREE), http__shop=shop.url)
    numbers = [await room.start(origin=f"key-{i}") for i in range(10)]
    async with running(room.engine, room.another("second")):
        for number in numbers:
            await until(room, number, "succeeded")
    assert shop.count("/") == 10
    assert (await room.kinds()).count("run_succeeded") == 10


@pytest.mark.server
async def test_engines_outlive_their_database(
    tmp_path: Path, registry: Registry, postgres_factory: Start[Postgres]
) -> None:
    """PostgreSQL dies and comes back: the engine goes on with what is asked for then."""
    server = postgres_factory()
    store = Store(server.create_database("outage"))
    await store.migrate()
    room = Room(store, write_folder(tmp_path / "runbooks", runbook(LOOK)), registry)
    try:
        async with running(room.engine):
            first = await room.start(origin="a")
            await until(room, first, "waiting")
            server.crash()
            await asyncio.sleep(1.5)
            server.start()
            second = await room.start(origin="b")
            await until(room, second, "waiting")
    finally:
        await store.close()


class Faulty(Action):
    """An integration with a fault in one of its verbs."""

    name: ClassVar[str] = "faulty.do"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = False

    class Params(Frozen):
        """Where the fault is."""

        breaks: str

    sent: ClassVar[list[str]] = []

    def target(self, params: Any) -> str:
        return "http/shop"

    def _break(self, params: Any, verb: str) -> None:
        if params.breaks == verb:
            raise KeyError("status")

    async def preview(self, params: BaseModel, connection: Connection) -> Preview:
        self._break(params, "preview")
        return Preview(changes=[Change(target="http/shop", what="w", before="a", after="b")])

    async def apply(self, params: BaseModel, connection: Connection) -> dict[str, Any]:
        self.sent.append("sent")
        self._break(params, "apply")
        return {}

    async def verify(self, params: BaseModel, connection: Connection) -> bool | None:
        self._break(params, "verify")
        return None

    def undo(self, params: BaseModel, state: Mapping[str, Any]) -> Call | None:
        return None


class FaultyOnce(Faulty):
    """The same, and not to be repeated."""

    name: ClassVar[str] = "faulty.once"
    effect: ClassVar[Effect] = Effect.ONCE
    reverts: ClassVar[bool] = False


@pytest.mark.parametrize(
    ("action", "breaks", "state", "sent", "said"),
    [
        ("faulty.do", "preview", "failed", 0, "internal error: KeyError: 'status'"),
        ("faulty.do", "apply", "failed", 1, "faulty.do broke: KeyError: 'status'"),
        ("faulty.once", "apply", "unknown", 1, "faulty.once broke: KeyError: 'status'"),
        ("faulty.do", "verify", "succeeded", 1, ""),
    ],
)
async def test_a_faulty_integration_ends_its_run(
    store: Store, tmp_path: Path, action: str, breaks: str, state: str, sent: int, said: str
) -> None:
    """It is not tried for ever, it does not stop the engine, and a person reads what broke."""
    Faulty.sent.clear()
    actions: dict[str, Action] = {a.name: a for a in (Faulty(), FaultyOnce())}
    step = f'action: {action}\nwith: {{breaks: {breaks}}}\nverify: [{{expect: "true"}}]'
    folder = write_folder(tmp_path / "runbooks", runbook(step, front=FREE))
    room = Room(store, folder, Registry(actions=actions))
    number = await room.start()
    await room.work()
    run = await room.run(number)
    assert (run.state, run.error, len(Faulty.sent)) == (state, said, sent)
    await expire(room)
    await room.work()
    assert len(Faulty.sent) == sent


class Busy(Faulty):
    """Asks to be tried again, for ever."""

    name: ClassVar[str] = "faulty.busy"

    async def apply(self, params: BaseModel, connection: Connection) -> dict[str, Any]:
        raise Retryable("Three of five are done.", retry_after=0.01)


async def test_a_target_that_asks_to_come_back_is_tried_again(store: Store, tmp_path: Path) -> None:
    """It stands in the record as that, not as a failure; only the last try is one."""
    step = "action: faulty.busy\nwith: {breaks: nothing}\nretry: {attempts: 3, backoff: 10ms}"
    folder = write_folder(tmp_path / "runbooks", runbook(step, front=FREE))
    room = Room(store, folder, Registry(actions={Busy.name: Busy()}))
    number = await room.start()
    await room.work()
    assert (await room.run(number)).state == "failed"
    rows = [row for row in await room.rows() if row.kind in ("step_retried", "step_failed")]
    assert [row.kind for row in rows] == ["step_retried", "step_retried", "step_failed"]
    assert rows[0].text == "s1: Three of five are done. It is tried again."
