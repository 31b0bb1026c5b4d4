"""Questions: are these alerts an incident? Asked by rules with ``declare: ask``, answered once.

An answer changes the alerts that waited in the same commit. Those of a question that was declared go
back to the router, which leads them to its incident. Nothing waits for ever: what nobody answers is
declared by itself if it still fires, since a lost alert is worse than a false one.
"""

from datetime import timedelta
from typing import Any

from sqlalchemy import func, update
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select
from sqlmodel.sql.expression import SelectOfScalar

from bot.alerts.grouping import belongs
from bot.alerts.holding import who
from bot.alerts.rules import PRIVATE, Decision
from bot.alerts.tables import Question, StoredAlert, has_ended
from bot.catalog import Catalog, Person, Rule
from bot.errors import Conflict, JacklineError, NotAllowed, NotFound
from bot.incidents import Incident, Incidents
from bot.incidents.rules import worst
from bot.log import get
from bot.store import Store, now

log = get("alerts")
BUDGET = 20  # open questions that stand in the digest's channel at one time
HELD = timedelta(hours=1)  # after a refusal, in which new alerts of the group ask nobody
_NAMES, _NAME = 20, 200  # counted by name, and characters of one
_MORE = "questions"  # the key of the message that counts the others


class Questions:
    """``look`` is the clock's part; the others are done in the transaction of who asks or answers."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def ask(
        self, session: AsyncSession, decision: Decision, opening: dict[str, Any]
    ) -> Question:
        """A new one; it is said when `show` is called. ``opening``: see `Question`."""
        at = now()
        question = Question(
            open_key=decision.group, opening=opening, severity=decision.severity, asked_at=at,
            due_at=at + timedelta(seconds=decision.rule.ask_within),
            posted=await self._shown(session) < BUDGET,
        )  # fmt: skip
        session.add(question)
        await session.flush()
        text = f"Question {question.number} is asked about {decision.group}: {decision.because}"
        await self._record(session, "question_asked", "jackline", question, text)
        return question

    async def declare(self, session: AsyncSession, number: int, actor: str) -> Incident:
        """Yes. Raises `NotFound`, and `Conflict` that says what was answered before."""
        active = await self.incidents.active(session)
        return await self._declare(session, await self._open(session, number), active, actor)

    async def refuse(self, session: AsyncSession, number: int, actor: str) -> Question:
        """No: new alerts of the group are held back for `HELD`. Raises as `declare` does."""
        await self.incidents.active(session)  # no router works on the group meanwhile
        question = await self._open(session, number)
        question.held_until = now() + HELD
        await self._close(session, question, "refused", actor, alerts="refused")
        text = f"Question {number} about {question.open_key}: no incident"
        await self._record(session, "question_refused", actor, question, text)
        return question

    async def settle(self, session: AsyncSession, question: Question, incident: Incident) -> None:
        """An incident of the group was opened without an answer: what waited joins it."""
        await self._to(session, question, incident, "jackline")

    async def look(self, store: Store) -> None:
        """Settles what nobody answered in time, ends what was held back, posts what has room now."""
        async with store.read() as session:
            overdue = select(Question.id).where(Question.state == "open", Question.due_at <= now())
            numbers = (await session.execute(overdue.order_by(col(Question.id)))).scalars().all()
            more = await self._more_due(session)
        for number in numbers:
            try:
                async with store.write() as session:
                    await self._overdue(session, number)
            except JacklineError as error:  # one must not keep the others from being settled
                log.error("question_not_settled", question=number, error=str(error))
        if not (numbers or more):
            return
        async with store.write() as session:
            held = select(Question).where(Question.state == "refused", *_hold_over())
            for question in await _all(session, held):
                question.open_key = None
                await _move(session, question, "held", "new")
            await self._fill(session)

    async def pending(self, session: AsyncSession) -> list[Question]:
        """The open ones, oldest first."""
        query = select(Question).where(Question.state == "open").order_by(col(Question.id))
        return list((await session.execute(query)).scalars())

    async def standing(self, session: AsyncSession) -> dict[str, Question]:
        """By group: the open ones, and those whose refusal holds new alerts back."""
        query = select(Question).where(col(Question.open_key).is_not(None))
        return {q.open_key or "": q for q in (await session.execute(query)).scalars()}

    async def show(self, session: AsyncSession, *questions: Question) -> None:
        """Posts them, or edits them in place; those for which there is no room are counted."""
        for question in questions:
            if question.posted:
                key, payload = f"question-{question.number}", {"question": question.number}
                await self.incidents.outbox.announce(session, key, "question", payload)
        if not all(question.posted for question in questions):
            await self._count(session)

    def words(self, question: Question) -> str:
        """See `answer_of`."""
        return answer_of(self.incidents.catalog(), question)

    async def _open(self, session: AsyncSession, number: int) -> Question:
        found = await _all(session, select(Question).where(Question.id == number))
        if not found:
            raise NotFound(
                f"There is no question {number}.", hint="`jackline alerts pending` lists them."
            )
        if found[0].state != "open":
            raise Conflict(f"Question {number} is not open any more. {self.words(found[0])}")
        return found[0]

    async def _declare(
        self, session: AsyncSession, question: Question, active: list[Incident], actor: str
    ) -> Incident:
        """Joins the open incident of its group, if there is one by now."""
        opening = question.opening
        incident = next((i for i in active if i.open_key == opening["open_key"]), None)
        if incident is None:
            catalog = self.incidents.catalog()
            known = [s for s in opening["services"] if catalog.service(s)]  # it may be gone by now
            incident = await self.incidents.declare(
                session, severity=question.severity, actor=actor,
                origin=f"question:{question.number}", **(opening | {"services": known}),
            )  # fmt: skip
            active.append(incident)
        await self._to(session, question, incident, actor)
        return incident

    async def _by_itself(
        self, session: AsyncSession, question: Question, active: list[Incident]
    ) -> None:
        """Goes where it would be routed now: people may have declared by hand instead."""
        found = belongs(self.incidents.catalog(), _again(question), active, now())
        if found is None:
            await self._declare(session, question, active, "jackline")
        else:
            await self._to(session, question, found.incident, "jackline")

    async def _to(
        self, session: AsyncSession, question: Question, incident: Incident, actor: str
    ) -> None:
        question.incident_id = incident.number
        await self._close(session, question, "declared", actor, alerts="new")
        text = f"Asked at {question.asked_at:%H:%M:%S} UTC (question {question.number}). {self.words(question)}"
        number, key = incident.number, f"question-{question.number}"
        await self.incidents.ledger.append(session, number, "question_answered", actor, text)
        await self.incidents.outbox.say(session, number, key, "line", {"text": text})

    async def _overdue(self, session: AsyncSession, number: int | None) -> None:
        active = await self.incidents.active(session)
        still = select(Question).where(Question.id == number, Question.state == "open")
        found = await _all(session, still)
        if not found:  # another replica was here, or a person
            return
        question = found[0]
        firing = select(StoredAlert.id).where(
            StoredAlert.state == "asked", StoredAlert.held_by == question.key,
            StoredAlert.status == "firing", ~has_ended(),
        )  # fmt: skip
        if (await session.execute(firing.limit(1))).first():
            await self._by_itself(session, question, active)
            return
        await self._close(session, question, "ended", "jackline", alerts="routed")
        text = f"Question {question.number} ended before anyone answered"
        await self._record(session, "question_ended", "jackline", question, text)

    async def _close(
        self, session: AsyncSession, question: Question, state: str, actor: str, *, alerts: str
    ) -> None:
        question.state, question.answered_at, question.answered_by = state, now(), actor
        if state != "refused":
            question.open_key = None
        await _move(session, question, "asked", alerts)
        await self.show(session, question)

    async def _more_due(self, session: AsyncSession) -> bool:
        """Whether `look` would find something besides what is overdue."""
        held = select(Question.id).where(Question.state == "refused", *_hold_over())
        if (await session.execute(held.limit(1))).first():
            return True
        return await self._unposted(session) > 0 and await self._shown(session) < BUDGET

    async def _fill(self, session: AsyncSession) -> None:
        """The oldest that were only counted are posted where others were answered."""
        room = BUDGET - await self._shown(session)
        query = select(Question).where(Question.state == "open", ~col(Question.posted))
        found = await _all(session, query.limit(max(0, room)))
        for question in found:
            question.posted = True
        await self.show(session, *found)
        if found:
            await self._count(session)

    async def _count(self, session: AsyncSession) -> None:
        left = await self._unposted(session)
        text = (
            f"Questions that wait for room here: {left}. "
            "All are in the console and in `jackline alerts pending`."
        )
        await self.incidents.outbox.announce(session, _MORE, "line", {"text": text})

    async def _shown(self, session: AsyncSession) -> int:
        query = select(func.count(col(Question.id))).where(
            Question.state == "open", col(Question.posted)
        )
        return (await session.execute(query)).scalar_one()

    async def _unposted(self, session: AsyncSession) -> int:
        query = select(func.count(col(Question.id))).where(
            Question.state == "open", ~col(Question.posted)
        )
        return (await session.execute(query)).scalar_one()

    async def _record(
        self, session: AsyncSession, kind: str, actor: str, question: Question, text: str
    ) -> None:
        """On Jackline's own chain: what is not declared is about no incident."""
        data = {
            "question": question.number, "fired": question.fired, "firing": question.firing,
            "group": question.opening["open_key"],
        }  # fmt: skip
        await self.incidents.ledger.append(session, 0, kind, actor, text, data=data)


def _again(question: Question) -> Decision:
    """What was decided when it was asked, as far as it says where it belongs."""
    opening, group = question.opening, str(question.opening["open_key"])
    rule = Rule(visibility="private" if opening["private"] else "public")
    service = next(iter(opening["services"]), "")
    joins = not group.removeprefix(PRIVATE).startswith("labels:")
    return Decision(True, question.severity, service, group, "", joins, rule)


def takes(question: Question, name: str, severity: str) -> None:
    """One more alert fires."""
    question.fired += 1
    question.severity = worst([question.severity, severity])
    name = name[:_NAME]
    if name in question.firing or len(question.firing) < _NAMES:
        question.firing = {**question.firing, name: question.firing.get(name, 0) + 1}


def answer_of(catalog: Catalog, question: Question) -> str:
    """What was answered, by whom and when; or what comes if nobody answers."""
    at = f"{question.answered_at or question.due_at:%Y-%m-%d %H:%M:%S} UTC"
    kind, _, name = question.answered_by.partition(":")
    whom = who(catalog, name if kind == "person" else "")
    match question.state:
        case "declared" if question.answered_by == "jackline":
            return f"It became #{question.incident_id} by itself at {at}, as nobody had answered."
        case "declared":
            return f"{whom} declared #{question.incident_id} at {at}."
        case "refused":
            return (
                f"{whom} said at {at} that it is no incident; nobody is asked again before "
                f"{question.held_until or question.due_at:%H:%M} UTC."
            )
        case "ended":
            return f"It ended before anyone answered; closed at {at}."
    return f"If nobody answers, it is declared by itself at {at}, if it still fires then."


def about(question: Question) -> Incident:
    """The incident that it would become; not to be stored."""
    return Incident(
        **question.opening, severity=question.severity, origin="", declared_by="jackline"
    )


def may_answer(person: Person) -> None:
    """Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("Answering needs the role 'responder' or 'commander'.")


def _hold_over() -> tuple[Any, Any]:
    return col(Question.open_key).is_not(None), col(Question.held_until) <= now()


async def _all(session: AsyncSession, query: SelectOfScalar[Question]) -> list[Question]:
    """Locked, oldest first, as they are now."""
    query = query.order_by(col(Question.id)).with_for_update()
    found = await session.execute(query.execution_options(populate_existing=True))
    return list(found.scalars())


async def _move(session: AsyncSession, question: Question, before: str, after: str) -> None:
    await session.execute(
        update(StoredAlert)
        .where(col(StoredAlert.state) == before, col(StoredAlert.held_by) == question.key)
        .values(state=after)
        .execution_options(synchronize_session=False)  # none of them is loaded here
    )
