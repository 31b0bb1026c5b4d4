"""Every button pressed by every role, in Slack through the real bolt app: who may, who may not, and once.

Each button has a live thing behind it. Who may not is told why, and nothing changes. They all may
when the button is drawn: whoever may not any more at the click was demoted in between.
"""

import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from typing import Any

import pytest
from sqlmodel import SQLModel, select

from bot.chat.slack.menu_views import MENU_CLICKS
from bot.store import Store
from bot.timeline import Timeline
from tests.chat.every_button import prepare
from tests.chat.room import ChatRoom
from tests.chat.slack_world import SlackWorld, slack_world
from tests.chat.test_every_button import settled
from tests.chat.who_may import FORMS, MENU, ROLES, ROWS, TABLES, Row, become
from tests.slackstub import U_CAROL, SlackStub

U_FAY = U_CAROL
# What people are told; `docs/chat.md` names the roles.
WHY = (
    "I do not know you", "You have no role in the catalog", "needs the role", "needs somebody of",
    "Only the commander", "is for the incident's commander", "It is offered to", "That needs",
    "need the role", "Only its reviewers", "Only the owner",
)  # fmt: skip
Found = tuple[str, str]  # a channel and a message's ts


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What they do to each database is told where each is tested."""
    return sqlite_store


@pytest.fixture
async def workspace(room: ChatRoom, slack: SlackStub) -> AsyncIterator[SlackWorld]:
    async with slack_world(room, slack, "http") as opened:
        await prepare(room)
        become(room, "admin", f"{slack.team_id}:{U_FAY}")
        await settled(opened)
        yield opened


def test_every_button_has_a_row(room: ChatRoom) -> None:
    """Also one that is added later, and in the menu."""
    there = [action for actions in TABLES.values() for action in actions]
    assert set(there) == set(room.clicks.handlers)
    assert {row.action_id for row in ROWS} == set(there)
    assert {row.action_id for row in MENU} == set(MENU_CLICKS)


@pytest.mark.server
@pytest.mark.slow
@pytest.mark.parametrize("table", TABLES)
async def test_every_button_for_every_role(workspace: SlackWorld, table: str) -> None:
    """Refused it changes nothing and says why; allowed it leaves its row, and just one."""
    mine, wrong = [row for row in ROWS if row.action_id in TABLES[table]], []
    found = await in_sight(workspace, mine)
    for row in mine:  # first: their buttons are all there still, and no message is on its way
        before = await everything(workspace)
        for role in [role for role in ROLES if role not in row.may]:
            said = await press(workspace, row, found[row.name, min(row.may, default="")], role)
            if not any(why in said for why in WHY):
                wrong.append(f"{row.name} by {role} is refused without words: {said!r}")
        if await everything(workspace) != before:
            wrong.append(f"{row.name}, refused, changes something")
    for row, role in [(each, may) for each in mine if each.kind for may in each.may]:
        before = await rows(workspace)
        said = await press(workspace, row, found[row.name, role], role)
        done = await rows(workspace)
        if row.kind not in done - before:
            wrong.append(f"{row.name} by {role} does not work: {said!r}")
        await again(workspace)
        if twice := await rows(workspace) - done:
            wrong.append(f"{row.name} by {role} does {dict(twice)} at a second click")
    assert not wrong, "\n".join(wrong)


async def in_sight(workspace: SlackWorld, mine: list[Row]) -> dict[tuple[str, str], Found]:
    """Of each row and each role that may the button of an incident of its own, in sight of Fay."""
    wanted = [(row, role) for row in mine for role in row.may or {""}]
    there = await situations(workspace, wanted)
    for number, row, _ in there:
        if row.typed:
            text = row.typed.format(n=number, m=number + 1)
            await workspace.slack.command(text, U_FAY, channel(workspace, number), wait=20)
    await settled(workspace)
    return {(row.name, role): button(workspace, row, number) for number, row, role in there}


async def situations(
    workspace: SlackWorld, wanted: list[tuple[Row, str]]
) -> list[tuple[int, Row, str]]:
    """An incident for each, declared by Fay, who is an admin still."""
    room, there = workspace.room, []
    become(room, "admin", f"{workspace.slack.team_id}:{U_FAY}")
    for row, role in wanted:
        async with room.store.write() as session:
            for origin in ("n", "m") if "{m}" in row.typed else ("n",):
                incident = await room.incidents.declare(
                    session, title=row.name, severity="sev2", actor="person:fay",
                    origin=f"{row.name} {role} {origin}",
                )  # fmt: skip
                if origin == "n":
                    there.append((incident.number, row, role))
    await settled(workspace)
    for number, row, _ in there:
        for ready in row.ready:
            await ready(room, number)
    await settled(workspace)
    return there


def button(workspace: SlackWorld, row: Row, number: int) -> Found:
    """In the newest message that has it; of the channel for all, one that nobody took yet."""
    name = "incidents" if row.asked else f"inc-{number}-"
    found = [
        (m.ts, m.channel)
        for place in workspace.slack.ws.channels.values() if place.name.startswith(name)
        for m in [*place.messages.values(), *place.ephemerals.values()]
        if f"'action_id': '{row.action_id}'" in str(m.blocks)
    ]  # fmt: skip
    assert found, f"{row.name} is nowhere"
    if row.asked:
        found.sort()
        return found[-1 - number % len(found)][::-1]
    return max(found)[::-1]


def channel(workspace: SlackWorld, number: int) -> str:
    """The newest one: made private it has two."""
    return [
        c.id for c in workspace.slack.ws.channels.values() if c.name.startswith(f"inc-{number}-")
    ][-1]


async def press(workspace: SlackWorld, row: Row, found: Found, role: str) -> str:
    """What Fay is told who is that now. A form that opens is sent as it stands."""
    slack = workspace.slack
    become(workspace.room, role, f"{slack.team_id}:{U_FAY}")
    done = await slack.click(*found, row.action_id, U_FAY)
    assert done.acked
    for view in done.views:
        await slack.submit_view(view["id"])
    await workspace.settled()
    return " ".join(str(said.get("text")) for said in done.responses)


async def again(workspace: SlackWorld) -> None:
    """The same request of Slack's once more, and the same button on a screen that is behind."""
    deliverer = workspace.slack.deliverer
    clicks = [d.payload for d in deliverer.log if d.payload.get("type") == "block_actions"]
    late = workspace.slack.begin("block_actions", U_FAY).trigger_id
    for trigger in (clicks[-1]["trigger_id"], late):
        await deliverer.once("interactive", clicks[-1] | {"trigger_id": trigger})
    await workspace.settled()


@pytest.mark.server
@pytest.mark.slow
async def test_the_menu_for_every_role(workspace: SlackWorld) -> None:
    """Its choices are commands: what they come to is told, and done or not, by the same rules."""
    wrong = []
    for number, row, role in await situations(
        workspace, [(r, each) for r in MENU for each in ROLES]
    ):
        before, quiet = await rows(workspace), await everything(workspace)
        said, sent = await choose(workspace, row, number, role)
        done = await rows(workspace)
        if role in row.may and row.kind not in done - before:
            wrong.append(f"{row.name} by {role} does not work: {said!r}")
        if role not in row.may:
            if not any(why in said for why in WHY):
                wrong.append(f"{row.name} by {role} is refused without words: {said!r}")
            if await everything(workspace) != quiet:
                wrong.append(f"{row.name} by {role} changes something")
        for payload in sent:
            await workspace.slack.deliverer.once("interactive", payload)
        await settled(workspace)
        if twice := await rows(workspace) - done:
            wrong.append(f"{row.name} by {role} does {dict(twice)} when it comes again")
    assert not wrong, "\n".join(wrong)


async def choose(
    workspace: SlackWorld, row: Row, number: int, role: str
) -> tuple[str, list[dict[str, Any]]]:
    """What Fay is told, and what Slack sent; she is that only once the menu is open."""
    slack, place = workspace.slack, channel(workspace, number)
    become(workspace.room, "admin", f"{slack.team_id}:{U_FAY}")
    opened = await slack.command("/incident", U_FAY, place, wait=20)
    view, first = str(opened.views[0]["id"]), len(slack.deliverer.log)
    become(workspace.room, role, f"{slack.team_id}:{U_FAY}")
    heard = len(slack.ephemerals(place, U_FAY))
    await slack.click_view(view, row.action_id)
    await settled(workspace)
    if slack.view(view)["title"]["text"] != "Incident":
        await slack.submit_view(view, FORMS[row.action_id])
        await settled(workspace)
    said = " ".join(m.text for m in slack.ephemerals(place, U_FAY)[heard:])
    return said, [d.payload for d in slack.deliverer.log[first:] if d.kind == "interactive"]


async def rows(workspace: SlackWorld) -> Counter[str]:
    """How many rows of each kind there are, of all incidents."""
    async with workspace.room.store.read() as session:
        return Counter((await session.execute(select(Timeline.kind))).scalars())


async def everything(workspace: SlackWorld) -> dict[str, str]:
    """What each table holds, but for what Slack asked and was answered."""
    held = {}
    async with workspace.room.store.read() as session:
        connection = await session.connection()
        for table in SQLModel.metadata.sorted_tables:
            if not table.name.startswith("slack_"):
                content = await connection.exec_driver_sql(f'SELECT * FROM "{table.name}"')
                rows = repr([tuple(row) for row in content])  # as stored: reading it takes longest
                held[table.name] = hashlib.sha256(rows.encode()).hexdigest()
    return held
