"""``jackline incidents figures`` and ``digest``: what many incidents say together."""

import json
from dataclasses import asdict
from typing import Annotated

import typer

from bot.app import Jackline
from bot.chat.weekly_card import weekly_lines
from bot.cli.parts import AsJson, from_record, out
from bot.postmortems.learning import Figures, Weekly, asked_week, digest, figures
from bot.postmortems.page import span


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
