"""``jackline incidents publish`` and ``published``: what customers are told on status pages."""

import json
import uuid
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.app import Jackline
from bot.catalog import Person
from bot.cli.parts import LARGEST, AsJson, from_record, known_person, out
from bot.errors import BadInput
from bot.incidents import Incident
from bot.incidents.publishing import Draft, Publication
from bot.incidents.seeing import unknown

Number = Annotated[int, typer.Argument(min=1, max=LARGEST, help="The incident's number.")]


def publish(
    number: Number,
    page: Annotated[str, typer.Argument(help="A status page of the catalog.")],
    text: Annotated[str, typer.Argument(help="What customers are told.")],
    by: Annotated[str, typer.Option(help="A person's id in the catalog, for the record.")],
    title: Annotated[str, typer.Option(help="For customers; the one that stands there.")] = "",
    status: Annotated[
        str, typer.Option(help="investigating, identified, monitoring or resolved; the incident's.")
    ] = "",
    health: Annotated[
        list[str] | None, typer.Option(help="SERVICE=HEALTH; by the severity if left out.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
) -> None:
    """Tell customers on a status page what is shown first."""
    given = _pairs(health)

    async def shown(parts: Jackline) -> Draft:
        _known(parts, by)
        async with parts.store.read() as session:
            incident = await session.get(Incident, number)
            if incident is None:
                raise unknown(number)
            return await parts.status_pages.preview(
                session, incident, page, text, title=title, status=status, health=given
            )

    draft = from_record(shown)
    out.print(f"{draft.page.name}: {draft.title}\n{draft.status}: {draft.text}", markup=False)
    for component, state in draft.components.items():
        out.print(f"  {component}: {state}", markup=False)
    if not yes and not typer.confirm("Publish it?"):
        raise BadInput("Nothing is published.")

    async def stored(parts: Jackline) -> None:
        person = _known(parts, by)
        async with parts.store.write() as session:
            incident = await parts.incidents.get(session, number)
            key = f"cli:{uuid.uuid4().hex}"
            await parts.status_pages.publish(session, incident, draft, person, key)

    from_record(stored)
    out.print("It is stored, and sent by the running Jackline.", markup=False)


def _known(parts: Jackline, by: str) -> Person:
    person = known_person(parts, by)
    if person is None:
        raise BadInput("Say who publishes: --by PERSON.")
    return person


def published(number: Number, as_json: AsJson = False) -> None:
    """List what customers were told about an incident, and what stands on the pages."""

    async def work(parts: Jackline) -> list[Publication]:
        async with parts.store.read() as session:
            return await parts.status_pages.told(session, number)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([row.model_dump(mode="json") for row in found]))
        return
    table = Table("page", "status", "text", "by", "at", "state", "stands there")
    for row in found:
        at = f"{row.made_at:%Y-%m-%d %H:%M} UTC"
        state = f"{row.state}: {row.error}" if row.error else row.state
        table.add_row(*map(escape, (row.page, row.status, row.text, row.by, at, state, row.seen)))
    out.print(table if found else "Customers were told nothing.")


def _pairs(words: list[str] | None) -> dict[str, str] | None:
    if not words:
        return None
    found = {}
    for word in words:
        service, equals, state = word.partition("=")
        if not equals:
            raise BadInput(f"{word!r} is not SERVICE=HEALTH.")
        found[service] = state
    return found
