"""What takes over two seconds before a step begins is on the run's card."""

import asyncio

import pytest

from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, look, put, runbook, running, until
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server


async def shown(room: Room, number: int) -> list[str]:
    return [row.error for row in await room.attempts(number, "look")]


@pytest.mark.parametrize("slow", ["/guard", "/a"])
async def test_a_slow_reading(make_room: MakeRoom, shop: HttpApp, slow: str) -> None:
    """Its guard, or what there is before the step; the quick step beside it says nothing."""
    shop.answers[slow] = Answer(body='"was"', latency=2.5)
    guard = "guards: [{action: http.check, with: {target: shop, path: /guard}, expect: out.ok}]"
    room = make_room(runbook(look("quick"), put("a", more=guard)), http__shop=shop.url)
    number = await room.approved()
    said: list[str] = []
    async with running(room.engine):
        async with asyncio.timeout(20):
            while not said:
                said = await shown(room, number)
                await asyncio.sleep(0.02)
        await until(room, number, "succeeded")
    assert said == ["asks whether it may begin" if slow == "/guard" else "reads what there is now"]
    assert await shown(room, number) == []
    async with room.store.read() as session:
        assert await room.ledger.verify(session) == []
