"""Which incident an alert joins: a cause and what it brings down are one."""

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from bot.alerts.telling import BUDGET
from bot.catalog import Catalog, Rule, Service
from bot.catalog.needs import needs
from bot.delivery.tables import Message
from bot.store import now
from tests.alerts.room import Room, an_alert


def service(name: str, *below: str) -> Service:
    return Service(id=name, title=name.title(), tier="p0", depends_on=list(below))


CATALOG = Catalog(services=[
    service("web", "cart", "search"), service("cart", "orders"), service("orders", "db", "dns:corp"),
    service("search", "index"), service("index"), service("db"),
])  # fmt: skip


@pytest.fixture
def room(room: Room) -> Room:
    room.catalog = CATALOG
    return room


def of(name: str, minute: int = 0, **more: str) -> Any:
    return an_alert(f"{name.title()}Down", service=name, minute=minute, **more)


async def incidents_of(room: Room) -> list[int | None]:
    return [alert.incident_id for alert in await room.stored()]


def test_what_a_service_stands_on() -> None:
    """Nearest first, each once; nodes that are no services are not among them."""
    assert needs(CATALOG, "web") == ["cart", "search", "orders", "index", "db"]
    assert needs(CATALOG, "db") == []
    assert needs(CATALOG, "nobody") == []


async def test_alerts_of_what_stands_on_it_join(room: Room) -> None:
    """The database first, then all that needs it: one incident, and why is said once."""
    await room.route(of("db"), of("orders"), of("cart"), of("web"), of("cart", 5))
    assert await incidents_of(room) == [1, 1, 1, 1, 1]
    rows = [row.text for row in await room.rows() if row.kind == "alerts_joined"]
    reasons = "orders stands on db; cart stands on db; web stands on db"
    assert rows == [f"Alerts of other services join this incident: {reasons}"]
    await room.route(of("web", 6), of("cart", 7))
    assert (await room.kinds()).count("alerts_joined") == 1
    because = [alert.decision["because"] for alert in await room.stored()]
    assert because[1].endswith("; orders stands on db")


async def test_the_nearest_of_several(room: Room) -> None:
    """Both the index and the database fail: what stands on both belongs to the nearer one."""
    await room.route(of("index"), of("db"), of("search"), of("cart"), of("web"))
    assert await incidents_of(room) == [1, 2, 1, 2, 1]


async def test_a_cause_that_reports_late(room: Room) -> None:
    """The shop window complains first, then the database: one incident, which is the database's too."""
    await room.route(of("web"), of("db"), of("orders"))
    assert await incidents_of(room) == [1, 1, 1]
    (incident,) = await room.route()
    assert incident.services == ["web", "db"]


async def test_what_is_old_is_no_symptom_of_what_is_new(room: Room) -> None:
    await room.route(of("web"))
    async with room.store.write() as session:
        incident = await room.incidents.get(session, 1)
        incident.declared_at = now() - timedelta(minutes=11)
    await room.route(of("db"))
    assert await incidents_of(room) == [1, 2]


async def test_an_incident_that_is_over_takes_none(room: Room) -> None:
    await room.route(of("db"))
    await room.become("resolved")
    await room.route(of("orders"))
    assert await incidents_of(room) == [1, 2]


async def test_an_incident_declared_by_hand(room: Room) -> None:
    """Whoever was faster than the monitoring has the incident; a drill has not."""
    for drill in (True, False):
        async with room.store.write() as session:
            await room.incidents.declare(
                session, title="Orders are lost", severity="sev2", actor="person:ana",
                origin=f"hand-{drill}", services=["orders"], drill=drill,
            )  # fmt: skip
    await room.route(of("orders"), of("cart"))
    assert await incidents_of(room) == [2, 2]


async def test_a_rule_that_groups_by_labels(room: Room) -> None:
    """The values of these labels make the incident, whatever the services stand on."""
    room.catalog = CATALOG.model_copy(
        update={"rules": [Rule(match={"kind": "disk"}, group=["host", "alertname"])]}
    )
    await room.route(
        of("db", kind="disk", host="a"), of("db", 1, kind="disk", host="b"),
        of("db", 2, kind="disk", host="a"), of("orders", kind="disk", host="a"), of("db", 3),
    )  # fmt: skip
    assert await incidents_of(room) == [1, 2, 1, 3, 1]


async def test_a_channel_has_a_budget(room: Room) -> None:
    """The first are told one by one, the others counted in one message; none is dropped."""
    alerts = [replace(of("db"), fingerprint=f"{n}") for n in range(BUDGET + 30)]
    await room.intake.accept(alerts[: BUDGET + 10])
    await room.route()
    await room.intake.accept(alerts[BUDGET + 10 :])
    ended = [replace(a, status="resolved", ends_at=now()) for a in alerts]
    await room.intake.accept(ended[-1:])
    await room.route()
    assert set(await incidents_of(room)) == {1}
    rows = await room.rows()
    kinds = [row.kind for row in rows]
    assert kinds.count("alert_received") == BUDGET
    counted = [row for row in rows if row.kind == "alerts_counted"]
    assert [row.text for row in counted] == [
        "10 more alerts, 0 resolved: DbDown (10)", "20 more alerts, 1 resolved: DbDown (21)",
    ]  # fmt: skip
    messages = [m for m in await room.all(Message) if m.key == "1:alerts"]
    assert len(messages) == 1
    assert (
        messages[0].payload["text"].startswith("50 alerts so far, 1 of them resolved: DbDown (50)")
    )
