"""The pages of figures over many incidents, with their picture, and of one week."""

import asyncio
from datetime import date
from typing import Any

from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.chat.console.html import blocks_html
from bot.chat.console.mrkdwn import is_web
from bot.chat.weekly_card import weekly_blocks
from bot.postmortems.learning import Figures, asked_week, digest, figures, pattern_titles
from bot.postmortems.learning.flow import DAYS
from bot.postmortems.learning.posting import posted
from bot.postmortems.learning.sums import by_pattern, months
from bot.postmortems.page import span
from bot.store import now

_MONTHS = 12  # shown by themselves; what was before them is one column


async def page(desk: Desk, request: Request, person: Person) -> Response:
    """Counts, medians and open follow-ups of the last days."""
    days = _days(request)
    found = await _found(desk, days)
    drawn = desk.draw(
        "figures.html", me=person, found=found, days=days, span=span, is_web=is_web,
        titles=pattern_titles(), **_patterns(found),
    )  # fmt: skip
    return HTMLResponse(drawn)


async def picture(desk: Desk, request: Request, person: Person) -> Response:
    """PNG."""
    del person
    found = await _found(desk, _days(request))
    return Response(await asyncio.to_thread(_drawn, found), media_type="image/png")


def _drawn(found: Figures) -> bytes:
    from bot.postmortems.learning.picture import picture as draw  # noqa: PLC0415 - matplotlib is slow to load

    return draw(found)


async def week(desk: Desk, request: Request, person: Person) -> Response:
    """A week's digest, and where it was posted. Raises `BadInput` for what is no week."""
    catalog = desk.catalog()
    asked = asked_week(catalog, request.query_params.get("week", ""))
    async with desk.store.read() as session:
        found = await digest(session, catalog, asked)
        posts = await posted(session, catalog, found.week)
    drawn = desk.draw(
        "week.html", me=person, found=found, posts=posts, before=asked.before.name,
        after="" if found.running else asked.after.name,
        told=blocks_html(weekly_blocks(found, ""), heading=1),
    )  # fmt: skip
    return HTMLResponse(drawn)


async def _found(desk: Desk, days: int) -> Figures:
    async with desk.store.read() as session:
        return await figures(session, days)


def _patterns(found: Figures) -> dict[str, Any]:
    """The table of patterns by month, the latest first: columns, rows, whether there is more before."""
    shown = months(found.since, now().date(), _MONTHS)
    rows = by_pattern(found.patterns_by_month, shown)
    return {
        "months": [date.fromisoformat(f"{month}-01") for month in shown][::-1],
        "patterns": {name: (before, counts[::-1]) for name, (before, counts) in rows.items()},
        "earlier": any(before for before, _ in rows.values()),
    }


def _days(request: Request) -> int:
    typed = request.query_params.get("days", "")
    return int(typed[:4]) or DAYS if typed.isascii() and typed.isdigit() else DAYS
