"""``jackline postmortem export``, ``jackline search`` and the like: what is left of incidents, as files and by words."""

import asyncio
import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot import log
from bot.app import Jackline
from bot.cli.parts import LARGEST, AsJson, from_record, known_person, out, save
from bot.errors import NotFound, Rejected, Retryable
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.publishing import Publishing
from bot.postmortems.editing.tables import PaperCopy
from bot.postmortems.exports import require_form
from bot.postmortems.search import Found, Search

Number = Annotated[int, typer.Argument(min=1, max=LARGEST)]
AsPerson = Annotated[
    str, typer.Option("--as", help="A person's id: with the private ones they may see.")
]
Words = Annotated[list[str], typer.Argument(help="All of them must be there.")]


def export(
    number: Number,
    form: Annotated[str, typer.Option("--as", help="md, html, pdf, docx, json or csv.")] = "md",
    to: Annotated[
        Path | None, typer.Option("--out", help="A file; left out: stdout.", dir_okay=False)
    ] = None,
    customers: Annotated[
        bool, typer.Option("--customers", help="The short version for customers, once final.")
    ] = False,
) -> None:
    """Write an incident's postmortem as a file, without credentials and personal data."""

    async def work(parts: Jackline) -> bytes:
        async with parts.store.read() as session:
            return (await parts.exports.file(session, number, form, customers=customers)).content

    require_form(form, customers=customers)
    save(from_record(work), to)


def publish(
    number: Number,
    place: Annotated[str, typer.Argument(help="A place for papers of the catalog.")],
    by: Annotated[str, typer.Option(help="A person's id in the catalog, for the record.")],
) -> None:
    """Publish a final postmortem: to a repository, a wiki. Again, it brings that up to date.

    What the place does not take now, `jackline serve` tries on.
    """

    async def work(parts: Jackline) -> PaperCopy:
        log.configure("critical")  # what the place says is this command's own answer
        person = known_person(parts, by)
        if person is None:
            raise NotFound("Say who publishes it.", hint="--by takes a person's id in the catalog.")
        async with parts.store.write() as session:
            incident = await parts.incidents.get(session, number)
            asked = await Publishing(Papers(parts.incidents)).ask(session, incident, place, person)
        return await _published(parts, asked)

    done = from_record(work)
    out.print(f"{place} has it: {done.url or done.reference}", markup=False)


async def _published(parts: Jackline, asked: PaperCopy) -> PaperCopy:
    """Once it is there, whoever brought it; raises what a place said instead."""
    while True:
        await parts.publishing.once()
        async with parts.store.read() as session:
            copy = await session.get_one(PaperCopy, (asked.incident_id, asked.place))
        if copy.state == "published":
            return copy
        if copy.state == "refused":
            raise Rejected(copy.error)
        if copy.error:
            raise Retryable(copy.error, hint="`jackline serve` tries it on.")
        await asyncio.sleep(0.2)  # a Jackline that serves has it in hand


def search(
    words: Words,
    person: AsPerson = "",
    as_json: AsJson = False,
) -> None:
    """Find incidents by words of their titles, timelines and postmortems; no private ones."""
    typed = " ".join(f'"{word}"' if " " in word else word for word in words)

    async def work(parts: Jackline) -> list[Found]:
        asks = known_person(parts, person)
        async with parts.store.read() as session:
            return await Search(lambda: parts.library.catalog).find(session, typed, asks)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([asdict(each) for each in found], default=str))
        return
    for each in found:
        drill = ", a drill" if each.drill else ""
        out.print(f"#{each.number} {each.severity} {each.status}, {each.declared_at:%Y-%m-%d}{drill}: {each.title}", markup=False)  # fmt: skip
        for hit in each.hits:
            if hit.where != "title":
                place = f"row {hit.seq}" if hit.seq else hit.where
                out.print(f"    {place}: {hit.text}", markup=False)
    if not found:
        out.print("No incident has these words.", markup=False)
