"""``/incident snooze`` and the buttons of reminders."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.click import Click
from bot.chat.command import Command, Form, Handler, Reply, actor_of, person_of, usage
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import Incidents, require_unmerged
from bot.incidents.due import ALL
from bot.incidents.snoozing import Snoozing, check_what, may_answer, named
from bot.incidents.times import parse_time
from bot.store import now

REMINDER_FORMS = (
    Form("/incident snooze [WHAT] TIME",
         "puts reminders off: all of them here, or update, idle, commander, task …", ("later",)),
)  # fmt: skip
_LENGTHS = {"reminder_15m": timedelta(minutes=15), "reminder_1h": timedelta(hours=1)}


class ReminderVerbs:
    """The command's handler, and `click` for the buttons."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.snoozing = Snoozing(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"snooze": self._snooze}

    async def _snooze(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        person = person_of(command)
        may_answer(person)
        incident, words = await self.finder.which(session, command, words)
        require_unmerged(incident)
        what, until = _asked(words, now(), person.timezone)
        await self.snoozing.snooze(session, incident, what, until, actor_of(command))
        of = "All reminders" if what == ALL else f"Reminders ({named(what)})"
        text = f"{of} of #{incident.number} are put off until {until:%Y-%m-%d %H:%M} UTC."
        return Reply(text, incident_id=incident.number)

    async def click(self, session: AsyncSession, click: Click) -> Reply:
        """``12|update:customers``. The incident may be seen by the person."""
        may_answer(click.person)
        incident = await self.incidents.get(session, click.number)
        require_unmerged(incident)
        what, actor = click.rest, click.actor
        if click.action_id == "incident_ack":
            await self.snoozing.acknowledge(session, incident, actor)
            return Reply("Noted: you are on it.", incident_id=incident.number)
        check_what(what.partition(":")[0].replace("_", "-"))
        if click.action_id == "reminder_stop":
            await self.snoozing.stop(session, incident, what, actor)
            return Reply(f"No further reminders: {named(what)}.", incident_id=incident.number)
        until = now() + _LENGTHS[click.action_id]
        await self.snoozing.snooze(session, incident, what, until, actor)
        text = f"You are reminded again at {until:%H:%M} UTC: {named(what)}."
        return Reply(text, incident_id=incident.number)


def _asked(words: list[str], at: datetime, timezone: str) -> tuple[str, datetime]:
    """``30m``, ``update 30m``, ``tomorrow 9:00``. Raises `BadInput`."""
    if not words:
        raise BadInput("Say until when.", hint=usage(REMINDER_FORMS, "snooze"))
    head, *rest = words
    try:
        return ALL, parse_time(" ".join(words), at, timezone)
    except BadInput:
        if (
            not rest
            or not head.replace("-", "").isalpha()
            or head.lower() in ("in", "at", "today", "tomorrow")
        ):
            raise
    return check_what(head), parse_time(" ".join(rest), at, timezone)
