"""What people do to a postmortem's text: save a section, take a version back, settle a conflict.

Each change, its version, its row on the timeline and the document are one commit. The incident is
locked by whoever calls; ``by`` is the person who does it, and their role is asked for here.
"""

from dataclasses import dataclass

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Person
from bot.errors import Conflict, NotFound
from bot.incidents import Incident, Incidents
from bot.log import redact_text
from bot.postmortems.editing.front import compose
from bot.postmortems.editing.merge import merge
from bot.postmortems.editing.sections import Document, Part, check_body
from bot.postmortems.editing.states import Approval, Standing, may_edit, require_open
from bot.postmortems.editing.tables import Clash, Reviewer, ReviewNote, Version
from bot.postmortems.editing.versions import (
    CONTINUED,
    TAKEN_OUT,
    digest_of,
    document_of,
    go_on,
    latest,
    marked,
    numbered,
    put,
    taken_out,
)
from bot.postmortems.tables import Postmortem
from bot.store import now


@dataclass(frozen=True)
class Saved:
    """What came of a save: the section as it stands, and the conflict where somebody was faster."""

    version: int
    part: Part
    clash: Clash | None = None
    redacted: bool = False

    @property
    def digest(self) -> str:
        """What the next save has to have seen."""
        return digest_of(self.part.body)


class Papers:
    """The verbs of a postmortem's text."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def save(
        self, session: AsyncSession, incident: Incident, key: str, text: str, seen: str, by: Person
    ) -> Saved:
        """Puts a person's words into a section. ``seen`` is the digest of the text they started from.

        Where somebody else saved it meanwhile, what stands there stays, and the words are kept beside
        it as a conflict. Raises `NotAllowed`, `BadInput`, `NotFound`, `Conflict`.
        """
        may_edit(by)
        paper = await self.paper(session, incident.number)
        require_open(paper.state)
        version = await latest(session, paper)
        document = await document_of(session, version)
        part = _of(document, key)
        given = check_body(text)
        body = check_body(redact_text(given))
        redacted = body != given
        if body == part.body:
            return Saved(paper.version, part, redacted=redacted)
        if digest_of(part.body) != seen:
            clash = await self._clash(session, incident, part, body, by)
            return Saved(paper.version, part, clash, redacted)
        await self._write(session, incident, paper, version, document, part, body, by)
        return Saved(paper.version, _with(part, body), redacted=redacted)

    async def restore(
        self, session: AsyncSession, incident: Incident, number: int, by: Person
    ) -> Postmortem:
        """Goes back to how it stood in a version, as a new version. Raises as `save`."""
        may_edit(by)
        paper = await self.paper(session, incident.number)
        require_open(paper.state)
        current = await latest(session, paper)
        chosen = await numbered(session, incident.number, number)
        if [*chosen.parts[1:]] == [*current.parts[1:]]:
            raise Conflict(f"That is how it stands already: version {number}.")
        now_is, wanted = await document_of(session, current), await document_of(session, chosen)
        drawn = await document_of(session, current, drawn=True)
        document = marked(Document(now_is.head, wanted.parts), drawn)
        what = f"As it was in version {number}"
        await put(session, paper, document, kind="restored", by=f"person:{by.id}", what=what)
        await self._record(session, paper, "postmortem_restored", by.id, f"Postmortem: {what}")
        await self.show(session, paper)
        return paper

    async def settle(
        self, session: AsyncSession, incident: Incident, clash_id: int, by: Person, *, take: bool
    ) -> Clash:
        """A conflict is settled by what stands there now, or by taking the other text. Raises as `save`."""
        may_edit(by)
        paper = await self.paper(session, incident.number)
        require_open(paper.state)
        clash = await session.get(Clash, clash_id)
        if clash is None or clash.incident_id != incident.number:
            raise NotFound("There is no such conflict.", hint="Reload the page.")
        if clash.settled_at is not None:
            return clash
        version = await latest(session, paper)
        document = await document_of(session, version)
        part = document.part(clash.section) or Part(clash.section, clash.section, "", "")
        if take and document.part(part.key) is None:
            raise Conflict(
                "The section is not there any more.", hint="Take its version back first."
            )
        if take and part.body != clash.text:
            await put_section(
                session, paper, version, document, part, clash.text, f"person:{by.id}"
            )
        clash.settled_at, clash.settled_by = now(), by.id
        how = "the other text was taken" if take else "what stands there stays"
        text = f"Postmortem, {part.title}: conflict settled, {how}"
        await self._record(session, paper, "postmortem_conflict_settled", by.id, text, part.key)
        await self.show(session, paper)
        return clash

    async def redraw(self, session: AsyncSession, incident: Incident, by: Person) -> Postmortem:
        """Asks for the draft to be drawn anew from the rows there are now. Raises as `save`."""
        may_edit(by)
        paper = await self.paper(session, incident.number)
        require_open(paper.state)
        if incident.status not in ("resolved", "closed"):
            raise Conflict(
                f"#{incident.number} is {incident.standing}: it is drawn anew at its end."
            )
        if not paper.redraw_by:
            paper.redraw_by = by.id
            text = "Postmortem is to be drawn anew"
            await self._record(session, paper, "postmortem_redraw_asked", by.id, text)
        return paper

    async def paper(self, session: AsyncSession, number: int) -> Postmortem:
        """As it was committed last. Raises `NotFound`."""
        query = select(Postmortem).where(Postmortem.incident_id == number)
        fresh = query.execution_options(populate_existing=True)
        found = (await session.execute(fresh)).scalar_one_or_none()
        if found is None:
            raise NotFound(
                f"There is no postmortem of incident {number}.",
                hint="One is drafted shortly after an incident is resolved.",
            )
        if found.version == 0:  # from before there were versions
            await latest(session, found)
        return found

    async def show(self, session: AsyncSession, paper: Postmortem) -> None:
        """Writes the document anew as it stands; its page is drawn when somebody reads it."""
        version = await latest(session, paper)
        document = await document_of(session, version)
        standing = await standing_of(session, paper)
        paper.markdown = compose(document, standing, self._name)
        paper.html = ""

    def _name(self, person_id: str) -> str:
        person = self.incidents.catalog().person(person_id)
        return person.name if person else person_id

    async def _write(
        self, session: AsyncSession, incident: Incident, paper: Postmortem, version: Version,
        document: Document, part: Part, body: str, by: Person,
    ) -> None:  # fmt: skip
        actor = f"person:{by.id}"
        mine = (version.kind, version.section, version.by) == ("edited", part.key, actor)
        recent = version.at > now() - CONTINUED
        approved = select(func.count()).where(
            Reviewer.incident_id == incident.number, Reviewer.approved_version == paper.version
        )
        seen = (await session.execute(approved)).scalar_one()
        if mine and recent and not seen and taken_out(part.body, body) <= TAKEN_OUT:
            drawn = await document_of(session, version, drawn=True)
            whole = marked(document.with_part(_with(part, body)), drawn)
            await go_on(session, paper, version, whole)
        else:
            await put_section(session, paper, version, document, part, body, actor)
            text = f"Postmortem edited: {part.title}"
            await self._record(session, paper, "postmortem_edited", by.id, text, part.key)
        await self.show(session, paper)

    async def _clash(
        self, session: AsyncSession, incident: Incident, part: Part, body: str, by: Person
    ) -> Clash:
        """The words of who was slower, kept; what they type on is the same conflict."""
        actor = f"person:{by.id}"
        query = select(Clash).where(
            Clash.incident_id == incident.number, Clash.section == part.key, Clash.by == actor,
            col(Clash.settled_at).is_(None),
        )  # fmt: skip
        for known in (await session.execute(query)).scalars():
            if known.text == body:
                return known
            if taken_out(known.text, body) <= TAKEN_OUT:
                known.text = body
                return known
        clash = Clash(incident_id=incident.number, section=part.key, text=body, by=actor)
        session.add(clash)
        await session.flush()
        paper = await self.paper(session, incident.number)
        text = f"Postmortem, {part.title}: two people wrote at once, both texts are kept"
        await self._record(session, paper, "postmortem_conflict", by.id, text, part.key)
        return clash

    async def _record(
        self, session: AsyncSession, paper: Postmortem, kind: str, by: str, text: str, section: str = "",
    ) -> None:  # fmt: skip
        data = {"version": paper.version} | ({"section": section} if section else {})
        actor = f"person:{by}"
        await self.incidents.ledger.append(session, paper.incident_id, kind, actor, text, data=data)


async def put_section(
    session: AsyncSession, paper: Postmortem, version: Version, document: Document, part: Part,
    body: str, actor: str,
) -> None:  # fmt: skip
    """A version with one section changed."""
    drawn = await document_of(session, version, drawn=True)
    whole = marked(document.with_part(_with(part, body)), drawn)
    await put(session, paper, whole, kind="edited", by=actor, what=part.title, section=part.key)


async def redrawn(
    session: AsyncSession, paper: Postmortem, new: Document, drawn_from: int
) -> dict[str, str]:
    """Merges a draft drawn anew into what people wrote: the conflicts, section → as drawn anew."""
    version = await latest(session, paper)
    mine = await document_of(session, version)
    base = await document_of(session, version, drawn=True)
    whole = merge(base, mine, new)
    paper.drawn_from = drawn_from
    what = f"Drawn anew from {drawn_from} rows"
    await put(session, paper, whole.document, kind="redrawn", by="jackline", what=what, drawn=new)
    for key, text in whole.clashes.items():
        await _clash_with_draft(session, paper.incident_id, key, text)
    return whole.clashes


async def _clash_with_draft(session: AsyncSession, number: int, key: str, text: str) -> None:
    """The newest draft is what a section is held against; an older one would only be in the way."""
    query = select(Clash).where(
        Clash.incident_id == number, Clash.section == key, Clash.by == "jackline",
        col(Clash.settled_at).is_(None),
    )  # fmt: skip
    if known := (await session.execute(query)).scalars().first():
        known.text = text
        return
    session.add(Clash(incident_id=number, section=key, text=text, by="jackline"))


async def clashes_of(session: AsyncSession, number: int, section: str = "") -> list[Clash]:
    """The open ones, oldest first."""
    query = select(Clash).where(Clash.incident_id == number, col(Clash.settled_at).is_(None))
    if section:
        query = query.where(Clash.section == section)
    return list((await session.execute(query.order_by(col(Clash.id)))).scalars())


async def standing_of(session: AsyncSession, paper: Postmortem) -> Standing:
    """All that its end depends on."""
    number = paper.incident_id
    reviewers = select(Reviewer).where(Reviewer.incident_id == number)
    rows = (await session.execute(reviewers.order_by(col(Reviewer.asked_at)))).scalars()
    notes = select(func.count()).where(
        ReviewNote.incident_id == number, col(ReviewNote.resolved_at).is_(None)
    )
    return Standing(
        paper.state, paper.version, paper.owner, paper.facilitator,
        [Approval(row.person, row.approved_version) for row in rows],
        await _authors(session, number),
        (await session.execute(notes)).scalar_one(),
        len(await clashes_of(session, number)),
    )  # fmt: skip


async def _authors(session: AsyncSession, number: int) -> frozenset[str]:
    """Whose words it may hold: of every version, and of every text that was taken."""
    found = set[str]()
    for by in (
        select(Version.by).where(Version.incident_id == number).distinct(),
        select(Clash.by).where(Clash.incident_id == number).distinct(),
    ):
        found |= set((await session.execute(by)).scalars())
    return frozenset(each.removeprefix("person:") for each in found if each != "jackline")


def _of(document: Document, key: str) -> Part:
    part = document.part(key)
    if part is None:
        raise NotFound(f"The postmortem has no section {key[:60]!r}.", hint="Its page lists them.")
    return part


def _with(part: Part, body: str) -> Part:
    return Part(part.key, part.title, part.origin, body)
