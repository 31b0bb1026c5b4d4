"""Buttons of an incident's life beyond its card's first ones. Each is done once."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.command import Reply
from bot.chat.task_card import task_block
from bot.errors import BadInput
from bot.incidents import Incidents
from bot.incidents.handover import Roles
from bot.incidents.privacy import Privacy
from bot.incidents.tasks import Tasks

LIFE_CLICKS = (
    "handover_accept", "handover_refuse", "incident_open_up", "task_done", "task_undo",
)  # fmt: skip


class LifeClicks:
    """A button's value is the incident's number, a bar, and what the button needs to know."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.roles = Roles(incidents)
        self.privacy = Privacy(incidents)
        self.tasks = Tasks(incidents)

    async def do(self, session: AsyncSession, action_id: str, value: str, person: Person) -> Reply:
        """Does what the button says. The incident may be seen by the person."""
        number, _, rest = value.partition("|")
        incident = await self.incidents.get(session, int(number))
        if action_id == "incident_open_up":
            await self.privacy.open_up(session, incident, person)
            return Reply(f"#{number} is open to everybody now.", incident_id=incident.number)
        if action_id in ("task_done", "task_undo"):
            state = "done" if action_id == "task_done" else "open"
            task = await self.tasks.put(session, incident, _number(rest), state, person)
            block = task_block(self.incidents.catalog(), task)
            return Reply(f"{task.name.capitalize()}: {task.state}.", [block], int(number))
        yes = action_id == "handover_accept"
        await self.roles.answer(session, incident, rest, person, yes=yes)
        text = f"You are commander of #{number}." if yes else "Noted: you do not take command."
        return Reply(text, incident_id=incident.number)


def _number(word: str) -> int:
    """Of a task. Raises `BadInput`."""
    if not (word.isascii() and word.isdecimal() and len(word) <= 4):  # noqa: PLR2004 - as many as there may be
        raise BadInput("The button is out of date.", hint="/incident tasks lists what is open.")
    return int(word)
