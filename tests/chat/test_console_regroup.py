"""Merging by hand in the console: shown under the line that was typed, done by its button."""

import re

from tests.chat.console_world import HTMX, World


async def test_merged_and_taken_back(world: World) -> None:
    """The same door as Slack's; the pages lead from one incident to the other."""
    browser = await world.signed_in()
    await world.incident("Checkout <is> slow")
    await world.incident("Database is down")
    form = {"incident": "1", "text": "/incident merge into #2", "key": "k" * 12}
    shown = (await browser.post("/say", data=form, headers=HTMX)).text
    assert "Merge #1 Checkout &lt;is&gt; slow" in shown
    (value,) = re.findall(r'name="value" value="(1\|[^"]+)"', shown)
    click = {"action_id": "incident_merge", "value": value}
    for said in ("#1 is part of #2 now.", "That was done before."):
        answer = await browser.post("/click", data=click, headers=HTMX)
        assert said in answer.text
    page = (await browser.get("/incidents/1")).text
    assert '<a class="pill merged" href="/incidents/2">merged into #2</a>' in page
    assert "Merged into #2: Database is down" in page
    assert '→ <strong><a href="/incidents/2">#2</a></strong>' in page
    assert "merged into #2</span>" in (await browser.get("/")).text
    note = {"incident": "1", "text": "hello", "key": "n" * 12}
    refused = await browser.post("/say", data=note, headers=HTMX)
    assert "#1 is merged into #2." in refused.text
    (value,) = re.findall(r'value="incident_unmerge">\s*<input[^>]*value="([^"]+)"', page)
    click = {"action_id": "incident_unmerge", "value": value}
    answer = await browser.post("/click", data=click, headers=HTMX)
    assert "#1 is declared again, with no alert." in answer.text
