"""Two people play the interactive demo in a real browser: a phone and a desk.

``SCREENSHOTS=folder`` keeps what they saw, for the README.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from playwright.async_api import Page, expect

from tests.browser.chromium import DESK, PHONE, chromium

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(240)]
LINK = re.compile(r"(Ana|Ben), \w+:\s+(http\S+)")
SLOW = 40_000


@asynccontextmanager
async def demo(folder: Path) -> AsyncIterator[dict[str, str]]:
    """``jackline demo``; gives the two sign-in links."""
    said = folder.with_suffix(".stderr")
    with said.open("wb") as errors:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "demo", "--keep", str(folder),
            stdout=asyncio.subprocess.PIPE, stderr=errors,
            env={**os.environ, "PYTHONUNBUFFERED": "1"},
        )  # fmt: skip
    assert process.stdout is not None
    links: dict[str, str] = {}
    try:
        while len(links) < 2:
            line = (await asyncio.wait_for(process.stdout.readline(), 60)).decode()
            assert line, "the demo ended early"
            if found := LINK.search(line):
                links[found[1]] = found[2]
        drain = asyncio.create_task(process.stdout.read())
        yield links
    finally:
        with contextlib.suppress(ProcessLookupError):  # what it said then is what went wrong
            process.send_signal(signal.SIGINT)
        assert await asyncio.wait_for(process.wait(), 20) == 130, said.read_text("utf-8")
    await drain


async def shot(page: Page, name: str, tmp_path: Path) -> None:
    await page.evaluate("scrollTo({top: 0, behavior: 'instant'})")
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    await page.screenshot(path=folder / f"{name}.png", full_page=name.startswith("phone"))


async def test_two_people_handle_the_blackout(tmp_path: Path) -> None:
    """The incident appears without a reload; plan, approval, recovery, postmortem, by clicks."""
    async with demo(tmp_path / "kept") as links, chromium() as browser:
        ana = await browser.new_page(viewport=PHONE)
        ben = await browser.new_page(viewport=DESK)
        await ana.goto(links["Ana"])
        await ben.goto(links["Ben"])
        await expect(ana.get_by_text("No incident").or_(ana.locator("#list"))).to_be_visible()

        incident = ana.locator('#list a[href^="/incidents/"]').first
        await expect(incident).to_be_visible(timeout=SLOW)
        await shot(ana, "phone-list", tmp_path)
        await incident.click()
        await ben.locator('#list a[href^="/incidents/"]').first.click()

        ask = ana.get_by_role("button", name="Ask to run this").first
        await expect(ask).to_be_visible(timeout=SLOW)
        await expect(ana.locator('img[src^="/evidence/"]').first).to_be_visible(timeout=SLOW)
        await ana.get_by_role("button", name="Take command").first.click()
        await ask.click()
        approve = ben.get_by_role("button", name="Approve").first
        await expect(approve).to_be_visible(timeout=SLOW)
        await shot(ben, "desk-plan", tmp_path)
        await shot(ana, "phone-plan", tmp_path)
        await approve.click()
        await expect(ben.get_by_text("run succeeded").first).to_be_visible(timeout=SLOW)

        ana.on("dialog", lambda dialog: asyncio.ensure_future(dialog.accept()))
        await ana.get_by_role("button", name=re.compile("^Resolve")).first.click()
        download = ana.locator('a[href$="postmortem.md"]').first
        await expect(download).to_be_visible(timeout=SLOW)
        await shot(ben, "desk-resolved", tmp_path)
        await shot(ana, "phone-resolved", tmp_path)
        async with ana.expect_download() as waiting:
            await download.click()
        text = Path(await (await waiting.value).path()).read_text("utf-8")
        assert "Payments" in text
        assert "Fail payments over at the edge" in text
        width = await ana.evaluate("document.documentElement.scrollWidth")
        assert width <= PHONE["width"], "a phone must not scroll sideways"
