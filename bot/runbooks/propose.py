"""Proposes runbooks for incidents whose trigger they name."""

from sqlmodel import col, select

from bot.errors import BadInput
from bot.incidents import ACTIVE, Incident
from bot.log import get
from bot.runbooks.requests import Runs
from bot.store import Store, now

log = get("runbooks")


class Proposer:
    """Looks once at each incident; nobody is asked twice."""

    def __init__(self, store: Store, runs: Runs) -> None:
        self.store = store
        self.runs = runs

    async def propose_next(self) -> bool:
        """Proposes for one incident; whether there was one."""
        async with self.store.read() as session:
            query = select(Incident.id).where(
                col(Incident.proposed_at).is_(None), col(Incident.status).in_(ACTIVE)
            )
            incident_id = (await session.execute(query.limit(1))).scalar_one_or_none()
        if incident_id is None:
            return False
        async with self.store.write() as session:
            incident = await self.runs.incidents.get(session, incident_id)
            if incident.proposed_at is not None:
                return True
            incident.proposed_at = now()
            for runbook in self.runs.library.matching(
                incident.trigger, incident.services, incident.severity
            ):
                try:
                    await self.runs.start(
                        session, incident, runbook.id, {},
                        origin=f"proposal:{incident.id}:{runbook.id}", requester="",
                    )  # fmt: skip
                except BadInput as error:
                    # A runbook that needs inputs cannot be proposed ready-made; people can ask.
                    log.info("runbook_needs_inputs", runbook=runbook.id, error=str(error))
        return True
