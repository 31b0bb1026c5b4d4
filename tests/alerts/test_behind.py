"""What Jackline's own sign of life stands for: what was accepted is worked on."""

from datetime import timedelta

import pytest
from sqlalchemy import update

from bot.alerts import standstill
from bot.alerts.arrivals import unpack_all
from bot.alerts.tables import Arrival, StoredAlert
from bot.store import Store, now
from tests.alerts.room import Room, an_alert

ago = timedelta(minutes=6)


async def test_nothing_accepted_is_no_standstill(room: Room) -> None:
    """Nor is what came a moment ago."""
    assert await standstill(room.store) == ""
    await room.intake.accept([an_alert()])
    assert await standstill(room.store) == ""


@pytest.mark.parametrize("unpacked", [False, True])
async def test_an_alert_that_nobody_routes(room: Room, *, unpacked: bool) -> None:
    """As it came in or already unpacked; routed, all is well again."""
    await room.intake.accept([an_alert()])
    if unpacked:
        await unpack_all(room.store)
    async with room.store.write() as session:
        await session.execute(
            update(StoredAlert if unpacked else Arrival).values(received_at=now() - ago)
        )
    assert await standstill(room.store) == "an alert accepted 6 minutes ago is not routed"
    await room.route()
    assert await standstill(room.store) == ""


async def test_what_is_set_aside_waits_for_a_person(room: Room) -> None:
    """Jackline has said so already, and goes on with the others."""
    await room.intake.accept([an_alert()])
    await unpack_all(room.store)
    async with room.store.write() as session:
        await session.execute(update(StoredAlert).values(received_at=now() - ago, state="aside"))
    assert await standstill(room.store) == ""


async def test_a_database_that_is_away() -> None:
    away = Store("postgresql+asyncpg://nobody@127.0.0.1:9/none")
    assert await standstill(away) == "the database does not answer"
    await away.close()
