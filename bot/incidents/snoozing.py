"""What people do about reminders: put them off, stop them, say that they are there."""

from datetime import datetime, timedelta

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.catalog import Person
from bot.delivery import Message
from bot.errors import BadInput, NotAllowed
from bot.incidents.due import ALL, KINDS
from bot.incidents.due_tables import Reminder
from bot.incidents.flow import Incidents
from bot.incidents.tables import Incident
from bot.located import near
from bot.store import now
from bot.timeline import Timeline

LONGEST = timedelta(days=7)  # of a snooze
_SAME, _AGAIN = timedelta(minutes=5), timedelta(minutes=1)


class Snoozing:
    """In the transaction of who clicks or types; ``actor`` is as in `Incidents`."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def snooze(
        self, session: AsyncSession, incident: Incident, what: str, until: datetime, actor: str
    ) -> None:
        """Leaves people alone about it until then. Said again within a minute, it is the same.

        Raises `BadInput`.
        """
        if until - now() > LONGEST:
            raise BadInput("A reminder can be put off for seven days at most.")
        row = await self.row(session, incident.number, what)
        before, row.snoozed_until = row.snoozed_until, until
        if before is not None and abs(until - before) < _AGAIN:
            return
        of = "all reminders" if what == ALL else f"reminders: {named(what)}"
        text = f"Put off until {until:%Y-%m-%d %H:%M} UTC: {of}"
        await self.incidents.ledger.append(
            session, incident.number, "reminder_snoozed", actor, text, data={"what": what}
        )

    async def stop(self, session: AsyncSession, incident: Incident, what: str, actor: str) -> None:
        """Reminds nobody of it again, until there is another occasion."""
        row = await self.row(session, incident.number, what)
        if row.stopped_by:
            return
        row.stopped_by = actor
        text = f"No further reminders: {named(what)}"
        await self.incidents.ledger.append(
            session, incident.number, "reminder_stopped", actor, text, data={"what": what}
        )
        await self.strike(session, row)

    async def acknowledge(self, session: AsyncSession, incident: Incident, actor: str) -> None:
        """Somebody is there. Said again within minutes, it is the same."""
        query = select(Timeline.seq).where(
            Timeline.incident_id == incident.number, Timeline.kind == "incident_acknowledged",
            Timeline.actor == actor, Timeline.at > now() - _SAME,
        )  # fmt: skip
        if (await session.execute(query.limit(1))).first():
            return
        person = self.incidents.catalog().person(actor.removeprefix("person:"))
        text = f"{person.name if person else actor} is on it"
        await self.incidents.ledger.append(
            session, incident.number, "incident_acknowledged", actor, text
        )
        await self.incidents.outbox.say(
            session, incident.number, f"ack-{now().timestamp()}", "line", {"text": text},
            author=actor,
        )  # fmt: skip

    async def row(self, session: AsyncSession, number: int, what: str) -> Reminder:
        """As it is now; the incident is locked by the session."""
        row = await session.get(Reminder, (number, what), populate_existing=True)
        if row is None:
            row = Reminder(incident_id=number, what=what)
            session.add(row)
        return row

    async def strike(self, session: AsyncSession, row: Reminder, *, but: str = "") -> None:
        """Takes the buttons off the last message about it."""
        if row.message and row.message != but:
            query = select(Message).where(Message.key == f"{row.incident_id}:{row.message}")
            if message := (await session.execute(query)).scalar_one_or_none():
                payload = message.payload | {"settled": True}
                await self.incidents.outbox.say(
                    session, row.incident_id, row.message, "reminder", payload
                )
        row.message = ""


def named(what: str) -> str:
    """A reminder as people call it: ``update to customers``."""
    kind, _, rest = what.partition(":")
    names = {"acknowledge": "nobody has taken it up", "commander": "nobody in command"}
    if kind == "update":
        return "update" if rest in ("", "internal") else f"update to {rest}"
    word = names.get(kind, kind.replace("_", "-"))
    return f"{word} {rest}" if rest else word


def check_what(word: str) -> str:
    """What is put off, as it is stored. Raises `BadInput` with the nearest."""
    kinds = {kind.replace("_", "-"): kind for kind in KINDS} | {"all": ALL, "updates": "update"}
    if found := kinds.get(word.lower()):
        return found
    raise BadInput(
        f"There is no reminder {word[:40]!r}{near(word.lower(), kinds) or '.'}",
        hint=f"There are: all, {', '.join(kind.replace('_', '-') for kind in KINDS)}.",
    )


def may_answer(person: Person) -> None:
    """Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("That needs the role 'responder' or 'commander'.")
