"""What is silenced is held back, never lost: it is routed once when nothing holds it any more."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.alerts import Silence, StoredAlert
from bot.alerts.holding import Wish, fire_now, holds, labels_of, of_incident, wish
from bot.catalog import Catalog, Person, Rule, matches
from bot.catalog.spans import Maintenance
from bot.delivery.tables import Message
from bot.errors import BadInput, Conflict, NotFound
from bot.incidents import Incident
from bot.store import Store, now
from tests.alerts.room import BLOG, CATALOG, SHOP, Room, an_alert

ANA = Person(id="ana", name="Ana")
HOUR = 3600.0


@pytest.fixture
def room(room: Room) -> Room:
    room.catalog = CATALOG.model_copy(update={"people": [ANA]})
    return room


async def silence(room: Room, reason: str = "swapping a disk", **match: str) -> int:
    async with room.store.write() as session:
        wished = Wish(match, HOUR, reason)
        return (await room.silences.set(session, wished, "ana", f"o{now()}")).number


async def expire(room: Room, number: int = 1) -> None:
    """As if its hour had passed."""
    async with room.store.write() as session:
        ago = now() - timedelta(seconds=1)
        await session.execute(update(Silence).where(Silence.id == number).values(until=ago))  # type: ignore[arg-type]  # a column's comparison


async def states(room: Room) -> list[tuple[str, str | None, int | None]]:
    return [(a.state, a.held_by, a.incident_id) for a in await room.stored()]


async def held(room: Room) -> list[tuple[str, int]]:
    async with room.store.read() as session:
        return [(hold.key, count) for hold, count in await room.silences.listed(session)]


async def test_what_matches_is_held_back(room: Room) -> None:
    """Stored with its decision and which silence; no incident, and the others go on."""
    await silence(room, alertname="Disk*", service="shop")
    incidents = await room.route(
        an_alert("DiskFull", severity="critical"), an_alert("DiskFull2", service="blog"),
        an_alert("ShopDown"),
    )  # fmt: skip
    assert [i.services for i in incidents] == [["blog"], ["shop"]]
    assert await states(room) == [
        ("silenced", "silence:1", None), ("routed", None, 1), ("routed", None, 2),
    ]  # fmt: skip
    decision = (await room.stored())[0].decision
    assert (decision["declare"], decision["severity"]) == (True, "sev1")
    assert "held back by silence 1 (alertname=Disk*, service=shop) until " in decision["because"]
    assert decision["because"].endswith("UTC, Ana: swapping a disk")
    assert await held(room) == [("silence:1", 1)]


async def test_routed_when_it_expires_and_still_fires(room: Room) -> None:
    """As if it came now, and the incident says what held it back; the chain has both ends."""
    await silence(room, service="shop")
    await room.route(an_alert(), an_alert("ShopSlow"))
    await room.silences.look()
    assert await room.route() == []
    await expire(room)
    await room.silences.look()
    await room.silences.look()
    (incident,) = await room.route()
    assert [s[2] for s in await states(room)] == [1, 1]
    assert await room.kinds() == [
        "incident_declared", "alerts_released", "alert_received", "alert_received",
    ]  # fmt: skip
    said = (await room.rows())[1].text
    assert said.startswith("Silence 1 expired at ")
    assert said.endswith("(set by Ana: swapping a disk); what it held back still fires")
    assert said in [m.payload.get("text") for m in await room.all(Message)]
    assert now() - incident.declared_at < timedelta(minutes=1)
    rows = await room.rows(0)
    assert [(r.kind, r.actor) for r in rows] == [
        ("silence_set", "person:ana"), ("silence_ended", "jackline"),
    ]  # fmt: skip
    assert rows[0].data["match"] == {"service": "shop"}
    (stored,) = await room.all(Silence)
    assert (stored.ended_at, stored.ended_by) == (stored.until, "jackline")
    assert await held(room) == []


async def test_routed_when_it_is_ended_by_hand(room: Room) -> None:
    """At once, in the same transaction; ended twice, or one that is not there, is refused."""
    number = await silence(room, alertname="ShopDown")
    await room.route(an_alert())
    async with room.store.write() as session:
        await room.silences.end(session, number, "ana")
    await room.route()
    assert await states(room) == [("routed", "silence:1", 1)]
    assert "Silence 1 was ended by Ana at " in (await room.rows())[1].text
    assert (await room.rows(0))[-1].actor == "person:ana"
    with pytest.raises(Conflict, match="Silence 1 is over already"):
        async with room.store.write() as session:
            await room.silences.end(session, number, "ana")
    with pytest.raises(NotFound, match="There is no silence 7"):
        async with room.store.write() as session:
            await room.silences.end(session, 7, "ana")


async def test_what_resolved_meanwhile_stays_quiet(room: Room) -> None:
    """Neither its firing nor its end is anybody's business; the one that fires again is."""
    await silence(room, service="shop")
    await room.route(
        an_alert(), an_alert(status="resolved"), an_alert("Again"),
        an_alert("Again", status="resolved"), an_alert("Again", minute=9),
    )  # fmt: skip
    assert await held(room) == [("silence:1", 1)]
    await expire(room)
    await room.silences.look()
    await room.route()
    assert [a.incident_id for a in await room.stored()] == [None, None, None, None, 1]
    assert (await room.stored())[0].decision["because"].endswith("ended while it was held back")
    assert (await room.kinds()).count("alert_received") == 1


async def test_resolved_after_the_silence_and_before_its_routing(room: Room) -> None:
    """Its end is accepted in the moment between: it is routed with it, and says nothing."""
    await silence(room, service="shop")
    await room.route(an_alert())
    await expire(room)
    await room.silences.look()
    assert await room.route(an_alert(status="resolved")) == []


async def test_an_incident_that_was_there_before_hears_of_the_end(room: Room) -> None:
    """Silenced after it opened its incident: the end is recorded there."""
    await room.route(an_alert())
    await silence(room, service="shop")
    await room.route(an_alert(minute=3), an_alert(status="resolved", minute=3))
    assert (await room.kinds())[-1] == "alert_resolved"
    assert [s[0] for s in await states(room)] == ["routed", "silenced", "routed"]


async def test_another_silence_holds_it_on(room: Room) -> None:
    """One ends, the other has it; then it is routed, once, with the words of the last."""
    await silence(room, service="shop")
    await silence(room, alertname="Shop*", reason="a move")
    await room.route(an_alert())
    await expire(room)
    await room.silences.look()
    assert await room.route() == []
    assert await held(room) == [("silence:2", 1)]
    await expire(room, 2)
    await room.silences.look()
    await room.route()
    released = [r.text for r in await room.rows() if r.kind == "alerts_released"]
    assert len(released) == 1
    assert "set by Ana: a move" in released[0]


async def test_it_joins_the_incident_that_is_open_then(room: Room) -> None:
    await silence(room, alertname="ShopSlow")
    await room.route(an_alert("ShopSlow"), an_alert())
    await expire(room)
    await room.silences.look()
    (incident,) = await room.route()
    assert [a.incident_id for a in await room.stored()] == [1, 1]
    assert (await room.kinds(incident.number))[-2:] == ["alerts_released", "alert_received"]


async def test_replicas_release_it_once(room: Room, store: Store) -> None:
    """Several see that it expired, several route: one row of each kind."""
    await silence(room, service="shop")
    await room.route(*(an_alert(f"A{n}") for n in range(5)))
    await expire(room)
    replicas = [Room(store, room.catalog) for _ in range(4)]
    await asyncio.gather(*(replica.silences.look() for replica in replicas))
    await asyncio.gather(*(replica.route() for replica in replicas))
    assert [r.kind for r in await room.rows(0)] == ["silence_set", "silence_ended"]
    kinds = await room.kinds()
    assert kinds.count("alert_received") == 5
    assert (kinds.count("incident_declared"), kinds.count("alerts_released")) == (1, 1)


async def test_held_by_one_that_ended_in_the_same_moment(room: Room) -> None:
    """The router read the silence, then it was ended, then the alert was stored: no matter."""
    await silence(room, service="shop")
    await room.route(an_alert())
    async with room.store.write() as session:
        await session.execute(update(Silence).values(ended_at=now(), ended_by="ana"))
    await room.silences.look()
    assert len(await room.route()) == 1


def window(name: str, hours: float, **match: str) -> Maintenance:
    at = now()
    return Maintenance(
        name=name, match=match, since=at - timedelta(hours=1), until=at + timedelta(hours=hours)
    )


async def test_a_window_that_is_made_narrower(room: Room) -> None:
    """What it means no more is let go at once, though one of its name is on; the rest stays held."""

    def planned(**match: str) -> Catalog:
        return room.catalog.model_copy(update={"maintenance": [window("Swap", 1, **match)]})

    room.catalog = planned(service="shop")
    await room.route(an_alert("DiskSlow"), an_alert("ShopDown"))
    await room.silences.look()
    room.catalog = planned(alertname="Disk*")
    await room.silences.look()
    await room.route()
    (narrow,) = holds(room.catalog, [], now())
    (disk, shop) = await states(room)
    assert disk == ("silenced", narrow.key, None)
    assert (shop[0], shop[2]) == ("routed", 1)
    text = next(r.text for r in await room.rows() if r.kind == "alerts_released")
    assert text == "Maintenance Swap means it no more; what it held back still fires"


async def test_a_window_that_another_replica_still_knew_wider(room: Room) -> None:
    """What it held by the catalog of before its end is let go by whoever goes on."""
    room.catalog = room.catalog.model_copy(
        update={"maintenance": [window("Swap", 1, alertname="Disk*")]}
    )
    await room.silences.look()
    before = Room(room.store, room.catalog.model_copy(
        update={"maintenance": [window("Swap", 1, service="shop")]}
    ))  # fmt: skip
    await room.intake.accept([an_alert()])
    assert await before.route() == []
    await room.silences.look()
    assert len(await room.route()) == 1


async def test_a_maintenance_window_of_the_catalog(room: Room) -> None:
    """Held while it is on; routed when the catalog says that it is over, or has it no more."""
    plain = room.catalog
    room.catalog = plain.model_copy(update={"maintenance": [
        window("Network swap", 1, service="shop"), window("Yesterday's", -0.5, service="blog"),
    ]})  # fmt: skip
    await room.route(an_alert(), an_alert("BlogDown", service="blog"))
    (swap,) = holds(room.catalog, [], now())
    assert await states(room) == [("silenced", swap.key, None), ("routed", None, 1)]
    assert await held(room) == [(swap.key, 1)]
    await room.silences.look()
    assert len(await room.route()) == 1
    room.catalog = plain
    await room.silences.look()
    assert len(await room.route()) == 2
    text = next(r.text for r in await room.rows(2) if r.kind == "alerts_released")
    assert text == "Maintenance Network swap is over; what it held back still fires"
    assert await room.rows(0) == []


async def test_jacklines_own_alerts_can_be_silenced(room: Room) -> None:
    """Of paths, of heartbeats, of checks: by their source."""
    for source in ("access", "heartbeat", "check"):
        await silence(room, source=source)
    own = [
        replace(an_alert(f"A{n}"), source=source)
        for n, source in enumerate(("access", "heartbeat", "check"))
    ]
    assert await room.route(*own) == []
    assert [count for _, count in await held(room)] == [1, 1, 1]


async def test_what_would_be_no_incident_is_not_held(room: Room) -> None:
    """A rule says no: there is nothing to hold back."""
    room.catalog = Catalog(rules=[Rule(match={"alertname": "Noise"}, declare="no")])
    await silence(room, alertname="Noise")
    await room.route(an_alert("Noise"))
    assert await states(room) == [("routed", None, None)]


async def test_the_service_is_the_one_that_is_taken(room: Room) -> None:
    """By a rule, or by another label: people name services as the catalog does."""
    room.catalog = Catalog(
        services=[SHOP, BLOG], rules=[Rule(match={"team": "words"}, service="blog")]
    )
    await silence(room, service="blog")
    await room.route(an_alert("A", team="words"), an_alert("B", service="", app="blog"))
    assert [s[0] for s in await states(room)] == ["silenced", "silenced"]


async def test_what_it_covers_when_it_is_set(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each that fires and has not ended, once, by name; critical ones say so.

    In a storm only the newest are looked at, and that is said.
    """
    await room.route(
        an_alert("DiskFull", severity="critical"), an_alert("DiskSlow"), an_alert("DiskSlow", minute=3),
        an_alert("DiskOld"), an_alert("DiskOld", status="resolved"), an_alert("ShopDown"),
    )  # fmt: skip
    await silence(room, alertname="Disk*")
    async with room.store.read() as session:
        stored = await session.get_one(Silence, 1)
        found = await room.silences.firing(session, stored)
        assert found == ({"critical DiskFull": 1, "DiskSlow": 1}, 0)
        monkeypatch.setattr("bot.alerts.silences._LOOK", 2)
        found = await room.silences.firing(session, stored)
    assert found == ({"DiskSlow": 1}, 2)
    assert fire_now(*found).startswith("Alerts that fire now and match among the newest 2 (1): ")


async def test_the_same_command_twice_sets_one(room: Room) -> None:
    for _ in range(2):
        async with room.store.write() as session:
            await room.silences.set(session, Wish({"a": "b"}, HOUR, "why"), "ana", "key")
    assert len(await room.all(Silence)) == 1
    assert [r.kind for r in await room.rows(0)] == ["silence_set"]


MATCHES: list[tuple[dict[str, str], bool]] = [
    ({"alertname": "DiskFull"}, True), ({"alertname": "diskfull"}, False),
    ({"alertname": "Disk*"}, True), ({"alertname": "*Full"}, True), ({"alertname": "*i*F*"}, True),
    ({"alertname": "Disk"}, False), ({"alertname": "Disk?ull"}, False),
    ({"alertname": "[D]iskFull"}, False), ({"disk": "sda[1]?"}, True), ({"disk": "sda*"}, True),
    ({"alertname": "Disk*", "host": "*"}, False), ({"alertname": "Disk*", "disk": "*"}, True),
]  # fmt: skip


@pytest.mark.parametrize(("match", "meant"), MATCHES)
def test_values_are_exact_or_have_stars(match: dict[str, str], meant: bool) -> None:
    """No other sign means anything, and a label that is not there matches nothing."""
    assert matches(match, {"alertname": "DiskFull", "disk": "sda[1]?"}) is meant


WRONG: list[tuple[list[str], str, str, str]] = [
    (["DiskFull"], "2h", "why", "'DiskFull' is not LABEL=VALUE; a value is exact, or has * for"),
    (["alertname=~Disk.*"], "2h", "why", "'alertname=~Disk.*' is not LABEL=VALUE"),
    (["alertname!=Disk"], "2h", "why", "'alertname!=Disk' is not LABEL=VALUE"),
    (["alertname=a\0"], "2h", "why", "'alertname=a\\x00' is not LABEL=VALUE"),
    (["x" * 99], "2h", "why", f"'{'x' * 60}' is not LABEL=VALUE"),
    (["alertname="], "2h", "why", "'alertname=' is not LABEL=VALUE"),
    (["a=b", "a=c"], "2h", "why", "The label a is given twice."),
    ([], "2h", "why", "Say which alerts: at least one label is needed"),
    (["alertname=*"], "2h", "why", "Say which alerts: * alone would cover everything"),
    (["a=*", "b=**"], "2h", "why", "Say which alerts: * alone would cover everything"),
    ([f"l{n}=x" for n in range(11)], "2h", "why", "Say which alerts: 11 labels are given"),
    (["a=b"], "2", "why", "'2' is no duration such as 30m, 2h or 3d."),
    (["a=b"], "soon", "why", "'soon' is no duration"),
    (["a=b"], "²h", "why", "'²h' is no duration"),
    (["a=b"], "8d", "why", "'8d' must be more than nothing and at most 7 days."),
    (["a=b"], "0h", "why", "'0h' must be more than nothing"),
    (["a=b"], "2h", " \0 ", "Say why: it stands in the record."),
]


@pytest.mark.parametrize(("labels", "lasts", "reason", "said"), WRONG)
def test_what_cannot_be_set(labels: list[str], lasts: str, reason: str, said: str) -> None:
    """Each ends with how it is typed."""
    with pytest.raises(BadInput) as caught:
        wish(labels_of(labels, "Usage: so"), lasts, reason, "Usage: so")
    assert str(caught.value).startswith(said)
    assert str(caught.value).endswith("Usage: so")


def an_incident(group: str | None, services: list[str], **labels: str) -> Incident:
    trigger: dict[str, Any] = {"group": group}
    if group:
        trigger |= {"alert": "DiskFull", "source": "alertmanager", "labels": labels}
    return Incident(
        id=3, title="t", severity="sev1", origin="o", declared_by="x", services=services,
        trigger=trigger,
    )  # fmt: skip


def test_the_labels_of_an_incident() -> None:
    """Its service, its alert, its labels; where that is not clear a person has to say."""
    assert of_incident(an_incident("service:shop", ["shop", "blog"])) == {"service": "shop"}
    assert of_incident(an_incident(None, ["shop"])) == {"service": "shop"}
    assert of_incident(an_incident("alert:alertmanager:Disk:x", [])) == {
        "alertname": "Disk:x", "source": "alertmanager",
    }  # fmt: skip
    group = "labels:host=a,alertname=DiskFull"
    assert of_incident(an_incident(group, [], host="a")) == {"host": "a", "alertname": "DiskFull"}
    for unclear in (
        an_incident("labels:host=a,b=c", [], host="a,b=c"), an_incident("labels:host=", []),
        an_incident(None, []), an_incident(None, ["shop", "blog"]),
    ):  # fmt: skip
        with pytest.raises(BadInput, match="Name the labels"):
            of_incident(unclear)


async def test_a_stored_alert_of_before_is_held_by_nothing(room: Room) -> None:
    """The column is new: what was stored without it has none."""
    await room.route(an_alert())
    assert [a.held_by for a in await room.all(StoredAlert)] == [None]
