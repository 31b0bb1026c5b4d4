"""Whom a severity calls: when it is declared, when it changes, and never to a private incident."""

import pytest
from sqlmodel import col, select

from bot.catalog import Catalog, Person, SeverityRule
from bot.delivery import Delivery
from tests.incidents import conftest
from tests.incidents.conftest import Room

CATALOG = Catalog(
    people=[
        Person(id="ana", name="Ana", groups=["exec"]),
        Person(id="ben", name="Ben"),
        Person(id="cat", name="Cat", groups=["exec"]),
    ],
    severities=[SeverityRule(id="sev1", people=["@exec"], slack_groups=["S01"])],
)


@pytest.fixture(autouse=True)
def _catalog(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(conftest, "CATALOG", CATALOG)


async def invited(room: Room) -> list[object]:
    query = select(Delivery.payload).where(Delivery.op == "invite").order_by(col(Delivery.id))
    async with room.store.read() as session:
        return list((await session.execute(query)).scalars())


async def test_declared(room: Room) -> None:
    await room.declare(severity="sev1")
    assert await invited(room) == [{"people": ["ben", "ana", "cat"], "groups": ["S01"]}]


async def test_raised_and_lowered(room: Room) -> None:
    """Those of the new severity are asked in; nobody is put out."""
    await room.declare(severity="sev3")
    await room.do("set_severity", "sev1", "person:ben")
    await room.do("set_severity", "sev1", "person:ben")
    await room.do("set_severity", "sev2", "person:ben")
    assert await invited(room) == [
        {"people": ["ben"]}, {"people": ["ana", "cat"], "groups": ["S01"]},
    ]  # fmt: skip


async def test_a_private_incident_calls_nobody(room: Room) -> None:
    await room.declare(severity="sev1", private=True, people=["ben"])
    await room.do("set_severity", "sev2", "person:ben")
    await room.do("set_severity", "sev1", "person:ben")
    assert await invited(room) == [{"people": ["ben"]}]
