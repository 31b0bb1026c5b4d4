"""Resolving, closing, cancelling and opening again: the same for what is typed and clicked."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.incidents import ACTIVE, Incident, Incidents, require_unmerged
from bot.incidents.tasks import Tasks
from bot.runbooks import Decisions, Runs


class Ends:
    """Each returns what it did in words, and what to do for something else.

    ``key`` is the command's: the same again changes nothing. The incident is locked.
    """

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.decisions = Decisions(runs)
        self.tasks = Tasks(incidents)

    async def resolve(
        self, session: AsyncSession, incident: Incident, person: Person, key: str
    ) -> str:
        """The impact is over; what is left to do goes on."""
        if not await self.incidents.moved(session, incident, key):
            await self.runs.require_ended(session, incident.number)
            await self._set(session, incident, "resolved", person, key)
        return (
            f"#{incident.number} is resolved. Its postmortem is being drafted. "
            "When nothing is left to do, /incident close closes it."
        )

    async def close(
        self, session: AsyncSession, incident: Incident, person: Person, key: str, *,
        anyway: bool = False,
    ) -> str:  # fmt: skip
        """Ends for good what is resolved. What is not resolved yet is resolved, and no more.

        Open tasks are in the way unless it is closed ``anyway``; follow-ups go on.
        """
        number = incident.number
        if await self.incidents.moved(session, incident, key):
            return f"#{number} is {incident.status}."
        if incident.status in ACTIVE:
            await self.resolve(session, incident, person, key)
            return (
                f"#{number} is resolved, not closed. Its postmortem is being drafted. "
                "/incident close once more closes it."
            )
        require_unmerged(incident)
        await self.decisions.require_reviewed(session, number)
        if not anyway:
            await self.tasks.require_done(session, incident)
        await self._set(session, incident, "closed", person, key)
        return f"#{number} is closed. /incident reopen opens it again."

    async def cancel(
        self, session: AsyncSession, incident: Incident, person: Person, key: str
    ) -> str:
        """It was none: no postmortem."""
        if not await self.incidents.moved(session, incident, key):
            await self.runs.require_ended(session, incident.number)
            await self._set(session, incident, "cancelled", person, key)
        number = incident.number
        return f"#{number} is cancelled: it was no incident. /incident reopen takes that back."

    async def reopen(
        self, session: AsyncSession, incident: Incident, person: Person, key: str
    ) -> str:
        """Takes any of these back; `one_at_a_time` comes before the incident's lock."""
        if await self.incidents.moved(session, incident, key):
            return f"#{incident.number} is {incident.standing}."
        await self.incidents.reopen(session, incident, f"person:{person.id}", key=key)
        return f"#{incident.number} is open again: {incident.status}."

    async def _set(
        self, session: AsyncSession, incident: Incident, status: str, person: Person, key: str
    ) -> None:
        await self.incidents.set_status(session, incident, status, f"person:{person.id}", key=key)
