"""What steps give back: on the run's card where it is short, in its thread where it is not."""

import asyncio
import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from sqlmodel import col, func, select

from bot.chat import Cards
from bot.chat.slack import Limits, SlackSurface
from bot.chat.slack.client import SlackClient
from bot.chat.slack.standing import Standing
from bot.delivery import Delivery, DeliveryWorker, Outbox
from bot.postmortems.exports import Exports
from bot.runbooks import StepAttempt
from bot.runbooks.output import words as whole
from tests.chat.room import words
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, runbook
from tests.servers.http_app import Answer, HttpApp
from tests.slackstub import C_GENERAL, C_INCIDENTS, Message, SlackStub

HOSTILE = "``` <!channel> <https://evil.example|ok> *bold*"


@pytest.fixture
async def slack() -> AsyncIterator[SlackStub]:
    async with SlackStub() as stub:
        yield stub


async def ran(room: Room, shop: HttpApp, answer: Answer) -> StepAttempt:
    """A run whose one step gave that back."""
    room.incidents.outbox = Outbox(("slack",))
    shop.answers["/restart"] = answer
    number = await room.approved()
    await room.work()
    async with room.store.read() as session:
        query = select(StepAttempt).where(StepAttempt.run_id == number, StepAttempt.phase == "do")
        return (await session.execute(query)).scalar_one()


async def sent(room: Room, slack: SlackStub, folder: Path) -> tuple[Message, list[Message]]:
    """Delivers all that waits; the run's message in Slack, and what is in its thread."""
    client = SlackClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    surface = SlackSurface(
        client, room.store, Cards(lambda: room.library.catalog, ""),
        lambda: room.library.catalog, "", folder, room.incidents, Limits(), Standing(0),
        Exports(lambda: room.library.catalog, folder),
    )  # fmt: skip
    working = asyncio.create_task(DeliveryWorker(room.store, surface, "one").run())
    try:
        async with asyncio.timeout(20):
            while await _unsent(room):
                await asyncio.sleep(0.05)
    finally:
        working.cancel()
        await asyncio.gather(working, return_exceptions=True)
        await client.close()
    (channel,) = slack.ws.channels.keys() - {C_GENERAL, C_INCIDENTS}
    (card,) = slack.messages(channel, "Runbook Fix the shop")
    return card, [m for m in slack.messages(channel, thread_ts=card.ts) if m.ts != card.ts]


async def _unsent(room: Room) -> int:
    open_ = select(func.count()).where(col(Delivery.state).in_(("pending", "sending")))
    async with room.store.read() as session:
        return (await session.execute(open_)).scalar_one()


async def test_a_short_output_stands_on_the_card(
    make_room: MakeRoom, shop: HttpApp, slack: SlackStub, tmp_path: Path
) -> None:
    """No message of its own: it would push away what people say."""
    room = make_room(runbook(CALL), http__shop=shop.url)
    await ran(room, shop, Answer(body="restarted"))
    card, thread = await sent(room, slack, tmp_path)
    assert "→ body: restarted, ms: " in words(card.blocks)
    assert thread == []


@pytest.mark.slow
async def test_an_output_of_lines_is_folded_into_the_thread(
    make_room: MakeRoom, shop: HttpApp, slack: SlackStub, tmp_path: Path
) -> None:
    """Under the run's message, as code: nothing in it becomes a name or a link."""
    room = make_room(runbook(CALL), http__shop=shop.url)
    await ran(room, shop, Answer(body=f"one\ntwo\n{HOSTILE}"))
    card, (reply,) = await sent(room, slack, tmp_path)
    assert "output in the thread" in words(card.blocks)
    text = reply.blocks[0]["text"]["text"]
    assert text.startswith("*Output of s1*\n```ms: ")
    assert "\nstatus: 200\nbody:\none\ntwo\n" in text
    assert text.count("```") == 2
    assert "<!channel>" not in text


@pytest.mark.slow
@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal"])
async def test_a_long_output_is_a_file_in_the_thread(
    make_room: MakeRoom, shop: HttpApp, slack: SlackStub, tmp_path: Path, method: str
) -> None:
    """Whole; and where Slack's answer was lost it is looked for there, not sent again."""
    room = make_room(runbook(CALL), http__shop=shop.url)
    body = json.dumps({"log": "a line of it\n" * 200}) if method.startswith("files") else "b\n" * 99
    attempt = await ran(room, shop, Answer(body=body))
    slack.fault(method, "drop_after", times=9)
    _, (reply,) = await sent(room, slack, tmp_path)
    if method.startswith("files"):
        (file,) = reply.files
        assert (slack.ws.files[file].content or b"").decode() == whole(attempt.output)


async def test_an_unknown_outcome_is_asked_with_its_facts(
    make_room: MakeRoom, shop: HttpApp, slack: SlackStub, tmp_path: Path
) -> None:
    """What was sent where, when and over which way: who decides needs no other page."""
    room = make_room(runbook(CALL), http__shop=shop.url)
    await ran(room, shop, Answer(drop=True))
    card, _ = await sent(room, slack, tmp_path)
    said = words(card.blocks)
    assert "Did s1 happen?" in said
    assert "`http.call` was sent to http/shop over `direct` at " in said
    assert "It is not sent again by itself." in said
    actions = [e["action_id"] for b in card.blocks if b["type"] == "actions" for e in b["elements"]]
    assert actions == ["run_happened", "run_not_happened"]
