"""Every command typed into the composer of a served Jackline, in a real browser."""

from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from bot.chat.console import signin_link
from tests.browser.chromium import PHONE, chromium
from tests.e2e.every_command import WALK, Line
from tests.e2e.harness import Bot, firing, write_runbooks

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(120)]
KEY, NOWHERE = "k" * 32, "http://127.0.0.1:9"


async def test_every_command(tmp_path: Path) -> None:
    """Each is answered on the page, in words that fit."""
    runbooks = write_runbooks(tmp_path / "runbooks", team="T1", edge=NOWHERE, shop=NOWHERE)
    async with Bot(tmp_path, runbooks, "", JACKLINE_CONSOLE__SESSION_KEY=KEY) as bot:
        assert (await bot.alert(firing())).is_success
        await bot.run_in("proposed")
        async with chromium() as browser:
            page = await browser.new_page(viewport=PHONE)
            await page.goto(signin_link(KEY.encode(), "ana", bot.url))
            await page.goto(f"{bot.url}/incidents/1")
            wrong = [f"{line.typed}: {said}" for line in WALK
                     if not line.fits(said := await typed(page, line))]  # fmt: skip
    assert not wrong, "\n".join(wrong)


async def typed(page: Page, line: Line) -> str:
    """What the page shows for it. What was refused stays in the composer."""
    box, answer = page.get_by_role("combobox"), page.locator("#answer")
    await answer.evaluate("place => place.replaceChildren()")
    await box.fill(line.typed)
    await box.press("Enter")
    await expect(answer).not_to_be_empty()
    return await answer.inner_text()
