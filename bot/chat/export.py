"""An incident as files to take away: the timeline as Markdown, JSON and CSV, and its postmortem.

Made when they are asked for. What people and alerts wrote stays text, also in a spreadsheet.
"""

import csv
import io
import json

from sqlalchemy.ext.asyncio import AsyncSession

from bot.errors import NotFound
from bot.incidents import Incident, Incidents
from bot.incidents.shown import incident_json
from bot.postmortems import Postmortem
from bot.postmortems.escape import text
from bot.timeline import Entry, entry_json, rows_of

KINDS = {"md": "text/markdown", "json": "application/json", "csv": "text/csv"}
POSTMORTEM = "postmortem.md"
_FORMULA = ("=", "+", "-", "@", "\t", "\r")  # how a spreadsheet knows one


def file_name(number: int, kind: str) -> str:
    """``incident-12.csv``, ``incident-12-postmortem.md``."""
    return f"incident-{number}{'-' if kind == POSTMORTEM else '.'}{kind}"


async def exported(session: AsyncSession, incident: Incident, kind: str) -> str:
    """One file's content. Raises `NotFound` for a kind that there is not, and without a postmortem."""
    if kind == POSTMORTEM:
        made = await session.get(Postmortem, incident.number)
        if made is None:
            raise NotFound(f"There is no postmortem of #{incident.number} yet.")
        return made.markdown
    if kind not in KINDS:
        raise NotFound(f"There is no export as {kind!r}.", hint=f"There are {', '.join(KINDS)}.")
    rows = await rows_of(session, incident.number)
    return {"md": _markdown, "json": _json, "csv": _csv}[kind](incident, rows)


async def bring(
    session: AsyncSession, incidents: Incidents, incident: Incident, actor: str, key: str
) -> list[str]:
    """Has all files come into the incident's channel, where all who see it are members.

    Once for each ``key``. The kinds there are.
    """
    number = incident.number
    paper = await session.get(Postmortem, number)
    kinds = [*KINDS, *([POSTMORTEM] if paper else [])]
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


def _markdown(incident: Incident, rows: list[Entry]) -> str:
    facts = incident_json(incident)
    drill = "Drill " if incident.drill else ""
    lines = [
        f"# {drill}#{incident.number} {text(incident.title)}", "",
        *(f"- {name}: {text(str(value))}" for name, value in facts.items() if value), "",
        "| # | UTC | what | who | |", "|---|---|---|---|---|",
        *(f"| {row.seq} | {row.at:%Y-%m-%d %H:%M:%S} | {row.kind} | {text(row.actor)} | {text(row.text)} |"
          for row in rows),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _json(incident: Incident, rows: list[Entry]) -> str:
    whole = {"incident": incident_json(incident), "timeline": [entry_json(row) for row in rows]}
    return json.dumps(whole, indent=2, ensure_ascii=False) + "\n"


def _csv(incident: Incident, rows: list[Entry]) -> str:
    del incident
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["seq", "at", "kind", "actor", "text", "link"])
    for row in rows:
        cells = (row.seq, row.at.isoformat(), row.kind, row.actor, row.text, row.link)
        writer.writerow([_plain(str(cell)) for cell in cells])
    return out.getvalue()


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(_FORMULA) else cell
