"""What people send: a click, a line of text, a new incident, a sign-out."""

import hashlib
import re
import secrets
from urllib.parse import urlsplit

from starlette.background import BackgroundTask
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.catalog import Person
from bot.chat.command import Command, Reply
from bot.chat.console.desk import Desk
from bot.chat.console.guard import by_htmx
from bot.chat.console.html import blocks_html
from bot.chat.console.reads import LARGEST, incident_of
from bot.chat.update_form import typed, wrong
from bot.chat.verbs import FORMS
from bot.errors import BadInput
from bot.incidents import require_unmerged
from bot.store import now

SURFACE = "console"
_KEY = re.compile(r"[A-Za-z0-9_-]{8,64}")
_COMMAND = re.compile(r"/([a-z]+)(?:\s+(.*))?", re.DOTALL | re.IGNORECASE)


async def click(desk: Desk, request: Request, person: Person) -> Response:
    """A button of a message, through the same door as Slack's."""
    form = await request.form()
    action_id, value = word(form, "action_id"), word(form, "value")
    number_of(value.partition("|")[0])
    async with desk.store.write() as session:
        reply = await desk.clicks.handle(session, action_id, value, person, SURFACE)
    if action_id == "question_declare":
        return _at(request, reply)
    if action_id == "incident_resolve_export":  # the browser keeps the page, and saves the file
        return _at(request, reply, "/export.md")
    return answered(desk, request, reply)


async def declare(desk: Desk, request: Request, person: Person) -> Response:
    """The form on the list; leads to the new incident's page."""
    form = await request.form()
    command = Command("incident", "declare", person, key_of(form, person), SURFACE)
    severity, title = word(form, "severity"), word(form, "title")
    async with desk.store.write() as session:
        reply = await desk.commands.declare(session, command, severity, title)
    return _at(request, reply)


async def say(desk: Desk, request: Request, person: Person) -> Response:
    """A line typed on an incident's page: a command, else a note on the timeline."""
    form = await request.form()
    text, incident = word(form, "text").strip(), number_of(word(form, "incident"))
    key = key_of(form, person)
    async with desk.store.read() as session:
        await incident_of(desk, session, incident, person)
    if found := _COMMAND.fullmatch(text):
        reply = await _command(desk, found, person, key, incident)
    else:
        reply = await _note(desk, text, person, key, incident)
    return answered(desk, request, reply)


async def update(desk: Desk, request: Request, person: Person) -> Response:
    """The form of an update: the same as the command that it stands for."""
    form = await request.form()
    incident, key = number_of(word(form, "incident")), key_of(form, person)
    async with desk.store.read() as session:
        await incident_of(desk, session, incident, person)
    command = Command("incident", update_words(form, person), person, key, SURFACE, incident)
    async with desk.store.write() as session:
        reply = await desk.commands.handle(session, command)
    return answered(desk, request, reply)


def update_words(form: FormData, person: Person) -> str:
    """What an update's form says as a command. Raises `BadInput`: it would be sent as it is."""
    text, ahead = word(form, "text"), word(form, "next")
    if errors := wrong(text, ahead, now(), person.timezone):
        raise BadInput(" ".join(errors.values()))
    return typed(word(form, "audience"), text, ahead)


async def signout(desk: Desk, request: Request, person: Person) -> Response:
    """Ends the session."""
    del person
    response = RedirectResponse("/signin", status_code=303)
    desk.sessions.stop(request, response)
    return response


async def signout_everywhere(desk: Desk, request: Request, person: Person) -> Response:
    """Ends all sessions of the person, this one too."""
    await desk.passwords.end_sessions(person, f"person:{person.id}")
    return await signout(desk, request, person)


async def _command(
    desk: Desk, found: re.Match[str], person: Person, key: str, incident: int
) -> Reply:
    """A misspelt command is refused and not noted: the person meant it to do something."""
    name = found[1].lower()
    name = "incident" if name == "inc" else name
    if name not in FORMS:
        raise BadInput(
            f"I do not know /{name}.",
            hint="There are /incident help, /runbook help and /access help.",
        )
    command = Command(name, found[2] or "help", person, key, SURFACE, incident)
    async with desk.store.write() as session:
        return await desk.commands.handle(session, command)


async def _note(desk: Desk, text: str, person: Person, key: str, incident: int) -> Reply:
    async with desk.store.write() as session:
        found = await desk.incidents.get(session, incident)
        require_unmerged(found)
        await desk.incidents.note(session, found, text, f"person:{person.id}", key=key)
    return Reply("Noted.", incident_id=incident)


def _at(request: Request, reply: Reply, below: str = "") -> Response:
    """To the incident's page, or to what is below it."""
    where = f"/incidents/{reply.incident_id}{below}"
    if by_htmx(request):
        return Response(headers={"HX-Redirect": where})
    return RedirectResponse(where, status_code=303)


def answered(desk: Desk, request: Request, reply: Reply, *, back: str = "") -> Response:
    """The answer beside the button; without scripts, ``back`` or to where the person was.

    With ``back`` a form was answered: over that page it closes, and its answer is for the page;
    as a page of its own it leads there.

    What takes long is said in the incident's channel, where the page shows it by itself.
    """
    after = BackgroundTask(reply.later) if reply.later else None
    if not by_htmx(request):
        path = urlsplit(request.headers.get("referer", "")).path
        safe = path if path.startswith("/") and not path.startswith("//") else "/"
        return RedirectResponse(back or safe, status_code=303, background=after)
    if back and urlsplit(request.headers.get("hx-current-url", "")).path != back:
        return Response(headers={"HX-Redirect": back}, background=after)
    body = desk.draw(
        "toast.html", message=reply.text, hint="", good=True,
        blocks=blocks_html(reply.blocks, heading=3), elsewhere=_elsewhere(request, reply),
        draft=reply.draft, incident=reply.incident_id, key=secrets.token_urlsafe(12),
    )  # fmt: skip
    where = {"HX-Retarget": "#answer"} if back else {}
    return HTMLResponse(body, headers=where, background=after)


def _elsewhere(request: Request, reply: Reply) -> int | None:
    """The incident the answer is about, where that is not the one on the page."""
    page = urlsplit(request.headers.get("hx-current-url", "")).path
    number = reply.incident_id
    return number if number is not None and page != f"/incidents/{number}" else None


def number_of(word: str) -> int:
    """An id from a form. Raises `BadInput` for what no row of ours can have."""
    if not word.isdecimal() or len(word) > 10 or int(word) > LARGEST:  # noqa: PLR2004
        raise BadInput("The page is out of date.", hint="Reload it.")
    return int(word)


def word(form: FormData, name: str) -> str:
    """A field of the form; empty if it is missing or a file."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def key_of(form: FormData, person: Person) -> str:
    """Identifies one submission: sent twice over a bad line it still counts once.

    With other words from the same page it is another one: whoever heard no answer has written on,
    or gone back to a page that a browser kept.
    """
    key = word(form, "key")
    if not _KEY.fullmatch(key):
        raise BadInput("The page is out of date.", hint="Reload it.")
    said = repr([pair for pair in form.multi_items() if isinstance(pair[1], str)])
    digest = hashlib.blake2b(said.encode("utf-8", "replace"), digest_size=6).hexdigest()
    return f"console:{person.id}:{key}:{digest}"
