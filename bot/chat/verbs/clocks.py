"""``/incident clock`` and ``/incident clocks``: the deadlines of laws, and the facts they run from."""

from datetime import datetime

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.click import Click
from bot.chat.clock_card import clocks_blocks
from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, person_of, usage
from bot.chat.finding import Finder
from bot.errors import BadInput, JacklineError
from bot.incidents import Incident, Incidents
from bot.incidents.clocks import LAWS, STOPPED, in_order
from bot.incidents.regulated import Clocks, may_decide
from bot.incidents.times import parse_past
from bot.store import now

CLOCK_FORMS = (
    Form("/incident clock LAW start|classified|determined|done REPORT|stop [at TIME] [WHY]",
         "records what a legal deadline (dora, nis2, gdpr, sec) counts from or what was submitted"),
    Form("/incident clocks", "the legal deadlines of this incident, and what is left", anybody=True),
)  # fmt: skip
_LONGEST_TIME = 4  # words of a time


class ClockVerbs:
    """Their handlers, by verb, and `click` for the button of a reminder."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.clocks = Clocks(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"clock": self._clock, "clocks": self._list}

    async def _clock(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        if len(words) < 2:  # noqa: PLR2004 - the law and what about it
            raise BadInput("Say which law, and what about it.", hint=usage(CLOCK_FORMS, "clock"))
        law, verb, rest = words[0].lower(), words[1].lower(), words[2:]
        self.clocks.regulation(law)
        person, actor = person_of(command), actor_of(command)
        if verb == "done":
            if not rest:
                raise BadInput(f"Say what: {', '.join(LAWS[law].duties)}.")
            may_decide(person, incident, rest[0].lower())
            at, why = _when(rest[1:], person.timezone)
            await self.clocks.done(session, incident, law, rest[0].lower(), at, actor, why)
        else:
            fact = {"start": next(iter(LAWS[law].facts)), "stop": STOPPED}.get(verb, verb)
            may_decide(person, incident, fact)
            at, why = _when(rest, person.timezone)
            await self.clocks.record(session, incident, law, fact, at, actor, why)
        return await self._told(session, incident, law)

    async def _list(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(CLOCK_FORMS, "clocks"))
        laws: list[str] = [law.id for law in self.incidents.catalog().regulations]
        if not laws:
            text = "The catalog names no law that applies to you: there are no clocks."
            return Reply(text, incident_id=incident.number)
        found = await self.clocks.of(session, incident)
        stopped = [law for law in laws if law not in {duty.law for duty in found}]
        running = sum(duty.running for duty in found)
        text = f"{running} of {len(found)} legal deadlines of #{incident.number} run."
        return Reply(text, clocks_blocks(found, stopped, now()), incident.number)

    async def click(self, session: AsyncSession, click: Click) -> Reply:
        """``12|gdpr:authority``: it was submitted just now. A second click finds it done.

        The incident may be seen by the person.
        """
        law, _, duty = click.rest.partition(":")
        incident = await self.incidents.get(session, click.number)
        may_decide(click.person, incident, duty)
        known = await self.clocks.of(session, incident)
        if not any(d.key == click.rest and d.done for d in known):
            await self.clocks.done(session, incident, law, duty, now(), click.actor)
        return await self._told(session, incident, law)

    async def _told(self, session: AsyncSession, incident: Incident, law: str) -> Reply:
        """Where the law's clocks stand now."""
        found = [d for d in in_order(await self.clocks.of(session, incident)) if d.law == law]
        text = f"{LAWS[law].name}: noted." if found else f"{LAWS[law].name}: noted, does not apply."
        stopped = [] if found else [law]
        return Reply(text, clocks_blocks(found, stopped, now()), incident.number)


def _when(words: list[str], timezone: str) -> tuple[datetime, str]:
    """``at 14:30 the DPO says so`` as the moment and the reason; without a time it is now."""
    at = now()
    if not words or words[0].lower() != "at":
        return at, " ".join(words)
    problem: JacklineError = BadInput("Say at which time.", hint="For example: at 14:30.")
    for length in range(min(_LONGEST_TIME, len(words) - 1), 0, -1):
        try:
            found = parse_past(" ".join(words[1 : 1 + length]), at, timezone)
        except BadInput as error:
            problem = error
        else:
            return found, " ".join(words[1 + length :])
    raise problem
