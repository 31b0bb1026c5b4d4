"""An incident as files to take away: its timeline as Markdown, JSON and CSV, its postmortem in each form.

Made when they are asked for, and sent through the gate. What people and alerts wrote stays text.
"""

import json

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import NotFound
from bot.incidents import Incident, Incidents
from bot.incidents.shown import incident_json
from bot.postmortems import Postmortem
from bot.postmortems.escape import text
from bot.postmortems.exports import FORMS, Exports, File, require_form
from bot.postmortems.exports.gate import Gate
from bot.postmortems.exports.sheet import timeline
from bot.timeline import Entry, rows_of

KINDS = ("md", "json", "csv")
PAPERS = ("postmortem", "customers")
POSTMORTEM = "postmortem.md"


def file_name(number: int, kind: str) -> str:
    """``incident-12.csv``, ``incident-12-postmortem.md``."""
    return f"incident-{number}{'-' if '.' in kind else '.'}{kind}"


def require_kind(kind: str) -> None:
    """``csv`` is the timeline, ``postmortem.pdf`` and ``customers.pdf`` are papers. Raises `NotFound`."""
    what, dot, form = kind.rpartition(".")
    if dot and what in PAPERS:
        require_form(form, customers=what == "customers")
    elif kind not in KINDS:
        raise NotFound(f"There is no export as {kind!r}.", hint=f"There are {', '.join(KINDS)}.")


async def bring(
    session: AsyncSession, incidents: Incidents, incident: Incident, actor: str, key: str,
    asked: str = "",
) -> list[str]:  # fmt: skip
    """Has all files, or the one asked for, come into the channel, where all who see it are members.

    Once for each ``key``. The kinds there are.
    """
    number = incident.number
    paper = await session.get(Postmortem, number)
    kinds = [asked] if asked else [*KINDS, *([POSTMORTEM] if paper else [])]
    if await incidents.outbox.said(session, number, f"export-{key}"):
        return kinds
    text = "Exported as files"
    await incidents.ledger.append(
        session, number, "incident_exported", actor, text, data={"kinds": kinds}
    )
    await incidents.outbox.say(
        session, number, f"export-{key}", "line", {"text": text}, author=actor
    )
    for kind in kinds:
        name = file_name(number, kind)
        payload = {"kind": kind, "file": name, "title": name}
        incidents.outbox.ask(session, "export", number, payload)
    return kinds


async def exported(exports: Exports, session: AsyncSession, incident: Incident, kind: str) -> File:
    """One file. Raises `NotFound` for a kind that there is not, and without a postmortem."""
    require_kind(kind)
    number, (what, _, form) = incident.number, kind.rpartition(".")
    name = file_name(number, kind)
    if what:
        made = await exports.file(session, number, form, customers=what == "customers")
        return File(name, made.media_type, made.content)
    rows = await rows_of(session, number)
    draw = {"md": _markdown, "json": _json, "csv": _csv}[kind]
    return File(name, FORMS[kind], draw(incident, rows, exports.gate()))


def _markdown(incident: Incident, rows: list[Entry], gate: Gate) -> bytes:
    facts = incident_json(incident)
    drill = "Drill " if incident.drill else ""
    lines = [
        f"# {drill}#{incident.number} {text(incident.title)}", "",
        *(f"- {name}: {text(str(value))}" for name, value in facts.items() if value), "",
        "| # | UTC | what | who | |", "|---|---|---|---|---|",
        *(f"| {row.seq} | {row.at:%Y-%m-%d %H:%M:%S} | {row.kind} | {text(row.actor)} | {text(row.text)} |"
          for row in rows),
    ]  # fmt: skip
    return (gate.markdown("\n".join(lines)) + "\n").encode()


def _json(incident: Incident, rows: list[Entry], gate: Gate) -> bytes:
    whole = {"incident": incident_json(incident), "timeline": [row.as_json() for row in rows]}
    return (json.dumps(gate.json(whole), indent=2, ensure_ascii=False) + "\n").encode()


def _csv(incident: Incident, rows: list[Entry], gate: Gate) -> bytes:
    del incident
    return timeline(rows, gate, [row.actor for row in rows])
