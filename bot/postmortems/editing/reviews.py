"""The way of a postmortem from draft to final: who owns, facilitates and reviews it, notes, approval.

Each step is a row on the timeline and a line in the channel, in one commit. The incident is locked by
whoever calls; ``by`` is the person who does it, and whether they may is asked here.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import select as columns
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident
from bot.incidents.due import Paper
from bot.incidents.seeing import may_see
from bot.log import redact_text
from bot.postmortems.editing.papers import Papers, standing_of
from bot.postmortems.editing.publishing import show_places
from bot.postmortems.editing.states import (
    DRAFT,
    FINAL,
    REVIEW,
    may_edit,
    require_approver,
    require_move,
    require_open,
)
from bot.postmortems.editing.tables import Reviewer, ReviewNote
from bot.postmortems.editing.versions import document_of, latest
from bot.postmortems.tables import Postmortem
from bot.store import now

NOTE_LIMIT = 3000
_OVER = timedelta(days=1)  # after it nobody is reminded of a meeting
MOST = 20  # reviewers: more is a crowd
_MOVED = {DRAFT: "postmortem_reopened", REVIEW: "postmortem_in_review", FINAL: "postmortem_final"}


class Reviews:
    """The verbs of a postmortem's review."""

    def __init__(self, papers: Papers) -> None:
        self.papers = papers
        self.incidents = papers.incidents

    async def name(
        self, session: AsyncSession, incident: Incident, role: str, who: Person, by: Person
    ) -> Postmortem:
        """Makes somebody its ``owner`` or ``facilitator``. Raises `NotAllowed`, `BadInput`, `Conflict`."""
        may_edit(by)
        paper = await self.papers.paper(session, incident.number)
        require_open(paper.state)
        self._require_insider(incident, who)
        before = paper.owner if role == "owner" else paper.facilitator
        if before == who.id:
            return paper
        if role == "owner":
            paper.owner = who.id
        else:
            paper.facilitator = who.id
        text = f"Postmortem: {who.name} is its {role}"
        await self._done(session, paper, f"postmortem_{role}_named", by, text)
        return paper

    async def ask(
        self, session: AsyncSession, incident: Incident, people: Sequence[Person], by: Person
    ) -> Postmortem:
        """Names reviewers, and puts a draft in review. Raises as `name`."""
        may_edit(by)
        paper = await self.papers.paper(session, incident.number)
        require_open(paper.state)
        for person in people:
            self._require_insider(incident, person)
        known = {each.person for each in await reviewers_of(session, incident.number)}
        new = [p for p in dict.fromkeys(p.id for p in people) if p not in known]
        if len(known) + len(new) > MOST:
            raise BadInput(f"A postmortem has {MOST} reviewers at most.")
        session.add_all(
            Reviewer(incident_id=incident.number, person=each, asked_by=by.id) for each in new
        )
        await session.flush()
        if new:
            names = ", ".join(p.name for p in people if p.id in new)
            text = f"Postmortem: review asked of {names}"
            await self._done(session, paper, "postmortem_review_asked", by, text)
        if paper.state == DRAFT:
            await self.move(session, incident, REVIEW, by)
        return paper

    async def approve(
        self, session: AsyncSession, incident: Incident, by: Person, *, version: int = 0
    ) -> Postmortem:
        """A reviewer approves what stands there, or the ``version`` that they looked at.

        Raises `NotAllowed`, and `Conflict` where it has changed since.
        """
        paper = await self.papers.paper(session, incident.number)
        standing = await standing_of(session, paper)
        require_approver(standing, by)
        if version not in (0, paper.version):
            raise Conflict(
                f"It was changed: this is version {paper.version} by now.", hint="Read it again."
            )
        row = await session.get_one(Reviewer, (incident.number, by.id))
        if row.approved_version == paper.version:
            return paper
        row.approved_version, row.approved_at = paper.version, now()
        text = f"Postmortem: {by.name} approves version {paper.version}"
        await self._done(session, paper, "postmortem_approved", by, text)
        return paper

    async def move(
        self, session: AsyncSession, incident: Incident, wanted: str, by: Person
    ) -> Postmortem:
        """To another state. Raises `NotAllowed`, and `Conflict` with what is missing."""
        paper = await self.papers.paper(session, incident.number)
        require_move(await standing_of(session, paper), wanted, by)
        if wanted == FINAL and paper.redraw_by:
            raise Conflict("It is being drawn anew.", hint="Try again in a moment.")
        paper.state = wanted
        text = f"The postmortem is {wanted}" + (" again" if wanted == DRAFT else "")
        await self._done(session, paper, _MOVED[wanted], by, text)
        if wanted == FINAL and not incident.private:
            await show_places(session, self.incidents, paper)
        return paper

    async def meet(
        self, session: AsyncSession, incident: Incident, at: datetime, by: Person
    ) -> Postmortem:
        """Says when it is talked about; people are reminded of it. Raises as `name`."""
        may_edit(by)
        paper = await self.papers.paper(session, incident.number)
        require_open(paper.state)
        if paper.meeting_at != at:
            paper.meeting_at = at
            text = f"Postmortem: the review meeting is at {at:%Y-%m-%d %H:%M} UTC"
            await self._done(session, paper, "postmortem_meeting_set", by, text)
        return paper

    async def note(
        self, session: AsyncSession, incident: Incident, section: str, text: str, by: Person,
        origin: str,
    ) -> ReviewNote:  # fmt: skip
        """A remark on a section; the same ``origin`` again is the same remark.

        Raises `NotAllowed`, `BadInput`, `NotFound`, `Conflict`.
        """
        paper = await self.papers.paper(session, incident.number)
        await self._may_note(session, incident, by)
        require_open(paper.state)
        query = select(ReviewNote).where(ReviewNote.origin == origin)
        if known := (await session.execute(query)).scalar_one_or_none():
            return known
        title = await self._title(session, paper, section)
        clean = redact_text(_printable(text))
        if not 0 < len(clean) <= NOTE_LIMIT:
            raise BadInput(f"A review note has 1 to {NOTE_LIMIT} characters.")
        made = ReviewNote(
            incident_id=incident.number, section=section, text=clean, by=by.id, origin=origin
        )
        session.add(made)
        await session.flush()
        await self._record(session, paper, "postmortem_note_added", by, f"Review note, {title}: {clean}")  # fmt: skip
        return made

    async def resolve(
        self, session: AsyncSession, incident: Incident, note_id: int, by: Person
    ) -> ReviewNote:
        """A note is dealt with. Raises `NotAllowed`, `NotFound`."""
        paper = await self.papers.paper(session, incident.number)
        await self._may_note(session, incident, by)
        require_open(paper.state)
        found = await session.get(ReviewNote, note_id)
        if found is None or found.incident_id != incident.number:
            raise NotFound("There is no such note.", hint="Reload the page.")
        if found.resolved_at is None:
            found.resolved_at, found.resolved_by = now(), by.id
            text = f"Review note resolved: {found.text}"
            await self._record(session, paper, "postmortem_note_resolved", by, text)
        return found

    async def _may_note(self, session: AsyncSession, incident: Incident, by: Person) -> None:
        if by.id in {each.person for each in await reviewers_of(session, incident.number)}:
            return
        if not (by.has("responder") or by.has("commander")):
            raise NotAllowed("Review notes are for its reviewers and for responders.")

    async def _title(self, session: AsyncSession, paper: Postmortem, section: str) -> str:
        document = await document_of(session, await latest(session, paper))
        part = document.part(section)
        if part is None:
            raise NotFound(
                f"The postmortem has no section {section[:60]!r}.", hint="Reload the page."
            )
        return part.title

    def _require_insider(self, incident: Incident, person: Person) -> None:
        """Whoever works on it must be able to see it: naming somebody invites nobody."""
        if not may_see(self.incidents.catalog(), incident, person):
            raise BadInput(
                f"{person.name} may not see this private incident.",
                hint="Whoever gets a role in it sees it: /incident role.",
            )

    async def _done(
        self, session: AsyncSession, paper: Postmortem, kind: str, by: Person, text: str
    ) -> None:
        """The row, the line in the channel, and the document's head, which says who and how far."""
        await self._record(session, paper, kind, by, text)
        key = f"{kind}-{now().timestamp()}"
        await self.incidents.outbox.say(
            session, paper.incident_id, key, "line", {"text": text}, author=f"person:{by.id}"
        )
        await self.papers.show(session, paper)

    async def _record(
        self, session: AsyncSession, paper: Postmortem, kind: str, by: Person, text: str
    ) -> None:
        await self.incidents.ledger.append(
            session, paper.incident_id, kind, f"person:{by.id}", text,
            data={"version": paper.version, "state": paper.state},
        )  # fmt: skip


async def reviewers_of(session: AsyncSession, number: int) -> list[Reviewer]:
    """In the order in which they were asked."""
    query = select(Reviewer).where(Reviewer.incident_id == number)
    return list((await session.execute(query.order_by(col(Reviewer.asked_at)))).scalars())


async def notes_of(session: AsyncSession, number: int, section: str = "") -> list[ReviewNote]:
    """All of them, or a section's, oldest first."""
    query = select(ReviewNote).where(ReviewNote.incident_id == number)
    if section:
        query = query.where(ReviewNote.section == section)
    return list((await session.execute(query.order_by(col(ReviewNote.id)))).scalars())


async def paper_facts(
    session: AsyncSession, numbers: Iterable[int] | None
) -> dict[int, Paper]:  # fmt: skip
    """For reminders: how far these postmortems are, or all that somebody meets about."""
    of = Postmortem
    query = columns(col(of.incident_id), col(of.state), col(of.owner), col(of.facilitator), col(of.meeting_at))  # fmt: skip
    if numbers is None:
        ahead = col(Postmortem.meeting_at) > now() - _OVER
        query = query.where(ahead, col(Postmortem.state) != FINAL)
    else:
        query = query.where(col(Postmortem.incident_id).in_(list(numbers)))
    found = (await session.execute(query)).all()
    people: dict[int, list[str]] = {number: [facilitator] for number, _, _, facilitator, _ in found}
    meeting = [number for number, *_, meeting_at in found if meeting_at is not None]
    asked = select(Reviewer.incident_id, Reviewer.person).where(
        col(Reviewer.incident_id).in_(meeting)
    )
    if meeting:
        for number, person in (await session.execute(asked.order_by(col(Reviewer.asked_at)))).all():
            people[number].append(person)
    return {
        number: Paper(state == FINAL, owner, meeting_at, [p for p in people[number] if p])
        for number, state, owner, _, meeting_at in found
    }


def _printable(text: str) -> str:
    lines = text.replace("\r\n", "\n").split("\n")
    return "\n".join("".join(c for c in line if c.isprintable()) for line in lines).strip()
