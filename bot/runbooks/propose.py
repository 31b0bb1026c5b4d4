"""Proposes runbooks for incidents whose trigger they name."""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.errors import BadInput
from bot.incidents import ACTIVE, Incident, under
from bot.log import get
from bot.runbooks.model import Runbook
from bot.runbooks.requests import OWN_GROUND, Runs, from_the_bag, typed_with_inputs
from bot.store import Store, now

log = get("runbooks")
_INPUTS = "it needs inputs, so a person asks for it."


class Proposer:
    """Looks once at each incident; nobody is asked twice."""

    def __init__(self, store: Store, runs: Runs) -> None:
        self.store = store
        self.runs = runs
        self._failed: set[int] = set()  # incidents at which we broke: the others come first

    async def propose_next(self) -> bool:
        """Proposes for one incident; whether there was one."""
        async with self.store.read() as session:
            query = select(Incident.id).where(
                col(Incident.proposed_at).is_(None), col(Incident.status).in_(ACTIVE)
            )
            last = [col(Incident.id).in_(self._failed)] if self._failed else []
            query = query.order_by(*last, col(Incident.id)).limit(1)
            incident_id = (await session.execute(query)).scalar_one_or_none()
        if incident_id is None:
            return False
        self._failed.add(incident_id)
        await self._propose(incident_id)
        self._failed.discard(incident_id)
        return True

    async def _propose(self, incident_id: int) -> None:
        async with self.store.write() as session:
            incident = await self.runs.incidents.get(session, incident_id)
            if incident.proposed_at is not None or incident.status not in ACTIVE:
                return
            incident.proposed_at = now()
            for runbook in await self._matching(session, incident):
                if runbook.front.from_bag:
                    await self._name(session, incident, runbook, OWN_GROUND, from_the_bag(runbook))
                    continue
                try:
                    await self.runs.start(
                        session, incident, runbook.id, {},
                        origin=f"proposal:{incident.id}:{runbook.id}", requester="",
                    )  # fmt: skip
                except BadInput as error:
                    # A runbook that needs inputs cannot be proposed ready-made; people can ask.
                    log.info("runbook_needs_inputs", runbook=runbook.id, error=str(error))
                    if runbook.id == incident.trigger.get("runbook"):
                        typed = f"/runbook run {typed_with_inputs(runbook)}"
                        await self._name(session, incident, runbook, _INPUTS, typed)

    async def _matching(self, session: AsyncSession, incident: Incident) -> list[Runbook]:
        """What its trigger names, and the triggers of those that are merged into it."""
        whole = [incident, *await under(session, [incident.number])]
        found = [
            runbook
            for each in whole
            for runbook in self.runs.library.matching(
                each.trigger, each.services, incident.severity
            )
        ]
        return list({runbook.id: runbook for runbook in found}.values())

    async def _name(
        self, session: AsyncSession, incident: Incident, runbook: Runbook, why: str, said: str
    ) -> None:
        """Says which runbook fits, and how to run what is not proposed ready-made."""
        incidents = self.runs.incidents
        if await incidents.outbox.said(session, incident.number, f"named-{runbook.id}"):
            return
        text = f"A runbook fits: {runbook.front.title}: {why}"
        await incidents.ledger.append(
            session, incident.number, "runbook_named", "jackline", text,
            data={"runbook": runbook.id, "command": said},
        )  # fmt: skip
        await incidents.outbox.say(
            session, incident.number, f"named-{runbook.id}", "notice", {"text": f"{text}\n`{said}`"}
        )
