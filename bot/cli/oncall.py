"""``jackline oncall`` and ``ack``: who is on call, and that somebody has what was paged."""

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.app import Jackline
from bot.catalog.rota import Stand
from bot.chat.printing import harmless
from bot.cli.parts import LARGEST, AsJson, from_record, known_person, out, without_database
from bot.cli.silences import By
from bot.errors import BadInput, Unavailable
from bot.paging.overrides import may_page, schedule_of
from bot.paging.roster import Roster, rosters
from bot.store import now


def oncall(
    schedule: Annotated[str, typer.Argument(help="A schedule's id; all if left out.")] = "",
    at: Annotated[str, typer.Option(help="As of this time, such as 2026-12-24T18:00+01:00.")] = "",
    as_json: AsJson = False,
) -> None:
    """Show who is on call, until when, and the next hand-overs; exits 1 if nobody is."""
    moment = _moment(at)

    def shown(parts: Jackline, stands: Mapping[str, Sequence[Stand]]) -> list[Roster]:
        if schedule:
            schedule_of(parts.library.catalog, schedule)
        return rosters(parts.library.catalog, moment, stands, schedule)

    async def work(parts: Jackline) -> list[Roster]:
        async with parts.store.read() as session:
            stands = await parts.paging.overrides.standing(session, moment)
        return shown(parts, stands)

    try:
        found = from_record(work)
    except Unavailable as error:  # the catalog is here: who is on call is asked when all is down
        typer.echo(
            f"jackline: {harmless(str(error))} Overrides from chat are not in this.", err=True
        )
        found = without_database(lambda parts: shown(parts, {}))
    if as_json:
        out.print_json(json.dumps([each.as_dict() for each in found]))
    else:
        _show(found, full=bool(schedule))
    raise SystemExit(1 if any(not each.person for each in found) else 0)


def ack(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST, help="The incident's number.")],
    by: By = "",
) -> None:
    """Acknowledge the pages of an incident: nobody else is paged."""

    async def work(parts: Jackline) -> list[str]:
        if person := known_person(parts, by):
            may_page(person)
        actor = f"person:{by}" if by else "source:cli"
        async with parts.store.write() as session:
            incident = await parts.incidents.get(session, number)
            found = await parts.paging.acknowledge_all(
                session, incident.number, actor, how="at the terminal"
            )
        return [page.name for page in found]

    names = ", ".join(from_record(work))
    out.print(f"Acknowledged for #{number}: {names}. Nobody else is paged.", markup=False)


def _show(found: list[Roster], *, full: bool) -> None:
    table = Table("schedule", "on call", "next")
    for each in found:
        coming = each.coming if full else each.coming[:1]
        then = "\n".join(f"{when} {who}" for when, who in coming)
        table.add_row(*map(escape, (each.schedule.id, each.words, then)))
    out.print(table if found else "The catalog has no on-call schedule.")
    for each in found:
        if each.gap:
            out.print(f"warning: {each.schedule.id}: {each.gap}", markup=False)


def _moment(text: str) -> datetime:
    if not text:
        return now()
    try:
        found = datetime.fromisoformat(text)
        return found.astimezone(UTC) if found.tzinfo else found.replace(tzinfo=UTC)
    except (ValueError, OverflowError):
        raise BadInput(
            f"{text[:40]!r} is no time.", hint="Write 2026-12-24T18:00+01:00; without +01:00: UTC."
        ) from None
