"""Scheduled access drills on real paths and both databases: held once, on record, and an alert."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update
from sqlmodel import col, select

from bot.access import Dialer, Prober
from bot.access.tables import DrillHeld
from bot.alerts import AccessAlerts, Intake
from bot.alerts.arrivals import unpack_all
from bot.alerts.tables import StoredAlert
from bot.errors import BadInput
from bot.registry import Registry
from bot.runbooks import Drills, Library
from bot.runbooks.drills import LEASE
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.runbooks.room import PEOPLE, look, runbook
from tests.servers.http_app import HttpApp
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
DAY = timedelta(days=1)
KEY = b"audit"


class House:
    """One target with two ways to it and one with one; a runbook for each. `way` is the second's."""

    def __init__(self, store: Store, folder: Path, registry: Registry, shop: HttpApp) -> None:
        self.store = store
        self.folder = folder
        self.registry = registry
        self.shop = shop
        self.port = free_port()
        (folder / "catalog").mkdir(parents=True)
        for name in ("shop", "till"):
            step = look("").replace("target: shop", f"target: {name}")
            (folder / f"{name}.md").write_text(runbook(step, name=f"ask-{name}"))
        self.entry: dict[str, Any] = {"name": "monthly", "down": ["network:corp"]}
        self.write()
        self.library = Library(folder, registry)
        assert self.library.problems == {}

    def write(self, *, scheduled: bool = True, **entry: Any) -> None:
        """The catalog, with the drill changed, or without it."""
        self.entry = {"schedule": "* * * * *", **self.entry, **entry}
        probe = {"action": "http.check", "with": {"target": "shop", "path": "/"}}
        path = self.folder / "catalog" / "all.yaml"
        catalog = {
            "people": PEOPLE,
            "nodes": [{"id": "network:corp"}],
            "paths": [
                {"name": "direct", "depends_on": ["network:corp"]},
                {"name": "oob", "kind": "pinned", "connect_to": {HOST: HOST}, "depends_on": []},
            ],
            "targets": [
                {"name": "http/shop", "url": self.shop.url, "via": ["direct", "oob"],
                 "probe": probe},
                {"name": "http/till", "url": f"http://{HOST}:{self.port}", "via": ["oob"]},
            ],
            "drills": [self.entry] if scheduled else [],
        }  # fmt: skip
        path.write_text(json.dumps(catalog))

    def due_at(self, at: datetime, weekday: str = "*") -> datetime:
        """Has it due at the minute of a time, every day or week; when that is."""
        self.write(schedule=f"{at.minute} {at.hour} * * {weekday}")
        self.library.reload()
        return at.replace(second=0, microsecond=0)

    def drills(self) -> Drills:
        """Of one more replica."""
        prober = Prober(self.store, Dialer(lambda: self.library.catalog), self.registry, DAY, DAY)
        return Drills(self.store, Ledger(KEY), prober, self.library)

    async def known_since(self, at: datetime) -> None:
        async with self.store.write() as session:
            session.add(DrillHeld(name="monthly", due_at=at, began=at, ended=at))

    async def held(self) -> list[DrillHeld]:
        """Without the row that says since when the drill is known."""
        async with self.store.read() as session:
            query = select(DrillHeld).order_by(col(DrillHeld.due_at))
            rows = list((await session.execute(query)).scalars())
        return [row for row in rows if row.ended is None or row.score is not None]

    async def rows(self) -> list[Entry]:
        async with self.store.read() as session:
            assert await Ledger(KEY).verify(session) == []
            return await rows_of(session, 0)


@pytest.fixture
def house(store: Store, tmp_path: Path, registry: Registry, shop: HttpApp) -> House:
    return House(store, tmp_path / "runbooks", registry, shop)


async def test_what_was_due_before_the_drill_was_known_is_not_held(house: House) -> None:
    """A drill that is new in the catalog begins with the next occurrence."""
    for _ in range(2):
        await house.drills().run_due()
    assert await house.held() == []
    assert (await house.rows(), house.shop.received) == ([], [])


async def test_two_replicas_hold_it_once(house: House) -> None:
    """The database decides who; the score and the record are one commit. Nothing is due then."""
    due = house.due_at(now() - timedelta(minutes=1))
    await house.known_since(due - timedelta(hours=1))
    await asyncio.gather(*(house.drills().run_due() for _ in range(4)))
    (row,) = await house.held()
    assert (row.due_at, row.score) == (due, 0.5)
    assert row.ended is not None
    (said,) = await house.rows()
    assert (said.kind, said.actor) == ("access_drilled", "jackline")
    assert said.text == ("Access drill monthly with network:corp down: 50% of the runbooks run")
    assert said.data == {**row.result, "name": "monthly", "due_at": row.due_at.isoformat()}
    failed = {each["id"]: each["failed"] for each in row.result["runbooks"]}
    assert failed["ask-shop"] == []
    assert failed["ask-till"][0].startswith("oob to http/till: ")
    assert len(house.shop.received) == 1


async def test_one_whose_holder_died_is_held_again(house: House) -> None:
    """Once its lease is over; while that lasts, nobody takes it from who has it."""
    minute = house.due_at(now())
    await house.known_since(minute - timedelta(hours=2))
    drills = house.drills()
    assert await drills._claim("monthly", minute, now())  # and the process is gone
    await drills.run_due()
    assert [row.ended for row in await house.held()] == [None]
    async with house.store.write() as session:
        values = {"began": now() - LEASE - timedelta(seconds=1)}
        unfinished = col(DrillHeld.ended).is_(None)
        await session.execute(update(DrillHeld).where(unfinished).values(**values))
    await asyncio.gather(*(house.drills().run_due() for _ in range(4)))
    (row,) = await house.held()
    assert (row.due_at, row.score) == (minute, 0.5)
    assert len(await house.rows()) == 1


async def test_who_lost_its_turn_writes_nothing(house: House) -> None:
    """A holder so slow that another took over: one end, one row on record."""
    at = now()
    drills = house.drills()
    assert await drills._claim("monthly", at, at - 2 * LEASE)
    assert await drills._claim("monthly", at, at)
    for began in (at - 2 * LEASE, at):
        await drills._held("monthly", ["network:corp"], at, began, "jackline")
        assert len(await house.rows()) == (began == at)


async def test_of_those_missed_the_newest_is_held_if_it_is_not_a_day_late(house: House) -> None:
    """Nothing ran for a week: the last one, of three hours ago, is made up for; none before it."""
    missed = house.due_at(now() - timedelta(hours=3))
    await house.known_since(now() - 7 * DAY)
    for _ in range(2):
        await house.drills().run_due()
    assert [row.due_at for row in await house.held()] == [missed]


async def test_one_that_is_more_than_a_day_late_is_not_held(house: House) -> None:
    """Neither one that nobody began, nor one that was left unfinished then."""
    missed = house.due_at(now() - 2 * DAY, f"{now() - 2 * DAY:%a}")
    await house.known_since(now() - 7 * DAY)
    await house.drills().run_due()
    assert await house.held() == []
    assert await house.drills()._claim("monthly", missed, missed)
    await house.drills().run_due()
    assert [row.ended for row in await house.held()] == [None]


async def test_by_hand_it_is_the_drills_last_one_too(house: House) -> None:
    """By its name it counts, with who asked; by nodes it is on record alone."""
    drills = house.drills()
    done = await drills.hold("monthly", "person:ana")
    assert done.score == 0.5
    (standing,) = await drills.standings()
    assert standing.last is not None
    assert (standing.last.score, standing.change) == (0.5, None)
    await drills.hold("network:corp", "person:ben")
    assert [row.actor for row in await house.rows()] == ["person:ana", "person:ben"]
    assert len(await house.held()) == 1
    with pytest.raises(BadInput, match="did you mean 'network:corp'"):
        await drills.hold("network:crop", "person:ana")


@pytest.fixture
async def alerts(house: House) -> AsyncIterator[AccessAlerts]:
    intake = Intake(house.store)
    task = asyncio.create_task(intake.run())
    yield AccessAlerts(
        house.store, intake, lambda: house.library.catalog, holds=7 * DAY, longest_outage=DAY
    )
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def stored(store: Store) -> list[tuple[str, str, str]]:
    await unpack_all(store)
    async with store.read() as session:
        rows = (await session.execute(select(StoredAlert).order_by("id"))).scalars()
        return [(r.name, r.status, r.annotations["summary"]) for r in rows]


async def test_one_that_did_not_go_well_is_an_alert_until_the_next_is(
    house: House, alerts: AccessAlerts
) -> None:
    """Once, with the score and what does not work; its end when the way is mended."""
    house.write(owner="network")
    house.library.reload()
    drills = house.drills()
    await alerts.report()
    assert await stored(house.store) == []
    for _ in range(2):
        await drills.hold("monthly", "jackline")
        await alerts.report()
    ((name, status, said),) = await stored(house.store)
    assert (name, status) == ("AccessDrillFailed", "firing")
    start = "The access drill monthly: 50% of the runbooks run; ask-till: oob to http/till: "
    assert said.startswith(start)
    server = await asyncio.start_server(lambda _r, w: w.close(), HOST, house.port)
    async with server:
        await drills.hold("monthly", "jackline")
    for _ in range(2):
        await alerts.report()
    assert (await stored(house.store))[1:] == [
        ("AccessDrillFailed", "resolved", "The access drill monthly went well")
    ]
    assert [each.change for each in await drills.standings()] == [0.5]


async def test_the_score_that_it_should_reach(house: House, alerts: AccessAlerts) -> None:
    """With `least`, a way that fails is well enough as long as the score is; below it is not."""
    drills = house.drills()
    house.write(least=0.5)
    house.library.reload()
    await drills.hold("monthly", "jackline")
    await alerts.report()
    assert await stored(house.store) == []
    house.write(least=0.8)
    house.library.reload()
    await alerts.report()
    ((_, _, said),) = await stored(house.store)
    assert "50% of the runbooks run, and 80% should; ask-till: oob to" in said


async def test_what_cannot_run_at_all_is_named_where_a_score_is_asked_for(
    house: House, alerts: AccessAlerts
) -> None:
    """Without `least` it is no fault of a way: `access whatif` says it."""
    house.write(down=["path:oob", "path:direct"])
    house.library.reload()
    await house.drills().hold("monthly", "jackline")
    await alerts.report()
    assert await stored(house.store) == []
    house.write(least=1)
    house.library.reload()
    await alerts.report()
    ((_, _, said),) = await stored(house.store)
    assert said.endswith("0% of the runbooks run, and 100% should; ask-shop would not run")


async def test_a_drill_that_leaves_the_catalog_is_no_alert_any_more(
    house: House, alerts: AccessAlerts
) -> None:
    await house.drills().hold("monthly", "jackline")
    await alerts.report()
    house.write(scheduled=False)
    house.library.reload()
    for _ in range(2):
        await alerts.report()
    assert (await stored(house.store))[1:] == [
        ("AccessDrillFailed", "resolved", "The access drill monthly is not in the catalog any more")
    ]
