"""Every button through the real bolt app, over Socket Mode and over HTTP."""

from collections import Counter

import pytest
from sqlmodel import select

from bot.store import Store
from bot.timeline import Entry
from tests.chat.every_button import BUTTONS, Press, prepare
from tests.chat.room import ChatRoom
from tests.chat.slack_world import SlackWorld
from tests.slackstub import U_ANA, U_BEN
from tests.slackstub.errors import HumanError
from tests.slackstub.responses import Interaction

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
    """Where it is in sight it does its thing: the row that says so is on the timeline."""
    await prepare(workspace.room)
    await settled(workspace)
    wrong = []
    for press in BUTTONS:
        before = await rows(workspace)
        try:
            done = await pressed(workspace, press)
        except (HumanError, AssertionError) as error:
            wrong.append(f"{press.action_id}: {error}")
            continue
        new = await rows(workspace) - before
        if press.kind not in new:
            wrong.append(f"{press.action_id}: {new} {done.responses}")
    assert not wrong, "\n".join(wrong)


async def pressed(workspace: SlackWorld, press: Press) -> Interaction:
    """Until all of it is done and shown. What opens a form is sent as it stands."""
    slack, channel = workspace.slack, workspace.channel(1)
    if press.ready:
        await press.ready(workspace.room)
        await settled(workspace)
    if press.typed:
        typed = await slack.command(press.typed, U_ANA, channel, wait=5)
        assert typed.responses, press.typed
    await settled(workspace)
    where, ts = in_sight(workspace, press)
    done = await slack.click(where, ts, press.action_id, PEOPLE[press.who])
    for view in done.views:
        await slack.submit_view(view["id"])
    await settled(workspace)
    return done


async def settled(workspace: SlackWorld) -> None:
    """Nothing is to be done or said any more."""
    await workspace.settled()
    await workspace.said_all()


def in_sight(workspace: SlackWorld, press: Press) -> tuple[str, str]:
    """The newest message with that button."""
    found = [
        (m.ts, c.id)
        for c in workspace.slack.ws.channels.values()
        for m in [*c.messages.values(), *c.ephemerals.values()]
        if f"'action_id': '{press.action_id}'" in str(m.blocks)
    ]
    if not found:
        raise AssertionError("it is in no message")
    ts, channel = max(found)
    return channel, ts


async def rows(workspace: SlackWorld) -> Counter[str]:
    """How many rows of each kind there are, of all incidents."""
    async with workspace.room.store.read() as session:
        return Counter((await session.execute(select(Entry.kind))).scalars())
