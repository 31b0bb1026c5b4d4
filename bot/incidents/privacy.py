"""Makes an incident private, and opens a private one up. Nothing is widened on an error."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.delivery.leaving import leave
from bot.errors import Conflict, NotAllowed
from bot.incidents.family import require_unmerged, under
from bot.incidents.flow import Incidents, topic_of
from bot.incidents.roles import require_responder
from bot.incidents.rules import channel_name
from bot.incidents.seeing import belonging
from bot.incidents.tables import Incident
from bot.store import now


class Privacy:
    """Both ways. ``by`` is the person who asks."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def hide(
        self, session: AsyncSession, incident: Incident, by: Person, along: list[str], key: str
    ) -> None:
        """Only those who belong see it from now on: with who has a role, who did it, and ``along``.

        ``key`` is the command's: the same again changes nothing. Raises `Conflict`.
        """
        require_responder(by, "making an incident private")
        require_unmerged(incident)
        number, said = incident.number, f"private-{key}"
        if await self.incidents.outbox.said(session, number, said):
            return
        if incident.private:
            raise Conflict(f"#{number} is private already.")
        if inner := await under(session, [number]):
            raise Conflict(
                f"#{inner[0].number} is merged into it and is not private.",
                hint=f"/incident unmerge #{inner[0].number} first.",
            )
        people = [by.id, *incident.holders.values(), *along]
        incident.people = list(dict.fromkeys([*incident.people, *people]))
        incident.private = True
        text = "Made private: only those who belong see it from here on"
        data = {"along": along}
        await self._record(session, incident, "incident_made_private", text, by, data)
        invited = belonging(self.incidents.catalog(), incident)
        await leave(
            session, self.incidents.outbox, number, people=invited,
            opening={
                "name": channel_name(number, "private", drill=incident.drill),
                "purpose": f"Incident {number}: {incident.title}", "private": True,
            },
            topic=topic_of(incident),
        )  # fmt: skip
        self.incidents.bookmark(session, incident, incident.links)
        await self.incidents.outbox.say(
            session, number, said, "line", {"text": text}, author=f"person:{by.id}"
        )
        await self.incidents.refresh(session, incident)

    async def open_up(self, session: AsyncSession, incident: Incident, by: Person) -> None:
        """Everybody sees it from now on; twice is once. Raises `NotAllowed`."""
        may_open_up(incident, by)
        if not incident.private:
            return
        incident.private = False
        text = "No longer private: everybody sees it"
        await self._record(session, incident, "incident_opened_up", text, by, {})
        number = incident.number
        key, actor = f"opened-{now().timestamp()}", f"person:{by.id}"
        await self.incidents.outbox.say(session, number, key, "line", {"text": text}, author=actor)
        await self.incidents.refresh(session, incident)

    async def _record(
        self, session: AsyncSession, incident: Incident, kind: str, text: str, by: Person,
        data: dict[str, list[str]],
    ) -> None:  # fmt: skip
        await self.incidents.ledger.append(
            session, incident.number, kind, f"person:{by.id}", text, data=data
        )


def may_open_up(incident: Incident, by: Person) -> None:
    """Raises `NotAllowed` for all but its own commander and admins."""
    if incident.commander != by.id and not by.has("admin"):
        raise NotAllowed(
            f"Only the commander of #{incident.number} opens it up.",
            hint="/incident lead takes command.",
        )
