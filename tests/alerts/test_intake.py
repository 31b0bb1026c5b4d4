"""Accepted means stored: before the answer, in few commits, and refused when it cannot be."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest
from msgspec.structs import replace
from sqlalchemy import event, insert, update
from sqlmodel import col

from bot.alerts import AlertRouter, Intake
from bot.alerts.arrivals import count_alerts, packed
from bot.alerts.tables import Arrival
from bot.contract import Alert
from bot.errors import Unavailable
from bot.store import Store, now
from bot.store.batch import ROOM
from tests.alerts.room import Room, an_alert


async def seen_by_another(url: str) -> int:
    """How many alerts a connection of its own sees: what is committed, and nothing else."""
    other = Store(url)
    found = await count_alerts(other)
    await other.close()
    return int(found["stored"])


@contextmanager
def commits(store: Store) -> Iterator[list[object]]:
    """One for each commit within: `Store.version` does not count those that wake nobody."""
    seen: list[object] = []
    note = seen.append
    event.listen(store.engine.sync_engine, "commit", note)
    try:
        yield seen
    finally:
        event.remove(store.engine.sync_engine, "commit", note)


async def test_stored_before_the_answer(room: Room) -> None:
    """At the moment of the answer, somebody else reads the alert from the database."""
    for number in range(1, 4):
        await room.intake.accept([an_alert(f"A{number}")])
        assert await seen_by_another(room.store.url) == number


async def test_a_burst_shares_commits(room: Room) -> None:
    """500 requests at once: each stored when answered, in far fewer commits than requests."""
    with commits(room.store) as seen:
        await asyncio.gather(*(room.intake.accept([an_alert(f"A{n}")]) for n in range(500)))
    assert await seen_by_another(room.store.url) == 500
    assert len(seen) <= 5


async def test_who_sends_again_at_once_shares_a_commit(room: Room) -> None:
    """Twenty senders of one commit; then each a little later than the one before.

    Without waiting for as many as last time, the first would always have a commit alone. One time
    in ten is enough here: on a busy machine the moment that it waits may be over.
    """

    async def send(sender: int, minute: int, turns: int = 0) -> None:
        for _ in range(turns):
            await asyncio.sleep(0)
        await room.intake.accept([an_alert(f"A{sender}", minute=minute)])

    needed = []
    for number in range(10):
        await asyncio.gather(*(send(n, 2 * number) for n in range(20)))
        with commits(room.store) as seen:
            await asyncio.gather(*(send(n, 2 * number + 1, turns=n) for n in range(20)))
        needed.append(len(seen))
    assert await seen_by_another(room.store.url) == 400
    assert 1 in needed


async def test_who_does_not_send_again_is_waited_for_a_moment(room: Room) -> None:
    """A hundred were answered by one commit; the next comes alone, again and again."""
    await asyncio.gather(*(room.intake.accept([an_alert(f"A{n}")]) for n in range(100)))
    async with asyncio.timeout(5):
        for number in range(1, 6):
            await room.intake.accept([an_alert("Alone", minute=number)])
            assert await seen_by_another(room.store.url) == 100 + number


async def test_the_same_alert_is_stored_once(room: Room) -> None:
    """In one request, in one commit, and later: its identity is source, fingerprint, start, status."""
    same, other = an_alert(), an_alert(minute=1)
    await room.intake.accept([same, same])
    await asyncio.gather(*(room.intake.accept([same]) for _ in range(20)))
    await room.intake.accept([same, other, an_alert(status="resolved")])
    assert [(a.status, a.starts_at) for a in await room.stored()] == [
        ("firing", same.starts_at), ("firing", other.starts_at), ("resolved", same.starts_at),
    ]  # fmt: skip


async def test_it_fires_again_with_the_start_that_it_had(room: Room) -> None:
    """Alertmanager ends what it heard of too late, and tells it anew as before: it does fire."""
    fires, ended = (replace(an_alert(status=s), keeps_start=True) for s in ("firing", "resolved"))
    again = replace(ended, ends_at=ended.ends_at + timedelta(minutes=5))
    for minutes_ago, alert in ((9, fires), (6, ended), (5, fires), (4, fires), (1, again)):
        await came(room, minutes_ago, alert)
        await room.route()
    stored = await room.stored()
    assert [a.status for a in stored] == ["firing", "resolved"] * 2
    assert stored[1].starts_at == stored[0].starts_at == fires.starts_at
    assert stored[3].starts_at == stored[2].starts_at == stored[2].received_at
    assert [a.incident_id for a in stored] == [1] * 4
    assert (await count_alerts(room.store))["firing"] == 0


async def test_hours_of_it_in_one_batch(room: Room) -> None:
    """As a spool has them: in the order and at the times at which they came."""
    fires, ended = (replace(an_alert(status=s), keeps_start=True) for s in ("firing", "resolved"))
    for minutes_ago, alert in ((9, fires), (6, ended), (5, fires), (4, fires)):
        await came(room, minutes_ago, alert)
    assert [a.status for a in await room.stored()] == ["firing", "resolved", "firing"]


async def test_an_end_that_is_told_again_ends_it_no_second_time(room: Room) -> None:
    """A second Alertmanager is minutes behind, and what it ended fires anew with its first start."""
    fires, ended = (replace(an_alert(status=s), keeps_start=True) for s in ("firing", "resolved"))
    for minutes_ago, alert in ((9, fires), (6, ended), (5, fires), (3, ended)):
        await came(room, minutes_ago, alert)
        await room.stored()
    assert [a.status for a in await room.stored()] == ["firing", "resolved", "firing"]
    assert (await count_alerts(room.store))["firing"] == 1


async def test_a_repeat_after_a_late_end_stays_a_repeat(room: Room) -> None:
    """The end of an earlier start does not make the next repeat look as if it fired anew."""
    first, late = (replace(an_alert(status=s), keeps_start=True) for s in ("firing", "resolved"))
    again = replace(an_alert(minute=30), keeps_start=True)
    for minutes_ago, alert in ((9, first), (6, again), (5, late), (3, again)):
        await came(room, minutes_ago, alert)
        await room.stored()
    assert [a.status for a in await room.stored()] == ["firing", "firing", "resolved"]
    assert (await count_alerts(room.store))["firing"] == 1


@pytest.mark.parametrize(("minutes", "keeps_start"), [(0.4, True), (5, False)])
async def test_a_late_repeat_of_what_has_ended(
    room: Room, minutes: float, *, keeps_start: bool
) -> None:
    """Delivered twice, or told by a second Alertmanager; other senders say a start of its own."""
    fires, ended = (
        replace(an_alert(status=s), keeps_start=keeps_start) for s in ("firing", "resolved")
    )
    for minutes_ago, alert in ((9, fires), (6, ended), (6 - minutes, fires)):
        await came(room, minutes_ago, alert)
    assert [a.status for a in await room.stored()] == ["firing", "resolved"]


async def came(room: Room, minutes_ago: float, alert: Alert) -> None:
    """As if it had been accepted then."""
    row = packed([alert]) | {"received_at": now() - timedelta(minutes=minutes_ago)}
    async with room.store.write() as session:
        await session.execute(insert(Arrival).values(row))


async def test_everything_comes_back_as_it_was(room: Room) -> None:
    sent = an_alert(zone="zürich ✓", quote="'; DROP TABLE alert; --")
    await room.intake.accept([sent])
    (kept,) = await room.stored()
    assert (kept.labels, kept.annotations) == (sent.labels, sent.annotations)
    assert (kept.starts_at, kept.state) == (sent.starts_at, "new")


async def test_nothing_to_store_needs_no_database(room: Room) -> None:
    before = room.store.version
    await room.intake.accept([])
    assert room.store.version == before


def flood(source: str, count: int) -> list[Alert]:
    one = an_alert()
    return [replace(one, source=source, fingerprint=f"{source}{n}") for n in range(count)]


async def test_a_full_queue_is_said(store: Store) -> None:
    """Beyond what can wait, the sender is asked to come back; nobody waits for ever.

    One source cannot take all of the room, and the last of it is for what is grave.
    """
    intake = Intake(store)
    waiting = [asyncio.create_task(intake.accept(flood("first", ROOM // 2)))]
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many alerts of first are waiting"):
        await intake.accept(flood("first", 1))
    waiting.append(asyncio.create_task(intake.accept(flood("second", ROOM * 3 // 10))))
    await asyncio.sleep(0)
    with pytest.raises(Unavailable, match="Too many alerts are waiting"):
        await intake.accept(flood("third", 1))
    grave = an_alert("Grave", severity="critical")
    waiting.append(asyncio.create_task(intake.accept([grave])))
    await asyncio.sleep(0)
    writer = asyncio.create_task(intake.run())
    await asyncio.gather(*waiting)
    assert await seen_by_another(store.url) == ROOM * 8 // 10 + 1
    await intake.accept(flood("third", 1))
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


async def test_a_failed_commit_refuses_and_the_writer_goes_on(room: Room) -> None:
    """Nobody in the batch gets a yes; the next alert is stored when the database is well."""
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE arrival RENAME TO gone")
    got = await asyncio.gather(
        *(room.intake.accept([an_alert(f"A{n}")]) for n in range(3)), return_exceptions=True
    )
    assert [type(error) for error in got] == [Unavailable] * 3
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO arrival")
    await room.intake.accept([an_alert()])
    assert await seen_by_another(room.store.url) == 1


async def test_a_sender_who_gave_up_does_not_stop_the_writer(room: Room) -> None:
    """One waiter is gone before the commit; the others are answered, and later ones too."""
    gone = asyncio.create_task(room.intake.accept([an_alert("Gone")]))
    stays = asyncio.create_task(room.intake.accept([an_alert("Stays")]))
    await asyncio.sleep(0)
    gone.cancel()
    await asyncio.wait_for(stays, 5)
    await asyncio.wait_for(room.intake.accept([an_alert("Later")]), 5)
    assert {"Stays", "Later"} <= {a.name for a in await room.stored()}


async def test_who_waits_at_the_end_is_refused_not_forgotten(store: Store) -> None:
    """Stopped in the middle of a commit: both the batch and the queue get an answer."""
    intake = Intake(store)
    async with store.engine.connect() as blocker:
        await blocker.exec_driver_sql(
            "BEGIN IMMEDIATE" if store.is_sqlite else "LOCK TABLE arrival"
        )
        writer = asyncio.create_task(intake.run())
        first = asyncio.create_task(intake.accept([an_alert("InFlight")]))
        await asyncio.sleep(0.1)
        second = asyncio.create_task(intake.accept([an_alert("Queued")]))
        await asyncio.sleep(0.05)
        writer.cancel()
        await asyncio.sleep(0.05)
        await blocker.rollback()
    got = await asyncio.wait_for(asyncio.gather(first, second, return_exceptions=True), 5)
    assert [type(error) for error in got] == [Unavailable] * 2
    await asyncio.gather(writer, return_exceptions=True)


async def test_what_the_database_does_not_take_is_set_aside(room: Room) -> None:
    """PostgreSQL has no NUL in its texts: that request is kept with the reason, the others go on."""
    if room.store.is_sqlite:
        pytest.skip("SQLite takes every text")
    poison = packed([an_alert("Poison")]) | {"source": "odd"}
    poison["alerts"] = poison["alerts"].replace("Poison is firing", "a\\u0000b")
    async with room.store.write() as session:
        await session.execute(insert(Arrival), [poison])
    (incident,) = await room.route(an_alert("Sound"))
    assert incident.title.endswith("Sound is firing")
    assert [alert.name for alert in await room.stored()] == ["Sound"]
    (kept,) = await room.all(Arrival)
    assert (kept.source, kept.size) == ("odd", 1)
    assert kept.refused


async def test_what_cannot_be_read_back_is_set_aside(room: Room) -> None:
    """A request of which no alert can be made is kept with the reason; the others are routed.

    Another version may read it, so that the next process tries again.
    """
    unknown = packed([an_alert("Odd")]) | {"source": "odd"}
    unknown["alerts"] = unknown["alerts"].replace('"link"', '"of_a_later_version":1,"link"')
    torn = packed([an_alert("Torn")]) | {"alerts": "[{"}
    early = packed([an_alert("Early")])
    early["alerts"] = early["alerts"].replace("2026-11-23T12:00:00Z", "0001-01-01T00:00:00+09:00")
    async with room.store.write() as session:
        await session.execute(insert(Arrival), [unknown, torn, early])
    (incident,) = await room.route(an_alert("Sound"))
    assert incident.title.endswith("Sound is firing")
    kept = await room.all(Arrival)
    assert [each.source for each in kept] == ["odd", "alertmanager", "alertmanager"]
    assert "of_a_later_version" in kept[0].refused
    assert all(each.refused for each in kept)
    assert [alert.name for alert in await room.stored()] == ["Sound"]  # and counting goes on
    async with room.store.write() as session:
        readable = update(Arrival).where(col(Arrival.source) == "odd")
        await session.execute(readable.values(alerts=packed([an_alert("Odd")])["alerts"]))
    room.router = AlertRouter(room.store, room.incidents)
    await room.route()
    assert [alert.name for alert in await room.stored()] == ["Sound", "Odd"]
