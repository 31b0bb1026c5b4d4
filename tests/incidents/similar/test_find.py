"""Similar incidents as the databases find them: why, how they ended, and for whom."""

from collections.abc import Collection, Mapping, Sequence
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog, Person
from bot.incidents import Incident
from bot.incidents.similar import Past, Similar
from bot.store import Store, now
from bot.timeline import Ledger

CATALOG = Catalog.model_validate({
    "services": [
        {"id": "shop", "title": "Shop", "tier": "p0", "depends_on": ["pay"]},
        {"id": "pay", "title": "Payments", "tier": "p0", "depends_on": ["db"]},
        {"id": "db", "title": "Database", "tier": "p0"}, {"id": "blog", "title": "Blog", "tier": "p2"},
    ],
    "people": [{"id": "ana", "name": "Ana"}, {"id": "bo", "name": "Bo"}, {"id": "ada", "name": "Ada", "roles": ["admin"]}],
})  # fmt: skip
ANA, BO, ADA = (CATALOG.person(each) for each in ("ana", "bo", "ada"))
LEDGER = Ledger(b"key")
DAY = timedelta(days=1)


class Room:
    """Incidents put down as they would be after weeks."""

    def __init__(self, session: AsyncSession) -> None:
        self.session = session
        self.count = 0

    async def past(
        self, title: str = "x", service: str = "pay", alert: str = "", runbook: str = "", *notes: str, **more: Any
    ) -> int:  # fmt: skip
        """One that was resolved after 18 minutes."""
        self.count += 1
        at = now() - DAY * (100 - self.count)
        trigger = {"alert": alert, "labels": {"service": service}} if alert else {}
        given = {"severity": "sev2", "status": "resolved", "declared_by": "source:x", "trigger": trigger,
                 "declared_at": at, "resolved_at": at + timedelta(minutes=18), **more}  # fmt: skip
        made = Incident(title=title, origin=f"o{self.count}", services=[service] if service else [], **given)  # fmt: skip
        self.session.add(made)
        await self.session.flush()
        if runbook:
            await self.row(made.number, "run_started", f"Running: {runbook}", run_id=1, runbook=runbook)  # fmt: skip
            await self.row(made.number, "run_succeeded", f"{runbook}: succeeded", run_id=1)
        for note in notes:
            await self.row(made.number, "note_added", note, "person:ana")
        return made.number

    async def row(self, number: int, kind: str, text: str, actor: str = "jackline", **data: Any) -> None:  # fmt: skip
        await LEDGER.append(self.session, number, kind, actor, text, data=data)


async def similar(
    store: Store, number: int, person: Person | None = None, **more: Any
) -> list[Past]:
    async with store.read() as session:
        return await Similar(lambda: CATALOG, **more).find(session, number, person=person)


async def numbers(store: Store, number: int, person: Person | None = None) -> list[int]:
    return [each.number for each in await similar(store, number, person)]


async def test_why_and_what_ended_it(store: Store) -> None:
    """The cause that was noted, the runbook or what a person did, who resolved it, its postmortem."""
    async with store.write() as session:
        room = Room(session)
        one = await room.past("Cards refused", "pay", "HighErrorRate", "pg-failover", "cause: the disk was full", "Root cause:  the log\nfilled the disk")  # fmt: skip
        await room.row(one, "status_changed", "", "person:ana", to="resolved")
        await room.row(one, "postmortem_drafted", "Drafted")
        two = await room.past("Slow", "db", "HighErrorRate", "", "we looked", "action: restarted the primary by hand")  # fmt: skip
        this = await room.past("Errors", "pay", "HighErrorRate", status="declared")
    first, second = await similar(store, this)
    assert (first.number, first.because, first.paper, first.minutes) == (
        one, ("same alert HighErrorRate, same labels", "same service Payments"), True, 18.0,
    )  # fmt: skip
    assert first.ended == (
        "cause: the log filled the disk; runbook pg-failover succeeded; resolved by a person after 18 min"
    )
    assert (second.number, second.because) == (two, ("same alert HighErrorRate", "pay stands on db"))  # fmt: skip
    assert second.ended == "by hand: restarted the primary by hand; resolved by Jackline after 18 min"  # fmt: skip


async def test_notes_as_people_left_them(store: Store) -> None:
    """Put right they say what they say now; taken back, nothing; a source's words are no person's."""
    async with store.write() as session:
        room = Room(session)
        one = await room.past("x", "pay", "Down")
        for kind, link, text, actor in (
            ("note_added", "https://s/1", "cause: Bo", "person:ana"), ("note_added", "https://s/2", "fix: none", "person:bo"),
            ("note_corrected", "https://s/1", "cause: a full disk", "person:ana"), ("note_withdrawn", "https://s/2", "fix: none", "person:bo"),
            ("note_added", "", "cause: whatever the alert says", "source:x"),
        ):  # fmt: skip
            await LEDGER.append(session, one, kind, actor, text, link=link)
        this = await room.past("y", "pay", "Down", status="declared")
    (found,) = await similar(store, this)
    assert found.ended == "cause: a full disk; resolved by Jackline after 18 min"


async def test_rare_words_of_a_title(store: Store) -> None:
    """Found by the index however old; a word that all titles have finds none; a name of the service neither."""
    async with store.write() as session:
        room = Room(session)
        old = await room.past("Payments: intermediate certificate of acquirer expired", "")
        for _ in range(30):
            await room.past("Payments down in eu-1", "blog")
        this = await room.past("Payments: acquirer certificate expired in eu-1, all down", "pay", status="declared")  # fmt: skip
        other = await room.past("Payments down in eu-1", "pay", status="declared")
        odd = await room.past("' OR \" * NOT (é 漢字) AND %_\\", "", status="declared")
    (found,) = await similar(store, this)
    assert (found.number, found.because) == (old, ("like title: acquirer, certificate, expired",))
    assert await numbers(store, other) == []
    assert await numbers(store, odd) == []


async def test_alerts_that_joined_and_runbooks_that_run_count(store: Store) -> None:
    """Not only what declared it: also what its timeline says by now."""
    async with store.write() as session:
        room = Room(session)
        disk = await room.past("a", "pay", "DiskFull")
        run = await room.past("b", "pay", "", "drain-one")
        await room.past("c", "pay", "Other", "another")
        this = await room.past("d", "pay", "HighLatency", status="declared")
        await room.row(this, "alert_received", "DiskFull firing", "source:x", name="DiskFull")
        await room.row(this, "runbook_proposed", "Runbook proposed", runbook="drain-one")
    found = await similar(store, this)
    assert [(f.number, f.because) for f in found] == [
        (disk, ("same alert DiskFull, same labels", "same service Payments")),
        (run, ("same service Payments", "same runbook drain-one")),
    ]


@pytest.mark.parametrize("more", [
    {"status": "declared"}, {"status": "cancelled"}, {"drill": True}, {"private": True}, {"merged_into": 1, "status": "merged"},
])  # fmt: skip
async def test_those_that_are_none(store: Store, more: dict[str, Any]) -> None:
    """An open one has no end, a drill is practice, a merged one counts where it went, private ones are secret."""
    async with store.write() as session:
        room = Room(session)
        await room.past("Something else", "blog")
        await room.past("x", "pay", "Down", **more)
        this = await room.past("y", "pay", "Down", status="declared")
    assert await numbers(store, this) == []


async def test_for_whom(store: Store) -> None:
    """Private ones for those who may see them; drills beside drills."""
    async with store.write() as session:
        room = Room(session)
        secret = await room.past("x", "pay", "Down", private=True, people=["ana"])
        drill = await room.past("x", "pay", "Down", drill=True)
        this = await room.past("y", "pay", "Down", status="declared")
        trained = await room.past("y", "pay", "Down", status="declared", drill=True)
    assert [await numbers(store, this, each) for each in (ANA, ADA, BO, None)] == [[secret], [secret], [], []]  # fmt: skip
    assert await numbers(store, trained, ANA) == [drill]


async def test_what_came_later(store: Store) -> None:
    """A draft names what was before; who looks later sees both."""
    async with store.write() as session:
        room = Room(session)
        one, two, three = [await room.past("x", "pay", "Down") for _ in range(3)]
    assert await numbers(store, two) == [three, one]
    async with store.read() as session:
        found = await Similar(lambda: CATALOG).find(session, two, earlier=True)
    assert [each.number for each in found] == [one]


async def test_a_pattern_that_both_postmortems_name(store: Store) -> None:
    async with store.write() as session:
        room = Room(session)
        one, two = await room.past("a"), await room.past("b")
        await room.past("c")

    async def named(_: AsyncSession, wanted: Sequence[int]) -> Mapping[int, Collection[str]]:
        assert {one, two} <= set(wanted)
        return {one: ("lockout",), two: ("lockout", "other")}

    found = await similar(store, two, patterns=named)
    assert [(f.number, f.because[-1]) for f in found] == [(one, "same pattern lockout")]


async def test_services_whose_names_hold_one_another(store: Store) -> None:
    """``pay`` is neither ``pay-v2`` nor a pattern of the database's."""
    async with store.write() as session:
        room = Room(session)
        await room.past("acquirer", "pay-v2", "", "drain")
        await room.past("acquirer", "p_y", "", "drain")
        this = await room.past("z", "pay", "", "drain", status="declared")
    assert await numbers(store, this) == []
