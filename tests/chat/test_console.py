"""The console as a browser meets it: sign-in, pages, clicks, words for errors, live changes."""

import asyncio
import re
import struct
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx
import pytest
import time_machine
import uvicorn
from sqlmodel import SQLModel, select
from starlette.applications import Starlette

from bot.catalog import Catalog, Person, Service
from bot.chat import Cards, Clicks, Commands
from bot.chat.console import build_console, signin_link
from bot.delivery import Message, Outbox
from bot.incidents import Incident, Incidents
from bot.registry import load
from bot.runbooks import Library, Run, Runs
from bot.store import Store, now
from bot.timeline import Entry, Ledger, rows_of
from tests.servers.process import HOST, free_port

KEY = b"k" * 32
BASE = "http://console.test"
ORIGIN = {"origin": BASE}
HTMX = {**ORIGIN, "hx-request": "true"}
PLAN: dict[str, Any] = {
    "approvals": {"count": 1, "role": "approver"},
    "steps": [
        {
            "id": "drain", "heading": "Drain edge-3", "action": "haproxy.drain_server",
            "changes": [{"what": "edge-3", "before": "ready", "after": "drain", "share": 0.25}],
            "note": "", "undo": "back to what it was",
        }
    ],
}  # fmt: skip
ROSA = Person(id="rosa", name="Rosa Diaz", roles=["responder", "commander"])
AMIR = Person(id="amir", name="Amir Ito", roles=["responder", "approver"])


@dataclass
class Paper:
    markdown: str = "# Postmortem"
    html: str = "<h1>Postmortem</h1>"


@dataclass
class World:
    """A console over a real database in a folder of its own."""

    folder: Path
    store: Store
    people: list[Person] = field(default_factory=lambda: [ROSA, AMIR])
    papers: dict[int, Paper] = field(default_factory=dict)
    notice: str = ""

    def __post_init__(self) -> None:
        self.incidents = Incidents(Ledger(b"audit"), Outbox(()), self.catalog)
        (self.folder / "runbooks" / "catalog").mkdir(parents=True)
        self.runs = Runs(self.incidents, Library(self.folder / "runbooks", load()))
        self.app = Starlette(
            routes=build_console(
                store=self.store,
                cards=Cards(self.catalog, BASE),
                commands=Commands(self.store, self.incidents, self.runs),
                clicks=Clicks(self.store, self.incidents, self.runs),
                incidents=self.incidents,
                runs=self.runs,
                postmortem=self.postmortem,
                catalog=self.catalog,
                session_key=KEY,
                data_dir=self.folder,
                notice=lambda: self.notice,
            )
        )

    def catalog(self) -> Catalog:
        return Catalog(people=self.people, services=[Service(id="web", title="Web", tier="p0")])

    async def postmortem(self, _session: object, incident_id: int) -> Paper | None:
        return self.papers.get(incident_id)

    def browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url=BASE)

    async def signed_in(self, person: str = "rosa") -> httpx.AsyncClient:
        browser = self.browser()
        assert (await browser.get(signin_link(KEY, person, BASE))).status_code == 303
        return browser

    async def incident(self, title: str = "Checkout is down") -> Incident:
        async with self.store.write() as session:
            return await self.incidents.declare(
                session, title=title, severity="sev1", actor="person:rosa", origin=title,
                services=["web"],
            )  # fmt: skip

    async def waiting_run(self, incident: Incident) -> Run:
        async with self.store.write() as session:
            run = Run(
                incident_id=incident.number, runbook_id="drain", title="Drain an edge", text="",
                digest="d", path="drain.md", origin="test", state="waiting", requester="rosa",
                plan=PLAN, plan_digest="p" * 64,
            )  # fmt: skip
            session.add(run)
            await session.flush()
            await self.runs.show(session, run)
            return run

    async def rows(self, incident: Incident) -> list[Entry]:
        async with self.store.read() as session:
            return await rows_of(session, incident.number)


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/jackline.db")
    async with store.engine.begin() as connection:
        await connection.run_sync(SQLModel.metadata.create_all)
    yield World(tmp_path, store)
    await store.close()


def marker(page: str) -> dict[str, str]:
    """What the page's hidden fields say that it shows."""
    form = re.search(r'<form id="marker".*?</form>', page, re.DOTALL)
    assert form
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))


# Who gets in


async def test_a_sign_in_link_works_once(world: World) -> None:
    """The link leads in and sets a cookie scripts cannot read; the same link again is refused."""
    browser, link = world.browser(), signin_link(KEY, "rosa", BASE + "/")
    first = await browser.get(link)
    assert first.status_code == 303
    cookie = first.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=lax" in cookie
    assert "Secure" not in cookie
    page = await browser.get("/")
    assert "Rosa Diaz" in page.text
    assert "responder, commander" in page.text
    again = await world.browser().get(link)
    assert again.status_code == 403
    assert "was used" in again.text


async def test_a_preview_of_a_link_uses_nothing_up(world: World) -> None:
    """HEAD, as link previews send it, leaves the link usable."""
    link = signin_link(KEY, "rosa", BASE)
    assert (await world.browser().head(link)).status_code == 200
    assert (await world.browser().get(link)).status_code == 303


async def test_the_cookie_is_secure_over_https(world: World) -> None:
    """Over https the cookie never travels in the clear."""
    browser = httpx.AsyncClient(
        transport=httpx.ASGITransport(app=world.app), base_url="https://console.test"
    )
    answer = await browser.get(signin_link(KEY, "rosa", "https://console.test"))
    assert "Secure" in answer.headers["set-cookie"]


async def test_a_link_is_refused_when_old_or_altered_or_for_a_stranger(world: World) -> None:
    """15 minutes, this key, a person of the catalog; anything else is refused with words."""
    link = signin_link(KEY, "rosa", BASE)
    with time_machine.travel(now().timestamp() + 16 * 60, tick=False):
        assert "too old" in (await world.browser().get(link)).text
    for wrong in (link[:-2] + "xx", signin_link(b"other" * 8, "rosa", BASE)):
        assert (await world.browser().get(wrong)).status_code == 403
    assert (await world.browser().get(signin_link(KEY, "eve", BASE))).status_code == 403


async def test_a_session_token_is_no_sign_in_link(world: World) -> None:
    """The two signatures are not interchangeable."""
    browser = await world.signed_in()
    cookie = browser.cookies["jackline_session"]
    assert (await world.browser().get(f"/signin?token={cookie}")).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/list", "/events", "/incidents/1", "/incidents/1/feed", "/incidents/1/events",
     "/incidents/1/postmortem.md", "/evidence/a.png"],
)  # fmt: skip
async def test_nothing_is_shown_without_a_session(world: World, path: str) -> None:
    """Pages lead to the sign-in page; fragments make htmx go there."""
    answer = await world.browser().get(path)
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    fragment = await world.browser().get(path, headers={"hx-request": "true"})
    assert (fragment.status_code, fragment.headers["hx-redirect"]) == (401, "/signin")


async def test_a_person_who_left_the_catalog_is_signed_out(world: World) -> None:
    """The cookie names a person; what the person may do is read each time."""
    browser = await world.signed_in()
    world.people.remove(ROSA)
    assert (await browser.get("/")).headers["location"] == "/signin"


async def test_signing_out_ends_the_session_even_for_a_copied_cookie(world: World) -> None:
    """The cookie is refused afterwards, not only forgotten; and a session ends after 12 hours."""
    browser = await world.signed_in()
    copied = dict(browser.cookies)
    with time_machine.travel(now().timestamp() + 13 * 3600, tick=False):
        assert (await browser.get("/")).status_code == 303
    assert (await browser.post("/signout", headers=ORIGIN)).status_code == 303
    assert (await httpx_get(world, copied)).status_code == 303


async def httpx_get(world: World, cookies: dict[str, str]) -> httpx.Response:
    async with world.browser() as browser:
        browser.cookies.update(cookies)
        return await browser.get("/")


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.test"}, {"origin": "null"},
                                     {"referer": "https://evil.test/console.test"}])  # fmt: skip
async def test_a_form_from_another_site_is_refused(world: World, headers: dict[str, str]) -> None:
    """Origin (or Referer) must be this host; nothing has happened otherwise."""
    browser = await world.signed_in()
    data = {"severity": "sev1", "title": "x", "key": "k" * 12}
    answer = await browser.post("/declare", data=data, headers=headers)
    assert answer.status_code == 403
    async with world.store.read() as session:
        assert (await session.execute(select(Incident))).first() is None


async def test_pages_forbid_inline_code_framing_and_caching(world: World) -> None:
    """The headers are on pages and on refusals, and the page holds nothing inline."""
    browser = await world.signed_in()
    for answer in (
        await browser.get("/"),
        await world.browser().get("/"),
        await browser.get("/incidents/9"),
    ):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "unsafe" not in policy
        assert answer.headers["x-frame-options"] == "DENY"
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
    page = (await browser.get("/")).text
    assert "<style" not in page
    assert not re.search(r"<script(?! src=)| on\w+=| style=|hx-on", page)


async def test_htmx_and_its_extension_are_served(world: World) -> None:
    """From the installed package, without a session, and no other file of it."""
    browser = world.browser()
    assert "htmx" in (await browser.get("/static/htmx.js")).text
    assert 'defineExtension("sse"' in (await browser.get("/static/sse.js")).text
    assert (await browser.get("/static/htmx-4.js")).status_code == 404


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
    folder.mkdir()
    (folder / "inc-1-abc.png").write_bytes(b"\x89PNG")
    (folder / "notes.txt").write_text("x")
    (folder / "link.png").symlink_to(world.folder / "jackline.db")
    assert (await browser.get("/evidence/inc-1-abc.png")).content == b"\x89PNG"
    for name in ("..%2Fjackline.db", "%2e%2e%2fjackline.db", "notes.txt", "link.png", "none.png",
                 "..%5Cx.png", ".png", "%00.png", "inc-1-abc.png%0a"):  # fmt: skip
        assert (await browser.get(f"/evidence/{name}")).status_code == 404, name


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
    """Attached, in both forms, and only after resolution."""
    browser, incident = await world.signed_in(), await world.incident()
    world.papers[1] = Paper()
    assert (await browser.get("/incidents/1/postmortem.md")).status_code == 404
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:rosa")
    assert "postmortem.html" in (await browser.get("/incidents/1")).text
    for kind, start in (("md", "# Post"), ("html", "<h1>Post")):
        answer = await browser.get(f"/incidents/1/postmortem.{kind}")
        assert answer.text.startswith(start)
        assert answer.headers["content-disposition"].startswith("attachment")
    assert (await browser.get("/incidents/1/postmortem.exe")).status_code == 404


# Live


async def test_a_refresh_sends_only_the_difference(world: World) -> None:
    """What the browser shows already stays untouched: no lost words, no jumping."""
    browser, incident = await world.signed_in(), await world.incident()
    run = await world.waiting_run(incident)
    seen = marker((await browser.get("/incidents/1")).text)
    quiet = (await browser.get("/incidents/1/feed", params=seen)).text
    assert "<article" not in quiet
    assert "<li" not in quiet
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "new one", "person:amir", key="n")
        await world.runs.show(session, run)
    news = (await browser.get("/incidents/1/feed", params=seen)).text
    assert re.findall(r'<article class="(\w+ \w+)"', news) == ["message run", "message note"]
    assert news.count('hx-swap-oob="beforeend:#feed"') == 1
    assert news.count("<li") == 1
    assert 'id="say"' not in news
    after = marker(news)
    assert "<article" not in (await browser.get("/incidents/1/feed", params=after)).text


async def test_a_page_without_messages_gets_its_first_one_once(world: World) -> None:
    """From an empty feed too, nothing is appended twice."""
    browser, incident = await world.signed_in(), await world.incident()
    seen = marker((await browser.get("/incidents/1")).text)
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "first", "person:amir", key="n")
    news = (await browser.get("/incidents/1/feed", params=seen)).text
    assert news.count("message note") == 1
    assert "message note" not in (await browser.get("/incidents/1/feed", params=marker(news))).text


async def test_hidden_fields_that_are_nonsense_are_refused(world: World) -> None:
    """A made-up marker is bad input and never an error of ours."""
    browser = await world.signed_in()
    await world.incident()
    for bad in ({"marks": "x.1"}, {"first": "-1"}, {"row": "9" * 20}, {"marks": "٣.1,x"}):
        assert (await browser.get("/incidents/1/feed", params=bad)).status_code == 422


async def test_a_long_channel_starts_with_its_end(world: World) -> None:
    """The latest 200 messages, and a link to the earlier ones."""
    browser, incident = await world.signed_in(), await world.incident()
    async with world.store.write() as session:
        for number in range(205):
            session.add(
                Message(incident_id=incident.number, key=f"1:x{number}", kind="line",
                        payload={"text": f"line {number}."}, author="jackline")
            )  # fmt: skip
    page = (await browser.get("/incidents/1")).text
    assert "Show 5 earlier messages" in page
    assert "line 4." not in page
    assert "line 204." in page
    assert "line 4." in (await browser.get("/incidents/1?all=1")).text


@pytest.fixture
async def served(world: World) -> AsyncIterator[tuple[World, uvicorn.Server, str]]:
    port = free_port()
    config = uvicorn.Config(world.app, host=HOST, port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield world, server, f"http://{HOST}:{port}"
    server.should_exit = True
    await asyncio.wait_for(task, 5)


async def events(lines: AsyncIterator[str]) -> str:
    """The next event's name."""
    async for line in lines:
        if line.startswith("event:"):
            return line.removeprefix("event:").strip()
    return "end"


async def test_a_note_reaches_an_open_page_at_once(
    served: tuple[World, uvicorn.Server, str],
) -> None:
    """`changed` arrives within a second of the note; nothing arrives while nothing changes."""
    world, server, base = served
    incident = await world.incident()
    async with httpx.AsyncClient(base_url=base, timeout=10) as browser:
        await browser.get(signin_link(KEY, "rosa", base))
        page = (await browser.get("/incidents/1")).text
        found = re.search(r'sse-connect="([^"]+)"', page)
        assert found
        async with browser.stream("GET", found[1]) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            waiting = asyncio.create_task(events(lines))
            await asyncio.sleep(1.3)
            assert not waiting.done()
            async with world.store.write() as session:
                await world.incidents.note(session, incident, "hello", "person:amir", key="n")
            assert await asyncio.wait_for(waiting, 1) == "changed"
            waiting = asyncio.create_task(events(lines))
            world.people.remove(ROSA)
            assert await asyncio.wait_for(waiting, 3) == "changed"
            assert await asyncio.wait_for(events(lines), 3) == "end"
    assert not server.should_exit


async def test_an_open_page_does_not_hold_up_the_servers_end(
    served: tuple[World, uvicorn.Server, str],
) -> None:
    """A stream ends with the server, within a few seconds."""
    world, server, base = served
    await world.incident()
    async with httpx.AsyncClient(base_url=base, timeout=10) as browser:
        await browser.get(signin_link(KEY, "rosa", base))
        async with browser.stream("GET", "/events") as stream:
            lines = stream.aiter_lines()
            assert await asyncio.wait_for(events(lines), 2) == "changed"
            server.should_exit = True
            assert await asyncio.wait_for(events(lines), 4) == "end"
