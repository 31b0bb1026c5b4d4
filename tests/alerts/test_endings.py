"""An incident whose alerts have all ended: said once; resolved only where its rules say so."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.alerts import Endings
from bot.alerts.deciding import longest
from bot.alerts.tables import Flap
from bot.catalog import Catalog, Person, Rule
from bot.catalog.durations import seconds, spelled
from bot.delivery.tables import Message
from bot.incidents import Incident
from bot.registry import Registry
from bot.runbooks import Library, Run, Runs
from bot.store import Store, now
from tests.alerts.room import BLOG, SHOP, Room, an_alert
from tests.alerts.test_flapping import changes
from tests.e2e.harness import Bot, firing, write_runbooks

AUTO = Rule(match={"team": "shop"}, resolve="auto", quiet="10m")
NOWHERE = "http://127.0.0.1:9"
SAID = "All alerts of this incident have ended."


class Place(Room):
    """The room with the clock that ends; `look` is one tick."""

    def __init__(self, store: Store, folder: Path) -> None:
        super().__init__(store)
        self.catalog = Catalog(
            services=[SHOP, BLOG], rules=[AUTO], people=[Person(id="ana", name="Ana")]
        )
        runs = Runs(self.incidents, Library(folder, Registry()))
        self.endings = Endings(store, self.incidents, runs.going)

    async def look(self) -> Incident:
        await self.endings.look()
        return await self.refresh()

    async def pass_time(self, **by: int) -> None:
        """As if the alerts had ended so much earlier."""
        async with self.store.write() as session:
            incident = await self.incidents.get(session, 1)
            assert incident.alerts_ended_at is not None
            incident.alerts_ended_at -= timedelta(**by)

    async def said(self) -> list[str]:
        lines = [m for m in await self.all(Message) if m.kind == "line"]
        return [m.payload["text"] for m in lines]

    async def is_over(self, *alerts: Any) -> Incident:
        """These came, and the time has passed."""
        await self.route(*alerts)
        await self.look()
        await self.pass_time(minutes=11)
        return await self.look()


@pytest.fixture
async def room(store: Store, tmp_path: Path) -> AsyncIterator[Place]:
    made = Place(store, tmp_path / "runbooks")
    task = asyncio.create_task(made.intake.run())
    yield made
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


def ours(name: str = "ShopDown", status: str = "firing", **more: Any) -> Any:
    """Of the team whose rule resolves."""
    return an_alert(name, status, team="shop", **more)


FIRED = (ours(), ours(status="resolved"))


async def test_said_once_without_a_rule(room: Place) -> None:
    """The bot says that they have ended, and people resolve."""
    await room.route(an_alert(), an_alert("ShopSlow"), an_alert(status="resolved"))
    assert (await room.look()).alerts_ended_at is None
    assert await room.said() == []
    await room.route(an_alert("ShopSlow", "resolved"))
    await room.look()
    await room.pass_time(days=3)
    await room.look()
    assert await room.said() == [SAID]
    assert (await room.kinds())[-1] == "alerts_ended"
    await room.route(an_alert(minute=9), an_alert(status="resolved", minute=9))
    assert (await room.look()).status == "declared"
    assert await room.said() == [SAID]


async def test_resolved_by_a_rule(room: Place) -> None:
    """First said with what will happen; after the quiet time resolved, with why and a way back."""
    await room.route(*FIRED)
    assert (await room.look()).status == "declared"
    rule = "rule 1 ({'team': 'shop'})"
    assert await room.said() == [f"{SAID} It is resolved when they have stayed so for 10m: {rule}."]
    await room.pass_time(minutes=9)
    assert (await room.look()).status == "declared"
    await room.pass_time(minutes=1)
    incident = await room.look()
    assert (incident.status, incident.open_key) == ("resolved", None)
    assert incident.resolved_at is not None
    row = (await room.rows())[-1]
    assert (row.kind, row.actor) == ("status_changed", "jackline")
    assert row.text.startswith(
        "Status: declared → resolved, as all its alerts have ended, the last at "
    )
    assert row.text.endswith(f"UTC, and stayed so for 10m: {rule}")
    assert (row.data["from"], row.data["to"]) == ("declared", "resolved")
    (message,) = [m for m in await room.all(Message) if m.payload.get("reopens")]
    assert message.payload == {"text": row.text, "reopens": 1}


async def test_what_fires_again_begins_the_time_anew(room: Place) -> None:
    await room.route(*FIRED)
    await room.pass_time(minutes=9)
    await room.route(ours(minute=9))
    assert (await room.look()).alerts_ended_at is None
    await room.route(ours(status="resolved", minute=9))
    await room.look()
    await room.pass_time(minutes=9)
    assert (await room.look()).status == "declared"


async def test_ends_that_are_out_of_order(room: Place) -> None:
    """An end before its beginning is no end; the one that follows is."""
    await room.route(ours(status="resolved", minute=1), ours(minute=1))
    assert (await room.look()).alerts_ended_at is None
    assert (await room.is_over(ours(status="resolved", minute=2))).status == "resolved"


async def test_each_rule_has_a_say(room: Place) -> None:
    """One alert of a rule that leaves it to people keeps it open; else the longest time counts."""
    other = an_alert("Other"), an_alert("Other", "resolved")
    assert (await room.is_over(*FIRED, *other)).status == "declared"
    slow = Rule(match={"alertname": "Other"}, resolve="auto", quiet="2h")
    room.catalog = room.catalog.model_copy(update={"rules": [AUTO, slow]})
    assert (await room.look()).status == "declared"
    await room.pass_time(hours=2)
    assert (await room.look()).status == "resolved"
    assert "stayed so for 2h: rule 2" in (await room.rows())[-1].text


async def test_a_rule_that_was_taken_back_resolves_no_more(room: Place) -> None:
    """The present catalog counts, not the one of when the alert came."""
    await room.route(*FIRED)
    await room.look()
    room.catalog = room.catalog.model_copy(update={"rules": []})
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"


@pytest.mark.parametrize("state", ["approved", "running", "held", "paused", "unknown", "waiting"])
async def test_not_while_a_run_goes_on_or_waits(room: Place, state: str) -> None:
    await room.route(*FIRED)
    await a_run(room, state)
    await room.look()
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"
    async with room.store.write() as session:
        await session.execute(update(Run).values(state="succeeded"))
    assert (await room.look()).status == "resolved"


async def test_a_proposal_that_nobody_took_up_does_not_keep_it_open(room: Place) -> None:
    await room.route(*FIRED)
    await a_run(room, "proposed")
    await room.look()
    await room.pass_time(hours=1)
    assert (await room.look()).status == "resolved"


async def a_run(room: Place, state: str) -> None:
    async with room.store.write() as session:
        session.add(
            Run(incident_id=1, runbook_id="fix", title="Fix", text="", digest="", path="",
                origin="o", state=state)
        )  # fmt: skip


async def test_not_what_a_person_declared(room: Place) -> None:
    """Its alerts have joined: that they have ended is said, and that is all."""
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Shop is odd", severity="sev2", actor="person:ana", origin="o",
            services=["shop"],
        )  # fmt: skip
    assert (await room.is_over(*FIRED)).status == "declared"
    assert await room.said() == [SAID]


async def test_not_what_a_person_made_a_sev1(room: Place) -> None:
    """Another severity by hand, or a sev1 by an alert, is resolved all the same."""
    await room.route(*FIRED)
    await by_hand(room, "sev1")
    await room.look()
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"
    assert await room.said() == ["Severity: sev2 → sev1", SAID]


async def test_another_severity_by_hand(room: Place) -> None:
    await room.route(ours(severity="critical"), ours(status="resolved"))
    await by_hand(room, "sev3")
    await room.look()
    await room.pass_time(hours=1)
    assert (await room.look()).status == "resolved"


async def by_hand(room: Place, severity: str) -> None:
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await room.incidents.set_severity(session, incident, severity, "person:ana")


async def test_what_people_opened_again_is_theirs(room: Place) -> None:
    """Or it would be resolved under their hands."""
    assert (await room.is_over(*FIRED)).status == "resolved"
    await room.become("investigating")
    assert (await room.look()).status == "investigating"
    assert (
        await room.is_over(ours(minute=9), ours(status="resolved", minute=9))
    ).status == "investigating"


async def test_not_while_an_alert_flaps(room: Place) -> None:
    """It is not said either, until that is over: however short the rule's time."""
    flaps = [replace(a, labels=a.labels | {"team": "shop"}) for a in changes(6)]
    await room.route(*flaps)
    await room.look()
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"
    assert SAID not in " ".join(await room.said())
    async with room.store.write() as session:
        await session.execute(update(Flap).values(ended_at=now()))
    await room.look()
    assert (await room.look()).status == "resolved"


async def test_what_people_resolved_is_left_alone(room: Place) -> None:
    await room.route(*FIRED)
    await room.become("resolved")
    await room.look()
    assert await room.said() == ["Status: declared → resolved"]


async def test_what_is_held_back_does_not_count(room: Place) -> None:
    """A firing alert that a silence holds belongs to no incident."""
    assert longest([]) is None
    rules = [AUTO, Rule(match={"quiet": "no"}, declare="no")]
    room.catalog = room.catalog.model_copy(update={"rules": rules})
    assert (await room.is_over(*FIRED, an_alert("Noise", quiet="no"))).status == "resolved"


async def test_a_moved_alert_that_fires_keeps_it_open(room: Place) -> None:
    """Whoever moves alerts by hand need not think of it: the clock looks itself."""
    await room.route(*FIRED, ours("BlogDown", service="blog"))
    async with room.store.write() as session:
        for alert in await room.stored():
            alert.incident_id = 1
            await session.merge(alert)
    await room.look()
    assert await room.said() == []
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"


async def test_a_moved_alert_that_has_ended_has_its_say(room: Place) -> None:
    """Its rule leaves the incident to people, and it came after that was last asked."""
    await room.route(*FIRED)
    other = an_alert("BlogDown", service="blog"), an_alert("BlogDown", "resolved", service="blog")
    await room.route(*other)
    await room.look()
    await room.pass_time(minutes=9)
    await room.look()
    async with room.store.write() as session:
        for alert in await room.stored():
            alert.incident_id = 1
            await session.merge(alert)
    await room.pass_time(hours=1)
    assert (await room.look()).status == "declared"


async def test_replicas_do_it_once(room: Place, store: Store, tmp_path: Path) -> None:
    await room.route(*FIRED)
    replicas = [Place(store, tmp_path) for _ in range(4)]
    await asyncio.gather(*(replica.look() for replica in replicas))
    await room.pass_time(hours=1)
    await asyncio.gather(*(replica.look() for replica in replicas))
    kinds = await room.kinds()
    assert (kinds.count("alerts_ended"), kinds.count("status_changed")) == (1, 1)
    assert len(await room.said()) == 2


async def test_an_alert_and_the_clock_at_once(room: Place) -> None:
    """Either it joins and keeps it open, or it comes behind and opens one of its own."""
    await room.route(*FIRED)
    await room.look()
    await room.pass_time(hours=1)
    await room.intake.accept([ours(minute=30)])
    _, incidents = await asyncio.gather(room.endings.look(), room.route())
    last = (await room.stored())[-1].incident_id
    assert [i.status for i in incidents if i.number == last] == ["declared"]
    assert (last == 2) == ((await room.refresh()).status == "resolved")


@pytest.mark.server
async def test_the_clock_does_it(tmp_path: Path) -> None:
    """In a Jackline that runs: fired, ended, resolved, and its postmortem is drafted."""
    runbooks = write_runbooks(tmp_path / "runbooks", team="T0", edge=NOWHERE, shop=NOWHERE)
    (runbooks / "move-traffic.md").unlink()
    rules = [{"match": {"alertname": "ShopDown"}, "resolve": "auto", "quiet": "1s"}]
    place = runbooks / "catalog" / "all.yaml"
    place.write_text(json.dumps(json.loads(place.read_text()) | {"rules": rules, "targets": []}))
    async with Bot(tmp_path, runbooks, f"sqlite+aiosqlite:///{tmp_path}/j.db") as bot:
        for status in ("firing", "resolved"):
            await bot.alert(firing(status=status))
        row = await bot.row("status_changed")
        assert "stayed so for 1s: rule 1" in row["text"]
        await bot.row("postmortem_drafted")


@pytest.mark.parametrize("text", ["10m", "90s", "2h", "3d", "1.5s", "250ms"])
def test_durations_are_written_as_they_are_read(text: str) -> None:
    assert seconds(spelled(float(str(seconds(text))))) == seconds(text)
