"""Stored alerts become incidents: once each, in order, whoever routes."""

import asyncio
from collections import Counter

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.alerts import StoredAlert
from bot.alerts.arrivals import at_fault, count_alerts
from bot.alerts.telling import BUDGET
from bot.catalog import Catalog, Rule
from bot.delivery import Message
from bot.store import Store
from bot.web.metrics import Metrics
from tests.alerts.room import BLOG, CATALOG, SHOP, Room, an_alert


async def test_an_alert_declares_an_incident(room: Room) -> None:
    """Title, severity, service and origin come from the alert; its row cites it."""
    (incident,) = await room.route(an_alert(severity="critical"))
    assert (incident.number, incident.title) == (1, "ShopDown is firing")
    assert (incident.severity, incident.status) == ("sev1", "declared")
    assert (incident.services, incident.declared_by) == (["shop"], "source:alertmanager")
    assert await room.kinds() == ["incident_declared", "alert_received"]
    (alert,) = await room.stored()
    assert (alert.state, alert.incident_id) == ("routed", 1)
    assert alert.decision["group"] == "service:shop"


async def test_the_service_is_named_in_the_title(room: Room) -> None:
    """An alert that does not say what it is about gets its service's name in front."""
    (incident,) = await room.route(an_alert("ErrorRate"))
    assert incident.title == "Shop: ErrorRate is firing"


async def test_the_same_alert_again_adds_nothing(room: Room) -> None:
    """Alertmanager repeats itself every few hours; one row stays one row."""
    incidents = await room.route(an_alert(), an_alert(), an_alert())
    assert len(incidents) == 1
    assert await room.kinds() == ["incident_declared", "alert_received"]


async def test_other_alerts_of_the_service_join_its_open_incident(room: Room) -> None:
    (incident,) = await room.route(an_alert(), an_alert("ShopSlow"), an_alert("ShopErrors"))
    assert [a.incident_id for a in await room.stored()] == [1, 1, 1]
    assert (await room.kinds()).count("alert_received") == 3
    assert incident.status == "declared"


async def test_another_service_is_another_incident(room: Room) -> None:
    incidents = await room.route(an_alert(), an_alert("BlogDown", service="blog"))
    assert [i.services for i in incidents] == [["shop"], ["blog"]]


async def test_a_graver_alert_raises_the_severity_and_none_lowers_it(room: Room) -> None:
    (incident,) = await room.route(
        an_alert(severity="warning"),
        an_alert("Worse", severity="critical"),
        an_alert("Mild", severity="info"),
    )
    assert incident.severity == "sev1"
    assert (await room.kinds()).count("severity_changed") == 1


async def test_what_people_said_of_it_is_not_undone_when_it_fires_again(room: Room) -> None:
    """They knew the alert when they lowered the severity; another one that is grave is news."""
    await room.route(an_alert(severity="critical"))
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        await room.incidents.set_severity(session, incident, "sev3", "person:ana")
    await room.route(an_alert(status="resolved"), an_alert(severity="critical", minute=9))
    assert (await room.refresh()).severity == "sev3"
    await room.route(an_alert("Disk", severity="error"))
    assert (await room.refresh()).severity == "sev2"
    await room.route(an_alert(severity="critical", minute=10))
    assert (await room.refresh()).severity == "sev2"
    await room.route(an_alert("Worse", severity="critical"))
    assert (await room.refresh()).severity == "sev1"


async def test_resolved_is_recorded_and_leaves_the_incident_to_people(room: Room) -> None:
    """The alert's end is a row; the incident stays open until somebody says so."""
    (incident,) = await room.route(an_alert(), an_alert(status="resolved"))
    assert incident.status == "declared"
    assert (await room.kinds())[-1] == "alert_resolved"


async def test_only_the_first_end_of_a_firing_is_recorded(room: Room) -> None:
    """GitHub reports each success: the incident of a failure long ago hears of one."""
    minutes = (5, 6, 7)
    await room.route(an_alert(), *(an_alert(status="resolved", minute=m) for m in minutes))
    assert (await room.kinds()).count("alert_resolved") == 1
    await room.route(an_alert(minute=8), an_alert(status="resolved", minute=9))
    assert (await room.kinds()).count("alert_resolved") == 2


async def test_resolved_without_a_firing_declares_nothing(room: Room) -> None:
    assert await room.route(an_alert(status="resolved")) == []
    assert [a.state for a in await room.stored()] == ["routed"]


async def test_firing_again_joins_while_the_incident_is_open(room: Room) -> None:
    incidents = await room.route(an_alert(), an_alert(status="resolved"), an_alert(minute=9))
    assert len(incidents) == 1
    assert (await room.kinds())[-2:] == ["alert_resolved", "alert_received"]


async def test_firing_again_after_the_incident_is_over_is_a_new_one(room: Room) -> None:
    """Its resolving then belongs to the new incident, not to the old one."""
    await room.route(an_alert(), an_alert(status="resolved"))
    await room.become("resolved")
    incidents = await room.route(an_alert(minute=9), an_alert(status="resolved", minute=9))
    assert [i.status for i in incidents] == ["resolved", "declared"]
    kinds = ["incident_declared", "alert_received", "alert_resolved"]
    assert (await room.kinds(2))[:3] == kinds


async def test_a_reopened_incident_takes_its_alerts_again(room: Room) -> None:
    """Resolved too early and reopened: the group is its own again, no second incident."""
    await room.route(an_alert())
    await room.become("resolved")
    await room.become("investigating")
    assert len(await room.route(an_alert(minute=9))) == 1


async def test_reopened_while_a_newer_incident_has_the_group(room: Room) -> None:
    """Both stay open; alerts go to the newer one."""
    await room.route(an_alert())
    await room.become("resolved")
    await room.route(an_alert(minute=9))
    await room.become("investigating")
    await room.route(an_alert("Third", minute=10))
    assert [a.incident_id for a in await room.stored()] == [1, 2, 2]


async def test_a_late_resolved_is_recorded_on_an_incident_that_is_over(room: Room) -> None:
    await room.route(an_alert())
    await room.become("resolved")
    await room.route(an_alert(status="resolved"))
    assert (await room.kinds())[-1] == "alert_resolved"


async def test_a_rule_may_say_no(room: Room) -> None:
    """Stored, decided, and why; no incident."""
    room.catalog = Catalog(rules=[Rule(match={"alertname": "Watchdog"}, declare="no")])
    assert await room.route(an_alert("Watchdog")) == []
    (alert,) = await room.stored()
    assert (alert.state, alert.decision["declare"]) == ("routed", False)
    assert "rule 1" in alert.decision["because"]


async def test_a_rule_whose_service_is_gone_does_not_hold_up_the_others(room: Room) -> None:
    """The catalog is read again while alerts come: a name that nobody knows is left out."""
    room.catalog = Catalog(services=[BLOG], rules=[Rule(match={"a": "1"}, service="shop")])
    incidents = await room.route(an_alert("First", a="1"), an_alert("Second", service="blog"))
    assert [i.services for i in incidents] == [[], ["blog"]]


@pytest.mark.parametrize("summary", ["", "  \n ", "\u200b", "x" * 5000])
async def test_a_strange_summary_still_makes_a_title(room: Room, summary: str) -> None:
    """An alert must never be lost because nobody wrote a good sentence."""
    odd = [
        replace(an_alert(name, service=service), annotations={"summary": summary})
        for name, service in (("ShopDown", "shop"), ("Odd", ""), ("\u200b", ""))
    ]
    incidents = await room.route(*odd, an_alert("BlogDown", service="blog"))
    assert len(incidents) == 4
    assert all(0 < len(i.title) <= 200 for i in incidents)


async def test_an_alert_that_cannot_be_routed_does_not_hold_up_the_others(room: Room) -> None:
    """The catalog changes under it: it stays waiting, the next goes on, then it is routed too."""
    later = Catalog(services=[BLOG])
    before = Catalog(services=[BLOG, SHOP.model_copy(update={"id": "gone"})])
    seen = [before, later, later, before]  # the batch, what declares, its words; the alert alone
    room.incidents.catalog = lambda: seen.pop(0) if seen else later
    incidents = await room.route(an_alert(service="gone"), an_alert("B", service="blog"))
    assert [i.services for i in incidents] == [["blog"], []]
    assert [a.incident_id for a in await room.stored()] == [2, 1]


@pytest.mark.parametrize("at_once", [True, False])
async def test_a_late_end_of_an_earlier_start_ends_nothing_newer(
    room: Room, *, at_once: bool
) -> None:
    """In one batch or in several: what fires now goes on firing, until its own end comes."""
    newer = an_alert(minute=10)
    late = an_alert(status="resolved")
    if at_once:
        await room.intake.accept([an_alert(), newer, late])
        await room.route()
    else:
        await room.route(an_alert())
        await room.become("resolved")
        await room.route(newer)
        await room.route(late)
    number = (await room.stored())[1].incident_id or 0
    assert (await room.refresh(number)).alerts_ended_at is None
    assert "alert_resolved" not in await room.kinds(number)
    stored = (await room.stored())[2]
    assert (stored.state, stored.incident_id) == ("routed", None)
    assert stored.decision["because"].endswith("it ended before what fires now began")
    assert (await count_alerts(room.store))["firing"] == 1

    await room.route(an_alert(status="resolved", minute=10))
    assert (await room.refresh(number)).alerts_ended_at is not None
    assert (await count_alerts(room.store))["firing"] == 0


async def test_a_start_that_was_corrected_still_ends(room: Room) -> None:
    """Of two Prometheus the slower one began later: Alertmanager's end says the first start."""
    end = replace(an_alert(status="resolved"), ends_at=an_alert(minute=2).starts_at)
    await room.route(an_alert(minute=1), end)
    assert (await room.refresh()).alerts_ended_at is not None
    assert (await room.kinds())[-1] == "alert_resolved"


async def test_what_can_never_be_routed_is_set_aside_and_said(room: Room) -> None:
    """Broken rows: the alert behind them is routed, the broken ones are kept.

    Jackline's own record and the digest's channel say so in one line; the next start tries again.
    """
    await room.intake.accept([an_alert(f"Broken{n}") for n in range(3)])
    await room.stored()
    broken = update(StoredAlert.__table__).values(labels=["no", "labels"])
    async with room.store.write() as session:
        await session.execute(broken)
    (incident,) = await room.route(an_alert("Sound"))
    assert incident.title.endswith("Sound is firing")
    states = Counter(alert.state for alert in await room.stored())
    assert states == {"aside": 3, "routed": 1}
    assert (await room.kinds(0)).count("alert_set_aside") == 3
    (said,) = [m for m in await room.all(Message) if m.key == "0:alerts-aside"]
    assert said.payload["text"].startswith("🚨 Alerts that cannot be routed: 3, ")
    assert b"jackline_alerts_set_aside 3.0" in await Metrics(room.store).render()

    mended = broken.values(labels={"service": "shop"}).where(StoredAlert.name == "Broken1")
    async with room.store.write() as session:
        await session.execute(mended)
    await Room(room.store).route()
    assert [a.name for a in await room.stored() if a.incident_id == 1] == ["Broken1", "Sound"]


@pytest.mark.parametrize(
    ("error", "faulty"),
    [(KeyError("x"), True), (OSError(28, "full"), False), (MemoryError(), False)],
)
def test_what_is_an_alerts_own_fault(error: Exception, faulty: bool) -> None:
    """A machine without memory or disk sets no alert aside: a later try finds it as it was."""
    assert at_fault(error) is faulty


async def test_many_routers_make_one_incident(room: Room, store: Store) -> None:
    """Replicas on one database: each alert is routed once, the group is declared once."""
    await room.intake.accept([an_alert(f"A{n}") for n in range(30)])
    routers = [Room(store, CATALOG).router for _ in range(3)]

    async def until_empty(router) -> None:
        while await router.route_next():
            pass

    await asyncio.gather(*(until_empty(router) for router in routers))
    assert {a.incident_id for a in await room.stored()} == {1}
    kinds = await room.kinds()
    assert (kinds.count("incident_declared"), kinds.count("alert_received")) == (1, BUDGET)
    assert kinds.count("alerts_counted") >= 1


async def test_many_routers_give_numbers_without_a_gap(room: Room, store: Store) -> None:
    """Ten services fail at once, each with three alerts: incidents 1 to 10."""
    services = [SHOP.model_copy(update={"id": f"s{n}", "title": f"S{n}"}) for n in range(10)]
    room.catalog = Catalog(services=services)
    alerts = [an_alert(f"A{a}-{s.id}", service=s.id) for a in range(3) for s in services]
    await room.intake.accept(alerts)

    async def until_empty(router) -> None:
        while await router.route_next():
            pass

    routers = [Room(store, room.catalog).router for _ in range(3)]
    await asyncio.gather(*(until_empty(router) for router in routers))
    incidents = await room.route()
    assert [i.number for i in incidents] == list(range(1, 11))
    received = [(await room.kinds(i.number)).count("alert_received") for i in incidents]
    assert received == [3] * 10
