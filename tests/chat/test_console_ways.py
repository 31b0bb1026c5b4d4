"""The console's page of what stands on what."""

import re

from bot.access.tables import PackedBag
from bot.catalog import AccessDrill, Catalog
from bot.store import now
from tests.chat.console_world import HTMX, World
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
    assert "<strong>look</strong> <b>✓ runs</b><br>direct: s1" in text
    assert (
        "<strong>fence</strong> <b>✗ does not run</b><br>✗ path bastion → sso:okta: s1 → ssh/pg1"
        in text
    )
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


async def test_the_drills(world: World) -> None:
    """A table once the catalog has one; asked for on an incident's page, the result is said there."""
    incident = await world.incident()
    browser = await furnished(world).signed_in()
    assert "<h2>Drills</h2>" not in (await browser.get("/access")).text
    async with world.store.write() as session:
        session.add(PackedBag(id="b", packed_at=now(), recipients=1, digest="d", signer="s"))
    text = " ".join((await browser.get("/access")).text.split())
    assert "<h2>Drills</h2> <p>The go-bag: none was drilled yet.</p>" in text
    drill = AccessDrill(name="monthly", down=["sso:okta"], schedule="0 10 * * *", least=0.9)
    assert world.whole is not None
    world.whole = world.whole.model_copy(update={"drills": [drill]})
    world.runs.library.catalog = world.whole
    text = " ".join((await browser.get("/access")).text.split())
    row = re.sub(r' data-label="[^"]+"', "", text)  # a phone's headings
    assert "<td>monthly</td><td>sso:okta</td><td>20" in row
    assert "10:00 UTC</td><td>never</td><td></td><td></td></tr>" in row
    form = {"incident": str(incident.number), "key": "k" * 12, "text": "/access drill monthly"}
    answer = await browser.post("/say", data=form, headers=HTMX)
    assert "The drill monthly with sso:okta down is under way" in answer.text
    page = (await browser.get(f"/incidents/{incident.number}")).text
    assert "With sso:okta down, " in page
    text = " ".join((await browser.get("/access")).text.split())
    assert '<td colspan="6">' in text
    assert "of the runbooks run, and 90% should; " in text
