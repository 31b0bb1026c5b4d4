"""A tab for each incident, as on a bad day: browsers open six connections to a host."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.chat.console import signin_link
from bot.incidents import Incident
from bot.store import Store
from tests.browser.chromium import chromium
from tests.browser.serving import serving
from tests.chat.console_world import KEY, World

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(120)]
TABS = 9
HIDE = """hidden => {
  Object.defineProperty(document, "hidden", {value: hidden, configurable: true});
  document.dispatchEvent(new Event("visibilitychange"));
}"""


async def note(world: World, incident: Incident, text: str) -> None:
    async with world.store.write() as session:
        await world.incidents.note(session, incident, text, "person:amir", key=text)


async def test_the_ninth_tab_opens(tmp_path: Path) -> None:
    """Each tab's stream would hold a connection; one that is looked at again is as things stand."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/jackline.db")
    await store.migrate()
    world = World(tmp_path, store)
    made = [await world.incident(f"Down {number}") for number in range(TABS)]
    tabs: list[Page] = []
    async with serving(world.app) as url, chromium() as browser:
        context = await browser.new_context()
        for number in range(1, TABS + 1):
            for tab in tabs:
                await tab.evaluate(HIDE, True)
            tabs.append(await context.new_page())
            if number == 1:
                await tabs[0].goto(signin_link(KEY, "rosa", url))
            await tabs[-1].goto(f"{url}/incidents/{number}", timeout=20_000)
        first = tabs[0]
        await note(world, made[0], "while nobody looked")
        await first.evaluate(HIDE, False)
        await expect(first.locator("#feed").get_by_text("while nobody looked")).to_be_visible()
        await note(world, made[0], "and live")
        await expect(first.locator("#feed").get_by_text("and live")).to_be_visible()
    await store.close()
