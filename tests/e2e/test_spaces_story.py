"""Two workspaces with the same ids in both: what belongs to one never gets into the other."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import firing
from tests.e2e.spaces import Spaces, spaces
from tests.slackstub import (
    C_GENERAL,
    C_INCIDENTS,
    U_ANA,
    U_BEN,
    U_CAROL,
    HumanError,
    SlackStub,
    Team,
)

pytestmark = [pytest.mark.server, pytest.mark.timeout(180)]


@pytest.fixture(params=["socket", "http"])
async def at(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str
) -> AsyncIterator[Spaces]:
    async with spaces(request.param, database_url, tmp_path) as made:
        assert (await made.install()).status_code == 200
        yield made


async def press(team: SlackStub | Team, channel: str, contains: str, action: str, user: str) -> Any:
    """Presses a button once it is shown."""
    for _ in range(300):
        try:
            card = team.messages(channel, contains)[-1]
            return await team.click(channel, card.ts, action, user, wait=0.3)
        except (HumanError, IndexError):
            await asyncio.sleep(0.05)
    raise AssertionError(f"{action} never appeared")


def same_id(at: Spaces, channel: str) -> None:
    """The next channel of the second workspace has the id of that one in the first."""
    plain = at.two.ws.new_id

    def new_id(prefix: str) -> str:
        wanted = prefix == "C" and channel not in at.two.ws.channels
        return channel if wanted else plain(prefix)

    at.two.ws.new_id = new_id  # type: ignore[method-assign]


async def two_incidents(at: Spaces) -> str:
    """#1 in the first, #2 in the second workspace, in channels with the same id."""
    await at.one.command("/incident declare The shop is down", U_ANA, C_GENERAL, wait=20)
    channel = await at.channel(1, at.one)
    same_id(at, channel)
    done = await at.two.command("/incident declare Far is down", U_ANA, C_GENERAL, wait=20)
    assert "2 (sev2) is declared" in str(done.responses)
    assert await at.channel(2, at.two) == channel
    await at.bot.said_all()
    return channel


def ours(team: SlackStub | Team) -> list[str]:
    return [c.name for c in team.ws.channels.values() if c.name.startswith("inc-")]


async def notes(at: Spaces, number: int) -> list[str]:
    timeline = (await at.bot.incident(number))["timeline"]
    return [row["text"] for row in timeline if row["kind"] == "note_added"]


async def test_nothing_crosses_over(at: Spaces) -> None:
    """Channels, digests, people, words, clicks, marks: each where it was, whatever the ids."""
    channel = await two_incidents(at)
    assert (ours(at.one), ours(at.two)) == (["inc-1-the-shop-is-down"], ["inc-2-far-is-down"])
    for team, title, other in ((at.one, "The shop", "Far"), (at.two, "Far", "The shop")):
        (line,) = team.messages(C_INCIDENTS, contains=f"{title} is down")
        assert line.user == team.bot_user_id
        assert not team.messages(C_INCIDENTS, contains=f"{other} is down")
    assert set(at.two.ws.channels[channel].members) == {at.two.bot_user_id, U_ANA}

    for team, said in ((at.one, "said in one"), (at.two, "said in two")):
        event = {"type": "message", "channel": channel, "user": U_ANA, "text": said, "ts": "7.1"}
        await team.emit_event(event, copies=2)
    async with asyncio.timeout(15):
        while (await notes(at, 1), await notes(at, 2)) != (["said in one"], ["said in two"]):
            await asyncio.sleep(0.05)

    await press(at.two, channel, "SEV2 · Far", "incident_lead", U_ANA)
    row = await at.bot.row("commander_assigned", 2)
    assert row["actor"] == "person:cleo"
    assert not [r for r in (await at.bot.incident(1))["timeline"] if "commander" in r["kind"]]

    fact = await at.two.message(channel, "pin me", U_ANA)
    await at.two.react(channel, fact.ts, "pushpin", U_ANA)
    pinned = await at.bot.row("message_pinned", 2)
    assert pinned["actor"] == "person:cleo"
    await at.two.wait_for(lambda: "white_check_mark" in fact.reactions, 10)
    stranger = await at.two.command("/incident declare x", U_BEN, C_GENERAL, wait=20)
    assert "do not know you" in str(stranger.responses), "Ben's id of the first workspace"
    log = at.bot.log()
    assert "Traceback" not in log
    assert at.two.bot_token not in log


async def test_asked_from_the_other_workspace(at: Spaces) -> None:
    """The answer is said there, what it did in the incident's own channel; who is mentioned is of there."""
    channel = await two_incidents(at)
    done = await at.two.command("/incident status #1", U_CAROL, C_GENERAL, wait=20)
    assert "The shop is down" in str(done.responses)
    done = await at.two.command("/incident status #1 mitigating", U_CAROL, C_GENERAL, wait=20)
    assert "#1 is mitigating now" in str(done.responses)
    await at.one.wait_message(channel, "→ mitigating", 10)
    assert not at.two.messages(channel, contains="mitigating")
    await at.two.command(f"/incident role #2 scribe <@{U_ANA}>", U_CAROL, C_GENERAL, wait=20)
    row = await at.bot.row("role_assigned", 2)
    assert "Cleo" in row["text"]
    for number in (1, 2):
        await at.two.command(f"/incident lead #{number}", U_CAROL, C_GENERAL, wait=20)
    await at.one.open_home(U_BEN)
    await at.two.open_home(U_CAROL)
    for team, user in ((at.one, U_BEN), (at.two, U_CAROL)):
        await team.wait_for(lambda team=team, user=user: user in team.ws.homes, 10)
        home = str(team.ws.views[team.ws.homes[user]].source)
        assert "*#1*" in home
        assert "*#2*" in home
        assert home.count(f"<#{channel}|") == 1, "an id means nothing in the other workspace"


async def test_an_alerts_service_says_where(at: Spaces) -> None:
    """Its channel, its people and its files are there."""
    assert (await at.bot.alert(firing(name="FarDown", service="far"))).is_success
    channel = await at.channel(1, at.two)
    await at.bot.said_all()
    assert ours(at.one) == []
    assert set(at.two.ws.channels[channel].members) == {at.two.bot_user_id, U_ANA, U_CAROL}
    assert at.two.ws.channels[channel].pins


async def test_taken_out_of_one(at: Spaces) -> None:
    """The other goes on, and so does its incident in the console; installed again, all is said."""
    channel = await two_incidents(at)
    await at.two.uninstall()

    async def told() -> bool:
        said = (await at.bot.http.get("/readyz")).json()["slack"]
        return "Stub Works 2 (T0STUB0002): Jackline is not installed there" in said

    await at.bot.until(told, "the trouble to be said")
    refused = await at.two.command("/incident list", U_ANA, C_GENERAL)
    assert "not installed in this workspace" in refused.text
    async with at.browser("dora") as browser:
        said = {"incident": "2", "text": "/incident note Still here", "key": "n" * 12}
        answer = await browser.post("/say", data=said, headers={"origin": at.bot.url})
        assert answer.status_code == 303, answer.text
    assert "Still here" in await notes(at, 2)
    await at.one.command("/incident status mitigating", U_ANA, channel, wait=20)
    await at.one.wait_message(channel, "→ mitigating", 10)
    assert not at.two.messages(channel, contains="Still here")

    await at.bot.stop()
    await at.bot.start()
    if at.one.settings.delivery == "socket":
        await at.one.wait_sockets()
    assert (await at.install()).status_code == 200
    await at.two.wait_message(channel, "Still here", 45)
    await at.bot.until(told_nothing(at), "the trouble to be over")
    done = await at.two.command("/incident status", U_ANA, channel, wait=20)
    assert "Far is down" in str(done.responses)
    again = at.two.deliverer.wrap({"type": "app_uninstalled"}) | {"event_time": 1}
    assert (await at.two.deliverer.once("events_api", again)).acked
    done = await at.two.command("/incident status", U_ANA, channel, wait=20)
    assert "Far is down" in str(done.responses), "Slack told late of the removal before"


def told_nothing(at: Spaces) -> Any:
    async def look() -> bool:
        return "T0STUB0002" not in (await at.bot.http.get("/readyz")).json()["slack"]

    return look


async def test_a_restart_keeps_all_and_a_revoked_token_is_said_by_name(at: Spaces) -> None:
    """The second workspace's token is refused: only its own incident waits."""
    channel = await two_incidents(at)
    await at.bot.stop()
    await at.bot.start()
    if at.one.settings.delivery == "socket":
        await at.one.wait_sockets()
    done = await at.two.command("/incident status", U_ANA, channel, wait=20)
    assert "Far is down" in str(done.responses)
    at.two.ws.revoked.add(at.two.bot_token)
    await at.two.command("/incident status mitigating", U_ANA, channel, wait=20)

    async def told() -> bool:
        said = (await at.bot.http.get("/readyz")).json()["slack"]
        return "Stub Works 2 (T0STUB0002): Nothing can be said in Slack" in said

    await at.bot.until(told, "the trouble to be said")
    await at.one.command("/incident status mitigating", U_ANA, channel, wait=20)
    await at.one.wait_message(channel, "→ mitigating", 10)
