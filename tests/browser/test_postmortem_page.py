"""The draft's page on a phone: nothing scrolls sideways, its pictures are there and can be read."""

from pathlib import Path

import pytest

from bot.postmortems.charts import draw
from bot.postmortems.render import html
from tests.browser.chromium import PHONE, chromium
from tests.docs.postmortems import example

pytestmark = [pytest.mark.server, pytest.mark.browser]


async def test_the_page_on_a_phone(tmp_path: Path) -> None:
    """Both pictures are drawn, as wide as the text; citations lead to their row."""
    made = example()
    assert made.plots is not None
    place = tmp_path / "page.html"
    place.write_text(html(made, draw(made.plots)))
    async with chromium() as browser:
        page = await browser.new_page(viewport=PHONE)
        await page.goto(place.as_uri())
        assert await page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
        sizes = await page.evaluate(
            "[...document.images].map(i => [i.complete && i.naturalWidth > 0, i.clientWidth])"
        )
        assert [there for there, _ in sizes] == [True, True]
        assert all(300 <= width <= PHONE["width"] for _, width in sizes)
        await page.locator('a[href="#row-26"]').first.click()
        top = "document.getElementById('row-26').getBoundingClientRect().top"
        await page.wait_for_function(f"{top} >= 0 && {top} < innerHeight")
