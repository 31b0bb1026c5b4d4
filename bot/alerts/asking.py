"""What a batch of alerts has to do with questions: what waits, what is held, what was answered."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts.deciding import Key
from bot.alerts.questions import Questions, takes
from bot.alerts.rules import Decision
from bot.alerts.tables import Question, StoredAlert, earlier
from bot.incidents import Incident

_PREFIX = "question:"


class Asking:
    """The questions that a batch touches; each is said once, when the batch is done."""

    def __init__(self, questions: Questions, session: AsyncSession) -> None:
        self.questions = questions
        self.session = session
        self._by_group: dict[str, Question] = {}
        self._by_key: dict[str, Question] = {}  # those, and of alerts that come back from one
        # who fires and waits, since when → the question's key
        self._waiting: dict[Key, tuple[str, datetime]] = {}
        self._took: list[StoredAlert] = []
        self._changed: dict[int, Question] = {}

    async def begin(self, alerts: Sequence[StoredAlert], groups: set[str]) -> None:
        """Reads what the batch may need; nobody answers meanwhile."""
        await self._find_waiting([a for a in alerts if a.status == "resolved"])
        keys = {*(key for key, _ in self._waiting.values()), *(a.held_by for a in alerts)}
        numbers = [int(k.removeprefix(_PREFIX)) for k in keys if k and k.startswith(_PREFIX)]
        query = select(Question).where(
            or_(col(Question.open_key).in_(groups), col(Question.id).in_(numbers))
        )
        for question in (await self.session.execute(query.with_for_update())).scalars():
            self._by_key[question.key] = question
            if question.open_key is not None:
                self._by_group[question.open_key] = question

    async def _find_waiting(self, ends: list[StoredAlert]) -> None:
        """Which of these end alerts that wait."""
        if not ends:
            return
        was = select(
            StoredAlert.source, StoredAlert.fingerprint, StoredAlert.held_by, StoredAlert.starts_at
        ).where(
            StoredAlert.state == "asked", StoredAlert.status == "firing",
            col(StoredAlert.source).in_({a.source for a in ends}),
            col(StoredAlert.fingerprint).in_({a.fingerprint for a in ends}),
        )  # fmt: skip
        for source, fingerprint, key, began in await self.session.execute(
            was.order_by(col(StoredAlert.id))
        ):
            self._waiting[source, fingerprint] = str(key), began

    def answered(self, alert: StoredAlert) -> int | None:
        """The incident that it waited for, if it waited for one and people said yes."""
        question = self._by_key.get(alert.held_by or "")
        return question.incident_id if question else None

    def how_answered(self) -> dict[str, str]:
        """Of alerts that a refusal held back, what was answered, in words."""
        return {key: self.questions.words(q).rstrip(".") for key, q in self._by_key.items()}

    async def takes(self, alert: StoredAlert, decision: Decision, opening: dict[str, Any]) -> None:
        """One that fires waits with the others of its group, or is held if they were refused."""
        question = self._by_group.get(decision.group)
        if question is None:
            question = await self.questions.ask(self.session, decision, opening)
            self._by_group[decision.group] = self._by_key[question.key] = question
        alert.held_by = question.key
        if question.state == "refused":
            until = f"{question.held_until:%H:%M} UTC"
            alert.state, why = "held", f"held until {until}: {self.questions.words(question)}"
        else:
            alert.state, why = "asked", f"people are asked by question {question.number}"
            takes(question, alert.name, decision.severity)
            self._waiting[alert.source, alert.fingerprint] = question.key, alert.starts_at
            self._note(alert, question)
        alert.decision |= {"because": f"{decision.because}; {why}"}

    def ends(self, alert: StoredAlert) -> bool:
        """Whether one that resolves waited; then it waits as well, so that both are told together."""
        waits = self._waiting.get((alert.source, alert.fingerprint))
        if waits is None or earlier(alert.starts_at, alert.ends_at, waits[1]):
            return False
        del self._waiting[alert.source, alert.fingerprint]
        question = self._by_key.get(waits[0])
        if question is None or question.state != "open":
            return False
        alert.state, alert.held_by = "asked", question.key
        question.ended += 1
        self._note(alert, question)
        return True

    async def opened(self, incident: Incident) -> None:
        """The batch declared an incident: what waits of its group joins it, this batch's as well."""
        question = self._by_group.get(incident.open_key or "")
        if question is None or question.state != "open":
            return
        await self.questions.settle(self.session, question, incident)
        del self._by_group[incident.open_key or ""]
        for alert in self._took:
            if alert.held_by == question.key:
                alert.state = "new"

    async def tell(self) -> None:
        """Posts or edits what has changed."""
        await self.session.flush()
        await self.questions.show(self.session, *self._changed.values())

    def _note(self, alert: StoredAlert, question: Question) -> None:
        self._took.append(alert)
        self._changed[question.number] = question
