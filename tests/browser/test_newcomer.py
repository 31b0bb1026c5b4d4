"""What a newcomer has to do in an incident: each within two actions of the incident's page.

An action is one tap, an answer to "are you sure?", or one line that is sent; filling in the fields
of an open form is part of sending it.
"""

import asyncio
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from playwright.async_api import Dialog, Page, expect

from bot.runbooks import Run
from bot.timeline import rows_of
from tests.browser.chromium import DESK, PHONE
from tests.browser.conftest import Site

pytestmark = [pytest.mark.server, pytest.mark.browser]
MOST = 2
Act = Callable[[Page], Awaitable[None]]


def tap(role: str, name: str) -> Act:
    async def act(page: Page) -> None:
        await page.get_by_role(role, name=name).first.click()  # type: ignore[arg-type]  # a role's name

    return act


async def send_declaration(page: Page) -> None:
    await page.get_by_label("What is broken?").fill("Mail is late")
    await tap("button", "Declare")(page)


# task → its actions, and the row of the timeline that shows that it is done
TASKS: dict[str, tuple[list[Act], str]] = {
    "declare": ([tap("link", "Declare"), send_declaration], "incident_declared"),
    "take command": ([tap("button", "Take command")], "commander_assigned"),
    "run the proposed runbook": ([tap("button", "Ask to run this")], "run_requested"),
    "send an update": ([tap("link", "Update"), tap("button", "Send it")], "communication_sent"),
    "resolve and export": ([tap("button", "Resolve and export")], "status_changed"),
}


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("task", TASKS)
async def test_a_newcomer_gets_there_in_two(site: Site, task: str, size: dict[str, int]) -> None:
    """Every action is a thing in sight or one scroll away; nothing has to be remembered."""
    actions, kind = TASKS[task]
    incident, asked = await site.world.incident(), 0
    run = await site.world.waiting_run(incident)
    async with site.world.store.write() as session:
        proposed = await session.get_one(Run, run.number)
        proposed.state, proposed.requester = "proposed", ""
        await site.world.runs.show(session, proposed)
    page = await site.page("ana", size)

    async def sure(dialog: Dialog) -> None:
        nonlocal asked
        asked += 1
        await dialog.accept()

    page.on("dialog", sure)
    await page.goto("/incidents/1")
    for act in actions[:-1]:
        await act(page)
    if task == "resolve and export":
        async with page.expect_download() as downloading:
            await actions[-1](page)
        assert "resolved" in Path(await (await downloading.value).path()).read_text()
    else:
        await actions[-1](page)
    if task == "declare":
        await page.wait_for_url("**/incidents/2")
    await recorded(site, 2 if task == "declare" else 1, kind)
    assert len(actions) + asked <= MOST


async def recorded(site: Site, number: int, kind: str) -> None:
    """It is on the record: the card that has the answer may be drawn anew before anybody looks."""
    async with asyncio.timeout(30):
        while True:
            async with site.world.store.read() as session:
                if kind in [row.kind for row in await rows_of(session, number)]:
                    return
            await asyncio.sleep(0.05)


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_a_newcomer_exports_what_is_resolved_in_one(site: Site, size: dict[str, int]) -> None:
    """Once it is resolved, the page that they are on has the way to its files."""
    await site.world.incident()
    page = await site.page("ana", size)
    page.on("dialog", lambda dialog: dialog.accept())
    await page.goto("/incidents/1")
    export = page.get_by_role("link", name="Timeline (.md)")
    await expect(export).to_have_count(0)
    await tap("button", "Resolve")(page)
    await expect(export).to_be_visible()  # the page was not loaded again
    async with page.expect_download() as downloading:
        await export.click()
    assert (await downloading.value).suggested_filename == "incident-1.md"
    saved = Path(await (await downloading.value).path()).read_text()
    assert "resolved" in saved
