"""Changes incidents. Each change, its timeline row and what is said about it are one commit."""

from collections.abc import Callable
from typing import Any

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog
from bot.delivery import Binding, Outbox
from bot.delivery.leaving import replace
from bot.errors import BadInput
from bot.incidents.family import require_unmerged, under
from bot.incidents.rules import (
    ACTIVE,
    AGAIN,
    ENDED,
    channel_name,
    check_reopen,
    check_severity,
    check_title,
    check_transition,
    topic,
)
from bot.incidents.seeing import belonging, called, unknown
from bot.incidents.tables import Incident
from bot.store import now
from bot.timeline import Ledger

NOTE_LIMIT = 3000
NO_CHANNEL = "no-channel"  # the key of the message that says so
MOVED = "channel-moved"  # same, where the channel was archived or deleted
_DECLARING = 7_225_512  # any constant: it names our advisory lock on PostgreSQL


class Incidents:
    """The verbs of an incident. ``actor`` is ``jackline``, ``person:<id>`` or ``source:<id>``."""

    def __init__(self, ledger: Ledger, outbox: Outbox, catalog: Callable[[], Catalog]) -> None:
        self.ledger = ledger
        self.outbox = outbox
        self.catalog = catalog

    async def declare(
        self,
        session: AsyncSession,
        *,
        title: str,
        severity: str,
        actor: str,
        origin: str,
        services: list[str] | None = None,
        open_key: str | None = None,
        trigger: dict[str, Any] | None = None,
        drill: bool = False,
        people: list[str] | None = None,
        private: bool = False,
        workspace: str | None = None,
    ) -> Incident:
        """Declares an incident and asks for its channel, card, topic and digest line.

        The same ``origin`` again returns the incident that it declared before. ``people`` are
        invited besides the services' owners; of a ``private`` one only they hear. ``workspace`` is
        where it was declared in Slack; else its services' is where its channel is opened.
        """
        title, severity = check_title(title), check_severity(severity)
        self._known_services(services or [])
        await self.one_at_a_time(session)
        found = await session.execute(select(Incident).where(Incident.origin == origin))
        if earlier := found.scalar_one_or_none():
            return earlier
        incident = Incident(
            title=title, severity=severity, services=services or [], origin=origin,
            open_key=open_key, trigger={**(trigger or {}), "group": open_key}, declared_by=actor, drill=drill,
            people=people or [], private=private,
            workspace=self._workspace(services or []) if workspace is None else workspace,
        )  # fmt: skip
        session.add(incident)
        await session.flush()
        data = {"severity": severity, "services": incident.services, "title": title}
        await self.ledger.append(
            session, incident.number, "incident_declared", actor,
            f"{severity.upper()} declared: {title}", data=data,
        )  # fmt: skip
        await self._announce(session, incident)
        self.bookmark(session, incident, self.adopt_links(incident, incident.services))
        return incident

    async def set_status(
        self,
        session: AsyncSession,
        incident: Incident,
        status: str,
        actor: str,
        *,
        because: str = "",
        key: str = "",
    ) -> None:
        """Moves the incident on; raises `Conflict` where the table of transitions says no.

        ``because``: why Jackline resolves it by itself; its message has a button that takes it back.
        ``key``: the command's, under which `moved` knows it again.
        """
        require_unmerged(incident)
        check_transition(incident.status, status)
        await self._move(session, incident, status, actor, because=because, key=key)

    async def reopen(
        self, session: AsyncSession, incident: Incident, actor: str, *, key: str = ""
    ) -> None:
        """Takes an end back, whatever it was; raises `Conflict` for an incident that is open.

        The caller has the turn of all who route, `one_at_a_time`: its groups come back.
        """
        check_reopen(incident.status)
        await self._move(session, incident, AGAIN, actor, key=key)

    async def moved(self, session: AsyncSession, incident: Incident, key: str) -> bool:
        """Whether the command with that key has moved it before."""
        return await self.outbox.said(session, incident.number, f"status-{key}")

    def unarchive(self, session: AsyncSession, incident: Incident) -> None:
        """Its channel is there again, where we have archived it."""
        if incident.archived_at is not None:
            incident.archived_at = None
            self.outbox.ask(session, "unarchive", incident.number, {})

    async def _move(
        self, session: AsyncSession, incident: Incident, status: str, actor: str, *,
        because: str = "", key: str = "",
    ) -> None:  # fmt: skip
        before, incident.status = incident.status, status
        if status == "resolved":
            incident.resolved_at = now()
        if status in ("closed", "cancelled"):
            incident.closed_at = now()
        if status not in ACTIVE:
            for each in (incident, *await under(session, [incident.number])):
                each.open_key = None
        elif before in ENDED:
            incident.resolved_at = incident.closed_at = None
            self.unarchive(session, incident)
            await self._regain(session, incident)
        text = f"Status: {before} → {status}" + (f", as {because}" if because else "")
        data = {"from": before, "to": status} | ({"because": because} if because else {})
        await self.ledger.append(session, incident.number, "status_changed", actor, text, data=data)
        said = {"text": text} | ({"reopens": incident.number} if because else {})
        key = f"status-{key or now().timestamp()}"
        await self.outbox.say(session, incident.number, key, "line", said, author=actor)
        await self.refresh(session, incident)
        await self.show_topic(session, incident)

    async def set_severity(
        self, session: AsyncSession, incident: Incident, severity: str, actor: str
    ) -> None:
        """Changes the severity, whose people are invited; the same one again changes nothing."""
        severity = check_severity(severity)
        if severity == incident.severity:
            return
        require_unmerged(incident)
        before, incident.severity, incident.severity_at = incident.severity, severity, now()
        text = f"Severity: {before} → {severity}"
        data = {"from": before, "to": severity}
        await self.ledger.append(
            session, incident.number, "severity_changed", actor, text, data=data
        )
        await self.outbox.say(
            session,
            incident.number,
            f"severity-{now().timestamp()}",
            "line",
            {"text": text},
            author=actor,
        )
        await self.outbox.invite(session, incident.number, *called(self.catalog(), incident))
        await self.refresh(session, incident)
        await self.show_topic(session, incident)

    async def take_command(self, session: AsyncSession, incident: Incident, person_id: str) -> None:
        """Makes a person the incident commander."""
        if incident.commander == person_id:
            return
        require_unmerged(incident)
        await self.void_offer(session, incident, "withdrawn")
        incident.commander = person_id
        person = self.catalog().person(person_id)
        text = f"{person.name if person else person_id} is incident commander"
        await self.ledger.append(
            session, incident.number, "commander_assigned", f"person:{person_id}", text
        )
        if incident.status == "declared":
            await self.set_status(session, incident, "investigating", f"person:{person_id}")
        await self.refresh(session, incident)

    async def void_offer(self, session: AsyncSession, incident: Incident, outcome: str) -> None:
        """Command is not offered any more, if it was; its message says how that ended."""
        key, incident.offer = incident.offer.get("key"), {}
        if key is not None:
            more = {"outcome": outcome}
            await self.outbox.amend(session, incident.number, f"handover-{key}", more)

    async def note(
        self,
        session: AsyncSession,
        incident: Incident,
        text: str,
        actor: str,
        *,
        key: str,
        origin: str = "",
        link: str = "",
    ) -> None:
        """Records what a person wrote; ``key`` makes the same note delivered twice one note."""
        # PostgreSQL's JSON has no NUL and no half of a pair; the ledger replaces them alike
        clean = text.encode("utf-8", "replace").decode().replace("\0", "\ufffd").strip()
        if not clean:
            raise BadInput(
                "There is nothing to note.", hint="For example: /incident note DNS is fine"
            )
        if len(clean) > NOTE_LIMIT:
            raise BadInput(f"The note has {len(clean)} characters; {NOTE_LIMIT} is the limit.")
        if await self.outbox.said(session, incident.number, f"note-{key}"):
            return
        await self.outbox.say(
            session, incident.number, f"note-{key}", "note", {"text": clean},
            author=actor, origin=origin,
        )  # fmt: skip
        await self.ledger.append(
            session, incident.number, "note_added", actor, clean,
            data={"surface": origin or "console"}, link=link,
        )  # fmt: skip

    async def refresh(self, session: AsyncSession, incident: Incident) -> None:
        """Has the live card and the digest line redrawn everywhere."""
        await self.outbox.say(session, incident.number, "card", "card")
        await self.outbox.digest(session, incident.number)

    async def get(self, session: AsyncSession, incident_id: int) -> Incident:
        """The incident, locked against other writers on PostgreSQL. Raises `NotFound`.

        It is as it was committed last, also where the session has read it before the lock.
        """
        query = select(Incident).where(Incident.id == incident_id).with_for_update()
        fresh = query.execution_options(populate_existing=True)
        incident = (await session.execute(fresh)).scalar_one_or_none()
        if incident is None:
            raise unknown(incident_id)
        return incident

    async def active(self, session: AsyncSession) -> list[Incident]:
        """The active incidents, oldest first; nobody else declares one before this transaction ends."""
        await self.one_at_a_time(session)
        query = select(Incident).where(col(Incident.status).in_(ACTIVE)).order_by(col(Incident.id))
        return list((await session.execute(query.with_for_update())).scalars())

    async def channel_refused(self, session: AsyncSession, incident_id: int, why: str) -> None:
        """Says once, where it is seen without the channel, that the channel could not be opened."""
        incident = await self.get(session, incident_id)
        if await self.outbox.said(session, incident_id, NO_CHANNEL):
            return
        kind = "private " if incident.private else ""
        text = f"The {kind}channel could not be opened, and no other is opened instead: {why}"
        await self.ledger.append(session, incident_id, "channel_not_opened", "jackline", text)
        await self.outbox.say(session, incident_id, NO_CHANNEL, "line", {"text": text})
        await self.refresh(session, incident)

    async def channel_lost(
        self, session: AsyncSession, incident_id: int, channel: str, why: str
    ) -> bool:
        """Goes on in a new channel, once, and says so; False where none is opened any more.

        Of an incident that is over nobody needs one: people archive its channel on purpose.
        """
        incident = await self.get(session, incident_id)
        if incident.status not in ACTIVE or incident.merged_into:
            return False
        bound = await session.get(Binding, ("slack", f"channel:{incident_id}"))
        if bound is not None and bound.value.get("archived"):
            return False  # by us, after its end; it was opened again, and is being unarchived
        opening = self._channel(incident)
        more = {key: opening.pop(key) for key in ("topic", "people", "groups")}
        if not await replace(session, "slack", incident_id, channel, opening=opening, **more):
            return True
        text = f"Its channel is gone ({why}): it goes on in a new one"
        await self.ledger.append(
            session, incident_id, "channel_moved", "jackline", text, data={"channel": channel}
        )
        await self.outbox.say(session, incident_id, MOVED, "line", {"text": text})
        self.bookmark(session, incident, incident.links)
        return True

    async def listed(self, session: AsyncSession, *, everything: bool = False) -> list[Incident]:
        """Incidents, newest first: the active ones, or all."""
        query = select(Incident).order_by(col(Incident.id).desc()).limit(200)
        if not everything:
            query = query.where(col(Incident.status).in_(ACTIVE))
        return list((await session.execute(query)).scalars())

    async def _regain(self, session: AsyncSession, incident: Incident) -> None:
        """The groups of an incident that is open again, except those that a newer one has."""
        for each in (incident, *await under(session, [incident.number])):
            group = each.trigger.get("group")
            if group is None:
                continue
            await self.one_at_a_time(session)
            newer = select(Incident.id).where(Incident.open_key == group)
            if (await session.execute(newer)).first() is None:
                each.open_key = str(group)

    async def one_at_a_time(self, session: AsyncSession) -> None:
        """Waits for the turn of all who declare, route or regroup, and has it until the commit.

        Two that declare for one cause would clash, and cost a number.
        """
        if session.get_bind().dialect.name == "postgresql":  # SQLite has one writer anyway
            await session.execute(select(func.pg_advisory_xact_lock(_DECLARING)))

    def adopt_links(self, incident: Incident, services: list[str]) -> list[dict[str, str]]:
        """Gives it the links that the catalog has for these services: those that are new."""
        known = {link["url"] for link in incident.links}
        found = [s for service in services if (s := self.catalog().service(service))]
        new = {url: title for s in found for title, url in s.links.items() if url not in known}
        added = [{"url": url, "title": title} for url, title in new.items()]
        incident.links = [*incident.links, *added]
        return added

    def bookmark(
        self, session: AsyncSession, incident: Incident, links: list[dict[str, str]]
    ) -> None:
        """Has links stand at the top of the channel."""
        for link in links:
            self.outbox.ask(session, "bookmark", incident.number, dict(link))

    def _known_services(self, services: list[str]) -> None:
        for service in services:
            if self.catalog().service(service) is None:
                known = ", ".join(s.id for s in self.catalog().services) or "none"
                raise BadInput(f"There is no service {service!r}.", hint=f"Known: {known}.")

    def _workspace(self, services: list[str]) -> str:
        """The first that one of them names; else that of the bot token."""
        found = (s.workspace for each in services if (s := self.catalog().service(each)))
        return next((workspace for workspace in found if workspace), "")

    async def _announce(self, session: AsyncSession, incident: Incident) -> None:
        await self.outbox.open_channel(session, incident.number, **self._channel(incident))

    def _channel(self, incident: Incident) -> dict[str, Any]:
        """What its channel is opened with."""
        number = incident.number
        title = "private" if incident.private else incident.title  # names of channels get about
        people, groups = called(self.catalog(), incident)
        wanted = [*belonging(self.catalog(), incident), *people, *incident.holders.values()]
        return {
            "name": channel_name(number, title, drill=incident.drill),
            "purpose": f"Incident {number}: {incident.title}",
            "topic": topic_of(incident),
            "people": list(dict.fromkeys(wanted)),
            "groups": groups,
            "private": incident.private,
        }

    async def show_topic(self, session: AsyncSession, incident: Incident) -> None:
        """Has the channel's topic say where the incident stands."""
        await self.outbox.set_topic(session, incident.number, topic_of(incident))


def topic_of(incident: Incident) -> str:
    """What its channel's topic says now."""
    severity, standing = incident.severity, incident.standing
    return topic(severity, standing, incident.title, drill=incident.drill)
