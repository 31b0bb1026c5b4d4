"""The console as a browser meets it: pages, clicks, words for errors, files."""

import struct

import httpx

from bot.postmortems import Postmortem
from tests.chat.console_world import HTMX, ORIGIN, World

# Pages


async def test_declaring_by_the_form_makes_one_incident(world: World) -> None:
    """The form leads to the new incident; the same form sent twice declares once."""
    browser = await world.signed_in()
    form = {"severity": "sev1", "title": "Checkout <is> down", "key": "k" * 12}
    for _ in range(2):
        answer = await browser.post("/declare", data=form, headers=HTMX)
        assert answer.headers["hx-redirect"] == "/incidents/1"
    assert (await browser.post("/declare", data=form, headers=ORIGIN)).headers[
        "location"
    ] == "/incidents/1"
    page = (await browser.get("/incidents/1")).text
    assert "Checkout &lt;is&gt; down" in page
    assert "<is>" not in page
    assert "<title>🔴 SEV1 · #1 Checkout" in page
    listing = (await browser.get("/")).text
    assert listing.count('href="/incidents/') == 1


async def test_a_wrong_form_is_answered_with_words(world: World) -> None:
    """422 with message and hint, as a fragment for htmx and as a page without scripts."""
    browser = await world.signed_in()
    form = {"severity": "sev1", "title": " ", "key": "k" * 12}
    fragment = await browser.post("/declare", data=form, headers=HTMX)
    assert fragment.status_code == 422
    assert "needs a title" in fragment.text
    assert "<html" not in fragment.text
    page = await browser.post("/declare", data=form, headers=ORIGIN)
    assert page.status_code == 422
    assert "<html" in page.text


async def test_an_incident_that_does_not_exist_is_404(world: World) -> None:
    """Also for numbers no database could hold."""
    browser = await world.signed_in()
    for number in ("9", "9" * 30):
        for path in ("", "/feed", "/events", "/postmortem.md"):
            assert (await browser.get(f"/incidents/{number}{path}")).status_code == 404
    click = {"action_id": "incident_lead", "value": "9" * 30}
    assert (await browser.post("/click", data=click, headers=HTMX)).status_code == 422


async def test_the_banner_shows_what_is_wrong(world: World) -> None:
    """`notice` is shown on every page, escaped."""
    browser, incident = await world.signed_in(), await world.incident()
    world.notice = "Slack cannot be reached <since> 12:03"
    for path in ("/", f"/incidents/{incident.number}"):
        assert "Slack cannot be reached &lt;since&gt; 12:03" in (await browser.get(path)).text


async def test_a_message_that_cannot_be_drawn_does_not_hide_the_others(world: World) -> None:
    """One bad payload costs one message, not the page."""
    browser, incident = await world.signed_in(), await world.incident()
    async with world.store.write() as session:
        await world.incidents.outbox.say(session, incident.number, "bad", "run", {})
        await world.incidents.note(session, incident, "still here", "person:amir", key="n")
    page = (await browser.get("/incidents/1")).text
    assert "cannot be shown" in page
    assert "still here" in page


# What people do


async def test_text_is_a_note_and_sent_twice_is_one(world: World) -> None:
    """A plain line lands on the timeline once, however often a bad line repeats it."""
    browser, incident = await world.signed_in(), await world.incident()
    form = {"incident": "1", "text": "DNS *is* fine", "key": "n" * 12}
    for _ in range(2):
        answer = await browser.post("/say", data=form, headers=HTMX)
        assert answer.status_code == 200
    notes = [r for r in await world.rows(incident) if r.kind == "note_added"]
    assert [(n.text, n.actor) for n in notes] == [("DNS *is* fine", "person:rosa")]


async def test_other_words_from_the_same_page_are_another_note(world: World) -> None:
    """No answer came over a bad line, so more was written and sent: nothing of it is lost."""
    browser, incident = await world.signed_in(), await world.incident()
    said = ["DNS is fine", "DNS is fine, the edge is not", "DNS is fine, the edge is not"]
    for text in said:
        form = {"incident": "1", "text": text, "key": "n" * 12}
        assert "Noted." in (await browser.post("/say", data=form, headers=HTMX)).text
    notes = [r.text for r in await world.rows(incident) if r.kind == "note_added"]
    assert notes == said[:2]


async def test_a_command_is_done_and_a_misspelt_one_is_refused(world: World) -> None:
    """`/incident …` acts on the page's incident; `/incidnet` is not taken for a note."""
    browser, incident = await world.signed_in(), await world.incident()

    async def say(text: str) -> httpx.Response:
        form = {"incident": "1", "text": text, "key": f"key-{abs(hash(text))}"}
        return await browser.post("/say", data=form, headers=HTMX)

    assert "sev2 now" in (await say("/incident severity 2")).text
    assert "/incident lead" in (await say("/incident")).text
    assert (await say("/incidnet resolve")).status_code == 422
    assert (await say("/incident fly")).status_code == 422
    assert (await say("/runbook run nothing")).status_code == 404
    assert (await say("/etc/hosts is empty on edge-3")).status_code == 200
    kinds = [r.kind for r in await world.rows(incident)]
    assert kinds == ["incident_declared", "severity_changed", "note_added"]


async def test_a_click_goes_through_the_same_door_as_slacks(world: World) -> None:
    """A button's form does what the button says; a move that is not possible is a 409."""
    browser, incident = await world.signed_in(), await world.incident()
    lead = {"action_id": "incident_lead", "value": "1"}
    assert (await browser.post("/click", data=lead, headers=HTMX)).status_code == 200
    resolve = {"action_id": "incident_resolve", "value": "1"}
    assert (await browser.post("/click", data=resolve, headers=HTMX)).status_code == 200
    back = {"action_id": "incident_monitoring", "value": "1"}
    refused = await browser.post("/click", data=back, headers=HTMX)
    assert refused.status_code == 409
    assert "cannot become monitoring" in refused.text
    assert (await world.rows(incident))[-1].data == {"from": "investigating", "to": "resolved"}


async def test_the_wrong_persons_click_is_refused_with_words(world: World) -> None:
    """Who asked may not approve; another approver may, and it counts as said in the console."""
    incident = await world.incident()
    run = await world.waiting_run(incident)
    rosa, amir = await world.signed_in("rosa"), await world.signed_in("amir")
    page = (await rosa.get("/incidents/1")).text
    assert "Approve or refuse" in page
    assert "edge-3: ready → <strong>drain</strong>" in page
    approve = {"action_id": "run_approve", "value": f"{run.id}|{run.plan_digest}"}
    refused = await rosa.post("/click", data=approve, headers=HTMX)
    assert refused.status_code == 403
    assert "another person must approve it" in refused.text
    assert (await amir.post("/click", data=approve, headers=HTMX)).status_code == 200
    rows = await world.rows(incident)
    approved = next(r for r in rows if r.kind == "run_approved")
    assert (approved.actor, approved.data["surface"]) == ("person:amir", "console")


# Files


async def test_only_pictures_of_the_evidence_folder_are_served(world: World) -> None:
    """No path, no link, no other kind of file leads out of the folder."""
    browser, folder = await world.signed_in(), world.folder / "evidence"
    await world.incident()
    folder.mkdir()
    (folder / "inc-1-abc.png").write_bytes(b"\x89PNG")
    (folder / "notes.txt").write_text("x")
    (folder / "link.png").symlink_to(world.folder / "jackline.db")
    assert (await browser.get("/evidence/inc-1-abc.png")).content == b"\x89PNG"
    for name in ("..%2Fjackline.db", "%2e%2e%2fjackline.db", "notes.txt", "link.png", "none.png",
                 "..%5Cx.png", ".png", "%00.png", "inc-1-abc.png%0a"):  # fmt: skip
        assert (await browser.get(f"/evidence/{name}")).status_code == 404, name


async def test_long_answers_are_files_and_never_pages(world: World) -> None:
    """A log line that is HTML is downloaded as text; the page has a link to it."""
    browser, incident = await world.signed_in(), await world.incident()
    (world.folder / "evidence").mkdir()
    (world.folder / "evidence" / "inc-1-ab.txt").write_text("<script>alert(1)</script>")
    async with world.store.write() as session:
        payload = {"file": "", "title": "", "files": ["inc-1-ab.txt"]}
        await world.incidents.outbox.say(session, incident.number, "e", "evidence", payload)
    assert 'href="/evidence/inc-1-ab.txt"' in (await browser.get("/incidents/1")).text
    answer = await browser.get("/evidence/inc-1-ab.txt")
    assert answer.headers["content-type"].startswith("text/plain")
    assert answer.headers["content-disposition"].startswith("attachment")


async def test_evidence_is_shown_in_its_place_with_its_size(world: World) -> None:
    """The page knows the picture's size beforehand, so that nothing jumps when it loads."""
    browser, incident = await world.signed_in(), await world.incident()
    (world.folder / "evidence").mkdir()
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 720, 260)
    (world.folder / "evidence" / "inc-1-ab.png").write_bytes(head)
    async with world.store.write() as session:
        payload = {"file": "inc-1-ab.png", "title": 'Errors "5xx"', "missing": []}
        await world.incidents.outbox.say(session, incident.number, "e", "evidence", payload)
    page = (await browser.get("/incidents/1")).text
    assert (
        '<img src="/evidence/inc-1-ab.png" alt="Errors &#34;5xx&#34;" width="720" height="260">'
        in page
    )


async def test_the_postmortem_can_be_downloaded_once_there_is_one(world: World) -> None:
    """Attached, in each form, and only after resolution; for customers only once it is final."""
    browser, incident = await world.signed_in(), await world.incident()
    paper = "# Post <b>mortem</b> canary-of-the-console\n\n## For customers\n\nAll is well.\n"
    await world.paper(markdown=paper)
    assert (await browser.get("/incidents/1/postmortem.md")).status_code == 404
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:rosa")
    assert "postmortem.html" in (await browser.get("/incidents/1")).text
    for kind, start in (
        ("md", b"# Post"), ("html", b"<!doctype"), ("pdf", b"%PDF"), ("docx", b"PK"), ("json", b"{"),
        ("csv", b"seq,at"),
    ):  # fmt: skip
        answer = await browser.get(f"/incidents/1/postmortem.{kind}")
        assert answer.content.startswith(start)
        assert b"canary-of-the" not in answer.content
        assert answer.headers["content-disposition"].startswith("attachment")
    refused = await browser.get("/incidents/1/customers.pdf")
    assert refused.status_code == 409
    assert "is not final (draft)" in refused.text
    async with world.store.write() as session:
        (await session.get_one(Postmortem, 1)).state = "final"
    told = await browser.get("/incidents/1/customers.md")
    assert told.text == "# Incident report\n\nAll is well.\n"
    assert (await browser.get("/incidents/1/customers.csv")).status_code == 404
    assert (await browser.get("/incidents/1/postmortem.exe")).status_code == 404
