"""The menu of a bare `/incident`: each choice is a command, stored before it is acknowledged, done once."""

import json
from typing import Any

import pytest

from bot.catalog import AudiencePlace, Catalog
from bot.chat.slack.menu_views import AT_ONCE, MENU_CLICKS, STEPS, menu_view, step_view
from bot.incidents import STATUSES, Incident
from tests.chat.room import words
from tests.chat.slack_world import SlackWorld
from tests.slackstub import C_GENERAL, U_ANA, U_BEN, U_CAROL
from tests.slackstub.blocks import check_view

server = pytest.mark.server  # the stub listens on a port
RUNBOOKS = {f"r{n}": f"Runbook {n} " + "x" * 100 for n in range(150)}


async def menu(world: SlackWorld, channel: str, user: str = U_ANA, line: str = "/inc") -> str:
    """It is open; its view's id."""
    opened = await world.slack.command(line, user, channel, wait=20)
    return str(opened.views[0]["id"])


async def answered(world: SlackWorld, channel: str, text: str, user: str = U_ANA) -> None:
    await world.until(lambda: any(text in m.text for m in world.slack.ephemerals(channel, user)))


def choices(view: dict[str, Any]) -> list[str]:
    return [e["action_id"] for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]]


@server
async def test_outside_an_incidents_channel_it_declares(workspace: SlackWorld) -> None:
    for line in ("/incident", "/inc"):
        opened = await workspace.slack.command(line, U_ANA, C_GENERAL, wait=20)
        assert opened.views[0]["callback_id"] == "declare"


@server
async def test_who_declared_by_the_form_hears_what_came_of_it(
    workspace: SlackWorld, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The form is closed long before it is worked off: an answer is all that they have."""
    slack, real = workspace.slack, workspace.room.incidents.declare

    async def submitted(title: str) -> str:
        opened = await slack.command("/incident", U_ANA, C_GENERAL, wait=20)
        await slack.submit_view(opened.views[0]["id"], {"title": title, "severity": "sev1"})
        await workspace.settled()
        return str(slack.interaction(opened.id).responses[-1]["text"])

    async def broken(*given: Any, **more: Any) -> Incident:
        if more["title"] == "poison":
            raise ZeroDivisionError
        return await real(*given, **more)

    monkeypatch.setattr(workspace.room.incidents, "declare", broken)
    assert "Something in Jackline broke" in await submitted("poison")
    assert "Incident 1 (sev1) is declared" in await submitted("Down")


@server
async def test_what_is_done_at_once(workspace: SlackWorld) -> None:
    """Command by one tap and resolved by another: once, however often it comes; the answer is said."""
    channel = await workspace.declare()
    view = await menu(workspace, channel, line="/incident")
    assert "*#1* SEV2 · declared · The shop is down" in words(workspace.slack.view(view)["blocks"])
    await workspace.slack.click_view(view, "menu_lead")
    await answered(workspace, channel, "You are commander of #1.")
    assert "is being done" in words(workspace.slack.view(view)["blocks"])
    assert (await workspace.room.incident()).commander == "ana"
    again = await menu(workspace, channel)
    asked = {"name": "incident", "text": "resolve", "team": workspace.slack.team_id, "user": U_ANA,
             "channel": channel}  # fmt: skip
    await workspace.slack.click_view(again, "menu_resolve")
    await workspace.inbox.accept("mention", f"menu:{again}:menu_resolve", asked)
    await answered(workspace, channel, "#1")
    await workspace.settled()
    assert (await workspace.room.incident()).status == "resolved"
    to = [row.data["to"] for row in await workspace.rows("status_changed")]
    assert to == ["investigating", "resolved"]
    ended = workspace.slack.view(await menu(workspace, channel))
    assert {"menu_close", "menu_reopen"} <= set(choices(ended))
    assert "menu_resolve" not in choices(ended)


@server
@pytest.mark.parametrize(
    ("step", "given", "kind", "text"),
    [
        ("menu_status", {"choice": "mitigating"}, "status_changed", "mitigating"),
        ("menu_severity", {"choice": "sev1"}, "severity_changed", "sev1"),
        ("menu_role", {"choice": "operations", "who": U_BEN}, "role_assigned", "Ben is operations lead"),
        ("menu_task", {"text": "Call the <vendor>", "who": U_BEN, "by": "20m"}, "task_added", "Task 1: Call the <vendor>, Ben, by "),
        ("menu_run", {"choice": "fix", "inputs": "percent=5"}, "run_requested", "Fix the shop"),
        ("menu_page", {"choice": "ben", "why": "it's \"down\""}, "page_opened", "Ben is paged: it's \"down\""),
    ],
)  # fmt: skip
async def test_one_step_more(
    workspace: SlackWorld, step: str, given: dict[str, str], kind: str, text: str
) -> None:
    """The form takes the menu's place; submitted it is the command, and closes."""
    channel = await workspace.declare()
    view = await menu(workspace, channel)
    await workspace.slack.click_view(view, step)
    await workspace.until(lambda: workspace.slack.view(view)["title"]["text"] == STEPS[step])
    done = await workspace.slack.submit_view(view, given)
    assert done.acked
    assert not done.errors
    await workspace.settled()
    (row,) = await workspace.rows(kind)
    assert text in row.text
    assert row.actor == "person:ana"
    await workspace.until(lambda: workspace.slack.ephemerals(channel, U_ANA))


@server
async def test_an_update(workspace: SlackWorld) -> None:
    """By the same form as the command's, with its draft."""
    channel = await workspace.declare()
    view = await menu(workspace, channel)
    await workspace.slack.click_view(view, "menu_update")
    await workspace.until(lambda: workspace.slack.view(view)["callback_id"] == "update")
    await workspace.slack.submit_view(view, {"text": "We look at it", "next": "30m"})
    await workspace.settled()
    (row,) = await workspace.rows("communication_sent")
    assert row.text == "Update to internal: We look at it"


@server
async def test_wrong_words_and_who_may_not(workspace: SlackWorld) -> None:
    """A time that is none is said beside its field; a refusal in words, to who asked alone."""
    channel = await workspace.declare()
    view = await menu(workspace, channel)
    await workspace.slack.click_view(view, "menu_task")
    await workspace.until(lambda: workspace.slack.view(view)["title"]["text"] == "Add a task")
    wrong = await workspace.slack.submit_view(view, {"text": "Call", "by": "soon"})
    assert "soon" in wrong.errors["by"]
    await workspace.slack.join(channel, U_CAROL)
    stranger = await menu(workspace, channel, U_CAROL)
    await workspace.slack.click_view(stranger, "menu_lead")
    await answered(workspace, channel, "do not know you", U_CAROL)
    for_update = await menu(workspace, channel, U_CAROL)
    await workspace.slack.click_view(for_update, "menu_update")
    await workspace.until(
        lambda: (
            sum("do not know" in m.text for m in workspace.slack.ephemerals(channel, U_CAROL)) > 1
        )
    )
    assert await workspace.rows("task_added", "commander_assigned") == []


@server
async def test_a_menu_that_was_open_for_long(workspace: SlackWorld) -> None:
    """What does not lead anywhere any more says where the incident stands, in words."""
    channel = await workspace.declare()
    view = await menu(workspace, channel)
    for verb in ("resolve", "close"):
        await workspace.room.type_(f"/incident {verb}", at=1)
    await workspace.slack.click_view(view, "menu_status")
    await answered(workspace, channel, "#1 sev2, closed")


@server
async def test_where_slack_opens_nothing_it_is_said_in_words(workspace: SlackWorld) -> None:
    channel = await workspace.declare()
    workspace.slack.fault("views.open", error="expired_trigger_id")
    spoken = await workspace.slack.command("/incident", U_ANA, channel, wait=20)
    assert "/incident declare" in str(spoken.responses)


@pytest.mark.parametrize("status", [*STATUSES, "commanded"])
def test_every_view_is_one_that_slack_takes(status: str) -> None:
    """Of every state, with more runbooks than a choice may have, and with places for all audiences."""
    catalog = Catalog(
        audiences=[AudiencePlace(id="customers", channels=["C0CUST"])],
        people=[{"id": f"p{n}", "name": "<P>" * 40} for n in range(120)],  # type: ignore[list-item]
    )
    merged = 2 if status == "merged" else None
    commander = "ana" if status == "commanded" else ""
    incident = Incident(
        id=1, title="<x>" * 60, severity="sev1", origin="o", declared_by="person:ana",
        status="monitoring" if commander else status, commander=commander, merged_into=merged,
    )  # fmt: skip
    drawn = menu_view("C1", incident, catalog, RUNBOOKS)
    check_view(drawn)
    found = choices(drawn)
    assert set(found) <= set(MENU_CLICKS)
    assert len(found) == len(set(found))
    assert bool(found) == (status != "merged")
    for step in set(found) & set(STEPS):
        form = step_view(step, "C1", incident, catalog, RUNBOOKS)
        check_view(form)
        assert len(json.dumps(form)) < 100_000
    if status == "commanded":
        assert {*STEPS, "menu_lead", "menu_resolve", "menu_update"} == set(found)
    assert {"menu_lead", "menu_resolve", "menu_close", "menu_reopen"} == set(AT_ONCE)


def test_nobody_to_page_but_people() -> None:
    """A catalog with nobody at all has no such choice."""
    incident = Incident(id=1, title="x", severity="sev1", origin="o", declared_by="person:ana")
    assert "menu_page" not in choices(menu_view("C1", incident, Catalog(), {}))
