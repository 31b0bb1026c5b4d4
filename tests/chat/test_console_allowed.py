"""Every route and every step of a postmortem for everybody: who may, and who may not."""

import asyncio
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from bot.chat.console.paper_posts import _steps
from bot.chat.verbs import FORMS
from bot.incidents import Incident
from bot.postmortems import Postmortem
from bot.postmortems.editing.tables import Clash, Reviewer, ReviewNote
from tests.chat.console_allowed import (
    BUTTONS,
    CLICKS,
    EVERYBODY,
    NOBODY,
    PAPER_STEPS,
    ROUTES,
    SIGNED_IN,
    VERBS,
    Allowed,
    browser_of,
    counts,
    meet,
)
from tests.chat.console_world import BASE, HTMX, ORIGIN, World

pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def people(world: World) -> None:
    meet(world)


def routes(world: World) -> list[tuple[str, str]]:
    """Every (method, path) that the app has; HEAD goes where GET goes."""
    found = [r for r in world.app.routes if isinstance(r, Route)]
    assert len(found) == len(world.app.routes)
    return [(m, r.path) for r in found for m in sorted((r.methods or set()) - {"HEAD"})]


def signed_out_last() -> list[tuple[tuple[str, str], Allowed]]:
    """Every route for one browser, that which ends its session after the others."""
    return sorted(ROUTES.items(), key=lambda route: route[0][1] == "/signout")


async def asked(
    world: World, browser: httpx.AsyncClient, method: str, path: str, **more: Any
) -> httpx.Response:
    """The answer to the route's example; of a stream that never ends its beginning."""
    entry = ROUTES[method, path]
    url = entry.url or path
    if url.endswith("/events"):
        cookies = "; ".join(f"{name}={value}" for name, value in browser.cookies.items())
        return await beginning(world, url, cookies)
    headers = {"headers": ORIGIN} | more
    return await browser.request(method, url, data=entry.form or None, **headers)


async def beginning(world: World, url: str, cookies: str) -> httpx.Response:
    started: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    async def send(message: Any) -> None:
        if message["type"] == "http.response.start" and not started.done():
            started.set_result(message)

    async def receive() -> Any:
        await asyncio.Event().wait()

    scope = {
        "type": "http", "method": "GET", "path": url, "query_string": b"", "root_path": "",
        "headers": [(b"host", b"console.test"), (b"cookie", cookies.encode())],
        "scheme": "http", "server": ("console.test", 80), "http_version": "1.1",
    }  # fmt: skip
    task = asyncio.create_task(world.app(scope, receive, send))
    try:
        message = await asyncio.wait_for(started, 20)
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    return httpx.Response(message["status"], headers=message["headers"])


async def setting(world: World) -> Incident:
    """One resolved incident with a postmortem and a picture: every route has something to show."""
    incident = await world.incident("Zebras are loose")
    async with world.store.write() as session:
        found = await world.incidents.get(session, incident.number)
        await world.incidents.set_status(session, found, "resolved", "person:carl")
        session.add(Postmortem(
            incident_id=1, drawn_from=2, html="<p>",
            markdown="# Zebras\n\n## Summary\n\n*derived*\n\nWords.\n\n## For customers\n\nAll is well.\n",
        ))  # fmt: skip
    (world.folder / "evidence").mkdir(exist_ok=True)
    (world.folder / "evidence" / "inc-1-a.png").write_bytes(b"\x89PNG")
    return incident


def test_every_route_has_an_entry(world: World) -> None:
    """A new route must say whom it is for; an entry without a route is gone."""
    assert sorted(routes(world)) == sorted(ROUTES)
    assert set(VERBS) <= {f"{name} {form.verb}" for name in FORMS for form in FORMS[name]}
    assert set(CLICKS) <= set(BUTTONS)


@pytest.mark.parametrize("who", [*NOBODY, *SIGNED_IN])
async def test_every_route_for_everybody(world: World, who: str) -> None:
    """Strangers are sent to sign in; a known person gets the page, or a refusal with words."""
    await setting(world)
    browser = await browser_of(world, who)
    for (method, path), entry in signed_out_last():
        if path == "/ack":  # its link is the proof, and what it is good for: test_paging
            continue
        answer = await asked(world, browser, method, path)
        told = f"{who} {method} {path}: {answer.status_code}"
        if who in entry.who and path.endswith("customers.{kind}"):
            assert answer.status_code == 409, told  # it is not final
        elif who in entry.who:
            assert answer.status_code in ((200, 303) if path != "/me/signin" else (200, 422)), told
            assert answer.headers.get("location") != "/signin" or path.endswith("/signout"), told
        elif who in NOBODY and entry.who:
            assert (answer.status_code, answer.headers["location"]) == (303, "/signin"), told
        else:
            assert answer.status_code == 403, told


@pytest.mark.parametrize("who", [*NOBODY, *SIGNED_IN])
async def test_no_route_shows_a_private_incident_to_others(world: World, who: str) -> None:
    """404 as for one that is not there; who declared it and admins see it."""
    await setting(world)
    async with world.store.write() as session:
        (await world.incidents.get(session, 1)).private = True  # declared by Rosa
    browser = await browser_of(world, who)
    for (method, path), entry in signed_out_last():
        answer = await asked(world, browser, method, path)
        told = f"{who} {method} {path}: {answer.status_code}"
        if entry.private and who in SIGNED_IN:
            insider = who in ("rosa", "dora")
            assert (answer.status_code == 404) is not insider, told
        if who not in ("rosa", "dora") and not path.endswith("events"):
            assert "Zebras" not in answer.text, told


@pytest.mark.parametrize("who", [*NOBODY, *SIGNED_IN])
async def test_every_method_that_no_route_has_is_refused(world: World, who: str) -> None:
    """405, and nothing is done: PUT, PATCH, DELETE, and POST where only GET is."""
    browser, known = await browser_of(world, who), set(routes(world))
    for path in {path for _, path in known}:
        for method in ("POST", "PUT", "PATCH", "DELETE"):
            if (method, path) not in known:
                url = next(e.url or p for (_, p), e in ROUTES.items() if p == path)
                answer = await browser.request(method, url, headers=ORIGIN)
                assert answer.status_code == 405, f"{method} {path}"


FORGED = [{}, {"origin": "null"}, {"origin": "https://evil.test"}, {"origin": BASE + ".evil.test"},
          {"origin": "http://console.test:81"}, {"referer": "https://evil.test/console.test"}]  # fmt: skip


@pytest.mark.parametrize("headers", FORGED, ids=lambda h: "-".join(h.values()) or "none")
async def test_no_form_of_another_site_does_anything(world: World, headers: dict[str, str]) -> None:
    """Every POST of every role with no, a wrong or a null origin: 403, and nothing is written."""
    await setting(world)
    before = await counts(world)
    for who in EVERYBODY:
        browser = await browser_of(world, who)
        for method, path in [route for route in ROUTES if route[0] == "POST"]:
            answer = await asked(world, browser, method, path, headers=headers)
            assert answer.status_code == 403, f"{who} {path}"
    assert await counts(world) == before


@pytest.mark.parametrize("who", ["nobody", "dora"])
async def test_every_answer_has_the_headers_that_keep_others_out(world: World, who: str) -> None:
    """Pages, fragments, files, streams, refusals and forgeries alike."""
    await setting(world)
    browser = await browser_of(world, who)
    for (method, path), _ in signed_out_last():
        for headers in (ORIGIN, HTMX, {}):
            if path == "/signout":
                browser = await browser_of(world, who)
            answer = await asked(world, browser, method, path, headers=headers)
            told = f"{method} {path} {answer.status_code}"
            policy = answer.headers["content-security-policy"]
            assert "default-src 'none'" in policy, told
            sandboxed = path.endswith("/postmortem") and policy.startswith("sandbox;")
            assert sandboxed or "unsafe" not in policy, told
            assert "frame-ancestors 'none'" in policy, told
            assert answer.headers["x-frame-options"] == "DENY", told
            assert answer.headers["x-content-type-options"] == "nosniff", told
            assert answer.headers["referrer-policy"] == "same-origin", told
            assert answer.headers["cross-origin-opener-policy"] == "same-origin", told
            if not path.startswith(("/static", "/evidence")):
                assert "no-store" in answer.headers["cache-control"], told


# Steps, buttons and verbs


@pytest.mark.parametrize("who", SIGNED_IN)
@pytest.mark.parametrize("what", PAPER_STEPS)
async def test_every_step_of_a_postmortem_for_everybody(world: World, who: str, what: str) -> None:
    """403 with words and nothing written for who may not; also of its reviewers' approval."""
    await setting(world)
    allowed, form = PAPER_STEPS[what]
    async with world.store.write() as session:
        paper = await session.get_one(Postmortem, 1)
        paper.state = "in review" if what in ("approve", "draft", "final") else "draft"
        session.add(Reviewer(incident_id=1, person="dora", asked_by="carl"))
        session.add(ReviewNote(incident_id=1, section="summary", text="Hm", by="dora", origin="o"))
        session.add(Clash(incident_id=1, section="summary", text="Other", by="jackline"))
    before = await counts(world)
    browser = await browser_of(world, who)
    url = f"/incidents/1/postmortem/do/{what}"
    answer = await browser.post(url, data=form, headers=ORIGIN)
    told = f"{who} {what}: {answer.status_code} {answer.text[:300]}"
    if who not in allowed:
        assert answer.status_code == 403, told
        assert await counts(world) == before
    else:  # what lacks something else is told so
        assert answer.status_code in (303, 404, 409), told


def test_every_step_of_a_postmortem_is_here(world: World) -> None:
    """A new one must say whom it is for."""
    del world
    assert set(_steps(SimpleNamespace(incidents=None))) == set(PAPER_STEPS)
