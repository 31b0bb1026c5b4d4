"""``/incident oncall``: who is on call, who comes next, and who stands in."""

import re
from collections.abc import Awaitable, Callable
from datetime import timedelta

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person, seconds
from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Form, Told, usage
from bot.contract import Duty
from bot.errors import BadInput
from bot.incidents import Incident
from bot.incidents.times import parse_time
from bot.paging.flow import Paging
from bot.paging.overrides import may_page, schedule_of
from bot.paging.roster import Roster, rosters
from bot.store import now

ONCALL_FORMS = (
    Form("/incident oncall [SCHEDULE]", "who is on call now, and who comes next", anybody=True),
    Form("/incident oncall override SCHEDULE PERSON [from TIME] until TIME",
         "somebody stands in; or `for 4h`; times such as 18:00, tomorrow 9:00, fri 17:30", anybody=True),
    Form("/incident oncall undo N", "takes an override back", anybody=True),
    Form("/incident page WHO|SERVICE [WHY]",
         "pages a person, @group, schedule, or who is for a service", ("escalate",)),
    Form("/incident ack", "you have it: nobody else is paged for this incident",
         ("acknowledge",)),
)  # fmt: skip
_USAGE = f"Usage: {ONCALL_FORMS[1].usage}"
_SPAN = re.compile(r"(?:from\s+(.+?)\s+)?(until|for)\s+(.+)", re.IGNORECASE)
Elsewhere = Callable[[], Awaitable[list[tuple[str, list[Duty]]]]]  # by pager, who is on call there
_LARGEST = 2**31 - 1  # of a number on PostgreSQL


class OnCall:
    """Answers for every surface."""

    def __init__(self, paging: Paging, elsewhere: Elsewhere) -> None:
        self.paging = paging
        self.elsewhere = elsewhere
        self.overrides = paging.overrides

    async def answer(
        self, session: AsyncSession, words: list[str], person: Person, key: str
    ) -> Told:
        """What was asked or told. Raises `BadInput` with the usage, `NotFound`, `NotAllowed`."""
        match words:
            case ["override", schedule, who, *span]:
                return await self._override(session, schedule, who, " ".join(span), person, key)
            case ["override", *_]:
                raise BadInput("Say which schedule, who and until when.", hint=_USAGE)
            case ["undo", number]:
                return await self._undo(session, number, person)
            case [] | [_]:
                return await self.shown(session, "".join(words))
        raise BadInput(f"I did not understand {' '.join(words)[:80]!r}.", hint=_USAGE)

    async def page(
        self, session: AsyncSession, incident: Incident, words: list[str], person: Person, key: str
    ) -> str:
        """Pages somebody by hand. Raises what `Paging.call` raises."""
        if not words:
            raise BadInput("Say whom.", hint=usage(ONCALL_FORMS, "page"))
        opened = await self.paging.call(
            session, incident, words[0], " ".join(words[1:]), person, key
        )
        names = " and ".join(page.name for page in opened)
        return f"{names} is paged for #{incident.number}, until somebody acknowledges it."

    async def acknowledge(self, session: AsyncSession, incident: Incident, person: Person) -> str:
        """All pages of the incident that wait. Raises `Conflict` where none does."""
        may_page(person)
        found = await self.paging.acknowledge_all(session, incident.number, f"person:{person.id}")
        return f"You have it: {', '.join(page.name for page in found)} for #{incident.number}."

    async def rosters(self, session: AsyncSession, only: str = "") -> list[Roster]:
        """Every schedule, or the one that is named, from now on. Raises `NotFound`."""
        catalog, at = self.overrides.catalog(), now()
        if only:
            schedule_of(catalog, only)
        return rosters(catalog, at, await self.overrides.standing(session, at), only)

    async def shown(self, session: AsyncSession, only: str = "") -> Told:
        """A line for each schedule; of one that is named the next hand-overs, too."""
        found = await self.rosters(session, only)
        if not found:
            return "The catalog has no on-call schedule.", []
        lines = []
        for each in found:
            sign = "📟" if each.person else "⚠️"
            lines.append(f"{sign} *{escape(each.schedule.name)}*: {escape(each.words)}")
            lines += [f"      from {when}: {escape(who)}" for when, who in each.coming if only]
            lines += [f"      override {s.number}: {escape(each.name(s.person))}, {each.local(s.since)} to {each.local(s.until)}" for s in each.stands]  # fmt: skip
            lines += [f"      ⚠️ {escape(each.gap)}"] if each.gap else []
        text = f"{len(found)} schedules" if not only else found[0].schedule.name
        return text, [section(joined(lines, TEXT))]

    async def beside(self) -> Told | None:
        """Who is on call at other pagers; None where there are none. It asks them: it takes a while."""
        found = await self.elsewhere()
        lines = [
            f"📟 *{escape(duty.schedule)}* ({escape(pager)}): {escape(duty.person)}"
            + (f" until {duty.until:%Y-%m-%d %H:%M} UTC" if duty.until else "")
            for pager, duties in found
            for duty in duties
        ]
        return ("On call elsewhere", [section(joined(lines, TEXT))]) if lines else None

    async def _override(
        self, session: AsyncSession, name: str, who: str, span: str, person: Person, key: str
    ) -> Told:
        may_page(person)
        schedule = schedule_of(self.overrides.catalog(), name)
        found = _SPAN.fullmatch(span)
        if found is None:
            raise BadInput("Say until when, or for how long.", hint=_USAGE)
        at, tz = now(), schedule.timezone
        since = parse_time(found[1], at, tz) if found[1] else at
        if found[2].lower() == "until":
            until = parse_time(found[3], since, tz)
        else:
            until = since + _length(found[3])
        row = await self.overrides.set(session, name, who, since, until, person.id, key)
        (roster,) = await self.rosters(session, name)
        text = (
            f"Override {row.number}: {roster.name(who)} is on call for {schedule.name} from "
            f"{roster.local(row.since)} to {roster.local(row.until)}. "
            f"/incident oncall undo {row.number} takes it back."
        )
        return text, []

    async def _undo(self, session: AsyncSession, number: str, person: Person) -> Told:
        may_page(person)
        plain = number.removeprefix("#")
        if not (plain.isascii() and plain.isdecimal() and int(plain) <= _LARGEST):
            raise BadInput("Say which override.", hint=f"Usage: {ONCALL_FORMS[2].usage}")
        row = await self.overrides.undo(session, int(plain), person.id)
        return f"Override {row.number} is taken back.", []


def _length(text: str) -> timedelta:
    try:
        return timedelta(seconds=float(str(seconds(text))))
    except ValueError as error:
        raise BadInput(f"for: {error}.", hint=_USAGE) from None
