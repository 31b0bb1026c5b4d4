"""Forms instead of memory: what a command needs, asked for in fields, through the commands' door.

A form is a page; the scripts open it over the page where the person is.
"""

import secrets
import shlex
from collections import defaultdict
from dataclasses import dataclass, replace

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.alerts import StoredAlert
from bot.catalog import AUDIENCES, Person
from bot.chat.command import Command
from bot.chat.console import composer, reads
from bot.chat.console.desk import Desk
from bot.chat.console.fields import Field, input_fields, run_words
from bot.chat.console.guard import by_htmx
from bot.chat.console.posts import SURFACE, answered, key_of, update_words, word
from bot.chat.update_form import AHEAD
from bot.errors import NotFound
from bot.incidents import ACTIVE, SEVERITIES, Incident
from bot.incidents.drafts import audience_of, draft
from bot.incidents.rules import following
from bot.runbooks.roles import has_role
from bot.store import now

_MEANING = {"sev1": "critical", "sev2": "major", "sev3": "minor", "sev4": "low"}
DO = (
    ("run", "Run a runbook"), ("update", "Update"), ("status", "Status"), ("severity", "Severity"),
    ("note", "Note"), ("lead", "Take command"), ("split", "Split"),
)  # fmt: skip
_ALWAYS = ("status", "note")  # also once it is over
_ALERTS = 500  # whose labels are offered


@dataclass(frozen=True)
class Form:
    """One form. ``buttons``: what is sent as ``how`` → what the button says, the main one first."""

    title: str
    fields: list[Field]
    buttons: dict[str, str]
    said: str = ""
    links: tuple[tuple[str, str, str], ...] = ()  # address, name, what it is


SEVERITY = Field(
    "severity", "How bad is it?", "choice", [(s, _MEANING[s]) for s in SEVERITIES], "sev2"
)


def doable(incident: Incident, person: Person) -> list[tuple[str, str]]:
    """The forms that make sense now for the person: which, and what its link says."""
    if not has_role(person):
        return [(what, name) for what, name in DO if what == "note"]
    return [(what, name) for what, name in DO if incident.status in ACTIVE or what in _ALWAYS]


async def declare(desk: Desk, request: Request, person: Person) -> Response:
    """The form for a new incident; it is sent to the same address."""
    title = Field("title", "What is broken?", "line", hint="Checkout answers with errors")
    return _drawn(
        desk,
        request,
        person,
        Form("Declare an incident", [SEVERITY, title], {"": "Declare"}),
        "/declare",
    )


async def show(desk: Desk, request: Request, person: Person) -> Response:
    """One of an incident's forms."""
    what, number = str(request.path_params["what"]), int(request.path_params["id"])
    async with desk.store.read() as session:
        incident = await reads.incident_of(desk, session, number, person)
        form = await _form(desk, session, incident, person, what, request)
    return _drawn(desk, request, person, form, f"/incidents/{number}/do/{what}")


async def send(desk: Desk, request: Request, person: Person) -> Response:
    """A filled-in form becomes the command that it stands for."""
    what, number = str(request.path_params["what"]), int(request.path_params["id"])
    form = await request.form()
    key = key_of(form, person)
    async with desk.store.read() as session:
        await reads.incident_of(desk, session, number, person)
    name, text = _typed(what, form, person)
    command = Command(name, text, person, key, SURFACE, number)
    async with desk.store.write() as session:
        reply = await desk.commands.handle(session, command)
    return answered(desk, request, reply, back=f"/incidents/{number}")


async def _form(
    desk: Desk,
    session: AsyncSession,
    incident: Incident,
    person: Person,
    what: str,
    request: Request,
) -> Form:
    match what:
        case "severity":
            field = replace(SEVERITY, value=incident.severity)
            return Form("Severity", [field], {"": "Change it"})
        case "status":
            offers = [(status, "") for status in following(incident.status)]
            said = f"It is {incident.standing} now." + ("" if offers else " Nothing follows that.")
            fields = [Field("status", "What is it now?", "choice", offers)] if offers else []
            return Form("Status", fields, {"": "Change it"} if offers else {}, said)
        case "lead":
            leads = (
                desk.cards.name(f"person:{incident.commander}") if incident.commander else "nobody"
            )
            said = (
                f"The incident commander is {leads}. Take it over only when you have agreed on it."
            )
            return Form("Take command", [], {"": "I am the commander"}, said)
        case "note":
            return Form(
                "Note", [Field("text", "For the timeline", "text")], {"": "Put it on the timeline"}
            )
        case "split":
            fields = await _split_fields(session, incident)
            said = "" if fields else "No label tells its alerts apart."
            return Form(
                "Split it by labels", fields, {"": "Show what moves"} if fields else {}, said
            )
        case "run":
            form = await _run_form(desk, session, incident, person, request)
        case "update":
            form = _update_form(desk, incident, request.query_params.get("to", ""))
        case _:
            raise NotFound(f"There is no form {what!r}.")
    return form


async def _run_form(
    desk: Desk, session: AsyncSession, incident: Incident, person: Person, request: Request
) -> Form:
    """Which runbook, those that fit first; with ``?runbook=`` its inputs."""
    library, chosen = desk.runs.library, request.query_params.get("runbook", "")
    if not chosen:
        fitting = library.matching(incident.trigger, incident.services, incident.severity)
        others = [r for r in library.runbooks.values() if r not in fitting]
        links = tuple(
            (f"/incidents/{incident.number}/do/run?runbook={r.id}", r.front.title,
             "fits this incident" if r in fitting else "")
            for r in (*fitting, *others)
        )  # fmt: skip
        return Form("Which runbook?", [], {}, "" if links else "There are no runbooks yet.", links)
    runbook = library.get(chosen)
    open_ones, _ = await reads.listed(desk, session, person)
    facts = composer.facts(desk, incident, open_ones, [])
    fields = input_fields(runbook.front.inputs, facts)
    said = f"{len(runbook.steps)} steps. A plan comes first: it changes nothing."
    hidden = Field("runbook", "", "line", value=runbook.id)
    buttons = {"plan": "Show the plan", "run": "Plan it and ask for approval"}
    return Form(runbook.front.title, [hidden, *fields], buttons, said)


def _update_form(desk: Desk, incident: Incident, to: str) -> Form:
    """A draft to be changed; with ``?to=`` for others than us, who see it after a second look."""
    catalog, audience = desk.catalog(), audience_of(to)[0]
    told = [each for each in AUDIENCES if each == "internal" or catalog.audience(each)]
    address = f"/incidents/{incident.number}/do/update"
    links = tuple((f"{address}?to={each}", f"To {each}", "") for each in told if each != audience)
    fields = [
        Field("audience", "", "line", value=audience),
        Field("text", "What they will read", "text", value=draft(catalog, incident, audience, now())),
        Field("next", "Next update", "line", needed=False, hint=AHEAD),
    ]  # fmt: skip
    ours = audience == "internal"
    title = "Update" if ours else f"Update to {audience}"
    return Form(title, fields, {"": "Send it" if ours else "Preview it"}, links=links)


async def _split_fields(session: AsyncSession, incident: Incident) -> list[Field]:
    """A list for each label by which its alerts differ."""
    query = select(StoredAlert.labels).where(StoredAlert.incident_id == incident.number)
    found: dict[str, dict[str, None]] = defaultdict(dict)
    for labels in (
        await session.execute(query.order_by(col(StoredAlert.id)).limit(_ALERTS))
    ).scalars():
        for name, value in labels.items():
            found[name][str(value)] = None
    return [
        Field(f"label.{name}", name, "list", [(value, "") for value in all_of], needed=False)
        for name, all_of in sorted(found.items())
        if len(all_of) > 1
    ]


def _typed(what: str, form: FormData, person: Person) -> tuple[str, str]:
    """The command's name and text. Raises `NotFound`, `BadInput`."""
    match what:
        case "severity" | "status":
            wanted = word(form, what)
            return "incident", f"{what} {shlex.quote(wanted)}"
        case "lead":
            return "incident", "lead"
        case "update":
            return "incident", update_words(form, person)
        case "note":
            return "incident", f"note {word(form, 'text')}"
        case "split":
            pairs = [
                f"{name.removeprefix('label.')}={value}"
                for name, value in form.items()
                if name.startswith("label.") and isinstance(value, str) and value
            ]
            return "incident", f"split {shlex.join(pairs)}"
        case "run":
            verb = "run" if word(form, "how") == "run" else "plan"
            given = [(name, word(form, name)) for name in form]
            return "runbook", f"{verb} {run_words(word(form, 'runbook'), given)}"
    raise NotFound(f"There is no form {what!r}.")


def _drawn(desk: Desk, request: Request, person: Person, form: Form, action: str) -> Response:
    page = "form.html" if by_htmx(request) else "form_page.html"
    return HTMLResponse(
        desk.draw(
            page,
            me=person,
            form=form,
            action=action,
            key=secrets.token_urlsafe(12),
            heading="h2" if by_htmx(request) else "h1",
            form_back=action.partition("/do/")[0] if "/do/" in action else "/",
        )
    )
