"""Ten bad minutes of Slack, compressed: nothing lost, nothing out of order, nothing said twice."""

import asyncio
import itertools
import random
from collections import Counter

import pytest

from bot.chat import Command
from tests.chat.slack_world import SlackWorld, slack_world
from tests.slackstub import U_BEN, SlackStub

pytestmark = [pytest.mark.server, pytest.mark.slow]  # the stub listens on a port
MINUTES = 10
METHODS = ("chat.postMessage", "chat.update", "conversations.create", "conversations.setTopic",
           "conversations.history", "users.conversations", "pins.add", "auth.test")  # fmt: skip
KINDS = ("ratelimited", "http_500", "drop_before", "drop_after")


@pytest.fixture
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """The pauses between two tries, compressed like the minutes."""
    monkeypatch.setattr("bot.delivery.worker.SLOWEST_RETRY", 0.3)


def spoiled(slack: SlackStub, chance: random.Random) -> None:
    """A minute's faults: most calls go wrong in one of Slack's ways."""
    for method in METHODS:
        for _ in range(chance.randint(1, 4)):
            kind = chance.choice(KINDS)
            slack.fault(method, kind, retry_after=1, skip=chance.randint(0, 1))


async def note_in_the_console(world: SlackWorld, number: int, text: str) -> None:
    """What somebody types there while Slack is in pieces; it is answered at once."""
    person = world.room.person("ana")
    command = Command("incident", f"note {text}", person, f"console:{text}", "console", number)
    async with asyncio.timeout(3), world.room.store.write() as session:
        assert (await world.room.commands.handle(session, command)).text == "Noted on the timeline."


async def stutter(slack: SlackStub, chance: random.Random) -> None:
    """Events of a while ago once more: under their own id or another, in any order."""
    told = list(slack.deliverer.events)[-12:]
    for event in chance.sample(told, min(4, len(told))):
        await slack.redeliver(event, new_event_id=chance.random() < 0.5)


@pytest.mark.usefixtures("_quick")
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_ten_bad_minutes(room, slack: SlackStub, mode: str) -> None:
    """429 and 5xx, lost answers, sockets cut, outages, a token revoked, events doubled and reordered."""
    chance = random.Random(f"bad day by {mode}")
    slack.configure(retry_delays=(0.0, 2.0, 10.0))  # Slack's own: at once, +1 min, +5 min
    async with slack_world(room, slack, mode) as world:
        channels = {n: await world.declare(f"Incident {n}") for n in (1, 2)}
        heard: dict[int, list[str]] = {1: [], 2: []}
        typed: dict[int, list[str]] = {1: [], 2: []}
        count = itertools.count()
        for minute in range(MINUTES):
            spoiled(slack, chance)
            if minute == 3:
                slack.configure(down=True)  # every socket is cut too
            if minute == 4:
                slack.configure(down=False)
                if mode == "socket":
                    await slack.wait_sockets(2, timeout=30)
            if minute == 6:
                slack.fault("*", "error", error="token_revoked", times=6)
            for number, channel in channels.items():
                typed[number].append(f"console {next(count)}")
                await note_in_the_console(world, number, typed[number][-1])
                if minute != 3:
                    heard[number].append(f"slack {next(count)}")
                    await slack.message(channel, heard[number][-1], U_BEN, copies=2,
                                        new_event_ids=chance.random() < 0.5)  # fmt: skip
            await stutter(slack, chance)
            if mode == "socket" and minute in (1, 7):
                await slack.cut_sockets()
                await slack.wait_sockets(2, timeout=30)
            await asyncio.sleep(0.3)
        slack.clear_faults()
        await world.settled()
        await world.said_all()

        for number, channel in channels.items():
            shown = [m.text for m in slack.messages(channel) if m.text.startswith("console ")]
            assert shown == typed[number], "in Slack once each, in their order"
            cards = [m for m in slack.messages(channel) if f"· Incident {number}" in m.text]
            assert len([m for m in cards if not m.subtype]) == 1
            rows = [r.text for r in await room.rows(number) if r.kind == "note_added"]
            assert Counter(rows) == Counter(typed[number] + heard[number])
        names = Counter(c.name for c in slack.ws.channels.values())
        assert [n for n in names if n.startswith("inc-")] == [
            "inc-1-incident-1",
            "inc-2-incident-2",
        ]
        async with room.store.read() as session:
            assert await room.incidents.ledger.verify(session) == []
