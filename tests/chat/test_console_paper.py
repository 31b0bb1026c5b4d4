"""Working on a postmortem in the console, with scripts and without: what is typed is never lost."""

import re
from typing import Any

import httpx
import pytest

from bot.catalog import Catalog
from bot.postmortems import Postmortem
from bot.postmortems.editing.sections import split
from bot.postmortems.editing.tables import PaperCopy
from bot.store import now
from bot.timeline import rows_of
from tests.chat.console_world import HTMX, ORIGIN, World

pytestmark = pytest.mark.slow

EDIT = "/incidents/1/postmortem/edit"
DO = "/incidents/1/postmortem/do"


@pytest.fixture
async def drafted(world: World) -> World:
    """#1 is over and has its draft."""
    incident = await world.incident()
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:rosa")
    assert await world.drafts.draft_next()
    return world


def seen(page: str) -> str:
    found = re.search(r'name="seen" id="seen" value="([0-9a-f]*)"', page)
    assert found, page
    return found[1]


async def typed(browser: httpx.AsyncClient, key: str, text: str, given: str, **more: Any) -> Any:
    headers = more.get("headers", HTMX)
    return await browser.post(f"{EDIT}/{key}", data={"text": text, "seen": given}, headers=headers)


async def body(world: World, key: str) -> str:
    async with world.store.read() as session:
        part = split((await session.get_one(Postmortem, 1)).markdown).part(key)
    assert part
    return part.body


async def test_it_saves_by_itself(drafted: World) -> None:
    """Each answer has what the next one must have seen, and says when it was saved."""
    browser = await drafted.signed_in()
    assert f'href="{EDIT}"' in (await browser.get("/incidents/1")).text
    page = await browser.get(EDIT)
    assert "an owner<br>a facilitator<br>the approval of a reviewer" in " ".join(page.text.split()).replace("<br> ", "<br>")  # fmt: skip
    given = seen((await browser.get(f"{EDIT}/where-we-were-lucky")).text)
    for text in ("The cert", "The certificate ran **out**."):
        answer = await typed(browser, "where-we-were-lucky", text, given)
        assert "Saved at" in answer.text
        given = seen(answer.text)
    assert await body(drafted, "where-we-were-lucky") == "The certificate ran **out**."
    page = await browser.get(f"{EDIT}/where-we-were-lucky")
    assert "written by a person" in page.text


async def test_two_people_and_one_section(drafted: World) -> None:
    """409 with words; both texts are on the page; either is taken, or put together."""
    rosa, amir = await drafted.signed_in("rosa"), await drafted.signed_in("amir")
    given = seen((await rosa.get(f"{EDIT}/where-we-were-lucky")).text)
    await typed(rosa, "where-we-were-lucky", "Rosa's view", given)
    late = await typed(amir, "where-we-were-lucky", "Amir's <view>", given)
    assert late.status_code == 409
    assert "What you typed is kept beside it." in late.text
    page = (await amir.get(f"{EDIT}/where-we-were-lucky")).text
    assert "Rosa&#39;s view" in page
    assert "Amir&#39;s &lt;view&gt;</textarea>" in page
    assert "⚠ two texts" in (await rosa.get(EDIT)).text
    number = re.search(r'name="number" value="(\d+)"', page)
    assert number
    answer = await amir.post(f"{DO}/take", data={"number": number[1], "section": "where-we-were-lucky"}, headers=ORIGIN)  # fmt: skip
    assert answer.headers["location"] == f"{EDIT}/where-we-were-lucky"
    assert await body(drafted, "where-we-were-lucky") == "Amir's <view>"
    assert "⚠" not in (await rosa.get(EDIT)).text


async def test_without_scripts(drafted: World) -> None:
    """A form like any other: saved, refused with what was typed still there, previewed, conflict."""
    browser = await drafted.signed_in()
    given = seen((await browser.get(f"{EDIT}/where-we-were-lucky")).text)
    saved = await typed(browser, "where-we-were-lucky", "Ran out.", given, headers=ORIGIN)
    assert (saved.status_code, saved.headers["location"]) == (303, f"{EDIT}/where-we-were-lucky")
    late = await typed(browser, "where-we-were-lucky", "Other", given, headers=ORIGIN)
    assert late.headers["location"] == f"{EDIT}/where-we-were-lucky#conflicts"
    given = seen((await browser.get(f"{EDIT}/where-we-were-lucky")).text)
    wrong = await typed(browser, "where-we-were-lucky", "Mine\n\n## Next", given, headers=ORIGIN)
    assert wrong.status_code == 422
    assert "Line 3 begins another section" in wrong.text
    assert "Mine\n\n## Next</textarea>" in wrong.text
    assert seen(wrong.text) == given
    form = {
        "section": "where-we-were-lucky",
        "text": "*soft* <script>\n\n![x](javascript:1)",
        "seen": given,
    }
    shown = await browser.post("/incidents/1/postmortem/preview", data=form, headers=ORIGIN)
    assert "<em>soft</em> &lt;script&gt;" in shown.text
    assert "*soft* &lt;script&gt;" in shown.text
    assert "javascript:1&#34;" not in shown.text
    assert seen(shown.text) == given
    assert await body(drafted, "where-we-were-lucky") == "Ran out."


async def test_a_preview_shows_pictures_of_the_evidence_alone(drafted: World) -> None:
    """By the address that this page may load from; a table can be scrolled with the keyboard."""
    browser = await drafted.signed_in()
    text = (
        "![Graph <b>](../evidence/inc-1-a.png) ![Out](https://x.test/a.png)\n\n| a |\n|---|\n| b |"
    )
    form = {"section": "where-we-were-lucky", "text": text}
    shown = await browser.post("/incidents/1/postmortem/preview", data=form, headers=HTMX)
    assert '<img src="/evidence/inc-1-a.png" alt="Graph &lt;b&gt;">' in shown.text
    assert "<em>Out: picture not available</em>" in shown.text
    assert 'tabindex="0"' in shown.text


async def test_history_and_the_way_back(drafted: World) -> None:
    """What differs is said with signs and words; going back is a version of its own."""
    browser = await drafted.signed_in()
    given = seen((await browser.get(f"{EDIT}/where-we-were-lucky")).text)
    await typed(browser, "where-we-were-lucky", "Ran out.", given)
    page = (await browser.get("/incidents/1/postmortem/history")).text
    assert "From version 1 to version 2" in page
    assert '<span class="unseen">added: </span>Ran out.' in page
    assert "edited: Where we were lucky" in page
    back = await browser.post(f"{DO}/restore", data={"number": "1"}, headers=ORIGIN)
    assert back.headers["location"] == "/incidents/1/postmortem/history"
    assert (await body(drafted, "where-we-were-lucky")).startswith("- Was it luck")
    page = (await browser.get("/incidents/1/postmortem/history?from=3&to=1")).text
    assert "Their sections are the same." in page
    for query in ("from=x", "to=" + "9" * 12):
        answer = await browser.get(f"/incidents/1/postmortem/history?{query}")
        assert answer.status_code == 422
    assert (await browser.get("/incidents/1/postmortem/history?to=99")).status_code == 404


@pytest.mark.slow
async def test_review_from_note_to_final(drafted: World) -> None:
    """All of it by forms; what is missing is said; final closes the editor."""
    rosa, amir = await drafted.signed_in("rosa"), await drafted.signed_in("amir")

    async def do(browser: httpx.AsyncClient, what: str, **form: str) -> httpx.Response:
        return await browser.post(f"{DO}/{what}", data=form, headers=HTMX)

    await typed(
        rosa,
        "where-we-were-lucky",
        "Ran out.",
        seen((await rosa.get(f"{EDIT}/where-we-were-lucky")).text),
    )
    for what, person in (("review", "amir"), ("owner", "Rosa Diaz"), ("facilitator", "amir")):
        assert (await do(rosa, what, person=person)).headers["hx-redirect"] == EDIT
    note = await do(amir, "note", section="where-we-were-lucky", text="Which <one>?", key="k" * 12)
    assert note.headers["hx-redirect"] == f"{EDIT}/where-we-were-lucky"
    assert "Which &lt;one&gt;?" in (await rosa.get(f"{EDIT}/where-we-were-lucky")).text
    assert "1 open note" in (await rosa.get(EDIT)).text
    assert "Approve version 2" in (await amir.get(EDIT)).text
    assert "Approve version 2" not in (await rosa.get(EDIT)).text
    assert (await do(amir, "approve", number="2")).status_code == 200
    refused = await do(rosa, "final")
    assert refused.status_code == 409
    assert "1 open review note resolved" in refused.text
    assert (await do(rosa, "resolve", number="1", section="where-we-were-lucky")).status_code == 200
    assert (await do(rosa, "meeting", at="in 3d")).status_code == 200
    assert (await do(rosa, "meeting", at="yesterday")).status_code == 422
    assert (await do(rosa, "final")).status_code == 200
    page = (await rosa.get(f"{EDIT}/where-we-were-lucky")).text
    assert "<textarea" not in page
    assert "<p>Ran out.</p>" in page
    assert (await typed(rosa, "where-we-were-lucky", "More", "s")).status_code == 409
    assert (await do(rosa, "nothing")).status_code == 404
    assert (await rosa.get(f"{EDIT}/nowhere")).status_code == 404


async def test_action_items_become_follow_ups(drafted: World) -> None:
    """Rows that are whole are picked; others say what they lack; what became of each is shown."""
    rosa = await drafted.signed_in("rosa")
    item = {
        "text": "Alert <early>",
        "kind": "detect",
        "owner": "amir",
        "due": "2027-01-31",
        "done_when": "it fired",
    }
    answer = await rosa.post(f"{DO}/action", data=item, headers=ORIGIN)
    assert answer.headers["location"] == EDIT
    page = (await rosa.get(EDIT)).text
    assert "Alert &lt;early&gt;" in page
    assert "Follow-up 1: ⬜ open" in page
    assert "No action of these types: mitigate." in page
    answer = await rosa.post(f"{DO}/action", data=item | {"due": "soon"}, headers=HTMX)
    assert (answer.status_code, "due is &#39;soon&#39;" in answer.text) == (422, True)
    editor = (await rosa.get(f"{EDIT}/action-items")).text
    table = await body(drafted, "action-items")
    row = next(line for line in table.split("\n") if "follow-up 1" in line)
    rows = f"{row}\n| Rehearse | recover | core team | 2027-02-01 | none yet | done twice | |\n| Half | | | | | | |"
    more = table.replace(row, rows)
    assert "Saved at" in (await typed(rosa, "action-items", more, seen(editor))).text
    page = (await rosa.get(EDIT)).text
    assert "Not whole yet: type is &#39;&#39;" in page
    picks = re.findall(r'name="pick" value="([0-9a-f]+)"', page)
    pick = picks[-1]
    await rosa.post(f"{DO}/actions", data={"pick": pick}, headers=ORIGIN)
    page = (await rosa.get(EDIT)).text
    assert "Follow-up 2: ⬜ open" in page
    assert "Rehearse (follow-up 2)" in await body(drafted, "action-items")


PLACES = [
    {"id": name, "title": title, "integration": "confluence", "target": "wiki/x"}
    for name, title in (("wiki", "The <Wiki>"), ("other", ""))
]


@pytest.mark.slow
async def test_published_from_its_page(drafted: World) -> None:
    """A button for who may, once it is final; what stands where, how old it is, and what went wrong."""
    drafted.whole = Catalog.model_validate({
        "people": drafted.people, "paper_places": PLACES, "targets": [{"name": "wiki/x", "url": "http://127.0.0.1:9"}],
    })  # fmt: skip
    rosa, amir = await drafted.signed_in("rosa"), await drafted.signed_in("amir")

    async def page(of: httpx.AsyncClient) -> str:
        return " ".join((await of.get(EDIT)).text.split())

    async def change(paper: str = "final", **copy: Any) -> None:
        async with drafted.store.write() as session:
            (await session.get_one(Postmortem, 1)).state = paper
            found = await session.get(PaperCopy, (1, "wiki"))
            for name, value in copy.items():
                setattr(found, name, value)

    button = f'action="{DO}/publish"'
    assert "<strong>The &lt;Wiki&gt;</strong>: not published" in await page(rosa)
    assert "It is published once it is final" in await page(rosa)
    assert button not in await page(rosa)
    refused = await rosa.post(f"{DO}/publish", data={"place": "wiki"}, headers=HTMX)
    assert (refused.status_code, "it is not published" in refused.text) == (409, True)
    await change()
    assert (await page(rosa)).count(button) == 2
    assert button not in await page(amir)
    assert (await amir.post(f"{DO}/publish", data={"place": "wiki"}, headers=HTMX)).status_code == 403  # fmt: skip
    assert (await rosa.post(f"{DO}/publish", data={"place": "wik"}, headers=HTMX)).status_code == 404  # fmt: skip
    for headers in (ORIGIN, HTMX):  # with scripts and without; the second finds it on its way
        done = await rosa.post(f"{DO}/publish", data={"place": "wiki"}, headers=headers)
        assert done.headers["location" if headers is ORIGIN else "hx-redirect"] == EDIT
    assert "⏳ version 1 is on its way, asked for by Rosa Diaz" in await page(amir)
    assert 'hx-trigger="every 2s"' in await page(amir)
    assert (await page(rosa)).count(button) == 1
    await change(error="busy <b>")
    assert "it was not taken yet and is tried on: busy &lt;b&gt;" in await page(rosa)
    there = {"version": 1, "by": "rosa", "at": now(), "url": "https://wiki.test/1", "error": ""}
    await change("draft", state="published", **there)
    given = seen((await rosa.get(f"{EDIT}/where-we-were-lucky")).text)
    await typed(rosa, "where-we-were-lucky", "Ran out.", given)
    await change()
    shown = await page(rosa)
    assert '<a href="https://wiki.test/1" rel="noopener noreferrer" target="_blank">version 1</a> since' in shown  # fmt: skip
    assert "it is older than the text, which is version 2" in shown
    assert "Publish again" in shown
    assert "hx-trigger" not in shown.split('id="published"')[1].split("</section>")[0]
    drafted.whole = drafted.whole.model_copy(update={"paper_places": []})
    shown = await page(rosa)
    assert "<strong>wiki</strong>: has" in shown
    assert button not in shown
    async with drafted.store.read() as session:
        kinds = [r.kind for r in await rows_of(session, 1)]
    assert kinds.count("postmortem_publish_asked") == 1
