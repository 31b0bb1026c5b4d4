"""``/incident silence``, ``silences`` and ``unsilence``: alerts that are held back for a while."""

import re
import shlex

from sqlalchemy.ext.asyncio import AsyncSession

from bot.alerts import Silences
from bot.alerts.holding import fire_now, labels_of, may_silence, of_incident, wish
from bot.catalog import Person, match_words
from bot.chat.blocks import TEXT, cut, escape, joined, section
from bot.chat.command import Form, Told, usage
from bot.errors import BadInput
from bot.incidents import Incident

SILENCE_FORMS = (
    Form("/incident silence LABEL=VALUE [LABEL=VALUE …] for 2h REASON",
         "holds matching alerts back; `*` in a value is anything; `here`: those of this incident",
         verbatim=True),
    Form("/incident silences", "what is held back now: until when, by whom, why",
         anybody=True),
    Form("/incident unsilence N", "ends a silence; what still fires is routed then"),
)  # fmt: skip
_USAGE = usage(SILENCE_FORMS, "silence")
_ASKED = re.compile(  # labels, in which quotes hold a value together; how long; why
    r"""((?:"[^"]*"|'[^']*'|[^"'])*?)(?<!\S)for\s+([0-9]\S*)(.*)""", re.IGNORECASE | re.DOTALL
)
_LARGEST = 2**31 - 1  # of a number on PostgreSQL


class Silencing:
    """Answers for every surface."""

    def __init__(self, silences: Silences) -> None:
        self.silences = silences

    async def set(
        self, session: AsyncSession, text: str, person: Person, key: str, incident: Incident | None
    ) -> str:
        """``incident`` is that of the channel. Raises `BadInput`, with the usage."""
        may_silence(person)
        found = _ASKED.fullmatch(text)
        if found is None:
            raise BadInput("Say for how long, such as `for 2h`.", hint=_USAGE)
        labels, lasts, reason = _split(found[1]), found[2], found[3]
        if labels == ["here"]:
            if incident is None:
                raise BadInput("`here` is for an incident's channel.", hint=_USAGE)
            match = of_incident(incident)
        else:
            match = labels_of(labels, _USAGE)
        asked = wish(match, lasts, reason, _USAGE)
        silence = await self.silences.set(session, asked, person.id, key)
        firing = await self.silences.firing(session, silence)
        return (
            f"Silence {silence.number} is set until {silence.until:%Y-%m-%d %H:%M} UTC: "
            f"{match_words(silence.match)}. {fire_now(*firing)}"
        )

    async def list(self, session: AsyncSession) -> Told:
        """A line for each silence and each maintenance window that is on."""
        found = await self.silences.listed(session)
        if not found:
            return "Nothing is silenced.", []
        lines = [
            f"*{escape(hold.name)}* {escape(cut(hold.words.removeprefix(hold.name).strip(), 700))}; "
            f"holds back {held}"
            for hold, held in found
        ]
        return f"{len(found)} hold alerts back", [section(joined(lines, TEXT))]

    async def end(self, session: AsyncSession, words: str, person: Person) -> str:
        """Raises `NotFound`, `Conflict` and, for what is no number, `BadInput`."""
        may_silence(person)
        number = words.strip().removeprefix("#")
        if not (number.isascii() and number.isdecimal() and int(number) <= _LARGEST):
            raise BadInput("Say which silence.", hint=usage(SILENCE_FORMS, "unsilence"))
        silence = await self.silences.end(session, int(number), person.id)
        return (
            f"Silence {silence.number} is ended. What it held back and still fires is routed now."
        )


def _split(text: str) -> list[str]:
    """By spaces; quotes hold a value together. Raises `BadInput`."""
    try:
        return shlex.split(text)
    except ValueError as error:
        raise BadInput(f"The labels cannot be read: {error}.", hint=_USAGE) from None
