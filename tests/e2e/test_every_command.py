"""Every command through a served Jackline and its real bolt app, over Socket Mode and over HTTP."""

import asyncio
from pathlib import Path

import pytest

from bot.chat.verbs import FORMS
from tests.e2e.every_command import WALK, Line
from tests.e2e.harness import Bot, firing, write_runbooks
from tests.slackstub import U_ANA, U_BEN, SlackStub

NOWHERE = "http://127.0.0.1:9"
PEOPLE = {"ana": U_ANA, "ben": U_BEN}


def test_no_command_is_left_out() -> None:
    """Also of those that are added later."""
    known = {(name, form.verb) for name, forms in FORMS.items() for form in forms}
    assert {line.verb for line in WALK} == known


@pytest.mark.server
@pytest.mark.timeout(180)
@pytest.mark.parametrize("mode", ["socket", "http"])
async def test_every_command(tmp_path: Path, mode: str) -> None:
    """Each is answered to its asker alone, in words that fit."""
    async with SlackStub(retry_delays=(0, 0.2, 0.5), trigger_ttl=10) as slack:
        runbooks = write_runbooks(
            tmp_path / "runbooks", team=slack.team_id, edge=NOWHERE, shop=NOWHERE
        )
        async with Bot(tmp_path, runbooks, "", **Bot.slack_env(slack, mode)) as bot:
            if mode == "http":
                url = f"{bot.url}/slack/events"
                slack.configure(
                    delivery="http", events_url=url, commands_url=url, interactivity_url=url
                )
            else:
                await slack.wait_sockets()
            assert (await bot.alert(firing())).is_success
            await bot.run_in("proposed")
            await bot.said_all()
            channels = slack.state()["channels"].values()
            channel = next(c["id"] for c in channels if c["name"].startswith("inc-1-"))
            wrong = [f"{line.typed}: {said}" for line in WALK
                     if not line.fits(said := await typed(slack, line, channel))]  # fmt: skip
        assert not wrong, "\n".join(wrong)


async def typed(slack: SlackStub, line: Line, channel: str) -> str:
    """What the one who typed it sees."""
    done = await slack.command(line.typed, PEOPLE[line.who], channel, wait=20)
    await asyncio.sleep(0)
    assert all(each["response_type"] == "ephemeral" for each in done.responses)
    return str(done.responses)
