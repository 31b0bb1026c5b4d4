"""The console's page of what stands on what."""

from bot.catalog import Catalog
from tests.chat.console_world import World
from tests.runbooks.ground import EVERYTHING, check, fence, parsed
from tests.runbooks.room import runbook


def furnished(world: World) -> World:
    """Two runbooks, and the catalog in which much stands on something."""
    found = [
        parsed(runbook(check("shop"), name="look")),
        parsed(runbook(fence("pg1"), name="fence")),
    ]
    world.runs.library.runbooks = {each.id: each for each in found}
    world.whole = Catalog.model_validate(
        EVERYTHING | {"people": [person.model_dump() for person in world.people]}
    )
    return world


async def test_the_picture_and_what_still_runs(world: World) -> None:
    """First the picture alone; then, for what is said to be down, each runbook and its ways."""
    browser = await furnished(world).signed_in()
    plain = await browser.get("/access")
    assert plain.status_code == 200
    assert 'src="/access.svg"' in plain.text
    drawn = await browser.get("/access.svg")
    assert drawn.headers["content-type"].startswith("image/svg+xml")
    assert drawn.text.startswith("<svg ")
    asked = await browser.get("/access", params={"down": "sso:okta,orders"})
    text = " ".join(asked.text.split())
    assert "<strong>look</strong> runs<br>direct: s1" in text
    assert "<strong>fence</strong> does not run<br>✗ path bastion → sso:okta: s1 → ssh/pg1" in text
    assert "Jackline&#39;s own database is down too: run from the go-bag" in text
    assert 'src="/access.svg?down=sso%3Aokta%2Corders"' in text
    red = await browser.get("/access.svg", params={"down": "sso:okta"})
    assert "path bastion → sso:okta" in red.text


async def test_a_name_that_is_none(world: World) -> None:
    """Said in words, with the status of bad input; the same for the picture."""
    browser = await world.signed_in()
    for page in ("/access", "/access.svg"):
        refused = await browser.get(page, params={"down": "slak"})
        assert refused.status_code == 422
        assert "did you mean &#39;slack&#39;?" in refused.text
        assert (await browser.get(page, params={"down": "x" * 1001})).status_code == 422
