"""``jackline postmortem export`` and ``jackline search``: what is left of incidents, as files and by words."""

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from bot.app import Jackline
from bot.cli.parts import LARGEST, AsJson, from_record, known_person, out, save
from bot.contract import Published
from bot.errors import NotAllowed
from bot.postmortems.exports import require_form
from bot.postmortems.learning import Figures, figures
from bot.postmortems.page import span
from bot.postmortems.search import Found, Search

Number = Annotated[int, typer.Argument(min=1, max=LARGEST)]
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
    """Publish a final postmortem: to a repository, a wiki. Again, it brings that up to date."""

    async def work(parts: Jackline) -> Published:
        person = known_person(parts, by)
        if person is None or not person.has("commander"):
            raise NotAllowed("Publishing a postmortem needs the role 'commander'.")
        return await parts.paper_places.publish(number, place, f"person:{person.id}")

    done = from_record(work)
    out.print(f"{place} has it: {done.url or done.reference}", markup=False)


def incidents_figures(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Of the last so many days.")] = 90,
    as_json: AsJson = False,
) -> None:
    """Counts, medians and open follow-ups of many incidents; no drills, no private ones."""

    async def work(parts: Jackline) -> Figures:
        async with parts.store.read() as session:
            return await figures(session, days)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps(asdict(found), default=str))
        return
    out.print(f"{found.incidents} incidents since {found.since}", markup=False)
    for name, each in found.minutes.items():
        p90 = f", 90th percentile {span(each.p90)}" if each.p90 is not None else ""
        out.print(f"time to {name}: median {span(each.median)}{p90}, of {each.of}, unknown of {each.unknown}", markup=False)  # fmt: skip
    for name, count in found.detected_by.items():
        out.print(f"noticed by {name}: {count}", markup=False)
    out.print(f"open follow-ups: {found.open_actions}, late {found.late_actions}", markup=False)


def search(
    words: Words,
    person: Annotated[
        str, typer.Option("--as", help="A person's id: with the private ones they may see.")
    ] = "",
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
