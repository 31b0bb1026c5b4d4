"""Gives the roles of an incident to people. Command is handed over: the one who gets it accepts.

What is offered stands in ``Incident.offer`` until it is accepted, refused, or void because
somebody else took command; its message has buttons as long.
"""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.errors import Conflict, NotAllowed
from bot.incidents.family import require_unmerged
from bot.incidents.flow import Incidents
from bot.incidents.roles import COMMANDER, ROLES, require_responder
from bot.incidents.tables import Incident
from bot.store import now


class Roles:
    """``by`` is the person who does it, ``key`` the command's: the same again changes nothing."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def give(
        self, session: AsyncSession, incident: Incident, role: str, person: Person, by: Person
    ) -> None:
        """A role other than command, which is offered, or taken for oneself."""
        require_responder(by, "giving roles")
        require_unmerged(incident)
        if incident.roles.get(role) == person.id:
            return
        before = incident.roles.get(role, "")
        incident.roles = {**incident.roles, role: person.id}
        data = {"role": role, "person": person.id, "before": before}
        text = f"{person.name} is {ROLES[role]}"
        await self._record(session, incident, "role_assigned", text, by, data)
        await self.incidents.outbox.invite(session, incident.number, [person.id])

    async def release(
        self, session: AsyncSession, incident: Incident, role: str, by: Person
    ) -> None:
        """Nobody has the role any more. Raises `NotAllowed` for somebody else's command."""
        require_responder(by, "giving roles")
        require_unmerged(incident)
        before = incident.holders.get(role, "")
        if not before:
            return
        if role == COMMANDER:
            _require_command(incident, by)
            incident.commander = ""
            await self.incidents.void_offer(session, incident, "withdrawn")
        else:
            incident.roles = {r: p for r, p in incident.roles.items() if r != role}
        data = {"role": role, "person": "", "before": before}
        await self._record(session, incident, "role_released", f"Nobody is {ROLES[role]}", by, data)

    async def hand_over(
        self, session: AsyncSession, incident: Incident, to: Person | None, by: Person, *,
        note: list[str], key: str,
    ) -> bool:  # fmt: skip
        """Says what stands, and offers command to a person; False where that was done before."""
        require_responder(by, "handing over")
        require_unmerged(incident)
        number = incident.number
        if await self.incidents.outbox.said(session, number, f"handover-{key}"):
            return False
        if to is not None:
            _require_command(incident, by)
            if to.id == incident.commander:
                raise Conflict(f"{to.name} is incident commander already.")
            await self.incidents.void_offer(session, incident, "withdrawn")
            incident.offer = {
                "to": to.id, "from": incident.commander, "by": by.id, "key": key,
                "at": now().isoformat(),
            }  # fmt: skip
        text = f"Command is offered to {to.name}" if to else "Hand-over note"
        payload = {"to": to.id if to else "", "key": key, "lines": note}
        await self.incidents.ledger.append(
            session, number, "handover_offered" if to else "handover_noted", f"person:{by.id}",
            "\n".join([text, *note]), data={"to": payload["to"], "from": incident.commander},
        )  # fmt: skip
        await self.incidents.outbox.say(
            session, number, f"handover-{key}", "handover", payload, author=f"person:{by.id}"
        )
        if to is not None:
            await self.incidents.outbox.invite(session, number, [to.id])
            await self.incidents.refresh(session, incident)
        return True

    async def answer(
        self, session: AsyncSession, incident: Incident, key: str, person: Person, *, yes: bool
    ) -> None:
        """Takes what was offered, or refuses it. Raises `NotAllowed` to anybody else."""
        if incident.offer.get("key") != key:
            if yes and incident.commander == person.id:
                return  # the second click
            raise Conflict("That is not offered any more.", hint="The card says who commands.")
        if person.id != incident.offer["to"]:
            who = self.incidents.catalog().person(incident.offer["to"])
            raise NotAllowed(
                f"It is offered to {who.name if who else incident.offer['to']} alone.",
                hint="/incident lead takes command where that is needed.",
            )
        if yes:
            await self.incidents.void_offer(session, incident, "accepted")
            await self.incidents.take_command(session, incident, person.id)
            return
        before = incident.offer["from"]
        await self.incidents.void_offer(session, incident, "refused")
        data = {"to": person.id, "from": before}
        text = f"{person.name} does not take command"
        await self._record(session, incident, "handover_refused", text, person, data)

    async def _record(
        self, session: AsyncSession, incident: Incident, kind: str, text: str, by: Person,
        data: dict[str, str],
    ) -> None:  # fmt: skip
        actor, number = f"person:{by.id}", incident.number
        await self.incidents.ledger.append(session, number, kind, actor, text, data=data)
        await self.incidents.outbox.say(
            session, number, f"{kind}-{now().timestamp()}", "line", {"text": text}, author=actor
        )
        await self.incidents.refresh(session, incident)


def _require_command(incident: Incident, by: Person) -> None:
    """Only who commands gives that away; where nobody does, or in need, a commander by role."""
    if incident.commander and incident.commander != by.id and not by.has("commander"):
        raise NotAllowed(
            "Only the incident commander hands command over.",
            hint="/incident lead takes command where that is needed.",
        )
