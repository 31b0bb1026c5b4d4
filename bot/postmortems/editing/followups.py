"""Action items become follow-ups of the incident, and tickets where the catalog has a tracker.

The incident is locked by whoever calls; ``by`` is the person who does it.
"""

from collections.abc import Collection, Sequence
from datetime import UTC, datetime, time

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person, Tracker
from bot.contract import Ticket
from bot.delivery import Delivery
from bot.errors import BadInput, NotFound
from bot.incidents import Incident, Task
from bot.incidents.tasks import Tasks
from bot.log import redact_text
from bot.postmortems.editing.actions import (
    SECTION,
    TYPES,
    Item,
    check_item,
    items_of,
    with_number,
    with_row,
)
from bot.postmortems.editing.papers import Papers, put_section
from bot.postmortems.editing.sections import check_body
from bot.postmortems.editing.states import may_edit, require_open
from bot.postmortems.editing.tables import ActionItem
from bot.postmortems.editing.versions import digest_of, document_of, latest

TICKETS = "tickets"  # the surface's name
_NOON = time(12, tzinfo=UTC)  # of the day it is due
_LONGEST = 300  # characters of an action: the task's text holds its owner as well


class FollowUps:
    """The verbs of a postmortem's action items."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self.incidents = papers.incidents
        self.tasks = Tasks(papers.incidents)

    async def take_up(
        self, session: AsyncSession, incident: Incident, picked: Collection[str], by: Person
    ) -> list[ActionItem]:
        """Makes follow-ups of these rows of the table, by `pick_of`; what is one already stays.

        Raises `NotAllowed`, `Conflict`, and `BadInput` for a row that lacks something.
        """
        may_edit(by)
        paper = await self.papers.paper(session, incident.number)
        require_open(paper.state)
        version = await latest(session, paper)
        document = await document_of(session, version)
        part = document.part(SECTION)
        rows = items_of(part.body) if part else []
        chosen = [item for item in rows if pick_of(item) in picked and not item.task]
        if part is None or not rows:
            raise NotFound("The postmortem has no action items.", hint="Write them into its table.")
        made = [await self._taken(session, incident, item, by) for item in chosen]
        body = part.body
        for item, action in zip(chosen, made, strict=True):
            body = with_number(body, item.line, action.task)
        if made:  # only numbers: whoever takes them up has not written in it
            await put_section(session, paper, version, document, part, body, "jackline")
            await self.papers.show(session, paper)
        return made

    async def add(
        self, session: AsyncSession, incident: Incident, item: Item, by: Person
    ) -> ActionItem:
        """Writes a row into the table and takes it up. Raises as `take_up`."""
        may_edit(by)
        check_item(item)
        paper = await self.papers.paper(session, incident.number)
        require_open(paper.state)
        version = await latest(session, paper)
        document = await document_of(session, version)
        part = document.part(SECTION)
        if part is None:
            raise NotFound("The postmortem has no section for action items.")
        given = (item.text, item.kind, item.owner, item.due, item.done_when, item.finding)
        text, kind, owner, due, done_when, finding = map(redact_text, given)
        clean = Item(0, text, kind, owner, due, done_when, finding)
        if pick_of(clean) in {pick_of(each) for each in items_of(part.body)}:
            raise BadInput(f"There is an action item {item.text[:60]!r} already.")
        body, line = with_row(part.body, clean)
        body = check_body(body)
        await put_section(session, paper, version, document, part, body, f"person:{by.id}")
        new = next(i for i in items_of(body) if i.line == line)
        return (await self.take_up(session, incident, [pick_of(new)], by))[0]

    async def _taken(
        self, session: AsyncSession, incident: Incident, item: Item, by: Person
    ) -> ActionItem:
        due = check_item(item)
        if len(item.text) > _LONGEST:
            raise BadInput(
                f"The action item {item.text[:60]!r} has more than {_LONGEST} characters."
            )
        catalog = self.incidents.catalog()
        owner = owner_of(catalog, item.owner)
        text = item.text if owner else f"{item.text} (owner: {item.owner[:100]})"
        at = datetime.combine(due, _NOON)
        task = await self.tasks.add(
            session, incident, text, by, owner=owner, due_at=at, after=True,
            origin=f"postmortem-{incident.number}-{digest_of(item.text)}",
        )  # fmt: skip
        query = select(ActionItem).where(
            ActionItem.incident_id == incident.number, ActionItem.task == task.number
        )
        if known := (await session.execute(query)).scalar_one_or_none():
            return known  # the row lost its number, as by going back to an older version
        tracker = tracker_for(catalog, incident)
        action = ActionItem(
            incident_id=incident.number, task=task.number, text=item.text, kind=item.kind.lower(),
            owner=owner.id if owner else item.owner, due=item.due, done_when=item.done_when,
            finding=item.finding, by=by.id, tracker=tracker.id if tracker else "",
            ticket="pending" if tracker else "",
        )  # fmt: skip
        session.add(action)
        await session.flush()
        if tracker:
            session.add(Delivery(
                surface=TICKETS, lane=f"ticket:{action.number}", op="file",
                incident_id=incident.number, payload={"action": action.number},
            ))  # fmt: skip
        return action


def pick_of(item: Item) -> str:
    """What names a row on a page."""
    return digest_of(item.text)


def tracker_for(catalog: Catalog, incident: Incident) -> Tracker | None:
    """None for what stays among few, and for drills: a tracker is read by many."""
    if incident.private or incident.drill:
        return None
    return catalog.tracker(incident.services)


def owner_of(catalog: Catalog, word: str) -> Person | None:
    """The person whom an owner's word names; None where it is a role or a team."""
    plain = word.strip().removeprefix("@").lower()
    found = [p for p in catalog.people if plain in (p.id.lower(), p.name.lower())]
    return found[0] if len(found) == 1 else None


def ticket_of(incident: Incident, action: ActionItem, tracker: Tracker, page: str) -> Ticket:
    """As an integration gets it; ``page`` is the postmortem's address, or empty."""
    lines = [
        action.text, "",
        f"Type: {action.kind}", f"Owner: {action.owner}", f"Done when: {action.done_when}",
        *([f"From the finding: {action.finding}"] if action.finding else []),
        "", f"An action item of incident {incident.number}, follow-up {action.task}.",
        *([page] if page else []),
    ]  # fmt: skip
    began = int(incident.declared_at.timestamp())
    return Ticket.model_validate({
        "marker": f"jackline-{began}-{incident.number}-{action.task}",
        "title": action.text[:200], "text": "\n".join(lines)[:8000], "due": action.due,
        "about": tracker.about, "made_at": action.at,
        "sent_at": action.next_at or action.at,
    })  # fmt: skip


async def actions_of(session: AsyncSession, number: int) -> list[ActionItem]:
    """Those of an incident that were taken up, in their order."""
    query = select(ActionItem).where(ActionItem.incident_id == number)
    return list((await session.execute(query.order_by(col(ActionItem.task)))).scalars())


async def open_actions(session: AsyncSession) -> list[ActionItem]:
    """Those of all incidents whose follow-up is not done, the oldest first."""
    same = (col(Task.incident_id) == col(ActionItem.incident_id)) & (
        col(Task.number) == col(ActionItem.task)
    )
    query = select(ActionItem).join(Task, same).where(Task.state == "open")
    return list((await session.execute(query.order_by(col(ActionItem.at)))).scalars())


def types_missing(items: Sequence[Item]) -> list[str]:
    """Which types of action nobody has thought of."""
    return [kind for kind in TYPES if kind not in {item.kind.lower() for item in items}]
