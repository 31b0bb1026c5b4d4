"""An update in a real browser, on a phone: the form in the answer, the preview's button, the feed."""

from pathlib import Path

import pytest
from playwright.async_api import expect

from bot.catalog import AudiencePlace, Catalog, Service
from bot.chat.console import signin_link
from bot.store import Store
from tests.browser.serving import serving
from tests.browser.test_demo import PHONE, chromium, shot
from tests.chat.console_world import KEY, ROSA, World

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(120)]


async def test_customers_are_told_from_a_phone(tmp_path: Path) -> None:
    """Three touches from the incident's page, with words of one's own."""
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/jackline.db")
    await store.migrate()
    world = World(tmp_path, store)
    world.whole = Catalog(
        people=[ROSA], services=[Service(id="web", title="Web", tier="p0", public="Shop")],
        audiences=[AudiencePlace(id="customers", channels=["C0CUST"])],
    )  # fmt: skip
    await world.incident()
    async with serving(world.app) as url, chromium() as browser:
        page = await browser.new_page(viewport=PHONE)
        await page.goto(signin_link(KEY, "rosa", url))
        await page.goto(f"{url}/incidents/1")
        await page.get_by_label("A note, or a command").fill("/incident update customers")
        await page.get_by_role("button", name="Send", exact=True).click()
        words = page.get_by_label("Or in other words")
        await expect(words).to_have_value("We are investigating a problem with Shop.")
        await shot(page, "phone-update", tmp_path)
        await words.fill("Shop is slow.")
        await page.get_by_label("Next update").fill("30m")
        await page.get_by_role("button", name="Preview these").click()
        await expect(page.get_by_text("Shop is slow.").first).to_be_visible()
        await page.get_by_role("button", name="Send to customers").last.click()
        await expect(page.locator("#feed").get_by_text("Shop is slow.")).to_be_visible()
        await shot(page, "phone-updated", tmp_path)
    await store.close()
