"""Updates in the console: a draft in a form, shown once more where others read it, sent by a button."""

import re

from bot.catalog import AudiencePlace, Catalog, Person, Service
from tests.chat.console_world import HTMX, ROSA, World


async def test_a_customers_update_by_the_form(world: World) -> None:
    world.whole = Catalog(
        people=[ROSA, Person(id="amir", name="Amir")],
        services=[Service(id="web", title="Web", tier="p0", public="Shop")],
        audiences=[AudiencePlace(id="customers", channels=["C0CUST"])],
    )
    browser = await world.signed_in()
    incident = await world.incident("Checkout <is> down")
    form = {"incident": "1", "text": "/incident update customers", "key": "k" * 12}
    shown = (await browser.post("/say", data=form, headers=HTMX)).text
    assert "We are investigating a problem with Shop.</textarea>" in shown
    (key,) = re.findall(r'name="key" value="([^"]+)"', shown)
    fields = {"incident": "1", "audience": "customers", "key": key, "text": "Shop is <slow>."}
    wrong = await browser.post("/update", data=fields | {"next": "soon"}, headers=HTMX)
    assert wrong.status_code == 422
    assert "I cannot read &#39;soon&#39; as a time" in wrong.text
    for _ in range(2):  # sent twice over a bad line
        preview = (await browser.post("/update", data=fields | {"next": "30m"}, headers=HTMX)).text
        assert "Shop is &lt;slow&gt;." in preview
    assert not [r for r in await world.rows(incident) if r.kind == "communication_sent"]
    (value,) = re.findall(r'value="update_send">\s*<input[^>]*value="([^"]+)"', preview)
    click = {"action_id": "update_send", "value": value}
    assert "is out to customers" in (await browser.post("/click", data=click, headers=HTMX)).text
    again = await browser.post("/click", data=click, headers=HTMX)
    assert again.status_code == 409
    (row,) = [r for r in await world.rows(incident) if r.kind == "communication_sent"]
    assert row.text == "Update to customers: Shop is <slow>."
    page = (await browser.get("/incidents/1")).text
    assert "<strong>To customers</strong><br>Shop is &lt;slow&gt;." in page


async def test_a_private_incident_is_not_there_for_others(world: World) -> None:
    """Neither its form nor the button of its update."""
    async with world.store.write() as session:
        await world.incidents.declare(
            session, title="Hush", severity="sev2", actor="person:rosa", origin="o", private=True
        )
    rosa, amir = await world.signed_in(), await world.signed_in("amir")
    form = {"incident": "1", "text": "/incident update", "key": "k" * 12}
    shown = (await rosa.post("/say", data=form, headers=HTMX)).text
    (value,) = re.findall(r'value="update_send">\s*<input[^>]*value="([^"]+)"', shown)
    click = {"action_id": "update_send", "value": value}
    assert (await amir.post("/click", data=click, headers=HTMX)).status_code == 404
    fields = {"incident": "1", "audience": "internal", "key": "x" * 12, "text": "Hi"}
    assert (await amir.post("/update", data=fields, headers=HTMX)).status_code == 404
    assert (await rosa.post("/update", data=fields, headers=HTMX)).status_code == 200


async def test_the_page_of_the_form(world: World) -> None:
    """For each audience its own draft and button; nothing goes out with words that are no time."""
    world.whole = Catalog(
        people=[ROSA], services=[Service(id="web", title="Web", tier="p0", public="Shop")],
        audiences=[AudiencePlace(id="customers", channels=["C0CUST"])],
    )  # fmt: skip
    browser, incident = await world.signed_in(), await world.incident()
    ours = (await browser.get("/incidents/1/do/update")).text
    assert "Web: SEV1, declared" in ours
    assert "Send it" in ours
    assert 'href="/incidents/1/do/update?to=customers"' in ours
    theirs = (await browser.get("/incidents/1/do/update?to=customers")).text
    assert "We are investigating a problem with Shop.</textarea>" in theirs
    assert "Preview it" in theirs
    fields = {"key": "k" * 12, "audience": "internal", "text": "Shop is slow", "next": "soon"}
    wrong = await browser.post("/incidents/1/do/update", data=fields, headers=HTMX)
    assert wrong.status_code == 422
    fields |= {"audience": "customers", "next": ""}
    at = HTMX | {"HX-Current-URL": "http://test/incidents/1"}
    preview = await browser.post("/incidents/1/do/update", data=fields, headers=at)
    assert "update_send" in preview.text
    assert not [r for r in await world.rows(incident) if r.kind == "communication_sent"]
