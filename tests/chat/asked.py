"""A question as the router leaves it, for tests of what people see and click."""

from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import Question
from bot.alerts.questions import Questions, takes
from bot.alerts.rules import Decision
from bot.catalog import Rule
from bot.store import Store


async def ask(store: Store, questions: Questions, *names: str, **opening: Any) -> Question:
    """In a transaction of its own."""
    async with store.write() as session:
        return await pose(session, questions, *names, **opening)


async def pose(
    session: AsyncSession, questions: Questions, *names: str, severity: str = "sev2", **opening: Any
) -> Question:
    """Of the group ``g``; alerts of these names fire."""
    decision = Decision(
        declare=True, severity=severity, service="", group=opening.get("open_key", "g"),
        because="rule 1", rule=Rule(declare="ask"),
    )  # fmt: skip
    given = {"title": "Shop is slow", "services": [], "open_key": "g", "trigger": {}, "people": [],
             "private": False}  # fmt: skip
    question = await questions.ask(session, decision, given | opening)
    for name in names or ("Slow",):
        takes(question, name, severity)
    await session.flush()
    await questions.show(session, question)
    return question
