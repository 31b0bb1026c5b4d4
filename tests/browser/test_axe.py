"""Every page against axe's rules, on a phone and at a desk, light and dark.

``SCREENSHOTS=folder`` keeps a picture of each, to be looked at.
"""

import os
import shutil
import subprocess
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from bot.access import PathProof
from bot.postmortems.draft import draft
from bot.postmortems.render import html
from tests.browser.chromium import DESK, PHONE
from tests.browser.conftest import Scene, Site
from tests.chat.console_world import World
from tests.postmortems.story import CATALOG as STORY
from tests.postmortems.story import FACTS, PNG, blackout

pytestmark = [pytest.mark.server, pytest.mark.browser, pytest.mark.slow]
HERE = Path(__file__).parent / "axe"
GRAVE = ("serious", "critical")
PROOFS = [
    PathProof("http/shop", "direct", "proven", "read", 120.0, 3.2, ""),
    PathProof("http/shop", "pinned", "failing", "", 90_000.0, None, "connection refused"),
    PathProof("http/edge", "direct", "stale", "read", 900_000.0, 5.0, ""),
    PathProof("ssh/db-1", "bastion", "never", "", None, None, "not probed yet"),
]


@pytest.fixture(scope="module")
def axe() -> str:
    """axe-core's source."""
    npm, found = shutil.which("npm"), HERE / "node_modules/axe-core/axe.min.js"
    if not found.exists():
        if not npm:
            if os.environ.get("CI") == "true":
                pytest.fail("npm is absent, and in CI it must not be")
            pytest.skip("npm is not installed, so axe cannot be had")
        done = subprocess.run([npm, "ci", "--no-audit", "--no-fund"], cwd=HERE,
                              capture_output=True, text=True, check=False)  # fmt: skip
        if done.returncode and os.environ.get("CI") != "true":
            pytest.skip(f"npm ci failed, the registry may be away: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
    return found.read_text("utf-8")


async def menu(page: Page) -> None:
    await page.locator(".menu summary").click()


async def shortcuts(page: Page) -> None:
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()


async def choices(page: Page) -> None:
    await page.get_by_role("combobox").fill("/runbook ")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await page.keyboard.press("ArrowDown")


def dialog(name: str) -> Callable[[Page], Awaitable[None]]:
    async def opened(page: Page) -> None:
        await page.get_by_role("link", name=name).first.click()
        await expect(page.get_by_role("dialog")).to_be_visible()

    return opened


Step = Callable[[Page], Awaitable[None]] | None
PAGES: list[tuple[str, str, Step]] = [
    ("list", "/", None),
    ("menu", "/", menu),
    ("declare", "/", dialog("Declare an incident")),
    ("incident", "/incidents/1", None),
    ("choices", "/incidents/1", choices),
    ("shortcuts", "/incidents/1", shortcuts),
    ("severity", "/incidents/1", dialog("Severity")),
    ("status", "/incidents/1", dialog("Status")),
    ("note", "/incidents/1", dialog("Note")),
    ("run", "/incidents/1", dialog("Run a runbook")),
    ("run-inputs", "/incidents/1/do/run?runbook=warm-shop", None),
    ("split", "/incidents/1/do/split", None),
    ("unknown", "/incidents/2", None),
    ("access", "/access?down=dns:corp", None),
    ("runbooks", "/runbooks", None),
    ("runbook", "/runbooks/warm-shop", None),
    ("oncall", "/oncall", None),
    ("search", "/search?q=dns", None),
    ("figures", "/figures?days=365", None),
    ("week", "/digest", None),
    ("update", "/incidents/1", dialog("Update")),
    ("settings", "/settings", None),
    ("password", "/me/signin", None),
    ("problem", "/incidents/99", None),
    ("ended", "/incidents/3", None),
    ("postmortem", "/incidents/3/postmortem", None),
]


async def without_sandbox(route: Route) -> None:
    """The postmortem forbids all scripts, and axe is one: here alone they may run."""
    answer = await route.fetch()
    headers = {k: v for k, v in answer.headers.items() if k != "content-security-policy"}
    await route.fulfill(response=answer, headers=headers)


async def findings(page: Page, axe: str) -> list[str]:
    """What axe finds that keeps people out: rule, where, why."""
    await page.evaluate(axe)
    found: Any = await page.evaluate("axe.run({resultTypes: ['violations']})")
    assert len(found["passes"]) > 10  # it did look
    return [
        f"{each['id']} ({each['impact']}): {node['target']} {node.get('failureSummary', '')}"
        for each in found["violations"]
        if each["impact"] in GRAVE
        for node in each["nodes"]
    ]


async def ended(world: World) -> None:
    """#3 is resolved, and its postmortem a long one, with a picture and one that is missing."""
    incident = await world.incident("Payments: everything is dark")
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:ana")
    pictures = {"inc-12-errors.png": PNG}
    page = html(draft(FACTS, blackout(), STORY, pictures), pictures)
    head = (
        "---\npatterns: [{id: lockout-circular-dependency}]\n---\n# Postmortem"  # for the figures
    )
    await world.paper(page, incident.number, markdown=head)


SMALL = """() => {
  const targets = "a[href], button, summary, select, textarea, input:not([type=hidden])";
  return [...document.querySelectorAll(targets)]
    .map(each => each.closest("label") ?? each)
    .filter(each => each.checkVisibility({visibilityProperty: true}))
    .filter(each => getComputedStyle(each).display !== "inline")  // a link in a sentence
    .map(each => [each, each.getBoundingClientRect()])
    .filter(([each, box]) => box.right > 0 && (box.height < 43.5 || box.width < 43.5))
    .map(([each, box]) => `${each.outerHTML.slice(0, 80)} ${box.width} by ${box.height}`);
}"""


async def test_axe_finds_what_keeps_people_out(site: Site, axe: str) -> None:
    """A picture without words, a field without a name, grey on grey: the rules are in force."""
    page = await site.page()
    await page.evaluate("""() => {
        const field = document.createElement("input");
        const picture = Object.assign(new Image(), {src: "/static/icon.svg"});
        const words = Object.assign(document.createElement("p"), {textContent: "hardly there"});
        words.style.color = "#ddd";
        document.querySelector("main").append(field, picture, words);
    }""")
    found = " ".join(await findings(page, axe))
    assert all(rule in found for rule in ("image-alt", "label", "color-contrast"))


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
async def test_every_page_can_be_used_by_everybody(
    site: Site, scene: Scene, axe: str, tmp_path: Path, size: dict[str, int], scheme: str
) -> None:
    """No serious or critical finding, nothing to scroll sideways, on any page."""
    await scene()
    await ended(site.world)
    site.world.proofs = PROOFS
    site.world.notice = "Slack cannot be reached since 03:12 UTC. Everything works here."
    site.world.environ = {"JACKLINE_SLACK__BOT_TOKEN": "xoxb-1", "JACKLINE_SLACK__APP_TOKEN": "xapp-1"}  # fmt: skip
    page, wrong = await site.page("dora", size, scheme), []
    await page.route("**/postmortem", without_sandbox)
    folder = Path(os.environ.get("SCREENSHOTS", tmp_path))
    for name, path, step in [*PAGES, ("signin", "/signin", None)]:
        if name == "signin":
            await page.context.clear_cookies()
        await page.goto(path)
        if step:
            await step(page)
        wrong += [f"{name}: {found}" for found in await findings(page, axe)]
        if size is PHONE:  # what a thumb meets
            wrong += [f"{name}: {found}" for found in await page.evaluate(SMALL)]
        width = await page.evaluate("document.documentElement.scrollWidth")
        if width > size["width"]:
            wrong.append(f"{name}: {width} px wide")
        if "SCREENSHOTS" in os.environ:
            whole = size is PHONE and step is None
            file = folder / f"{name}-{size['width']}-{scheme}.png"
            await page.screenshot(path=file, full_page=whole)
    assert wrong == []
