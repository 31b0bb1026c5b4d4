"""Updates to audiences: written, seen by their author as they will go out, then sent once.

An update is two steps, so that nothing goes to customers by a slip: ``write`` stores the words,
``send`` says them everywhere the catalog names for the audience, with their row of the timeline, in
one commit. Nothing is edited: a correction is an update of its own in the place of the first.
"""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Audience, AudiencePlace, Person
from bot.delivery.notices import tell_update
from bot.errors import Conflict, JacklineError, NotAllowed, NotFound
from bot.incidents.drafts import check_text
from bot.incidents.due_tables import Update
from bot.incidents.family import require_unmerged
from bot.incidents.flow import Incidents
from bot.incidents.publishing import Draft, StatusPages
from bot.incidents.rules import ACTIVE
from bot.incidents.tables import Incident
from bot.store import now

GOOD_FOR = timedelta(minutes=30)  # a preview: after that, what it says may not hold any more


class Updates:
    """``actor`` is as in `Incidents`."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.pages = StatusPages(incidents)

    async def write(
        self, session: AsyncSession, incident: Incident, audience: Audience, text: str, actor: str,
        *, key: str, next_at: datetime | None = None, correcting: bool = False,
    ) -> Update:  # fmt: skip
        """Stores the words, to be sent by `send`; the same ``key`` again is the same update.

        ``correcting``: in the place of the audience's last one. Raises `BadInput` for words that
        cannot be sent, `Conflict` where there is nothing to correct or no place to say it.
        """
        require_unmerged(incident)
        clean = check_text(text)
        self._placed(audience)
        found = await session.execute(select(Update).where(Update.key == key))
        if earlier := found.scalar_one_or_none():
            return earlier
        last = (await latest(session, [incident.number])).get((incident.number, audience))
        if correcting and last is None:
            raise Conflict(f"Nothing was said to {audience} yet, so there is nothing to correct.")
        if next_at is None:
            next_at = last.next_at if correcting and last else self._promise(incident, audience)
        update = Update(
            incident_id=incident.number, audience=audience, text=clean, author=actor, key=key,
            severity=incident.severity, corrects=last.root if correcting and last else None,
            next_at=next_at,
        )  # fmt: skip
        session.add(update)
        await session.flush()
        return update

    async def send(self, session: AsyncSession, number: int, actor: str) -> Update:
        """Says it. Raises `Conflict` where it was sent before, or is too old to be true."""
        update = await self.get(session, number)
        incident = await self.incidents.get(session, update.incident_id)
        await session.refresh(update)
        require_unmerged(incident)
        if update.sent_at is not None:
            raise Conflict(f"That update went out at {update.sent_at:%H:%M:%S} UTC.")
        if now() - update.written_at > GOOD_FOR:
            raise Conflict(
                f"That was written at {update.written_at:%H:%M} UTC, and much may have changed.",
                hint=f"Write it again: /incident update {update.audience}",
            )
        update.sent_at, update.author = now(), actor
        place = self._place(incident, update)
        await self._record(session, incident, update, place)
        await self._say(session, incident, update, place)
        await self.incidents.refresh(session, incident)
        return update

    async def get(self, session: AsyncSession, number: int) -> Update:
        """Raises `NotFound`."""
        update = await session.get(Update, number)
        if update is None:
            raise NotFound("There is no such update.")
        return update

    async def places(self, session: AsyncSession, incident: Incident, update: Update) -> list[str]:
        """Where it goes, in words."""
        place = self._place(incident, update) or AudiencePlace(id="internal")
        found = ["the incident's channel"]
        found += [f"<#{channel}>" for channel in place.channels]
        found += [f"the notifier {name}" for name in place.notifiers]
        for page in place.status_pages:
            found.append(
                f"the status page {page}: {await self._shown(session, page, incident, update)}"
            )
        return found

    def _promise(self, incident: Incident, audience: Audience) -> datetime | None:
        """When others are told that they hear again; among ourselves the severity says it."""
        if audience == "internal" or incident.status not in ACTIVE:
            return None
        pace = self.incidents.catalog().severity(incident.severity).updates.get(audience)
        return now() + timedelta(seconds=pace) if pace else None

    def _place(self, incident: Incident, update: Update) -> AudiencePlace | None:
        """Of a private incident what is internal stays in its channel."""
        if incident.private and update.audience == "internal":
            return None
        return self.incidents.catalog().audience(update.audience)

    def _placed(self, audience: Audience) -> None:
        place = self.incidents.catalog().audience(audience)
        if audience != "internal" and place is None:
            raise Conflict(
                f"The catalog does not say where {audience} read updates.",
                hint=f"Put `audiences: [{{id: {audience}, channels: [C…]}}]` there.",
            )

    async def _record(
        self, session: AsyncSession, incident: Incident, update: Update, place: AudiencePlace | None
    ) -> None:
        what = "Correction" if update.corrects else "Update"
        promise = {"next_at": update.next_at.isoformat()} if update.next_at else {}
        data = {
            "audience": update.audience, "update": update.number, "corrects": update.corrects,
            "channels": place.channels if place else [],
            "notifiers": place.notifiers if place else [],
            "status_pages": place.status_pages if place else [],
        } | promise  # fmt: skip
        await self.incidents.ledger.append(
            session, incident.number, "communication_sent", update.author,
            f"{what} to {update.audience}: {update.text}", data=data,
        )  # fmt: skip

    async def _say(
        self, session: AsyncSession, incident: Incident, update: Update, place: AudiencePlace | None
    ) -> None:
        outbox, payload = self.incidents.outbox, {"update": update.root}
        key = f"update-{update.root}"
        await outbox.say(session, incident.number, key, "update", payload, author=update.author)
        if place is None:
            return
        for channel in place.channels:
            await outbox.announce(
                session, f"{key}-{channel}", "update", payload | {"outside": True}, channel=channel
            )
        for name in place.notifiers:
            notifier = self.incidents.catalog().notifier(name)
            for to in notifier.to if notifier else []:
                await tell_update(session, incident.number, name, to, update.number)
        person = self.incidents.catalog().person(update.author.removeprefix("person:"))
        if person is None or incident.drill or incident.private:
            return
        for page in place.status_pages:
            if incident.status == "cancelled" and not await self.pages.stands(
                session, incident.number, page
            ):
                continue
            draft = await self._drafted(session, page, incident, update)
            await self.pages.publish(session, incident, draft, person, f"{update.key}:{page}")

    async def _shown(
        self, session: AsyncSession, page: str, incident: Incident, update: Update
    ) -> str:
        """One line: what the page would say of its components."""
        try:
            draft = await self._drafted(session, page, incident, update)
        except JacklineError as error:
            return error.message
        parts = [f"{name} {health.replace('_', ' ')}" for name, health in draft.components.items()]
        return ", ".join([draft.status, *parts])

    async def _drafted(
        self, session: AsyncSession, page: str, incident: Incident, update: Update
    ) -> Draft:
        """The incident's own title is for us; a page's stays as it was first."""
        earlier = await self.pages.told(session, incident.number, page)
        title = earlier[-1].title if earlier else "Service disruption"
        return await self.pages.preview(session, incident, page, update.text, title=title)


async def latest(session: AsyncSession, numbers: Iterable[int]) -> dict[tuple[int, str], Update]:
    """Of each incident and audience the last update that was sent."""
    last = (
        select(
            col(Update.incident_id).label("incident"), col(Update.audience).label("audience"),
            func.max(Update.sent_at).label("at"),
        )
        .where(col(Update.incident_id).in_(list(numbers)), col(Update.sent_at).is_not(None))
        .group_by(col(Update.incident_id), col(Update.audience))
        .subquery()
    )  # fmt: skip
    query = select(Update).join(
        last,
        (col(Update.incident_id) == last.c.incident)
        & (col(Update.audience) == last.c.audience)
        & (col(Update.sent_at) == last.c.at),
    )
    found = (await session.execute(query.order_by(col(Update.id)))).scalars()
    return {(each.incident_id, each.audience): each for each in found}


async def chain(session: AsyncSession, root: int) -> list[Update]:
    """An update and its corrections, as far as they were sent, oldest first."""
    query = (
        select(Update)
        .where((col(Update.id) == root) | (col(Update.corrects) == root))
        .where(col(Update.sent_at).is_not(None))
        .order_by(col(Update.id))
    )
    return list((await session.execute(query)).scalars())


def may_tell(person: Person, incident: Incident, audience: str) -> None:
    """Raises `NotAllowed`: what leaves the house is the commander's to say."""
    leads = person.has("commander") or incident.commander == person.id
    if audience == "internal" and not (leads or person.has("responder")):
        raise NotAllowed("Sending updates needs the role 'responder' or 'commander'.")
    if audience != "internal" and not leads:
        raise NotAllowed(
            f"Telling {audience} is for the incident's commander, or needs the role 'commander'."
        )
