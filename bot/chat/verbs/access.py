"""``/access``: which ways in are proven, what still runs with something down, drills."""

from collections.abc import Awaitable, Callable

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Handler, Reply, Told, person_of
from bot.chat.ways import ACCESS_FORMS, Result, Ways, drilled
from bot.errors import JacklineError
from bot.incidents import Incidents
from bot.log import get

log = get("chat")
__all__ = ["ACCESS_FORMS", "AccessVerbs"]


class AccessVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, ways: Ways) -> None:
        self.incidents = incidents
        self.ways = ways
        self.handlers: dict[str, Handler] = {
            "status": self._ways, "whatif": self._ways, "drills": self._ways, "drill": self._drill,
        }  # fmt: skip

    async def _ways(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Answers that change nothing, from the catalog and the probes."""
        del session
        match command.verb:
            case "status":
                return Reply(*await self.ways.status())
            case "drills":
                return Reply(*await self.ways.calendar())
        return Reply(*self.ways.whatif(listed(words)))

    async def _drill(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Held after the commit: probes take up to 15 s, and nobody could write in that time."""
        del session
        text, hold = self.ways.drill(listed(words), person_of(command))

        async def later() -> Told | None:
            try:
                return await self._held(hold, command)
            except (SQLAlchemyError, OSError) as error:
                log.error("drill_not_told", error=str(error))
                return "The database does not answer. Try again in a moment.", []

        return Reply(text, incident_id=command.incident_id, later=later)

    async def _held(self, hold: Callable[[], Awaitable[Result]], command: Command) -> Told | None:
        """Says how it went where it was asked for: in the incident's channel, or to the asker."""
        try:
            kind, payload = "drill", await hold()
        except JacklineError as error:
            kind, payload = "line", {"text": str(error)}
        if command.incident_id is None:
            return drilled(payload) if kind == "drill" else (payload["text"], [])
        async with self.ways.drills.store.write() as session:
            await self.incidents.outbox.say(
                session, command.incident_id, f"drill-{command.key}", kind, payload
            )
        return None


def listed(words: list[str]) -> str:
    """``dns:corp, slack`` as it is typed: by commas, by spaces or by both."""
    return ",".join(" ".join(words).replace(",", " ").split())
