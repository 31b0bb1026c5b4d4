"""An alert that changes again and again is told once, counted then, and its end is said."""

import asyncio
from datetime import timedelta

from msgspec.structs import replace
from sqlalchemy import update

from bot.alerts import FlapWatch, StoredAlert
from bot.alerts.flapping import CHANGES, WINDOW
from bot.alerts.tables import Flap
from bot.alerts.telling import BUDGET
from bot.contract import Alert
from bot.delivery.tables import Message
from bot.store import Store, now
from tests.alerts.room import CATALOG, Room, an_alert

AGO = WINDOW + timedelta(seconds=1)


def changes(count: int, begin: int = 0, name: str = "ShopDown") -> list[Alert]:
    """Fires, resolves, fires …, each firing with a start of its own."""
    return [
        an_alert(name, "resolved" if n % 2 else "firing", minute=begin + n - n % 2)
        for n in range(count)
    ]


async def said(room: Room) -> list[str]:
    """What stands in the messages about flapping."""
    return [m.payload["text"] for m in await room.all(Message) if ":flap-" in m.key]


async def pass_time(room: Room, by: timedelta = AGO) -> None:
    """As if all that has come had come so much earlier."""
    async with room.store.write() as session:
        for alert in await room.stored():
            earlier = update(StoredAlert).where(StoredAlert.id == alert.id)  # type: ignore[arg-type]  # a column's comparison
            await session.execute(earlier.values(received_at=alert.received_at - by))
        for flap in await room.all(Flap):
            earlier = update(Flap).where(Flap.id == flap.id)  # type: ignore[arg-type]  # same
            times = {"since": flap.since - by, "last_at": flap.last_at - by}
            await session.execute(earlier.values(**times))


async def look(room: Room) -> None:
    await FlapWatch(room.store, room.incidents).look()


async def test_what_flaps_is_told_no_more(room: Room) -> None:
    """The changes that show it are told, and one line; the others only move its count."""
    await room.route(*changes(CHANGES - 1))
    assert await said(room) == []
    await room.route(*changes(CHANGES))
    (text,) = await said(room)
    assert text == (
        "ShopDown (ShopDown is firing) flaps: 4 changes in less than a minute (fired 2 times, "
        "resolved 2, now resolved). Further changes are counted here, not told."
    )
    (incident,) = await room.route(*changes(9))
    counted = "9 changes in less than a minute (fired 5 times, resolved 4, now firing)"
    assert counted in (await said(room))[0]
    assert await room.kinds() == [
        "incident_declared", "alert_received", "alert_resolved", "alert_received",
        "alert_resolved", "flapping_began",
    ]  # fmt: skip
    told = [m for m in await room.all(Message) if m.kind == "alert" and ":alert-" in m.key]
    assert len(told) == CHANGES
    stored = await room.stored()
    assert [a.incident_id for a in stored] == [incident.number] * 9
    assert [a.flap_id for a in stored] == [None] * 4 + [1] * 5


async def test_each_change_twice_is_one(room: Room) -> None:
    """What is delivered again is no change."""
    twice = [alert for alert in changes(3) for _ in range(3)]
    await room.route(*twice)
    assert await said(room) == []


async def test_slow_changes_do_not_flap(room: Room) -> None:
    """As many, but never within the window."""
    for alert in changes(8):
        await room.route(alert)
        await pass_time(room, WINDOW / (CHANGES - 1))
    assert await said(room) == []
    assert (await room.kinds()).count("alert_received") == 4


async def test_its_end_is_said_when_it_is_quiet(room: Room) -> None:
    """The same message, edited in place; a row with the count; then its changes are told again."""
    await room.route(*changes(7))
    await look(room)
    assert "flaps no more" not in (await said(room))[0]
    await pass_time(room)
    await look(room)
    await look(room)
    (text,) = await said(room)
    assert text.startswith("ShopDown (ShopDown is firing) flaps no more: 7 changes from ")
    assert text.endswith("(fired 4 times, resolved 3). It fires, and nothing changed for 20 min.")
    rows = [row for row in await room.rows() if row.kind == "flapping_ended"]
    assert [(r.text, r.data["fired"], r.data["resolved"], r.data["firing"]) for r in rows] == [
        (text, 4, 3, True)
    ]
    await room.route(*changes(1, 90), an_alert(status="resolved", minute=90))
    assert (await room.kinds())[-2:] == ["alert_received", "alert_resolved"]
    assert [a.flap_id for a in await room.stored()][-2:] == [None, None]


async def test_a_change_after_the_quiet_time_ends_it_too(room: Room) -> None:
    """The clock was not there yet: the change that comes is told, behind the end."""
    await room.route(*changes(6))
    await pass_time(room)
    await room.route(*changes(1, 90))
    assert (await room.kinds())[-2:] == ["flapping_ended", "alert_received"]
    assert (await said(room))[0].endswith("It is resolved, and nothing changed for 20 min.")


async def test_hours_that_come_at_once(room: Room) -> None:
    """What waited in a spool: begun and over in one batch, in that order, and begun again."""
    for begin, hours in ((0, 5), (100, 3), (200, 0)):
        await room.intake.accept(changes(6, begin))
        stored = len(await room.stored())
        async with room.store.write() as session:
            new = update(StoredAlert).where(StoredAlert.id > stored - 6)  # type: ignore[operator,arg-type]  # a column's comparison
            await session.execute(new.values(received_at=now() - timedelta(hours=hours)))
    await room.route()
    kinds = [kind for kind in await room.kinds() if kind.startswith("flapping")]
    assert kinds == ["flapping_began", "flapping_ended"] * 2 + ["flapping_began"]
    assert len(await said(room)) == 3


async def test_it_may_begin_anew(room: Room) -> None:
    """A message of its own, and the old one keeps how it ended."""
    await room.route(*changes(6))
    await pass_time(room)
    await room.route(*changes(6, 90))
    texts = await said(room)
    assert [("flaps no more" in text) for text in texts] == [True, False]
    assert (await room.kinds()).count("flapping_began") == 2


async def test_starts_without_ends_are_changes(room: Room) -> None:
    """Between two starts it ended, and nobody heard of it."""
    await room.route(*(an_alert(minute=n) for n in range(6)))
    (text,) = await said(room)
    assert text.startswith("ShopDown (ShopDown is firing) fires again and again: 6 changes in ")


async def test_several_flap_each_for_itself(room: Room) -> None:
    pairs = zip(changes(6), changes(6, name="ShopSlow"), strict=True)
    await room.route(*(alert for pair in pairs for alert in pair))
    assert [text.split(" ")[0] for text in await said(room)] == ["ShopDown", "ShopSlow"]


async def test_it_takes_nobodys_room(room: Room) -> None:
    """What is counted there leaves the channel's budget to other alerts."""
    await room.route(*changes(6 * BUDGET))
    await room.route(*(an_alert(f"Other{n}") for n in range(BUDGET - 2)))
    told = [row.data["name"] for row in await room.rows() if row.kind == "alert_received"]
    assert len(told) == BUDGET
    assert "alerts_counted" not in await room.kinds()


async def test_what_a_storm_counts_is_not_said_besides(room: Room) -> None:
    """Beyond the budget its changes are counted with the others'."""
    await room.route(*(an_alert(f"Other{n}") for n in range(BUDGET)))
    await room.route(*changes(8))
    assert await said(room) == []
    assert [a.flap_id for a in await room.stored()][-8:] == [None] * 8
    assert "alerts_counted" in await room.kinds()


async def test_it_raises_the_severity_all_the_same(room: Room) -> None:
    """A change that is not told still counts for the incident."""
    graver = [replace(a, labels=a.labels | {"severity": "critical"}) for a in changes(2, 20)]
    (incident,) = await room.route(*changes(6), *graver)
    assert incident.severity == "sev1"


async def test_a_new_incident_hears_of_it_at_once(room: Room) -> None:
    """People resolved the first while it flapped: it fires, so there is one more, and only one."""
    await room.route(*changes(6))
    await room.become("resolved")
    await room.route(*changes(6, 90))
    assert [a.incident_id for a in await room.stored()] == [1] * 6 + [2] * 6
    first, second = await said(room)
    assert first.endswith("(fired 3 times, resolved 3). It goes on in #2.")
    assert second.startswith("ShopDown (ShopDown is firing) flaps: 12 changes")
    assert await room.kinds(2) == ["incident_declared", "alert_received", "flapping_began"]


async def test_a_late_end_after_it_is_over_is_told(room: Room) -> None:
    """It flapped, stood firing, and the count is closed: its end is a line of its own."""
    await room.route(*changes(7))
    await pass_time(room)
    await look(room)
    await room.route(an_alert(status="resolved", minute=6))
    assert (await room.kinds())[-2:] == ["flapping_ended", "alert_resolved"]


async def test_replicas_count_and_end_it_once(room: Room, store: Store) -> None:
    replicas = [Room(store, CATALOG) for _ in range(3)]
    for alert in changes(12):
        await room.intake.accept([alert])
        await asyncio.gather(*(replica.route() for replica in replicas))
    (flap,) = await room.all(Flap)
    assert (flap.fired, flap.resolved) == (6, 6)
    await pass_time(room)
    await asyncio.gather(*(look(replica) for replica in replicas))
    assert (await room.kinds()).count("flapping_ended") == 1
    (flap,) = await room.all(Flap)
    assert flap.ended_at is not None
    assert now() - flap.ended_at < timedelta(minutes=1)


async def test_the_router_and_the_clock_at_once(room: Room) -> None:
    """A change comes while its flapping is ended: it is told or counted, and nothing is lost."""
    for begin in (0, 100, 200):
        await room.route(*changes(6, begin))
        await pass_time(room)
        await room.intake.accept(changes(1, begin + 50))
        await asyncio.gather(look(room), room.route())
    kinds = await room.kinds()
    assert kinds.count("flapping_began") == kinds.count("flapping_ended") == 3
    assert all(a.incident_id == 1 for a in await room.stored())
