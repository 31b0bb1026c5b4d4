"""A replay of the present rules does what the router did; edited ones show what would differ."""

from datetime import timedelta
from random import Random
from typing import Any

import pytest
from sqlalchemy import update

from bot.alerts import Endings, StoredAlert
from bot.alerts.flapping import WINDOW
from bot.alerts.holding import Wish
from bot.alerts.record import alerts_since, count_since, record_since
from bot.alerts.replay import Replay
from bot.alerts.simulation import compare, counted
from bot.catalog import Catalog, Heartbeat, Rule
from bot.catalog.spans import Maintenance
from bot.contract import RawRequest
from bot.incidents import Incident
from bot.registry import load
from bot.store import now
from tests.alerts.room import BLOG, CATALOG, SHOP, Room, an_alert
from tests.alerts.storm import CAUSES, posts, services

LONG = timedelta(days=1)


async def replay(room: Room, catalog: Catalog | None = None, days: float = 1) -> Replay:
    since = now() - timedelta(days=days)
    async with room.store.read() as session:
        made = Replay(catalog or room.catalog, await record_since(session, since))
        async for alert in alerts_since(session, since):
            made.take(alert)
    made.finish(now())
    return made


async def really(room: Room) -> dict[int, int | None]:
    """By the id of a firing alert, its incident: less than 0 for the alert that opened it that day."""
    numbers = {}
    for incident in await room.all(Incident):
        kind, _, alert = incident.origin.partition(":")
        new = kind == "alert" and incident.declared_at > now() - LONG
        numbers[incident.number] = -int(alert) if new else incident.number
    return {a.id: numbers.get(a.incident_id) for a in await room.stored() if a.status == "firing"}


def simulated(made: Replay) -> dict[int, int | None]:
    return {number: p.simulated and p.simulated.number for number, p in made.placed.items()}


async def same(room: Room) -> Replay:
    """The replay of the present rules has each alert where it really is; the replay."""
    made = await replay(room)
    assert simulated(made) == await really(room)
    opened = {f"alert:{number}": each for number, (_, each) in made.opened.items()}
    incidents = {i.origin: i for i in await room.all(Incident) if i.origin.startswith("alert:")}
    assert opened.keys() == incidents.keys()
    for origin, each in opened.items():
        was, found = incidents[origin], each
        assert (found.severity, found.services) == (was.severity, was.services)
        assert found.open_key == was.trigger["group"]
    return made


@pytest.mark.slow
async def test_a_storm(room: Room) -> None:
    """Twenty causes, and each of the alerts where the router put it."""
    room.catalog = Catalog.model_validate({"services": services()})
    reader = load().sources["alertmanager"]
    for body in posts(2_000):
        await room.intake.accept(reader.parse(RawRequest({}, body)))
    await room.route()
    made = await same(room)
    assert counted(made)["incidents"] == CAUSES


@pytest.mark.slow
@pytest.mark.parametrize("seed", range(6))
async def test_a_day_of_work(room: Room, seed: int) -> None:
    """Alerts at random, people who declare, resolve, cancel and silence between them."""
    random = Random(seed)
    room.catalog = Catalog(
        services=[SHOP, BLOG.model_copy(update={"depends_on": ["shop"]})],
        rules=[
            Rule(match={"kind": "no"}, declare="no"), Rule(match={"kind": "host"}, group=["host"]),
            Rule(match={"kind": "page"}, severity="sev1"),
        ],
    )  # fmt: skip
    silences: list[int] = []
    for turn in range(120):
        await room.route(an_odd_alert(random, turn))
        await people(room, random, turn, silences)
    await same(room)


def an_odd_alert(random: Random, turn: int) -> Any:
    labels = {
        "service": random.choice(["shop", "blog", "nobody"]), "host": random.choice("ab"),
        "kind": random.choice(["no", "host", "page", "plain", "plain"]),
        "severity": random.choice(["critical", "error", "warning", "info"]),
    }  # fmt: skip
    status = random.choice(["firing", "firing", "resolved"])
    return an_alert(f"A{random.randrange(12)}", status, minute=turn, **labels)


async def people(room: Room, random: Random, turn: int, silences: list[int]) -> None:
    """What they do now and then."""
    active = [i for i in await room.all(Incident) if i.open_key or i.status == "declared"]
    dice = random.random()
    async with room.store.write() as session:
        if dice < 0.15 and active:
            incident = await room.incidents.get(session, random.choice(active).number)
            status = random.choice(["resolved", "cancelled"])
            await room.incidents.set_status(session, incident, status, "person:ana")
        elif dice < 0.2:
            await room.incidents.declare(
                session, title="By hand", severity="sev3", actor="person:ana", origin=f"t{turn}",
                services=[random.choice(["shop", "blog"])],
            )  # fmt: skip
        elif dice < 0.3:
            wished = Wish({"alertname": f"A{random.randrange(12)}"}, 3600, "why")
            silences.append((await room.silences.set(session, wished, "", f"s{turn}")).number)
        elif dice < 0.4 and silences:
            await room.silences.end(session, silences.pop(), "")


async def test_what_is_resolved_by_rule(room: Room) -> None:
    """After the time that the rule asks for; without a rule and without people it stays open."""
    rules = [Rule(match={"service": "shop"}, resolve="auto", quiet="10m")]
    room.catalog = CATALOG.model_copy(update={"rules": rules})
    endings = Endings(room.store, room.incidents, _nothing_runs)
    for begin in (0, 100):
        await room.route(an_alert(minute=begin), an_alert(status="resolved", minute=begin))
        await endings.look()
        await pass_time(room, timedelta(minutes=21))
        await endings.look()
    assert [i.status for i in await room.all(Incident)] == ["resolved", "resolved"]
    made = await replay(room)
    assert counted(made)["incidents"] == 2
    people = room.catalog.model_copy(update={"rules": []})
    ends = dict.fromkeys(made.record.ends)  # as if nobody had resolved them
    record = made.record.__class__(made.record.since, [], ends, [], {})
    async with room.store.read() as session:
        alone, with_rule = Replay(people, record), Replay(room.catalog, record)
        async for alert in alerts_since(session, record.since):
            alone.take(alert)
            with_rule.take(alert)
    assert [len(each.opened) for each in (alone, with_rule)] == [1, 2]


async def _nothing_runs(*_: Any) -> bool:
    return False


async def pass_time(room: Room, by: timedelta) -> None:
    """As if all that has come had come so much earlier."""
    async with room.store.write() as session:
        for alert in await room.stored():
            earlier = update(StoredAlert).where(StoredAlert.id == alert.id)  # type: ignore[arg-type]  # a column's comparison
            await session.execute(earlier.values(received_at=alert.received_at - by))
        for incident in await room.all(Incident):
            kept = await room.incidents.get(session, incident.number)
            for name in ("declared_at", "resolved_at", "alerts_ended_at"):
                at = getattr(kept, name)
                setattr(kept, name, at and at - by)


async def test_flapping_holds_up_a_rule(room: Room) -> None:
    """Four changes with three minutes between them, and a rule that asks for one."""
    for turn in range(6):
        status = "resolved" if turn % 2 else "firing"
        await room.route(an_alert(status=status, minute=turn - turn % 2))
        await pass_time(room, timedelta(minutes=3))
    rule = Rule(match={}, resolve="auto", quiet="1m")
    made = await replay(room, CATALOG.model_copy(update={"rules": [rule]}))
    assert counted(made)["incidents"] == 2  # the first of them before it was seen to flap
    await pass_time(room, WINDOW)
    await room.route(an_alert(minute=90))
    made = await replay(room, CATALOG.model_copy(update={"rules": [rule]}))
    assert counted(made)["incidents"] == 3


@pytest.mark.parametrize("days", [1, 3])
async def test_a_late_end_of_an_earlier_start(room: Room, days: int) -> None:
    """It ends nothing in a replay either, also where the firing is from before it."""
    await room.route(an_alert(), an_alert(minute=10))
    await pass_time(room, timedelta(days=2))
    await room.route(an_alert(status="resolved"))
    made = await replay(room, days=days)
    firing = made._firing[("alertmanager", "ShopDown")]
    assert (len(firing.fires), firing.ended_at) == (1, None)


async def test_what_was_open_before(room: Room) -> None:
    """It is taken as it was: alerts join it, and their ends find it."""
    await room.route(an_alert(), an_alert("Old"))
    await room.route(an_alert("Old", "resolved"))
    await pass_time(room, timedelta(days=2))
    await room.route(an_alert("ShopSlow"), an_alert(status="resolved"))
    made = await same_since(room)
    assert made.opened == {}
    (placed,) = made.placed.values()
    assert placed.simulated is not None
    assert placed.simulated.number == 1


async def test_what_people_declared_ends_as_recorded(room: Room) -> None:
    """No rule resolves it, whatever alerts join it."""
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Shop is odd", severity="sev2", actor="person:ana", origin="o",
            services=["shop"],
        )  # fmt: skip
    await room.route(an_alert(), an_alert(status="resolved"))
    await pass_time(room, timedelta(hours=2))
    await room.route(an_alert("ShopSlow"))
    rule = Rule(match={}, resolve="auto", quiet="1m")
    made = await replay(room, CATALOG.model_copy(update={"rules": [rule]}))
    assert made.opened == {}
    assert [p.simulated and p.simulated.alerts for p in made.placed.values()] == [2, 2]


async def same_since(room: Room) -> Replay:
    made = await replay(room)
    real = await really(room)
    assert simulated(made) == {number: real[number] for number in made.placed}
    return made


async def test_maintenance_in_edited_rules(room: Room) -> None:
    """A window that was not there holds back, and lets go of what still fires at its end."""
    await room.route(an_alert(), an_alert("ShopSlow"), an_alert("ShopSlow", "resolved"))
    at = now()
    window = Maintenance(
        name="Swap", match={"service": "shop"}, since=at - LONG, until=at + timedelta(seconds=1)
    )
    edited = CATALOG.model_copy(update={"maintenance": [window]})
    present, other = await replay(room), await replay(room, edited)
    assert [each.simulated for each in other.placed.values()] == [None, None]
    (difference,) = compare(present, other).differences
    assert difference.what == "not opened"
    assert "held back by maintenance Swap" in difference.why
    other.finish(at + timedelta(minutes=1))
    assert list(other.opened) == [1]
    assert other.placed[2].simulated is None


async def test_edited_rules(room: Room) -> None:
    """Opened, not opened, joined otherwise, another severity and group: each with the rule."""
    await room.route(
        an_alert("DiskFull"), an_alert("Noise", service="blog"), an_alert("Loud", kind="own"),
        an_alert("Slow", severity="warning"),
    )  # fmt: skip
    edited = CATALOG.model_copy(update={"rules": [
        Rule(match={"alertname": "Noise"}, declare="no"),
        Rule(match={"kind": "own"}, group=["kind"], severity="sev4"),
        Rule(match={"alertname": "DiskFull"}, severity="sev1", resolve="auto"),
    ]})  # fmt: skip
    present, other = await replay(room), await replay(room, edited)
    assert counted(present)["by_severity"] == {"sev1": 0, "sev2": 1, "sev3": 1, "sev4": 0}
    assert counted(other)["by_severity"] == {"sev1": 1, "sev2": 0, "sev3": 0, "sev4": 1}
    found = compare(present, other)
    assert found.moved == {"to_another": 1, "into_one": 0, "out_of_one": 1}
    rows = [(d.what, d.alert.name, d.why) for d in found.differences]
    default = "no rule matched: declared by default"
    joined = f"joins what alert 1 (DiskFull) opened: {default}"
    assert rows == [
        ("severity, alerts", "DiskFull", f"rule 3 ({{'alertname': 'DiskFull'}}); was: {default}"),
        ("not opened", "Noise", "rule 1 ({'alertname': 'Noise'}) says declare: no"),
        ("opened", "Loud", f"rule 2 ({{'kind': 'own'}}); was: {joined}"),
    ]  # fmt: skip
    back = compare(other, present)
    assert [d.what for d in back.differences] == ["severity, alerts", "opened", "not opened"]
    assert back.differences[2].why == joined


async def test_a_heartbeat_in_edited_rules(room: Room) -> None:
    """What would be a sign of life would be no alert."""
    await room.route(an_alert("Watchdog"))
    beat = Heartbeat.model_validate({"id": "w", "match": {"alertname": "Watchdog"}, "every": "5m"})
    made = await replay(room, CATALOG.model_copy(update={"heartbeats": [beat]}))
    assert [each.because for each in made.placed.values()] == ["a sign of life of a heartbeat"]


async def test_nothing_is_written(room: Room) -> None:
    await room.route(an_alert(), an_alert("Slow", severity="critical"))
    before = [await room.stored(), await room.all(Incident), await room.rows()]
    await replay(room, CATALOG.model_copy(update={"rules": [Rule(match={}, severity="sev4")]}))
    assert [await room.stored(), await room.all(Incident), await room.rows()] == before
    async with room.store.read() as session:
        assert await count_since(session, now() - LONG) == (2, 1)
