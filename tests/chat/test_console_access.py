"""Who gets in to the console, and what keeps others out."""

import re

import httpx
import pytest
import time_machine
from sqlmodel import select

from bot.catalog import Catalog
from bot.chat.console import signin_link
from bot.incidents import Incident
from bot.store import now
from tests.chat.console_world import BASE, KEY, ORIGIN, ROSA, World


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


@pytest.mark.parametrize(
    ("said", "secure"), [("https", True), ("HTTPS, http", True), ("http", False), (None, False)]
)
async def test_the_cookie_is_secure_behind_a_proxy(
    world: World, said: str | None, secure: bool
) -> None:
    """TLS ends at an ingress: the browser's way is what counts, not ours from there."""
    headers = {"x-forwarded-proto": said} if said else {}
    answer = await world.browser().get(signin_link(KEY, "rosa", BASE), headers=headers)
    assert ("Secure" in answer.headers["set-cookie"]) is secure


async def test_a_link_is_refused_when_old_or_altered_or_for_a_stranger(world: World) -> None:
    """15 minutes, this key, a person of the catalog; anything else is refused with words."""
    link = signin_link(KEY, "rosa", BASE)
    with time_machine.travel(now().timestamp() + 16 * 60, tick=False):
        assert "too old" in (await world.browser().get(link)).text
    for wrong in (link[:-2] + "xx", signin_link(b"other" * 8, "rosa", BASE)):
        assert (await world.browser().get(wrong)).status_code == 403
    assert (await world.browser().get(signin_link(KEY, "eve", BASE))).status_code == 403


async def test_a_clock_that_is_behind_keeps_nobody_out(world: World) -> None:
    """The link was made on a machine that is ahead, the cookie by a replica that is, or before the
    clock was set back: both are good as long as they would be otherwise.
    """
    link, ahead = signin_link(KEY, "rosa", BASE), await world.signed_in()
    with time_machine.travel(now().timestamp() - 30, tick=False):
        browser = world.browser()
        assert (await browser.get(link)).headers["location"] == "/"
        assert (await browser.get("/")).status_code == 200
        assert (await ahead.get("/")).status_code == 200
    later = signin_link(KEY, "rosa", BASE)
    with time_machine.travel(now().timestamp() - 16 * 60, tick=False):
        assert "too old" in (await world.browser().get(later)).text
    with time_machine.travel(now().timestamp() - 13 * 3600, tick=False):
        assert (await ahead.get("/")).headers["location"] == "/signin"


async def test_a_session_token_is_no_sign_in_link(world: World) -> None:
    """The two signatures are not interchangeable."""
    browser = await world.signed_in()
    cookie = browser.cookies["jackline_session"]
    assert (await world.browser().get(f"/signin?token={cookie}")).status_code == 403


@pytest.mark.parametrize(
    "path",
    ["/", "/list", "/events", "/incidents/1", "/incidents/1/feed", "/incidents/1/events",
     "/incidents/1/postmortem.md", "/evidence/a.png",
     "/access", "/access.svg", "/oncall"],
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


@pytest.mark.parametrize("headers", [{}, {"origin": "https://evil.test"}, {"origin": "null"}, {"origin": "http://["},
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


async def test_the_page_of_who_is_on_call(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Names, times and gaps; what people wrote is text; another pager keeps nobody waiting."""
    world.whole = Catalog.model_validate({
        "people": [p.model_dump() for p in world.people],
        "schedules": [{"id": "web", "title": "<b>Web</b>", "layers": [
            {"people": ["rosa", "amir"], "since": "2026-01-05", "every": "1d", "hours": "9:00-17:00"},
        ]}],
    })  # fmt: skip
    page = (await (await world.signed_in()).get("/oncall")).text
    assert "&lt;b&gt;Web&lt;/b&gt;" in page
    assert "Rosa Diaz" in page
    assert "nobody is on call from" in page
    assert "&lt;i&gt;Core&lt;/i&gt;: <strong>Tim</strong>" in page
    monkeypatch.setattr("bot.chat.console.oncall.PATIENCE", 0.05)
    world.pagers_take = 30
    page = (await (await world.signed_in()).get("/oncall")).text
    assert "Rosa Diaz" in page
    assert "Other pagers did not answer in time." in page
