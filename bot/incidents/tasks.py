"""What is to be done: tasks, which an incident waits for before it is closed, and follow-ups."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import func
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Person
from bot.errors import BadInput, Conflict, NotFound
from bot.incidents.due import OpenTask
from bot.incidents.family import family, require_unmerged, tops
from bot.incidents.flow import Incidents
from bot.incidents.roles import require_responder
from bot.incidents.tables import Incident, Task
from bot.store import now

TEXT_LIMIT = 500
MOST = 200  # of one incident: more is a project
_DID = {"done": "Done", "dropped": "Dropped", "open": "Open again"}
_KIND = {"done": "task_done", "dropped": "task_dropped", "open": "task_reopened"}


class Tasks:
    """The incident is locked by whoever calls; ``by`` is the person who does it."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def add(
        self, session: AsyncSession, incident: Incident, text: str, by: Person, *,
        owner: Person | None, due_at: datetime | None, after: bool, origin: str, link: str = "",
    ) -> Task:  # fmt: skip
        """A new one, or the one that the same ``origin`` made. Raises `BadInput`, `Conflict`."""
        require_responder(by, "giving tasks")
        query = select(Task).where(Task.origin == origin)
        if earlier := (await session.execute(query)).scalar_one_or_none():
            return earlier
        require_unmerged(incident)
        if incident.status in ("closed", "cancelled") and not after:
            raise Conflict(
                f"#{incident.number} is {incident.status}: it has no more tasks.",
                hint="/incident followup is for what goes on.",
            )
        task = Task(
            incident_id=incident.number, number=await self._next(session, incident.number),
            text=_checked(text), after=after, owner=owner.id if owner else "", due_at=due_at,
            origin=origin, created_by=by.id,
        )  # fmt: skip
        session.add(task)
        await session.flush()
        who = f", {owner.name}" if owner else ""
        due = f", by {due_at:%Y-%m-%d %H:%M} UTC" if due_at else ""
        said = f"{task.name.capitalize()}: {task.text}{who}{due}"
        await self._record(session, incident, task, "task_added", said, f"person:{by.id}", link)
        return task

    async def put(
        self, session: AsyncSession, incident: Incident, number: int, state: str, by: Person
    ) -> Task:
        """Done, dropped, or open again; as it is already changes nothing. Raises `NotFound`.

        Also of an incident that is merged into another, which lists its tasks.
        """
        require_responder(by, "changing tasks")
        return await self._put(session, incident, number, state, f"person:{by.id}")

    async def done_elsewhere(
        self, session: AsyncSession, incident: Incident, number: int, link: str
    ) -> Task:
        """Done as a tracker says, which no person has to repeat; ``link`` is its ticket."""
        return await self._put(session, incident, number, "done", "jackline", link)

    async def _put(
        self, session: AsyncSession, incident: Incident, number: int, state: str, actor: str,
        link: str = "",
    ) -> Task:  # fmt: skip
        task = await self.one(session, incident.number, number)
        if task.state == state or (actor == "jackline" and task.state != "open"):
            return task
        task.state = state
        over = state != "open"
        task.ended_at, task.ended_by = (now(), actor.removeprefix("person:")) if over else (None, "")  # fmt: skip
        said = f"{_DID[state]}: {task.name}, {task.text}"
        await self._record(session, incident, task, _KIND[state], said, actor, link)
        return task

    async def one(self, session: AsyncSession, incident: int, number: int) -> Task:
        """Raises `NotFound`."""
        query = select(Task).where(Task.incident_id == incident, Task.number == number)
        found = (await session.execute(query)).scalar_one_or_none()
        if found is None:
            raise NotFound(f"#{incident} has no task {number}.", hint="/incident tasks lists them.")
        return found

    async def require_done(self, session: AsyncSession, incident: Incident) -> None:
        """Raises `Conflict` while tasks are open, here or in what is merged into it."""
        numbers = await family(session, incident.number)
        left = [t for t in await tasks_of(session, numbers) if not t.after]
        if left:
            named = ", ".join(f"{t.number} {t.text[:60]}" for t in left[:3])
            raise Conflict(
                f"#{incident.number} has {len(left)} open task{'s' if len(left) > 1 else ''}: {named}.",
                hint="/incident tasks lists them; /incident close anyway closes it all the same.",
            )

    async def _next(self, session: AsyncSession, incident: int) -> int:
        query = select(func.max(Task.number)).where(Task.incident_id == incident)
        number = (await session.execute(query)).scalar() or 0
        if number >= MOST:
            raise Conflict(f"#{incident} has {MOST} tasks already.", hint="Use your tracker.")
        return number + 1

    async def _record(
        self, session: AsyncSession, incident: Incident, task: Task, kind: str, text: str, actor: str,
        link: str = "",
    ) -> None:  # fmt: skip
        """One message for each task, edited as it goes on."""
        number = incident.number
        data = {
            "task": task.number, "owner": task.owner, "after": task.after,
            "due_at": task.due_at.isoformat() if task.due_at else "",
        }  # fmt: skip
        await self.incidents.ledger.append(session, number, kind, actor, text, data=data, link=link)
        await self.incidents.outbox.say(
            session, number, f"task-{task.number}", "task", {"task": task.number}, author=actor
        )
        await self.incidents.refresh(session, incident)


async def tasks_of(
    session: AsyncSession, incidents: Iterable[int], *, all_states: bool = False
) -> list[Task]:
    """Of these incidents, the open ones first due first, or all in their order."""
    query = select(Task).where(col(Task.incident_id).in_(list(incidents)))
    if not all_states:
        query = query.where(Task.state == "open")
    found = list((await session.execute(query.order_by(col(Task.id)))).scalars())
    if all_states:
        return found
    return sorted(found, key=lambda t: (t.due_at is None, t.due_at or t.created_at))


async def due_tasks(session: AsyncSession) -> list[OpenTask]:
    """All that are open and have a due time, for reminders.

    Those of an incident that is merged into another are reminded of there.
    """
    query = select(Task).where(Task.state == "open", col(Task.due_at).is_not(None))
    found = list((await session.execute(query.order_by(col(Task.id)))).scalars())
    places = await tops(session, {task.incident_id for task in found})
    return [
        OpenTask(
            places[t.incident_id], t.id, f"{t.name}, {t.text}", t.owner, t.due_at, t.after,
            ("Done", "task_done", f"{t.incident_id}|{t.number}"),
        )
        for t in found if t.id is not None and t.due_at is not None
    ]  # fmt: skip


def _checked(text: str) -> str:
    """One line. Raises `BadInput`."""
    clean = " ".join("".join(c for c in text if c.isprintable() or c.isspace()).split())
    if not clean:
        raise BadInput(
            "There is nothing to do.",
            hint="For example: /incident task Call the vendor @ben by 14:30",
        )
    if len(clean) > TEXT_LIMIT:
        raise BadInput(f"The task has {len(clean)} characters; {TEXT_LIMIT} is the limit.")
    return clean
