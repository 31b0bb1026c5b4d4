"""Which incident a command is about, and which of them its person may see."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, person_of
from bot.errors import BadInput
from bot.incidents import Incident, Incidents
from bot.incidents.seeing import may_see, require_seen

_NUMBER = re.compile(r"#([0-9]{1,9})")


class Finder:
    """``#12`` as the first word, else the channel's incident, else the only open one."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def seen(
        self, session: AsyncSession, command: Command, *, everything: bool = False
    ) -> list[Incident]:
        """The incidents that the person may see: the open ones, or all."""
        found = await self.incidents.listed(session, everything=everything)
        person, catalog = person_of(command), self.incidents.catalog()
        return [i for i in found if may_see(catalog, i, person)]

    async def which(
        self, session: AsyncSession, command: Command, words: list[str]
    ) -> tuple[Incident, list[str]]:
        """The incident meant, locked, and the words that are left."""
        number, words = await self.number(session, command, words)
        return await self.incidents.get(session, number), words

    async def number(
        self, session: AsyncSession, command: Command, words: list[str]
    ) -> tuple[int, list[str]]:
        """The same, not locked."""
        if words and (named := _NUMBER.fullmatch(words[0])):
            number = int(named[1])
            found = await session.get(Incident, number)
            if found and number != command.incident_id:  # in its channel or page they see it
                require_seen(self.incidents.catalog(), found, command.person)
            return number, words[1:]
        if command.incident_id is not None:
            return command.incident_id, words
        seen = await self.seen(session, command)
        if len(seen) == 1:
            return seen[0].number, words
        raise BadInput(
            "Which incident?",
            hint="Say it in the incident's channel, or put its number first: #12.",
        )

    async def text(
        self, session: AsyncSession, command: Command, text: str
    ) -> tuple[Incident, str]:
        """The incident meant, locked, and what is left of a text that is kept as it was typed.

        In an incident's channel the text stays whole: "#3 is back" is about a thing of theirs.
        """
        if command.incident_id is not None:
            return await self.incidents.get(session, command.incident_id), text
        head, rest = [*text.split(maxsplit=1), "", ""][:2]
        named = _NUMBER.fullmatch(head) is not None
        incident, _ = await self.which(session, command, [head] if named else [])
        return incident, (rest if named else text).strip()
