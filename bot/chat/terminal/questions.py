"""What a run waits for from people, as questions: the same decisions as the cards offer."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.runbooks import Run, Runs, StepAttempt, approvers
from bot.runbooks.consent import approvals
from bot.runbooks.roles import whom
from bot.runbooks.tables import ENDED


@dataclass(frozen=True)
class Question:
    """One thing that a person must say. ``words`` are the answers; none: a code is asked for.

    ``step`` is empty where it is about the whole run.
    """

    kind: str
    run_id: int
    step: str
    text: str
    words: tuple[str, ...] = ()


_ASKED = {
    "decision": ("retry", "skip", "undo", "stop"),
    "manual": ("done", "cannot"),
    "approval": (),
}
_HAPPENED = ("happened", "not")


async def questions(session: AsyncSession, runs: Runs, incident_id: int) -> list[Question]:
    """All that waits for a person now, called runs included."""
    found: list[Question] = []
    query = select(Run).where(Run.incident_id == incident_id, col(Run.state).not_in(ENDED))
    for run in (await session.execute(query.order_by(col(Run.id)))).scalars():
        match run.state:
            case "proposed":
                text = f"Run {run.title}?"
                found.append(Question("request", run.number, "", text, ("yes", "no")))
            case "waiting":
                found.append(await _waiting(session, runs, run))
            case "unknown":
                found += await _unknown(session, run)
            case "running" | "held":
                found += await _steps(session, run)
    return found


async def _waiting(session: AsyncSession, runs: Runs, run: Run) -> Question:
    needed = run.plan["approvals"]
    have = [p for p in await approvers(session, run) if p != run.requester]
    if len(have) < needed["count"]:
        text = f"{run.title} needs {approvals(needed['count'] - len(have), whom(needed['from']))}"
        return Question("approve", run.number, "", f"{text}. Code read over the phone:")
    why = await runs.forbids(session, run) or "It is agreed to"
    return Question("freeze", run.number, "", f"{why}. Look again?", ("yes", "no"))


async def _unknown(session: AsyncSession, run: Run) -> list[Question]:
    query = select(StepAttempt).where(StepAttempt.run_id == run.id, StepAttempt.state == "unknown")
    return [
        Question(
            "settle", run.number, row.step,
            f"Nobody knows whether it took effect ({row.step}: {row.error}). "
            "Look at the target: did it happen?",
            _HAPPENED,
        )
        for row in (await session.execute(query.order_by(col(StepAttempt.id)))).scalars()
    ]  # fmt: skip


async def _steps(session: AsyncSession, run: Run) -> list[Question]:
    query = select(StepAttempt).where(
        StepAttempt.run_id == run.id, StepAttempt.state == "waiting",
        col(StepAttempt.action).in_(_ASKED),
    )  # fmt: skip
    return [
        Question(row.action, run.number, row.step, _asked(row.action, row.step, row.output),
                 _ASKED[row.action])
        for row in (await session.execute(query)).scalars()
    ]  # fmt: skip


def _asked(action: str, step: str, facts: dict[str, Any]) -> str:
    match action:
        case "manual":
            todo = "".join(f"\n  - {line}" for line in facts["checklist"])
            return f"By hand: {step}{todo}\nIs all of it done?"
        case "approval":
            needed = f"needs {approvals(facts['count'], whom(facts['from']))}"
            return f"{step} {needed} before it begins. Code read over the phone:"
    return f"{step} failed: {facts['error']}\nWhat now?"
