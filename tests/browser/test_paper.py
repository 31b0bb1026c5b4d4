"""Working on a postmortem in a real browser: typing, two people at once, the phone, axe."""

import asyncio
import os
import re
from pathlib import Path

import pytest
from playwright.async_api import Page, expect
from sqlmodel import select

from bot.access import Dialer
from bot.catalog import Catalog
from bot.chat.outside import PaperSurface
from bot.delivery import DeliveryWorker
from bot.postmortems import Postmortem
from bot.postmortems.editing.sections import split
from bot.postmortems.editing.tables import PaperCopy, Version
from bot.postmortems.exports import Exports
from bot.registry import load
from tests.browser.chromium import DESK, PHONE
from tests.browser.conftest import Site
from tests.browser.test_axe import axe, findings
from tests.delivery.conftest import stop
from tests.servers.google_drive import FOLDER, google_drive

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.timeout(180)]
EDIT = "/incidents/1/postmortem/edit"
__all__ = ["axe"]


@pytest.fixture
async def drafted(site: Site) -> Site:
    """#1 is over and has its draft."""
    world = site.world
    incident = await world.incident("Checkout <is> down")
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.note(session, found, "cause: the certificate", "person:ana", key="n")
        await world.incidents.set_status(session, found, "resolved", "person:ana")
    assert await world.drafts.draft_next()
    return site


async def body(site: Site, key: str) -> str:
    async with site.world.store.read() as session:
        part = split((await session.get_one(Postmortem, 1)).markdown).part(key)
    assert part
    return part.body


async def saved(page: Page) -> None:
    await expect(page.locator("#saved")).to_contain_text("Saved at", timeout=20_000)


async def test_typing_is_enough(drafted: Site) -> None:
    """It saves by itself while somebody types on; keys save and preview; nothing leaves our host."""
    page = await drafted.page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    await page.goto(f"{EDIT}/where-we-were-lucky")
    text = page.get_by_label("Text, in Markdown")
    await text.fill("The certificate")
    await saved(page)
    await text.press_sequentially(" ran **out**.", delay=5)
    await text.press("Control+s")
    await expect(page.locator("#saved")).to_contain_text("version 3", timeout=20_000)
    assert await body(drafted, "where-we-were-lucky") == "The certificate ran **out**."
    await text.press("Control+Enter")
    await expect(page.locator("#preview strong")).to_have_text("out")
    await text.press("Escape")
    await page.keyboard.press("j")
    await page.wait_for_url("**/edit/access")
    async with drafted.world.store.read() as session:
        kinds = [v.kind for v in (await session.execute(select(Version))).scalars()]
    assert kinds == ["drawn", "edited"]
    assert errors == []


async def test_two_browsers_and_one_section(drafted: Site) -> None:
    """The slower one is told at once, goes on typing, and finds both texts."""
    ana, ben = await drafted.page("ana"), await drafted.page("ben", PHONE)
    for page in (ana, ben):
        await page.goto(f"{EDIT}/where-we-were-lucky")
    await ana.get_by_label("Text, in Markdown").fill("Ana's view")
    await saved(ana)
    await ben.get_by_label("Text, in Markdown").fill("Ben's view")
    await expect(ben.locator("#saved")).to_contain_text("What you typed is kept", timeout=20_000)
    await ben.get_by_label("Text, in Markdown").press_sequentially(", and more")
    await ben.get_by_role("button", name="Save", exact=True).click()
    await expect(ben.locator("#saved")).to_contain_text("What you typed is kept", timeout=20_000)
    await ben.get_by_role("link", name="Look at both texts").click()
    await expect(ben.get_by_label("As Ben wrote it")).to_have_value("Ben's view, and more")
    await expect(ben.get_by_label("Text, in Markdown")).to_have_value("Ana's view")
    await ben.get_by_label("Text, in Markdown").fill("Ana's view, and Ben's")
    await saved(ben)
    await ben.get_by_role("button", name="Settled: keep the section").click()
    await expect(ben.get_by_text("Two texts for this section")).to_have_count(0)
    assert await body(drafted, "where-we-were-lucky") == "Ana's view, and Ben's"


async def test_a_lost_line_loses_nothing(drafted: Site) -> None:
    """What could not be sent comes back with the page, and is saved then."""
    page = await drafted.page()
    await page.goto(f"{EDIT}/where-we-were-lucky")
    await page.route("**/edit/where-we-were-lucky", lambda route: route.abort() if route.request.method == "POST" else route.continue_())  # fmt: skip
    page.on("dialog", lambda dialog: dialog.accept())
    async with page.expect_event("requestfailed"):
        await page.get_by_label("Text, in Markdown").fill("Typed in a tunnel")
    await expect(page.get_by_text("No connection to Jackline")).to_be_visible()
    await page.unroute("**/edit/where-we-were-lucky")
    await page.goto(f"{EDIT}/where-we-were-lucky")
    await expect(page.get_by_label("Text, in Markdown")).to_have_value("Typed in a tunnel")
    await saved(page)
    assert await body(drafted, "where-we-were-lucky") == "Typed in a tunnel"


async def test_without_scripts(drafted: Site) -> None:
    """The same by plain forms."""
    page = await drafted.page(java_script_enabled=False)
    await page.goto(EDIT)
    await page.get_by_role("link", name="Where we were lucky").click()
    await page.get_by_label("Text, in Markdown").fill("Ran *out*.")
    await page.get_by_role("button", name="Preview").click()
    await expect(page.locator("#preview em")).to_have_text("out")
    await page.get_by_role("button", name="Save", exact=True).click()
    await expect(page.get_by_text("written by a person")).to_be_visible()
    assert await body(drafted, "where-we-were-lucky") == "Ran *out*."


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_can_be_used_by_everybody(
    drafted: Site, axe: str, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    """No serious or critical finding, nothing to scroll sideways; a conflict and notes are in sight."""
    dora = await drafted.page("dora", size, scheme)
    other = await drafted.page("ben")
    for page in (dora, other):
        await page.goto(f"{EDIT}/where-we-were-lucky")
    await dora.get_by_label("Text, in Markdown").fill("The *certificate* ran out.\n\n| When | What |\n|---|---|\n| 12:03 | it ended |")  # fmt: skip
    await saved(dora)
    await other.get_by_label("Text, in Markdown").fill("It was the certificate.")
    await expect(other.locator("#saved")).to_contain_text("kept", timeout=20_000)
    await other.get_by_label("A note for the authors").fill("Which certificate?")
    other.on("dialog", lambda dialog: dialog.accept())
    await other.get_by_role("button", name="Add the note").click()
    await expect(other.locator(".note-text")).to_have_text("Which certificate?")
    row = "| {} | detect | Ana | 2027-01-31 | none yet | it fired in a test | row 2 |"
    for name in ("Alert 30 days before a certificate ends", "Rehearse it"):
        await other.goto(f"{EDIT}/action-items")
        text = other.get_by_label("Text, in Markdown")
        lines = (await text.input_value()).split("\n")
        at = next(i for i, line in enumerate(lines) if line.startswith("| ---")) + 1
        await text.fill("\n".join([*lines[:at], row.format(name), *lines[at:]]))
        await saved(other)
        if "Alert" in name:
            await other.goto(EDIT)
            await other.get_by_label(name).check()
            await other.get_by_role("button", name="Make follow-ups of these").click()
            await expect(other.get_by_text("Follow-up 1")).to_be_visible()
    folder, wrong = Path(os.environ.get("SCREENSHOTS", tmp_path)), []
    shown = [("overview", EDIT), ("section", f"{EDIT}/where-we-were-lucky"), ("timeline", f"{EDIT}/timeline"),
             ("history", "/incidents/1/postmortem/history")]  # fmt: skip
    for name, path in shown:
        await dora.goto(path)
        if name in ("section", "timeline"):
            await dora.get_by_role("button", name="Preview").click()
            await expect(dora.locator("#preview table")).to_be_visible()
        if name == "overview":
            await dora.get_by_text("Say who, and when").click()
            await dora.get_by_text("Add an action item").click()
        wrong += [f"{name}: {found}" for found in await findings(dora, axe)]
        width = await dora.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            wrong.append(f"{name}: {width} px wide")
        if "SCREENSHOTS" in os.environ:
            file = folder / f"paper-{name}-{size['width']}-{scheme}.png"
            await dora.screenshot(path=file, full_page=True)
    assert wrong == []
    assert await body(drafted, "where-we-were-lucky")


@pytest.mark.parametrize(("size", "scheme"), [(PHONE, "dark"), (DESK, "light")], ids=["phone", "desk"])  # fmt: skip
async def test_publishing_shows_how_it_goes(
    drafted: Site, axe: str, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    """On its way, then there with a link, then older than the text, and refused: without a reload."""
    world = drafted.world
    with google_drive() as drive:
        target = {"name": "d/x", "url": drive.url, "settings": {"key": drive.key_file, "folder": FOLDER}}  # fmt: skip
        place = {"id": "docs", "title": "Google Docs", "integration": "googledocs", "target": "d/x"}
        known = world.catalog().model_dump()
        world.whole = Catalog.model_validate(
            {**known, "targets": [*known["targets"], target], "paper_places": [place]}
        )
        async with world.store.write() as session:
            (await session.get_one(Postmortem, 1)).state = "final"
        page = await drafted.page("ana", size, scheme)
        await page.goto(EDIT)
        where = page.locator("#published")
        await where.get_by_role("button", name="Publish at Google Docs").click()
        await expect(where).to_contain_text("is on its way, asked for by Ana")
        assert await findings(page, axe) == []
        exports = Exports(world.catalog, tmp_path)
        surface = PaperSurface(world.store, world.incidents, load(), Dialer(world.catalog), exports)
        working = asyncio.create_task(DeliveryWorker(world.store, surface, "w").run())
        try:
            link = where.get_by_role("link", name="version 1")
            await expect(link).to_have_attribute("href", re.compile("docs.google.com"), timeout=20_000)  # fmt: skip
            drive.shared_with.clear()
            async with world.store.write() as session:
                (await session.get_one(Postmortem, 1)).state = "draft"
            await page.goto(f"{EDIT}/where-we-were-lucky")
            await page.get_by_label("Text, in Markdown").fill("Ran out.")
            await saved(page)
            async with world.store.write() as session:
                (await session.get_one(Postmortem, 1)).state = "final"
                (await session.get_one(PaperCopy, (1, "docs"))).reference = ""
            await page.goto(EDIT)
            await expect(where).to_contain_text("older than the text, which is version 2")
            await where.get_by_role("button", name="Publish again at Google Docs").click()
            await expect(where).to_contain_text("Share the folder, or its shared drive", timeout=20_000)  # fmt: skip
        finally:
            await stop(working)
    assert await findings(page, axe) == []
    assert await page.evaluate("document.documentElement.scrollWidth") <= size["width"]
    if "SCREENSHOTS" in os.environ:
        file = Path(os.environ["SCREENSHOTS"]) / f"published-{size['width']}-{scheme}.png"
        await page.screenshot(path=file, full_page=True)
