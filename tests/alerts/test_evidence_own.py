"""What Jackline itself knows at the start of an incident: what was reported to it, and the past."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from msgspec.structs import replace
from sqlalchemy import update

from bot.alerts.evidence.opened import opened
from bot.alerts.evidence.own import OwnRecord
from bot.alerts.evidence.shown import payload
from bot.alerts.evidence.tables import EvidenceItem
from bot.catalog import Catalog
from bot.incidents import Incident
from bot.registry import load
from tests.alerts.room import Room, an_alert
from tests.integrations.sources import github

NOW = datetime.now(UTC)
CATALOG = Catalog.model_validate({"services": [
    {"id": "shop", "title": "Shop", "tier": "p0", "depends_on": ["db"]},
    {"id": "db", "title": "Database", "tier": "p0"},
    {"id": "blog", "title": "Blog", "tier": "p2"},
]})  # fmt: skip


@pytest.fixture
def known(room: Room) -> Room:
    room.catalog = CATALOG
    return room


def own(room: Room) -> OwnRecord:
    return OwnRecord(room.store, lambda: room.catalog, "https://j.example")


def change(name: str, *, minutes: float, service: str, **labels: str) -> Any:
    at = NOW - timedelta(minutes=minutes)
    made = an_alert(name, "resolved", service=service, **{"change": "deploy", **labels})
    return replace(made, starts_at=at, ends_at=at, link="https://ci.example/1")


async def changes(room: Room, number: int = 1) -> list[dict[str, Any]]:
    incident = opened(await room.refresh(number))
    looked = await own(room).changes(incident, datetime.now(UTC) - timedelta(hours=2))
    return [line for each in looked.found for line in each.part["lines"]]


async def test_changes_of_the_service_and_of_what_it_stands_on(known: Room) -> None:
    """Not those of others; and no incident comes of a change that went well."""
    await known.route(
        change("db schema 7", minutes=90, service="db"),
        change("blog theme", minutes=5, service="blog"),
        change("shop 1.2", minutes=10, service="shop"),
        an_alert("Other", "resolved", minute=1),
    )
    assert await known.all(Incident) == []
    await known.route(an_alert())
    lines = await changes(known)
    assert [line["text"] for line in lines] == ["shop 1.2 is firing", "db schema 7 is firing"]
    assert {line["link"] for line in lines} == {"https://ci.example/1"}


async def test_without_a_known_service_all_changes(known: Room) -> None:
    await known.route(change("blog theme", minutes=5, service="blog"))
    await known.route(an_alert("Odd", service="nobody"))
    assert len(await changes(known)) == 1


async def test_githubs_webhook_is_a_change_whether_it_failed_or_not(known: Room) -> None:
    """The payloads that GitHub publishes: of one deployment the message tells what was said last."""
    source = load().sources["github"]
    for body in (github.FIRING, github.RESOLVED):
        await known.route(*source.parse(github.sent(body, "secret")))
    looked = await own(known).changes(
        opened((await known.all(Incident))[0]), datetime(2019, 1, 1, tzinfo=UTC)
    )
    (found,) = looked.found
    assert [line["text"] for line in found.part["lines"]] == [
        "Codertocat/Hello-World: deployment to production: success (f95f852), by Codertocat",
        "Codertocat/Hello-World: deployment to production: failure (f95f852), by Codertocat",
    ]
    item = EvidenceItem(
        incident_id=1, key="changes", position=0, name="x", data={"parts": [found.part]}
    )
    (told,) = payload([item])["parts"]
    assert ["success" in line["text"] for line in told["lines"]] == [True]


# ── the past ─────────────────────────────────────────────────────────────────────────────────


async def past(room: Room, name: str, *, runbook: str = "", paper: bool = False) -> int:
    """An incident of that alert that was resolved after half an hour."""
    before = len(await room.all(Incident))
    await room.route(an_alert(name, minute=before))
    number = before + 1
    await room.become("resolved", number)
    async with room.store.write() as session:
        begun = NOW - timedelta(days=3, minutes=-before)
        await session.execute(
            update(Incident).where(Incident.id == number).values(  # type: ignore[arg-type]  # a column
                declared_at=begun, resolved_at=begun + timedelta(minutes=30)
            )
        )  # fmt: skip
        if runbook:
            await room.ledger.append(
                session, number, "run_succeeded", "jackline", f"{runbook}: succeeded"
            )
        if paper:
            await room.ledger.append(session, number, "postmortem_drafted", "jackline", "Drafted")
    return number


async def similar(room: Room, number: int) -> list[dict[str, Any]]:
    looked = await own(room).similar(opened(await room.refresh(number)))
    return [line for each in looked.found for line in each.part["lines"]]


async def test_how_past_incidents_ended(known: Room) -> None:
    """Those that are alike, why, what helped and where to read on; the same service alone is no reason."""
    await past(known, "ShopSlow")
    helped = await past(known, "ShopDown", runbook="Move traffic", paper=True)
    later = await past(known, "ShopDown")
    await past(known, "ShopSlow")
    await known.route(an_alert("ShopDown", minute=9))
    first, second = await similar(known, 5)
    day = f"{NOW - timedelta(days=3):%Y-%m-%d}"
    why = "sev2; same alert ShopDown, same labels, same service Shop"
    assert first["text"] == (
        f"#{later} of {day}: ShopDown is firing ({why}); then: resolved by a person after 30 min"
    )
    assert first["link"] == "https://j.example/incidents/3"
    assert second["text"] == (
        f"#{helped} of {day}: ShopDown is firing ({why}); then: runbook Move traffic succeeded; "
        "resolved by a person after 30 min; it has a postmortem"
    )
    assert second["link"] == f"https://j.example/incidents/{helped}/postmortem.html"


async def test_drills_and_open_incidents_are_not_the_past(known: Room) -> None:
    """What was only practised says nothing of how a real one ended, and an open one has not ended."""
    await past(known, "ShopDown")
    async with known.store.write() as session:
        await session.execute(update(Incident).values(drill=True))
    await known.route(an_alert("ShopDown", minute=5))
    assert await similar(known, 2) == []
    await known.become("cancelled", 2)
    await known.route(an_alert("ShopDown", minute=6))
    assert await similar(known, 3) == []
