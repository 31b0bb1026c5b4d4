"""An exported page on a phone: nothing is cut off, nothing runs, wide tables scroll by themselves."""

from pathlib import Path

import pytest

from bot.postmortems.exports.flow import Exports
from tests.browser.chromium import chromium
from tests.postmortems.exports.hostile import BY_HAND, paper
from tests.postmortems.story import CATALOG, PNG

pytestmark = pytest.mark.browser


async def test_the_exported_page_fits_a_phone(tmp_path: Path) -> None:
    """At 360 pixels the page does not scroll sideways, with words of 10 kB in it."""
    (tmp_path / "evidence").mkdir()
    (tmp_path / "evidence" / "p.png").write_bytes(PNG)
    file = tmp_path / "paper.html"
    file.write_bytes(Exports(lambda: CATALOG, tmp_path)._made(paper(more=BY_HAND), "html", customers=False))  # fmt: skip
    async with chromium() as browser:
        page = await browser.new_page(viewport={"width": 360, "height": 740})
        asked: list[str] = []
        said: list[str] = []
        page.on("request", lambda request: asked.append(request.url))
        page.on("dialog", lambda dialog: said.append(dialog.message))
        await page.goto(file.as_uri())
        width = await page.evaluate("document.documentElement.scrollWidth")
        assert width <= 360
        assert await page.locator("h2").count() > 10
        assert await page.locator("img").evaluate_all("all => all.every(i => i.naturalWidth > 0)")
        assert (said, [url for url in asked if url.startswith("http")]) == ([], [])
        await page.screenshot(path=str(tmp_path / "phone.png"))
