"""The console in a real browser: keys, forms, what a newcomer does."""

import re

import pytest
from playwright.async_api import expect

from tests.browser.chromium import PHONE
from tests.browser.conftest import Scene, Site

pytestmark = [pytest.mark.server, pytest.mark.browser]


async def test_a_command_is_typed_with_four_keys(site: Site, scene: Scene) -> None:
    """`/`, a few letters, Tab and Enter; the choices are a combobox that says what is active."""
    await scene()
    page = await site.page()
    await page.goto("/incidents/1")
    await page.keyboard.press("/")
    box = page.get_by_role("combobox")
    await expect(box).to_be_focused()
    await expect(box).to_have_attribute("aria-expanded", "true")
    await page.keyboard.type("sev")
    await expect(page.get_by_role("option")).to_have_count(1)
    await page.keyboard.press("Tab")
    await expect(box).to_have_value("/incident severity ")
    await expect(page.get_by_role("option")).to_have_count(4)
    await page.keyboard.press("ArrowDown")
    await page.keyboard.press("ArrowDown")
    active = await box.get_attribute("aria-activedescendant")
    await expect(page.locator(f"#{active}")).to_have_attribute("aria-selected", "true")
    await page.keyboard.press("Enter")
    await expect(box).to_have_value("/incident severity sev2 ")
    await expect(box).to_have_attribute("aria-expanded", "false")
    await page.keyboard.press("Enter")
    await expect(page.locator("article.card")).to_contain_text("SEV2")
    await expect(box).to_have_value("")
    await page.keyboard.type("/x")
    await expect(box).to_have_attribute("aria-expanded", "false")


async def test_escape_closes_the_choices_and_then_leaves(site: Site, scene: Scene) -> None:
    """Nobody is caught in the list: Escape closes it, Tab then goes on."""
    await scene()
    page = await site.page()
    await page.goto("/incidents/1")
    await page.keyboard.press("/")
    box = page.get_by_role("combobox")
    await expect(page.get_by_role("listbox")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("listbox")).to_be_hidden()
    await expect(box).to_be_focused()
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("button", name="Send")).to_be_focused()


async def test_the_choices_work_with_a_thumb(site: Site, scene: Scene) -> None:
    """A tap chooses and the keyboard of the phone stays; inputs of a runbook say what they take."""
    await scene()
    page = await site.page(size=PHONE, has_touch=True)
    await page.goto("/incidents/1")
    box = page.get_by_role("combobox")
    await box.tap()
    await page.keyboard.type("/run")
    await page.get_by_role("option").filter(has_text="/runbook run").tap()
    await page.get_by_role("option").filter(has_text="warm-shop").tap()
    await expect(box).to_be_focused()
    await expect(page.get_by_role("option").first).to_have_text(re.compile("mode=.*needed"))
    await page.get_by_role("option").first.tap()
    await page.get_by_role("option").filter(has_text="gently").tap()
    await expect(box).to_have_value("/runbook run warm-shop mode=gently ")


async def test_everything_works_without_scripts(site: Site, scene: Scene) -> None:
    """Forms are pages; a note, a severity and a runbook's inputs go through."""
    await scene()
    page = await site.page(java_script_enabled=False)
    await page.goto("/incidents/1")
    await page.get_by_label("A note, or a command").fill("/incident severity sev3")
    await page.get_by_role("button", name="Send").click()
    await expect(page.locator("#bar")).to_contain_text("SEV3")
    await page.get_by_role("link", name="Severity").click()
    await page.get_by_role("radio", name="SEV1").check()
    await page.get_by_role("button", name="Change it").click()
    await expect(page.locator("#bar")).to_contain_text("SEV1")
    await page.get_by_role("link", name="Run a runbook").click()
    await page.get_by_role("link", name="Warm the shop").click()
    await page.get_by_label("mode").select_option("fast")
    await page.get_by_role("button", name="Show the plan").click()
    await expect(page.locator("#rows")).to_contain_text("Warm the shop")


async def test_forms_open_over_the_page(site: Site, scene: Scene) -> None:
    """A dialog: named, focused, closed by Escape; its answer is said on the page."""
    await scene()
    page = await site.page()
    await page.goto("/incidents/1")
    await page.get_by_role("link", name="Status").click()
    dialog = page.get_by_role("dialog", name="Status")
    await expect(dialog).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(dialog).to_be_hidden()
    await page.get_by_role("link", name="Note").click()
    await expect(page.get_by_label("For the timeline")).to_be_focused()
    await page.keyboard.type("Customers call")
    await page.get_by_role("button", name="Put it on the timeline").click()
    await expect(page.get_by_role("dialog")).to_be_hidden()
    await expect(page.locator("#feed")).to_contain_text("Customers call")
    await page.get_by_role("link", name="Split").click()
    await page.get_by_label("zone").select_option("b")
    await page.get_by_role("button", name="Show what moves").click()
    await expect(page.locator("#answer").get_by_role("button")).to_be_visible()


async def test_signing_out_everywhere_ends_the_other_browser(site: Site, scene: Scene) -> None:
    """Its open page goes to the sign-in page by itself, and so does whatever it asks for next."""
    await scene()
    left_behind, page = await site.page(), await site.page()
    await left_behind.goto("/incidents/1")
    await expect(left_behind.get_by_role("combobox")).to_be_visible()
    second_tab = await left_behind.context.new_page()
    await second_tab.goto("/")
    await page.goto("/me/signin")
    await page.get_by_role("button", name="Sign out everywhere").click()
    await page.wait_for_url("**/signin")
    await left_behind.wait_for_url("**/signin")
    await second_tab.goto("/runbooks")
    await expect(second_tab).to_have_url(re.compile("/signin$"))
    await page.goto("/")
    await expect(page).to_have_url(re.compile("/signin$"))


async def test_inputs_have_their_bounds_as_fields(site: Site, scene: Scene) -> None:
    """The browser refuses what the runbook does; the server's words stand in the dialog."""
    await scene()
    page = await site.page(size=PHONE)
    await page.goto("/incidents/1")
    await page.get_by_role("link", name="Run a runbook").click()
    await page.get_by_role("dialog").get_by_role("link", name="Warm the shop").click()
    percent = page.get_by_label("percent")
    await expect(percent).to_have_attribute("max", "100")
    await page.get_by_label("mode").select_option("fast")
    await percent.fill("500")
    await page.get_by_role("button", name="Show the plan").click()
    await expect(page.get_by_role("dialog")).to_be_visible()
    assert await percent.evaluate("field => field.validity.rangeOverflow")
    await percent.evaluate("field => field.removeAttribute('max')")
    await page.get_by_role("button", name="Show the plan").click()
    await expect(page.get_by_role("dialog")).to_contain_text("percent: 500 is above 100")
    await percent.fill("5")
    await page.get_by_role("button", name="Plan it and ask for approval").click()
    await expect(page.locator("#answer")).to_contain_text("is asked for")


async def test_a_runbook_is_planned_from_its_page(site: Site, scene: Scene) -> None:
    """Found by a word, read, and planned in the incident: the form leads there."""
    await scene()
    page = await site.page()
    await page.locator(".menu summary").click()
    await page.get_by_role("link", name="Runbooks").click()
    await page.get_by_label("Words of it").fill("cache cold")
    await page.get_by_role("button", name="Search").click()
    await page.get_by_role("link", name="Warm the shop").click()
    await page.get_by_role("link", name="Plan it in #1").click()
    await page.get_by_label("mode").select_option("fast")
    await page.get_by_role("button", name="Show the plan").click()
    await expect(page).to_have_url(re.compile("/incidents/1$"))
    await expect(page.locator("#rows")).to_contain_text("Warm the shop")


async def test_an_incident_is_printed_whole(site: Site, scene: Scene) -> None:
    """On paper: the timeline unfolded, nothing to click, dark on white."""
    await scene()
    page = await site.page(size=PHONE, scheme="dark")
    await page.goto("/incidents/1")
    await page.emulate_media(media="print", color_scheme="dark")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await expect(page.locator("#rows")).to_be_visible()
    await expect(page.locator("#feed")).to_contain_text("DNS is fine")
    for gone in ("#say", ".do", ".menu", ".actions", ".declare"):
        await expect(page.locator(gone).first).to_be_hidden()
    ground = "getComputedStyle(document.body).backgroundColor"
    assert await page.evaluate(ground) == "rgb(255, 255, 255)"


async def test_keys_lead_everywhere_and_can_be_turned_off(site: Site, scene: Scene) -> None:
    """?, j, k, l, d, r; letters typed into a field are letters; off is remembered."""
    await scene()
    page = await site.page()
    await page.goto("/incidents/2")
    await page.keyboard.press("?")
    await expect(page.get_by_role("dialog", name="Shortcuts")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("j")
    await expect(page).to_have_url(re.compile("/incidents/1$"))
    await page.keyboard.press("k")
    await expect(page).to_have_url(re.compile("/incidents/2$"))
    await page.keyboard.press("d")
    await expect(page.get_by_role("dialog", name="Declare an incident")).to_be_visible()
    await page.keyboard.type("lkj")
    await expect(page.get_by_label("What is broken?")).to_have_value("lkj")
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("r")
    await expect(page.get_by_role("dialog", name="Which runbook?")).to_be_visible()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.keyboard.press("?")
    await page.get_by_label("Shortcuts on this device").uncheck()
    await page.keyboard.press("Escape")
    await expect(page.get_by_role("dialog")).to_have_count(0)
    await page.reload()
    await page.keyboard.press("l")
    await page.wait_for_timeout(200)
    await expect(page).to_have_url(re.compile("/incidents/2$"))


async def test_approving_by_key_asks_once_more(site: Site, scene: Scene) -> None:
    """`a` asks; no is no; yes is the same click as the button's."""
    await scene()
    page, asked = await site.page("ben"), []

    async def answer(dialog: object) -> None:
        asked.append(dialog.message)  # type: ignore[attr-defined]
        await (dialog.accept() if len(asked) > 1 else dialog.dismiss())  # type: ignore[attr-defined]

    page.on("dialog", answer)
    await page.goto("/incidents/1")
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="Approve")).to_be_visible()
    await page.keyboard.press("a")
    await expect(page.get_by_role("button", name="Approve")).to_have_count(0)
    assert ["Drain an edge" in text for text in asked] == [True, True]
    kinds = [row.kind for row in await site.world.rows(await site.world.incident("x"))]
    assert kinds == ["incident_declared"]
