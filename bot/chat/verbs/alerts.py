"""``/incident silence``, ``merge`` and the like: what alerts are held back, and where they belong."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.chat.regroup import Regroup, may_regroup
from bot.chat.silences import SILENCE_FORMS, Silencing
from bot.incidents import Incidents
from bot.runbooks import Runs


class AlertVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, runs: Runs, silencing: Silencing) -> None:
        self.incidents = incidents
        self.silencing = silencing
        self.regroup = Regroup(incidents, runs)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "silence": self._silence, "silences": self._silences, "unsilence": self._unsilence,
            "merge": self._regroup, "unmerge": self._regroup, "split": self._regroup,
            "join": self._regroup,
        }  # fmt: skip

    async def _silence(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        at = command.incident_id
        here = await self.incidents.get(session, at) if at is not None else None
        person, text = person_of(command), "".join(words)
        return Reply(await self.silencing.set(session, text, person, command.key, here))

    async def _silences(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        del command
        only(words, (), usage(SILENCE_FORMS, "silences"))
        return Reply(*await self.silencing.list(session))

    async def _unsilence(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        return Reply(await self.silencing.end(session, " ".join(words), person_of(command)))

    async def _regroup(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Shows what would happen; its button does it."""
        may_regroup(person_of(command))
        number, words = await self.finder.number(session, command, words)
        verb = command.verb
        text, blocks = await self.regroup.ask(
            session, verb, number, words, command.key, person_of(command), command.incident_id
        )
        return Reply(text, blocks, incident_id=number)
