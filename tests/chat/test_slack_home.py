"""The home tab: what waits for one person, and its buttons."""

import json
import re
from datetime import timedelta
from typing import Any

import pytest

from bot.access import PathProof
from bot.alerts import Question
from bot.store import now
from tests.chat.room import words
from tests.chat.slack_world import SlackWorld
from tests.chat.test_oncall import SCHEDULES
from tests.slackstub import U_ANA, U_BEN, U_CAROL

pytestmark = pytest.mark.server  # the stub listens on a port


async def opens(world: SlackWorld, user: str = U_ANA) -> dict[str, Any]:
    """Their home tab, drawn anew."""
    before = len(world.slack.calls("views.publish"))
    await world.slack.open_home(user)
    await world.until(lambda: len(world.slack.calls("views.publish")) > before)
    await world.until(lambda: not world.slack.in_flight)
    found = world.slack.home(user)
    assert found is not None
    return found


def shown(home: dict[str, Any]) -> str:
    heads = [b["text"]["text"] for b in home["blocks"] if b["type"] == "header"]
    return "\n".join([*heads, words(home["blocks"])])


async def test_what_is_mine(workspace: SlackWorld) -> None:
    """My incidents with my part and the way there; others are counted; what is private is not told."""
    channel = await workspace.declare()
    await workspace.declare("Search is slow", actor="person:ben", severity="sev1")
    await workspace.declare("Secret plan", actor="person:ben", private=True)
    text = shown(await opens(workspace))
    assert "My incidents" in text
    assert f"*#1* The shop is down · <#{channel}|inc-1-the-shop-is-down>" in text
    assert "you declared it" in text
    assert "Search is slow" not in text
    assert "1 more open" in text
    assert "Secret" not in text
    assert "Secret plan" in shown(await opens(workspace, U_BEN))


async def test_a_button_there_does_its_thing_once(workspace: SlackWorld) -> None:
    """Taking command from the tab: it says so, and the button is gone; a refusal is said there too."""
    await workspace.declare()
    home = await opens(workspace)
    await workspace.slack.click_view(home["id"], "incident_lead")
    await workspace.settled()
    await workspace.until(lambda: "commander" in shown(workspace.slack.home(U_ANA) or {}))
    after = workspace.slack.home(U_ANA) or {}
    assert "You are the incident commander." in shown(after)
    assert "incident_lead" not in str(after["blocks"])
    assert (await workspace.room.incident()).commander == "ana"
    assert len(await workspace.rows("commander_assigned")) == 1


async def test_an_old_button_of_who_may_see_it_no_more(workspace: SlackWorld) -> None:
    """A private incident's button from a tab drawn before the person was taken out does nothing."""
    await workspace.declare("Secret plan", private=True)
    home = await opens(workspace)
    async with workspace.room.store.write() as session:
        incident = await workspace.room.incidents.get(session, 1)
        incident.declared_by = "person:ben"
    await workspace.slack.click_view(home["id"], "incident_lead")
    await workspace.settled()
    await workspace.until(lambda: "no incident 1" in shown(workspace.slack.home(U_ANA) or {}))
    assert (await workspace.room.incident()).commander == ""


async def test_questions_and_ways_in(workspace: SlackWorld) -> None:
    opening = {
        "title": "Disk is full",
        "services": [],
        "people": [],
        "private": False,
        "open_key": "k",
    }
    async with workspace.room.store.write() as session:
        session.add(Question(
            open_key="k", opening=opening, severity="sev3", due_at=now() + timedelta(minutes=5),
        ))  # fmt: skip
    proof = {"target": "http/shop", "path": "direct", "depth": "open", "age": 60.0, "ms": 3.0}
    workspace.room.proofs = [PathProof(standing="proven", error="", **proof)]
    home = await opens(workspace)
    assert "Questions waiting" in shown(home)
    assert "1 of 1 access paths are proven." in shown(home)
    workspace.room.proofs = [PathProof(standing="failing", error="refused", **proof)]
    assert "❌ direct" in shown(await opens(workspace))
    await workspace.slack.click_view(home["id"], "question_refuse")
    await workspace.settled()
    await workspace.until(lambda: "Noted:" in shown(workspace.slack.home(U_ANA) or {}))
    assert "Questions waiting" not in shown(workspace.slack.home(U_ANA) or {})


async def test_a_stranger_is_told_what_to_do(workspace: SlackWorld) -> None:
    text = shown(await opens(workspace, U_CAROL))
    assert f"{workspace.slack.team_id}:{U_CAROL}" in text
    assert "My incidents" not in text


async def test_my_tasks_and_their_button(workspace: SlackWorld) -> None:
    """Mine alone, the first due first, of what I may see; done there, it is done once and gone."""
    room = workspace.room
    await workspace.declare()
    await workspace.declare("Secret plan", actor="person:ben", private=True)
    for text in ("Call <them> @ana", "First @ana by in 20m", "Ben's @ben"):
        await room.type_(f"/incident task {text}", "ben", at=1)
    await room.type_("/incident task Hide it @ana", "ben", at=2)
    await room.type_("/incident task done 1", at=1, person="ben")
    await room.type_("/incident task undo 1", at=1, person="ben")
    home = await opens(workspace)
    text = shown(home)
    assert "My tasks" in text
    assert text.index("*2* First") < text.index("*1* Call &lt;them&gt;")
    assert "of #1" in text
    assert "Ben's" not in text
    assert "Hide it" not in text
    await workspace.slack.click_view(home["id"], "task_done", "1|2")
    await workspace.settled()
    await workspace.until(lambda: "Task 2: done." in shown(workspace.slack.home(U_ANA) or {}))
    assert "*2* First" not in shown(workspace.slack.home(U_ANA) or {})
    assert [r.data["task"] for r in await workspace.rows("task_done")] == [1, 2]


async def test_who_is_on_call_and_when_it_is_me(workspace: SlackWorld) -> None:
    folder = workspace.room.library.folder / "catalog"
    ids = [f"{workspace.slack.team_id}:{user}" for user in (U_ANA, U_BEN)]
    (folder / "oncall.yaml").write_text(json.dumps({"schedules": SCHEDULES}))
    workspace.room.library.reload()
    people = workspace.room.library.catalog.people
    people[0].slack[:], people[1].slack[:] = [ids[0]], [ids[1]]
    await workspace.room.type_("/incident oncall override shop ben for 4h")
    mine, others = shown(await opens(workspace, U_BEN)), shown(await opens(workspace))
    assert "On call" in mine
    assert re.search(r"📟 \*Shop &lt;first&gt;\*: Ben until .* · \*that is you\*", mine)
    assert re.search(r"Ben until .* · you from .*20..-..-.. ", others)
    assert "⚠️ *nobody*: nobody" in others
