"""Every button pressed on the console's pages, in a real browser."""

import json
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Browser, Dialog, Locator, Page, expect
from sqlmodel import select
from starlette.applications import Starlette

from bot.chat.console import build_console, signin_link
from bot.postmortems.exports import Exports
from bot.registry import load
from bot.store import Store
from bot.timeline import Timeline
from tests.browser.chromium import PHONE, chromium
from tests.browser.serving import serving
from tests.chat.console_world import KEY
from tests.chat.every_button import BUTTONS, Press, prepare
from tests.chat.room import ChatRoom
from tests.runbooks.room import PEOPLE

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(180)]


@asynccontextmanager
async def served(folder: Path) -> AsyncIterator[tuple[ChatRoom, str]]:
    """The console over a chat room, and its address."""
    (folder / "runbooks" / "catalog").mkdir(parents=True)
    catalog = {"people": PEOPLE, "targets": [{"name": "http/shop", "url": "http://127.0.0.1:9"}]}
    (folder / "runbooks" / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    store = Store(f"sqlite+aiosqlite:///{folder}/jackline.db")
    await store.migrate()
    room = ChatRoom(store, folder / "runbooks", load())

    async def none(*_: object) -> None:
        return None

    routes = build_console(
        store=store, cards=room.cards, commands=room.commands, clicks=room.clicks,
        incidents=room.incidents, runs=room.runs, postmortem=none,
        exports=Exports(lambda: room.library.catalog, folder),
        catalog=lambda: room.library.catalog, session_key=KEY, data_dir=folder, settings=tuple,
        proofs=room._proofs,
    )  # fmt: skip
    async with serving(Starlette(routes=routes)) as url:
        yield room, url
    await store.close()


async def test_every_button(tmp_path: Path) -> None:
    """Where it is in sight it does its thing: the row that says so is on the timeline."""
    async with served(tmp_path) as (room, url), chromium() as browser:
        await prepare(room)
        pages = {who: await signed_in(browser, url, who) for who in ("ana", "ben")}
        wrong = []
        for press in BUTTONS:
            before = await rows(room)
            told = await pressed(room, pages, press)
            new = await rows(room) - before
            if press.kind not in new:
                wrong.append(f"{press.action_id}: {new} {told}")
    assert not wrong, "\n".join(wrong)


async def signed_in(browser: Browser, url: str, who: str) -> Page:
    """Their page; asked whether they are sure, they are."""
    context = await browser.new_context(viewport=PHONE, base_url=url)
    page = await context.new_page()
    await page.goto(signin_link(KEY, who, url))

    async def sure(dialog: Dialog) -> None:
        await dialog.accept()

    page.on("dialog", sure)
    return page


async def pressed(room: ChatRoom, pages: dict[str, Page], press: Press) -> str:
    """The answer's status. A form that opens is sent as it stands."""
    ana, page, told = pages["ana"], pages[press.who], ""
    if press.ready:
        await press.ready(room, 1)
    if press.typed:
        await ana.goto("/incidents/1")
        await ana.get_by_role("combobox").fill(press.typed)
        await ana.get_by_role("combobox").press("Enter")
        await expect(ana.locator("#answer")).not_to_be_empty()
        told = await ana.locator("#answer").inner_text()
    found = button(page.locator("#answer"), press)
    if not press.typed or not await found.count():
        await page.goto(f"/incidents/{press.at}" if press.at else "/")
        found = button(page.locator("main"), press)
    if not await found.count():
        return f"it is not on the page: {told}"
    async with page.expect_response("**/click") as answer:
        await found.click()
    if press.action_id == "update_write":
        async with page.expect_response("**/update"):
            await page.locator("form.update").get_by_role("button").click()
    there = (await answer.value).headers.get("hx-redirect", "")
    if there and "/export." not in there:  # a file is saved, and the page stays
        await page.wait_for_url(f"**{there}")
    return str((await answer.value).status)


def button(place: Locator, press: Press) -> Locator:
    """The newest one of that kind."""
    form = place.locator(f'form:has(input[value="{press.action_id}"])')
    return form.last.get_by_role("button")


async def rows(room: ChatRoom) -> Counter[str]:
    """How many rows of each kind there are, of all incidents."""
    async with room.store.read() as session:
        return Counter((await session.execute(select(Timeline.kind))).scalars())
