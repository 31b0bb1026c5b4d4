"""Every button through the real bolt app, over Socket Mode and over HTTP."""

from collections import Counter
from contextlib import suppress

import pytest
from sqlmodel import select

from bot.store import Store
from bot.timeline import Timeline
from tests.chat.every_button import BUTTONS, Press, prepare
from tests.chat.room import ChatRoom
from tests.chat.slack_world import SlackWorld
from tests.slackstub import U_ANA, U_BEN, U_CAROL, HumanError

PEOPLE = {"ana": U_ANA, "ben": U_BEN}


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What they do to each database is told where each is tested."""
    return sqlite_store


def test_no_button_is_left_out(room: ChatRoom) -> None:
    """Also of those that are added later."""
    assert {press.action_id for press in BUTTONS} == set(room.clicks.handlers)


@pytest.mark.server
@pytest.mark.timeout(120)
async def test_every_button(workspace: SlackWorld) -> None:
    """Where it is in sight it does its thing: the row that says so is on the timeline.

    And nothing for who has no role, whoever's the button is.
    """
    await prepare(workspace.room)
    eli = workspace.room.person("eli")
    assert eli is not None
    eli.slack[:] = [f"{workspace.slack.team_id}:{U_CAROL}"]
    await settled(workspace)
    wrong = []
    for press in BUTTONS:
        before = await rows(workspace)
        told = await pressed(workspace, press)
        new = await rows(workspace) - before
        if press.kind not in new:
            wrong.append(f"{press.action_id}: {new} {told}")
    assert not wrong, "\n".join(wrong)


async def pressed(workspace: SlackWorld, press: Press) -> str:
    """What the one who pressed it is told; all of it is done then. A form is sent as it stands."""
    slack, told = workspace.slack, ""
    if press.ready:
        await press.ready(workspace.room, 1)
        await settled(workspace)
    if press.typed:
        told = str(
            (await slack.command(press.typed, U_ANA, workspace.channel(1), wait=20)).responses
        )
    await settled(workspace)
    if (found := in_sight(workspace, press)) is None:
        return f"it is in no message: {told}"
    before = await rows(workspace)
    with suppress(HumanError):  # it is in a private channel
        await slack.click(*found, press.action_id, U_CAROL)
    await settled(workspace)
    assert await rows(workspace) == before, f"who has no role pressed {press.action_id}"
    done = await slack.click(*found, press.action_id, PEOPLE[press.who])
    for view in done.views:
        await slack.submit_view(view["id"])
    await settled(workspace)
    return str(done.responses)


async def settled(workspace: SlackWorld) -> None:
    """Nothing is to be done or said any more."""
    await workspace.settled()
    await workspace.said_all()


def in_sight(workspace: SlackWorld, press: Press) -> tuple[str, str] | None:
    """The newest message with that button: its channel and its ts. Made private it has two."""
    name = f"inc-{press.at}-" if press.at else "incidents"
    found = [
        (m.ts, m.channel)
        for place in workspace.slack.ws.channels.values() if place.name.startswith(name)
        for m in [*place.messages.values(), *place.ephemerals.values()]
        if f"'action_id': '{press.action_id}'" in str(m.blocks)
    ]  # fmt: skip
    return max(found)[::-1] if found else None


async def rows(workspace: SlackWorld) -> Counter[str]:
    """How many rows of each kind there are, of all incidents."""
    async with workspace.room.store.read() as session:
        return Counter((await session.execute(select(Timeline.kind))).scalars())
