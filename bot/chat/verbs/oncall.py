"""``/incident oncall``, ``page`` and ``ack``: who is on call, and paging them."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.chat.oncall import ONCALL_FORMS, OnCall
from bot.incidents import Incidents


class OnCallVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, oncall: OnCall) -> None:
        self.oncall = oncall
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "oncall": self._oncall, "page": self._page, "ack": self._ack,
        }  # fmt: skip

    async def _oncall(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        told = await self.oncall.answer(session, words, person_of(command), command.key)
        return Reply(*told, later=None if words else self.oncall.beside)

    async def _page(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        person = person_of(command)
        text = await self.oncall.page(session, incident, words, person, command.key)
        return Reply(text, incident_id=incident.number)

    async def _ack(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(ONCALL_FORMS, "ack"))
        text = await self.oncall.acknowledge(session, incident, person_of(command))
        return Reply(text, incident_id=incident.number)
