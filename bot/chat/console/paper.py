"""The pages on which people work on a postmortem: how far it is, one section, its history."""

import secrets
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

from markupsafe import Markup
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk
from bot.chat.spot_words import publish_label, spot_words
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident, Task
from bot.incidents.tasks import tasks_of
from bot.postmortems import Postmortem
from bot.postmortems.editing.actions import SECTION, TYPES, Item, check_item, items_of
from bot.postmortems.editing.differences import Line, differences
from bot.postmortems.editing.followups import actions_of, pick_of, types_missing
from bot.postmortems.editing.papers import clashes_of, standing_of
from bot.postmortems.editing.preview import preview
from bot.postmortems.editing.publishing import may_publish, spots_of
from bot.postmortems.editing.reviews import notes_of, reviewers_of
from bot.postmortems.editing.sections import Document, Part, split
from bot.postmortems.editing.states import (
    FINAL,
    Standing,
    counts,
    may_edit,
    missing,
    require_approver,
)
from bot.postmortems.editing.tables import ActionItem
from bot.postmortems.editing.versions import digest_of, document_of, history, numbered


@dataclass(frozen=True)
class Sheet:
    """A postmortem as somebody looks at it."""

    incident: Incident
    paper: Postmortem
    document: Document
    standing: Standing
    may_edit: bool

    @property
    def open(self) -> bool:
        """Whether the person may write in it now."""
        return self.may_edit and self.paper.state != FINAL

    def part(self, key: str) -> Part:
        """Raises `NotFound`."""
        found = self.document.part(key)
        if found is None:
            raise NotFound("The postmortem has no such section.", hint="Its page lists them.")
        return found


@dataclass(frozen=True)
class ActionRow:
    """An action item as the overview shows it; ``lacks`` says why it cannot be taken up yet."""

    item: Item
    pick: str
    lacks: str
    task: Task | None
    action: ActionItem | None
    tracker: str


@dataclass(frozen=True)
class Typed:
    """What somebody has typed and is not saved: shown again, with what is wrong about it."""

    text: str
    seen: str
    error: str = ""
    shown: Markup = Markup("")  # noqa: RUF009 - immutable


async def overview(desk: Desk, request: Request, person: Person) -> Response:
    """How far it is, who has it, what it needs, and its sections."""
    async with desk.store.read() as session:
        sheet = await sheet_of(desk, session, request, person)
        number = sheet.incident.number
        notes, clashes = await notes_of(session, number), await clashes_of(session, number)
        reviewers = await reviewers_of(session, number)
        rows = await _action_rows(desk, session, sheet)
        spots = await spots_of(session, desk.catalog(), sheet.incident)
    standing = sheet.standing
    final = sheet.paper.state == FINAL
    page = desk.draw(
        "paper.html", me=person, sheet=sheet, incident=sheet.incident, paper=sheet.paper,
        name=lambda who: desk.cards.name(f"person:{who}"), key=secrets.token_urlsafe(12),
        reviewers=[(r, counts(standing, a)) for r, a in zip(reviewers, standing.reviewers, strict=True)],
        missing=missing(standing), may_approve=_passes(partial(require_approver, standing), person),
        notes=Counter(n.section for n in notes if n.resolved_at is None),
        clashes=Counter(c.section for c in clashes), people=desk.catalog().people,
        spots=[(spot, spot_words(desk.catalog(), spot, sheet.paper.version)) for spot in spots],
        may_publish=final and _passes(may_publish, person), publish_label=publish_label,
        waiting=any(spot.copy and spot.copy.state == "pending" for spot in spots),
        rows=rows, types=TYPES, types_missing=types_missing([row.item for row in rows]),
    )  # fmt: skip
    return HTMLResponse(page)


async def _action_rows(desk: Desk, session: AsyncSession, sheet: Sheet) -> list[ActionRow]:
    """The table's rows, and what became of them; also of those that are in no row any more."""
    number = sheet.incident.number
    part = sheet.document.part(SECTION)
    taken = {a.task: a for a in await actions_of(session, number)}
    tasks = {t.number: t for t in await tasks_of(session, [number], all_states=True)}
    trackers = {t.id: t.name for t in desk.catalog().trackers}

    def row(item: Item) -> ActionRow:
        action = taken.pop(item.task, None)
        tracker = trackers.get(action.tracker, action.tracker) if action else ""
        try:
            check_item(item)
        except BadInput as error:
            lacks = error.message.partition(": ")[2]
        else:
            lacks = ""
        return ActionRow(item, pick_of(item), lacks, tasks.get(item.task), action, tracker)

    items = items_of(part.body if part else "")
    numbers = [item.task for item in items]
    once = [i for at, i in enumerate(items) if not i.task or i.task not in numbers[:at]]
    rows = [row(item) for item in once]
    left = [
        Item(0, a.text, a.kind, a.owner, a.due, a.done_when, a.finding, a.task)
        for a in taken.values()
    ]
    return rows + [row(item) for item in left]


async def editor(desk: Desk, request: Request, person: Person) -> Response:
    """One section: its words, conflicts, notes."""
    return await section_page(desk, request, person, str(request.path_params["section"]))


async def section_page(
    desk: Desk, request: Request, person: Person, key: str, typed: Typed | None = None,
    status: int = 200,
) -> Response:  # fmt: skip
    """The section's page, also where something is wrong with what was typed."""
    async with desk.store.read() as session:
        sheet = await sheet_of(desk, session, request, person)
        part, number = sheet.part(key), sheet.incident.number
        clashes = await clashes_of(session, number, key)
        notes = await notes_of(session, number, key)
    keys = [p.key for p in sheet.document.parts]
    at, base = keys.index(key), f"/incidents/{number}/postmortem/edit"
    page = desk.draw(
        "paper_section.html", me=person, sheet=sheet, incident=sheet.incident, part=part, base=base,
        text=typed.text if typed else part.body, seen=typed.seen if typed else digest_of(part.body),
        error=typed.error if typed else "", shown=typed.shown if typed else "",
        rendered=preview(part.body), name=lambda who: desk.cards.name(_actor(who)),
        clashes=[(c, _between(part, c.text)) for c in clashes], notes=notes,
        previous=f"{base}/{keys[at - 1]}" if at else "",
        next=f"{base}/{keys[at + 1]}" if at + 1 < len(keys) else "",
        key=secrets.token_urlsafe(12),
    )  # fmt: skip
    return HTMLResponse(page, status)


async def past(desk: Desk, request: Request, person: Person) -> Response:
    """All versions, and what differs between two of them: the last two, unless others are asked for."""
    async with desk.store.read() as session:
        sheet = await sheet_of(desk, session, request, person)
        versions = await history(session, sheet.incident.number)
        numbers = [v.number for v in versions] or [0]
        later = _number(request.query_params.get("to", ""), numbers[0])
        before = next((n for n in numbers if n < later), later)
        earlier = _number(request.query_params.get("from", ""), before)
        found = []
        if versions:
            documents = [
                await document_of(session, await numbered(session, sheet.incident.number, n))
                for n in (earlier, later)
            ]
            found = differences(*documents)
    page = desk.draw(
        "paper_history.html", me=person, sheet=sheet, incident=sheet.incident, versions=versions,
        name=desk.cards.name, earlier=earlier, later=later, found=found,
        key=secrets.token_urlsafe(12),
    )  # fmt: skip
    return HTMLResponse(page)


async def sheet_of(
    desk: Desk, session: AsyncSession, request: Request, person: Person
) -> Sheet:  # fmt: skip
    """Raises `NotFound`, also where the person may not see the incident."""
    number = int(request.path_params["id"])
    incident = await reads.incident_of(desk, session, number, person)
    paper = await session.get(Postmortem, number)
    if paper is None:
        raise NotFound("There is no postmortem yet.", hint="It is drafted at resolution.")
    if paper.version:
        document = await document_of(session, await numbered(session, number, paper.version))
    else:  # of an older Jackline: its first version is made when somebody writes in it
        document = split(paper.markdown)
    standing = await standing_of(session, paper)
    return Sheet(incident, paper, document, standing, _passes(may_edit, person))


def _passes(rule: Callable[[Person], None], person: Person) -> bool:
    """Whether a button is there; the rule is asked again when it is pressed."""
    try:
        rule(person)
    except (NotAllowed, Conflict):
        return False
    return True


def _between(part: Part, other: str) -> list[Line]:
    """What differs between what stands there and the other text."""
    one = Document("", (part,))
    two = Document("", (Part(part.key, part.title, "", other),))
    return [line for each in differences(one, two) for line in each.lines]


def _actor(who: str) -> str:
    return who if who == "jackline" or who.startswith("person:") else f"person:{who}"


def _number(word: str, other: int) -> int:
    if not word:
        return other
    if not word.isdecimal() or len(word) > 9:  # noqa: PLR2004 - what an id has at most
        raise BadInput("There is no such version.", hint="The history lists them.")
    return int(word)
