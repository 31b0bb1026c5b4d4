"""A target that goes on answering for ever: no guard, verify, gate or preview waits longer than its step."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress

import pytest

from bot.runbooks import Run
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, look, runbook
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
ENDLESS = "action: http.check, with: {target: endless, path: /}, expect: out.ok"
UNKNOWN = "unknown: http.check had no answer over direct within 1 s"


@pytest.fixture
async def endless() -> AsyncIterator[str]:
    """Sends a byte now and then, so that no limit between two of them is ever reached."""

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError, asyncio.IncompleteReadError):
            await reader.readuntil(b"\r\n\r\n")
            writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
            while not over.is_set():
                writer.write(b" ")
                await writer.drain()
                await asyncio.sleep(0.2)
        writer.close()
        with suppress(ConnectionError):
            await writer.wait_closed()

    over = asyncio.Event()
    server = await asyncio.start_server(drip, "127.0.0.1", 0)
    yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    over.set()
    server.close()
    await asyncio.sleep(0.5)  # each notices, and closes


async def ended(room: Room) -> Run:
    async with asyncio.timeout(20):
        number = await room.approved()
        await room.work()
    return await room.run(number)


@pytest.mark.parametrize(
    ("more", "sent", "said"),
    [
        (f"guards: [{{{ENDLESS}}}]", 0, UNKNOWN),
        (f"verify: [{{{ENDLESS}, within: 1s}}]", 1, UNKNOWN),
        (f"foreach: {{items: [a]}}\nstages: [100%]\ngate: [{{{ENDLESS}, within: 1s}}]", 1,
         f"the gate after stage 100% does not hold: {UNKNOWN}"),
    ],
    ids=["guard", "verify", "gate"],
)  # fmt: skip
async def test_a_condition_is_unknown_once_its_steps_time_is_over(
    make_room: MakeRoom, shop: HttpApp, endless: str, more: str, sent: int, said: str
) -> None:
    """Unknown never passes: the step fails, and says which reading had no answer."""
    step = look("{{ item }}" if "item" in more else "a", f"timeout: 1s\n{more}")
    room = make_room(runbook(step), http__shop=shop.url, http__endless=endless)
    run = await ended(room)
    assert (run.state, run.error, shop.count("/a")) == ("failed", said, sent)


async def test_a_plan_is_made_although_a_target_says_no_end(
    make_room: MakeRoom, shop: HttpApp, endless: str
) -> None:
    """The plan says that it cannot be read; just before the step that holds it back."""
    shop.answers["/a"] = Answer()
    put = "action: http.put\nwith: {target: endless, path: /b, body: 1}\ntimeout: 1s\nundo: auto"
    room = make_room(runbook(look("a"), put), http__shop=shop.url, http__endless=endless)
    run = await ended(room)
    said = "http.put had no answer over direct within 1 s"
    assert run.plan["steps"][1]["note"] == f"Cannot be read now: {said}"
    assert (run.state, run.error, shop.count("/a")) == ("failed", said, 1)
