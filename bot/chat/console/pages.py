"""The pages and fragments people look at."""

import re
import secrets
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import FileResponse, HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk, Postmortem
from bot.chat.console.forms import doable
from bot.chat.console.posts import word
from bot.errors import NotFound
from bot.incidents import ACTIVE, Incident
from bot.postmortems import Postmortem as Drafted
from bot.timeline import rows_of

_EVIDENCE = re.compile(r"inc-(?P<incident>[0-9]{1,9})-[a-z0-9-]{1,100}\.(png|txt)")
_SANDBOX = (  # its styles and pictures are inside it
    "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; form-action 'none'; "
    "base-uri 'none'; frame-ancestors 'none'"
)


async def listing(desk: Desk, request: Request, person: Person) -> Response:
    """All incidents, and the form that declares one."""
    async with desk.store.read() as session:
        values = await _list_values(desk, session, person)
    page = desk.draw("list.html", me=person, **values)
    del request
    return HTMLResponse(page)


async def list_fragment(desk: Desk, request: Request, person: Person) -> Response:
    """The list alone, for a live page."""
    del request
    async with desk.store.read() as session:
        values = await _list_values(desk, session, person)
    return HTMLResponse(desk.draw("list_items.html", **values))


async def _list_values(desk: Desk, session: AsyncSession, person: Person) -> dict[str, Any]:
    active, others = await reads.listed(desk, session, person)
    asked, questions = await reads.asked(desk, session, person)
    return {
        "asked": asked,
        "questions": questions,
        "active": active,
        "others": others,
        "stamp": await reads.list_fingerprint(desk, session),
    }


async def incident(desk: Desk, request: Request, person: Person) -> Response:
    """One incident: card, channel, timeline, postmortem."""
    number = int(request.path_params["id"])
    limit = reads.ALL if "all" in request.query_params else reads.SHOWN
    async with desk.store.read() as session:
        found = await reads.incident_of(desk, session, number, person)
        values = await _head(desk, session, found, person)
        messages = await reads.feed_of(session, number, limit=limit)
        values["messages"] = [await reads.shown(desk, session, m) for m in messages]
        values["rows"] = await rows_of(session, number)
        values["beside"] = await reads.beside(desk, session, number, person)
        values["hidden"] = max(0, await reads.count_of(session, number) - len(messages))
    marks = {m.id: m.mark for m in values["messages"]}
    values |= _marker(values, marks, messages[0].id or 0 if messages else 0, 0)
    page = desk.draw("incident.html", me=person, key=secrets.token_urlsafe(12), **values)
    return HTMLResponse(page)


async def feed(desk: Desk, request: Request, person: Person) -> Response:
    """What is new on an incident's page since what the browser says it shows.

    By POST: of a long channel that is more than proxies take as an address, and a page that cannot
    ask any more stands still without a word. By GET pages ask that an older Jackline has drawn.
    """
    number = int(request.path_params["id"])
    asked = await request.form() if request.method == "POST" else FormData(request.query_params)
    seen = reads.parse_seen(
        word(asked, "marks"), word(asked, "first") or "0", word(asked, "row") or "0"
    )
    async with desk.store.read() as session:
        found = await reads.incident_of(desk, session, number, person)
        values = await _head(desk, session, found, person)
        messages = await reads.feed_of(session, number, first=seen.first)
        new = [m for m in messages if seen.messages.get(m.id or 0) != str(m.version)]
        drawn = [await reads.shown(desk, session, m) for m in new]
        values["rows"] = await rows_of(session, number, after=seen.row)
    card = values["card"]
    values["card_changed"] = card is not None and seen.messages.get(card.id) != card.mark
    values["changed"] = [m for m in drawn if m.id in seen.messages]
    values["added"] = [m for m in drawn if m.id not in seen.messages]
    marks = {m.id or 0: str(m.version) for m in messages}
    values |= _marker(values, marks, seen.first or min(marks, default=0), seen.row)
    return HTMLResponse(desk.draw("feed.html", **values))


async def _head(
    desk: Desk, session: AsyncSession, found: Incident, person: Person
) -> dict[str, Any]:
    """What is at the top of the page and may change at any time."""
    return {
        "incident": found,
        "stamp": await reads.fingerprint(desk, session, found.number),
        "card": await reads.card_of(desk, session, found),
        "next": await reads.next_step(session, found),
        "postmortem": await _is_drafted(session, found),
        "name": desk.cards.name,
        "do": doable(found, person),
    }


def _marker(values: dict[str, Any], marks: dict[int, str], first: int, row: int) -> dict[str, Any]:
    card, rows = values["card"], values["rows"]
    if card is not None:
        marks = {card.id: card.mark, **marks}
    joined = ",".join(f"{number}.{mark}" for number, mark in marks.items())
    return {"marks": joined, "first": first, "row": rows[-1].seq if rows else row}


async def _is_drafted(session: AsyncSession, found: Incident) -> bool:
    """Without drawing its page, which takes long after people have worked on it."""
    if found.status in (*ACTIVE, "cancelled"):
        return False
    return await session.get(Drafted, found.number) is not None


async def _postmortem(desk: Desk, session: AsyncSession, found: Incident) -> Postmortem | None:
    if found.status in (*ACTIVE, "cancelled"):
        return None
    return await desk.postmortem(session, found.number)


async def postmortem_page(desk: Desk, request: Request, person: Person) -> Response:
    """The drafted postmortem to read: in a sandbox, where nothing of it can run or reach out."""
    number = int(request.path_params["id"])
    async with desk.store.read() as session:
        found = await reads.incident_of(desk, session, number, person)
        document = await _postmortem(desk, session, found)
    if document is None:
        raise NotFound("There is no postmortem yet.", hint="It is drafted at resolution.")
    return HTMLResponse(document.html, headers={"Content-Security-Policy": _SANDBOX})


async def evidence(desk: Desk, request: Request, person: Person) -> Response:
    """A picture or a text out of the evidence folder, and nothing else of the disk.

    A text was written by strangers: it is handed over as a file, never as a page.
    """
    name, folder = str(request.path_params["file"]), desk.data_dir / "evidence"
    path, shown = folder / name, _EVIDENCE.fullmatch(name)
    if not shown or path.is_symlink() or not path.is_file():
        raise NotFound("There is no such file.")
    async with desk.store.read() as session:
        await reads.incident_of(desk, session, int(shown["incident"]), person)
    headers = {"Cache-Control": "private, max-age=3600"}
    if name.endswith(".png"):
        return FileResponse(path, media_type="image/png", headers=headers)
    return FileResponse(path, media_type="text/plain", headers=headers, filename=name)
