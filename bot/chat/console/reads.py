"""Reads what the pages show. Nothing here writes."""

import hashlib
import struct
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from markupsafe import Markup
from sqlalchemy import func
from sqlalchemy.exc import NoResultFound
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts import Question
from bot.alerts.questions import about
from bot.catalog import Person
from bot.chat.cards import SIGN
from bot.chat.console.desk import Desk
from bot.chat.console.html import blocks_html
from bot.delivery import Message
from bot.errors import BadInput, NotFound
from bot.incidents import ACTIVE, SEVERITIES, Incident
from bot.incidents.seeing import may_see
from bot.log import get
from bot.runbooks import Run
from bot.timeline import Timeline

log = get("console")
SHOWN, ALL = 200, 1000
LARGEST = 2**31 - 1  # what PostgreSQL's integer holds
_QUESTIONS = 20  # drawn at once; others follow as these are answered
_APART = ("card", "digest")  # shown elsewhere than in the feed
_NEXT = {
    "unknown": "Decide: did it happen?", "waiting": "Approve or refuse",
    "proposed": "Look at the plan", "running": "Watch the run",
}  # fmt: skip


@dataclass(frozen=True)
class Shown:
    """One message, drawn. ``mark`` changes when it has to be drawn anew."""

    id: int
    mark: str
    kind: str
    at: datetime
    html: Markup
    picture: str = ""
    size: tuple[int, int] | None = None
    alt: str = ""
    files: tuple[str, ...] = ()
    whole: str = ""


@dataclass(frozen=True)
class Seen:
    """What a browser already shows: so that only the difference is sent, and nothing jumps."""

    messages: dict[int, str]
    first: int
    row: int


def parse_seen(marks: str, first: str, row: str) -> Seen:
    """Reads the browser's hidden fields. Raises `BadInput`."""
    pairs = [part.partition(".") for part in marks.split(",") if part]
    whole = [p[0] for p in pairs] + [first, row]
    if any(not w.isdecimal() or len(w) > 10 or int(w) > LARGEST for w in whole):  # noqa: PLR2004
        raise BadInput("The page is out of date.", hint="Reload it.")
    return Seen({int(p[0]): p[2] for p in pairs}, int(first), int(row))


async def incident_of(
    desk: Desk, session: AsyncSession, incident_id: int, person: Person
) -> Incident:
    """Raises `NotFound`, also where the person may not see it."""
    known = incident_id <= LARGEST
    incident = await session.get(Incident, incident_id) if known else None
    if incident is None or not may_see(desk.catalog(), incident, person):
        raise NotFound(f"There is no incident {incident_id}.", hint="The list shows all.")
    return incident


async def fingerprint(desk: Desk, session: AsyncSession, incident_id: int) -> str:
    """Changes whenever the incident's page would: cheap enough to ask once a second."""
    messages = select(func.count(), func.sum(Message.version)).where(
        Message.incident_id == incident_id
    )
    row = select(func.max(Timeline.seq)).where(Timeline.incident_id == incident_id)
    state = select(Incident.status, Incident.severity, Incident.commander).where(
        Incident.id == incident_id
    )
    runs = select(Run.state).where(Run.incident_id == incident_id).order_by(col(Run.id))
    facts = [tuple(r) for q in (messages, row, state, runs) for r in await session.execute(q)]
    return _short(repr(facts) + desk.notice())


async def list_fingerprint(desk: Desk, session: AsyncSession) -> str:
    """The same for the list: every change of an incident redraws its card."""
    cards = select(func.count(), func.sum(Message.version)).where(Message.kind == "card")
    questions = select(func.count(), func.sum(Question.fired + Question.ended))
    questions = questions.where(Question.state == "open")
    counted = [tuple((await session.execute(query)).one()) for query in (cards, questions)]
    return _short(repr(counted) + desk.notice())


async def listed(
    desk: Desk, session: AsyncSession, person: Person
) -> tuple[list[Incident], list[Incident]]:
    """The active incidents that the person may see, gravest first, and the others, newest first."""
    catalog = desk.catalog()
    active = [i for i in await desk.incidents.listed(session) if may_see(catalog, i, person)]
    active.sort(key=lambda i: (SEVERITIES.index(i.severity), -i.number))
    others = await desk.incidents.listed(session, everything=True)
    ended = [i for i in others if i.status not in ACTIVE and may_see(catalog, i, person)]
    return active, ended[:30]


async def beside(desk: Desk, session: AsyncSession, number: int, person: Person) -> tuple[str, str]:
    """The pages before and after this one, in the order of the list; empty at its ends."""
    active, ended = await listed(desk, session, person)
    order = [i.number for i in (*active, *ended)]
    if number not in order:
        return "", ""
    at = order.index(number)
    before = f"/incidents/{order[at - 1]}" if at else ""
    return before, f"/incidents/{order[at + 1]}" if at + 1 < len(order) else ""


async def asked(desk: Desk, session: AsyncSession, person: Person) -> tuple[int, list[Markup]]:
    """The open questions that the person may see: how many, and the oldest of them drawn."""
    catalog = desk.catalog()
    pending = await desk.clicks.questions.pending(session)
    mine = [q for q in pending if may_see(catalog, about(q), person)]
    return len(mine), [
        blocks_html(desk.cards.question(q).blocks, heading=3) for q in mine[:_QUESTIONS]
    ]


async def card_of(desk: Desk, session: AsyncSession, incident: Incident) -> Shown | None:
    """The live card. Its mark is its content: it also changes when a run does."""
    query = select(Message).where(Message.incident_id == incident.id, Message.kind == "card")
    message = (await session.execute(query)).scalars().first()
    if message is None:
        return None
    html = await _drawn(desk, session, message, heading=1)
    return Shown(message.id or 0, _short(html.html), "card", message.created_at, html.html)


async def feed_of(
    session: AsyncSession, incident_id: int, *, limit: int = SHOWN, first: int = 0
) -> list[Message]:
    """The messages of the channel in order: the latest ``limit``, or all from ``first`` on."""
    query = (
        select(Message)
        .where(Message.incident_id == incident_id, col(Message.kind).not_in(_APART))
        .where(col(Message.id) >= first)
        .order_by(col(Message.id).desc())
        .limit(ALL if first else limit)
    )
    return list((await session.execute(query)).scalars())[::-1]


async def shown(desk: Desk, session: AsyncSession, message: Message) -> Shown:
    """A message of the feed, drawn."""
    drawn = await _drawn(desk, session, message, heading=2)
    return Shown(
        message.id or 0, str(message.version), message.kind, message.created_at, drawn.html,
        drawn.file, png_size(desk.data_dir / "evidence" / drawn.file) if drawn.file else None,
        drawn.title, drawn.files, drawn.whole,
    )  # fmt: skip


async def next_step(session: AsyncSession, incident: Incident) -> dict[str, Any] | None:
    """Where a person is needed now: the newest run that waits, and the message it is in."""
    if incident.status not in ACTIVE:
        return None
    query = select(Run).where(Run.incident_id == incident.id, col(Run.state).in_(_NEXT))
    runs = list((await session.execute(query.order_by(col(Run.id).desc()))).scalars())
    runs.sort(key=lambda r: list(_NEXT).index(r.state))
    for run in runs:
        key = f"{incident.id}:run-{run.id}"
        found = (await session.execute(select(Message.id).where(Message.key == key))).scalar()
        if found is not None:
            return {"label": _NEXT[run.state], "title": run.title, "anchor": f"m{found}"}
    return None


async def count_of(session: AsyncSession, incident_id: int) -> int:
    """How many messages the channel has."""
    query = select(func.count()).where(
        Message.incident_id == incident_id, col(Message.kind).not_in(_APART)
    )
    return int((await session.execute(query)).scalar_one())


def sign(incident: Incident) -> str:
    """The severity's coloured sign."""
    return SIGN[incident.severity]


def png_size(path: Path) -> tuple[int, int] | None:
    """Width and height, so that the page keeps the room and does not jump when it loads."""
    try:
        with path.open("rb") as file:
            head = file.read(24)
    except OSError:
        return None
    if len(head) < 24 or not head.startswith(b"\x89PNG\r\n"):  # noqa: PLR2004 - up to IHDR's size
        return None
    width, height = struct.unpack(">II", head[16:24])
    return width, height


@dataclass(frozen=True)
class _Drawn:
    html: Markup
    file: str = ""
    title: str = ""
    files: tuple[str, ...] = ()
    whole: str = ""


async def _drawn(desk: Desk, session: AsyncSession, message: Message, *, heading: int) -> _Drawn:
    """One message that cannot be drawn must not take the page away from people who need it."""
    try:
        rendered = await desk.cards.render(session, message)
    except (KeyError, ValueError, TypeError, AttributeError, NoResultFound) as error:
        log.error("message_not_drawn", message_id=message.id, error=repr(error))
        return _Drawn(Markup('<p class="context">This message cannot be shown.</p>'))
    html = blocks_html(rendered.blocks, heading=heading)
    return _Drawn(html, rendered.file, rendered.title, rendered.files, rendered.whole)


def _short(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=6).hexdigest()
