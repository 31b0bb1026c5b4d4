"""``/incident role`` and ``/incident handover``: who does what, and who does it next."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.blocks import escape, section
from bot.chat.command import Command, Form, Handler, Reply, person_of, usage
from bot.chat.finding import Finder
from bot.chat.persons import find_person
from bot.chat.standing import person_name, standing
from bot.errors import BadInput, Conflict
from bot.incidents import Incident, Incidents
from bot.incidents.handover import Roles
from bot.incidents.roles import COMMANDER, ROLES, split_role
from bot.runbooks.roles import has_role

ROLE_FORMS = (
    Form("/incident role [ROLE PERSON|me|nobody]",
         "who does what; gives a role: commander, operations, communications or scribe",
         ("roles", "assign")),
    Form("/incident handover [PERSON]",
         "a note of what stands; with a person, offers them command", ("handoff",)),
)  # fmt: skip


class RoleVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.roles = Roles(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"role": self._role, "handover": self._handover}

    async def _role(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        catalog, number, by = self.incidents.catalog(), incident.number, person_of(command)
        if not words:
            holders = incident.holders
            lines = [
                f"*{title}* {escape(person_name(catalog, holders[role])) if role in holders else '_nobody_'}"
                for role, title in ROLES.items()
            ]
            return Reply(f"Roles of #{number}", [section("\n".join(lines))], incident_id=number)
        role, words = split_role(words)
        if not words:
            raise BadInput("Say who.", hint=usage(ROLE_FORMS, "role"))
        if [word.lower() for word in words] == ["nobody"]:
            await self.roles.release(session, incident, role, by)
            return Reply(f"Nobody is {ROLES[role]} of #{number}.", incident_id=number)
        person = find_person(catalog, " ".join(words), by)
        if role != COMMANDER:
            await self.roles.give(session, incident, role, person, by)
            return Reply(f"{person.name} is {ROLES[role]} of #{number}.", incident_id=number)
        if person.id == by.id:
            await self.incidents.take_command(session, incident, by.id)
            return Reply(f"You are commander of #{number}.", incident_id=number)
        return await self._hand_over(session, incident, person, command)

    async def _handover(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        catalog, by = self.incidents.catalog(), person_of(command)
        to = find_person(catalog, " ".join(words), by) if words else None
        return await self._hand_over(session, incident, to, command)

    async def _hand_over(
        self, session: AsyncSession, incident: Incident, to: Person | None, command: Command
    ) -> Reply:
        """Who has no role of the catalog could not do anything with command."""
        if to is not None and not has_role(to):
            raise Conflict(
                f"{to.name} has no role in the catalog, and can only look on.",
                hint="Offer command to somebody else.",
            )
        note = (await standing(session, self.incidents.catalog(), incident)).lines
        by, number = person_of(command), incident.number
        await self.roles.hand_over(session, incident, to, by, note=note, key=command.key)
        if to is None:
            text = "The note is in the channel and on the timeline. With a person it offers them command."
        else:
            text = f"{to.name} is offered command of #{number}, with a note of what stands. They accept by its button."
        return Reply(text, incident_id=number)
