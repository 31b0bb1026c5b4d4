"""``/incident digest``: what a week brought, for the one who asks."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Form, Handler, Reply, usage
from bot.chat.weekly_card import weekly_blocks, weekly_text
from bot.errors import BadInput
from bot.incidents import Incidents
from bot.postmortems.learning import asked_week, digest

LEARNING_FORMS = (
    Form("/incident digest [WEEK]",
         "the week that ended last, or one as `2026-W47`: how many incidents, how long, what is still open",
         ("weekly",), anybody=True),
)  # fmt: skip


class LearningVerbs:
    """Its handler. The answer is the same for everybody: nothing private is in it."""

    def __init__(self, incidents: Incidents, public_url: str) -> None:
        self.catalog = incidents.catalog
        self.public_url = public_url.rstrip("/")
        self.handlers: dict[str, Handler] = {"digest": self._digest}

    async def _digest(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        if len(words) > 1:
            raise BadInput("Name one week.", hint=usage(LEARNING_FORMS, "digest"))
        catalog = self.catalog()
        found = await digest(session, catalog, asked_week(catalog, "".join(words)))
        base = "" if command.surface == "console" else self.public_url or None
        return Reply(weekly_text(found), weekly_blocks(found, base))
