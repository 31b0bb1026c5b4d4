"""What a person clicks, on any surface. Roles are checked at the click, in the domain call."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.blocks import cut
from bot.chat.commands import Reply
from bot.errors import BadInput, NotAllowed
from bot.incidents import Incidents
from bot.runbooks import Runs

INCIDENT_CLICKS = ("incident_lead", "incident_monitoring", "incident_resolve")
RUN_CLICKS = (
    "run_request", "run_approve", "run_refuse", "run_abort", "run_undo", "run_happened",
    "run_not_happened",
)  # fmt: skip
_ID = re.compile(r"[0-9]{1,9}")


class Clicks:
    """`handle` is the one door for clicks of every surface."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs

    async def handle(
        self,
        session: AsyncSession,
        action_id: str,
        value: str,
        person: Person | None,
        surface: str,
    ) -> Reply:
        """Does what the button says; a second click of the same button changes nothing more."""
        if person is None:
            raise NotAllowed(
                "I do not know you, so this button does nothing for you.",
                hint="Ask the platform team to add you to the catalog's people.",
            )
        if action_id in INCIDENT_CLICKS and _ID.fullmatch(value):
            return await self._on_incident(session, action_id, int(value), person)
        run_id, _, digest = value.partition("|")
        if action_id in RUN_CLICKS and _ID.fullmatch(run_id):
            return await self._on_run(session, action_id, int(run_id), digest, person, surface)
        raise BadInput(f"I do not know the button {cut(action_id, 40)!r}.")

    async def _on_incident(
        self, session: AsyncSession, action_id: str, incident_id: int, person: Person
    ) -> Reply:
        incident = await self.incidents.get(session, incident_id)
        if action_id == "incident_lead":
            await self.incidents.take_command(session, incident, person.id)
            return Reply("You are the incident commander.")
        status = "resolved" if action_id == "incident_resolve" else "monitoring"
        if status == "resolved":
            await self.runs.require_ended(session, incident_id)
        if incident.status != status:
            await self.incidents.set_status(session, incident, status, f"person:{person.id}")
        return Reply(f"The incident is {status}.")

    async def _on_run(
        self,
        session: AsyncSession,
        action_id: str,
        run_id: int,
        digest: str,
        person: Person,
        surface: str,
    ) -> Reply:
        match action_id:
            case "run_request":
                run = await self.runs.request(session, run_id, person)
            case "run_approve":
                run = await self.runs.approve(session, run_id, person, digest, surface)
            case "run_refuse":
                run = await self.runs.refuse(session, run_id, person, "")
            case "run_abort":
                run = await self.runs.abort(session, run_id, person)
            case "run_undo":
                run = await self.runs.undo(session, run_id, person)
            case _:
                happened = action_id == "run_happened"
                run = await self.runs.settle(session, run_id, person, happened=happened)
        return Reply(f"{run.title}: {run.state}.")
