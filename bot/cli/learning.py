"""``jackline incidents figures``, ``digest`` and ``similar``: what many incidents say together."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from bot.app import Jackline
from bot.chat.weekly_card import weekly_lines
from bot.cli.papers import AsPerson, Number
from bot.cli.parts import AsJson, from_record, known_person, out
from bot.incidents import Incident
from bot.incidents.seeing import require_seen, unknown
from bot.incidents.similar import Past, Similar
from bot.postmortems.learning import Figures, Weekly, asked_week, digest, figures, patterns_of
from bot.postmortems.page import span

_ALIKE = 10


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


def incidents_digest(
    week: Annotated[
        str, typer.Option("--week", help="Such as 2026-W47; left out: the one that ended last.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """What a week brought beside the one before, and what is still open; no private incidents."""

    async def work(parts: Jackline) -> Weekly:
        catalog = parts.library.catalog
        asked = asked_week(catalog, week)
        async with parts.store.read() as session:
            return await digest(session, catalog, asked)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps(asdict(found), default=str))
        return
    for line in weekly_lines(found):
        out.print(line, markup=False)


def incidents_similar(number: Number, person: AsPerson = "", as_json: AsJson = False) -> None:
    """Past incidents that were like one: why, and what ended them; no private ones."""

    async def work(parts: Jackline) -> list[Past]:
        asks = known_person(parts, person)
        catalog = parts.library.catalog
        async with parts.store.read() as session:
            incident = await session.get(Incident, number)
            if incident is None:
                raise unknown(number)
            if asks is not None:
                require_seen(catalog, incident, asks)
            similar = Similar(lambda: catalog, patterns_of)
            return await similar.find(session, number, person=asks, shown=_ALIKE)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([asdict(each) for each in found], default=str))
        return
    for each in found:
        drill = ", a drill" if each.drill else ""
        out.print(f"#{each.number} {each.severity}, {each.declared_at:%Y-%m-%d}{drill}: {each.title}", markup=False)  # fmt: skip
        out.print(f"    {'; '.join(each.because)}", markup=False)
        paper = "; it has a postmortem" if each.paper else ""
        out.print(f"    then: {each.ended}{paper}", markup=False)
    if not found:
        out.print(f"No past incident is enough like #{number} to be named.", markup=False)
