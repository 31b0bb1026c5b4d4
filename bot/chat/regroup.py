"""``/incident merge``, ``unmerge``, ``split`` and ``join``: shown first, done by the button.

A command changes nothing: it says what would happen, and its button does that, once, for whoever
clicks it and may. What came after it was shown is left out.
"""

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.alerts.endings import settle
from bot.alerts.moving import Moving, came_from
from bot.alerts.telling import names
from bot.catalog import Person, check_match, match_words
from bot.chat.blocks import TEXT, Block, actions, button, cut, escape, joined, section
from bot.chat.command import Form, usage
from bot.chat.regroup_words import alerts_of, labels, number_of, parts, short, target_of, value_of
from bot.errors import BadInput, NotAllowed, NotFound
from bot.incidents import Incident, Incidents, under
from bot.incidents.merging import (
    UNMERGE_WITHIN,
    Merging,
    check_merge,
    check_open,
    check_unmerge,
    counted,
    into_of,
)
from bot.incidents.rules import worst
from bot.incidents.seeing import may_see, require_seen, unknown
from bot.runbooks import Runs

REGROUP_FORMS = (
    Form("/incident merge [#N] [into #M]",
     "makes this incident part of another, with its alerts and people; without: which are open"),
    Form("/incident unmerge [#N]", "takes a merge back, within 24 hours"),
    Form("/incident split [#N] [LABEL=VALUE …]",
     "makes some of its alerts a new incident; without labels: which there are"),
    Form("/incident join [#N] LABEL=VALUE …",
     "takes firing alerts from elsewhere, or of no incident, into this one"),
)  # fmt: skip
REGROUP_CLICKS = ("incident_merge", "incident_unmerge", "incident_split", "incident_join")
_FORMS = {form.verb: form.usage for form in REGROUP_FORMS}
_USAGE = {form.verb: usage(REGROUP_FORMS, form.verb) for form in REGROUP_FORMS}
_CHOICES = 20  # incidents or names of alerts that are listed


@dataclass(frozen=True)
class Proposal:
    """What would be done, in lines of plain text, and the button that does it."""

    lines: list[str]
    button: str
    action_id: str
    value: str

    @property
    def text(self) -> str:
        """All of it."""
        return "\n".join(self.lines)

    def blocks(self) -> list[Block]:
        """For a surface with buttons."""
        head, *rest = (escape(line) for line in self.lines)
        text = joined([f"*{head}*", *(f"• {line}" for line in rest)], TEXT)
        return [
            section(text),
            actions(button(self.button, self.action_id, self.value, style="primary")),
        ]


def may_regroup(person: Person) -> None:
    """Raises `NotAllowed`."""
    if not (person.has("responder") or person.has("commander")):
        raise NotAllowed("Merging, splitting and joining need the role 'responder'.")


class Regroup:
    """Answers and acts for every surface. Whoever calls has asked `may_regroup`."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.merging = Merging(incidents)
        self.moving = Moving(self.merging)

    # ── what would happen: nothing is locked and nothing changes ─────────────────────────────

    async def ask(
        self, session: AsyncSession, verb: str, number: int, words: list[str], key: str,
        person: Person, here: int | None = None,
    ) -> tuple[str, list[Block]]:  # fmt: skip
        """The answer to a command about an incident; ``key`` is the command's, ``here`` its place."""
        match verb:
            case "merge" if not words:
                return await self._targets(session, number, key, person)
            case "merge":
                into = target_of(words, here, _USAGE[verb])
                if into != here:
                    catalog = self.incidents.catalog()
                    require_seen(catalog, await self._read(session, into), person)
                found = await self.ask_merge(session, number, into, key)
            case "unmerge":
                if words:
                    raise BadInput(
                        f"I did not understand {cut(' '.join(words), 60)!r}.", hint=_USAGE[verb]
                    )
                found = await self.ask_unmerge(session, number, key)
            case "split" if not words:
                return await self._choices(session, number, key)
            case "split":
                found = await self.ask_split(session, number, labels(words, _USAGE[verb]), key)
            case _:
                found = await self.ask_join(session, number, labels(words, _USAGE[verb]), key)
        return found.lines[0], found.blocks()

    async def ask_merge(self, session: AsyncSession, number: int, into: int, key: str) -> Proposal:
        """Raises what doing it would raise."""
        source, target = await self._read(session, number), await self._read(session, into)
        check_merge(source, target)
        await self.runs.require_unasked(session, source)
        counts = await self.moving.counts(session, number)
        graver = worst([source.severity, target.severity])
        adds = [s for s in source.services if s not in target.services]
        proposed = [r.title for r in await self.runs.of(session, number) if r.state == "proposed"]
        lines = [
            f"Merge {_called(source)} into {_called(target)}?",
            f"#{into} gets {_told(counts)}",
            f"#{into} {'becomes' if graver != target.severity else 'stays'} {graver}"
            + (f", and is about {', '.join(adds)} as well" if adds else ""),
            *([f"further alerts of {source.open_key} join #{into}"] if source.open_key else []),
            f"the people of #{number} are asked into the channel of #{into}; its own is left standing",
            *([f"withdrawn in #{number}: {', '.join(proposed)}; what fits is proposed in #{into}"]
              if proposed else []),
            f"{_hours()} hours long /incident unmerge #{number} takes it back",
        ]  # fmt: skip
        value = f"{number}|{short(key)}|{into}"
        return Proposal(lines, f"Merge into #{into}", "incident_merge", value)

    async def ask_unmerge(self, session: AsyncSession, number: int, key: str) -> Proposal:
        """The same."""
        into = await into_of(session, number)
        source, target = await self._read(session, number), await self._read(session, into)
        check_unmerge(source, target)
        lines = [
            f"Take #{number} out of {_called(target)} again?",
            f"#{number} becomes {source.merge['was']} again, with its alerts and its group",
            f"#{into} stays {target.severity}, and what was recorded there stays there",
        ]
        value = f"{number}|{short(key)}"
        return Proposal(lines, f"Unmerge #{number}", "incident_unmerge", value)

    async def ask_split(
        self, session: AsyncSession, number: int, match: dict[str, str], key: str
    ) -> Proposal:
        """The same."""
        incident = await self._read(session, number)
        check_open(incident)
        picked, left = await self.moving.inside(session, incident, match)
        about = f" about {', '.join(picked.services)}" if picked.services else ""
        lines = [
            f"Make {match_words(match)} of {_called(incident)} an incident of its own?",
            f"a new {picked.severity} incident{about} has {picked.words}",
            f"in #{number} stays {_told(left.names)}",
            "further alerts like these go to the new one; /incident merge takes it back",
        ]
        value = value_of(number, key, picked.upto, match)
        return Proposal(lines, "Split off", "incident_split", value)

    async def ask_join(
        self, session: AsyncSession, number: int, match: dict[str, str], key: str
    ) -> Proposal:
        """The same."""
        incident = await self._read(session, number)
        check_open(incident)
        picked = await self.moving.elsewhere(session, incident, match)
        await self.moving.others(session, incident, picked)
        graver = worst([incident.severity, picked.severity])
        lines = [
            f"Join {match_words(match)} to {_called(incident)}?",
            f"{picked.words}{came_from(picked)}",
            f"#{number} {'becomes' if graver != incident.severity else 'stays'} {graver}",
            "further alerts like these come here too, unless a rule or a silence holds them back",
        ]
        value = value_of(number, key, picked.upto, match)
        return Proposal(lines, f"Join to #{number}", "incident_join", value)

    async def _targets(
        self, session: AsyncSession, number: int, key: str, person: Person
    ) -> tuple[str, list[Block]]:
        """The other open incidents, each with a button that merges this one into it."""
        source = await self._read(session, number)
        check_open(source)
        await self.runs.require_unasked(session, source)
        others = [i for i in await self.incidents.listed(session) if i.number != number]
        others = [i for i in others if i.drill == source.drill and i.private == source.private]
        others = [i for i in others if may_see(self.incidents.catalog(), i, person)]
        if not others:
            raise NotFound("No other incident is open.")
        text = f"Into which incident is {_called(source)} to be merged?"
        counts = await self.moving.counts(session, number)
        blocks = [section(f"*{escape(text)}*")]
        for other in others[:_CHOICES]:
            graver = worst([source.severity, other.severity])
            becomes = f"becomes {graver}" if graver != other.severity else f"stays {graver}"
            confirm = f"#{other.number} {becomes} and gets {_told(counts)}."
            block = section(escape(_called(other)))
            block["accessory"] = button(
                f"Merge into #{other.number}", "incident_merge",
                f"{number}|{short(f'{key}:{other.number}')}|{other.number}",
                confirm=escape(confirm),
            )  # fmt: skip
            blocks.append(block)
        if len(others) > _CHOICES:
            blocks.append(section(f"… and {len(others) - _CHOICES} others: `{_FORMS['merge']}`"))
        return text, blocks

    async def _choices(
        self, session: AsyncSession, number: int, key: str
    ) -> tuple[str, list[Block]]:
        """The incident's alerts by name, each with a button that splits it off."""
        incident = await self._read(session, number)
        check_open(incident)
        counts = await self.moving.counts(session, number)
        text = f"Which alerts of {_called(incident)} are another incident?"
        if not counts:
            raise NotFound(f"#{number} has no alerts to split off.")
        blocks = [section(f"*{escape(text)}*")]
        upto = await self.moving.newest(session, number)
        for name, count in counts.most_common(_CHOICES):
            block = section(f"{escape(cut(name, 200))} ({count})")
            confirm = f"{cut(name, 200)} ({count}) becomes an incident of its own."
            with suppress(BadInput, ValueError):  # a name that is no label's value: others may be
                match = check_match({"alertname": name})
                value = value_of(number, f"{key}:{name}", upto, match)
                block["accessory"] = button(
                    "Split off", "incident_split", value, confirm=escape(confirm)
                )
            blocks.append(block)
        if len(counts) > _CHOICES:
            blocks.append(section(f"… and {len(counts) - _CHOICES} other names"))
        blocks.append(section(f"By other labels: `{_FORMS['split']}`, such as `host=db1`"))
        return text, blocks

    async def _read(self, session: AsyncSession, number: int) -> Incident:
        query = select(Incident).where(Incident.id == number)
        found = (await session.execute(query)).scalar_one_or_none()
        if found is None:
            raise unknown(number)
        return found

    # ── the button ───────────────────────────────────────────────────────────────────────────

    async def do(
        self, session: AsyncSession, action_id: str, value: str, actor: str
    ) -> tuple[str, int]:
        """Does what a proposal says, once; what happened in words, and the incident to look at.

        Raises `BadInput` for a value that is none of ours, and `Conflict` where things moved on.
        """
        number, origin, rest = parts(value)
        await self.incidents.one_at_a_time(session)
        match action_id:
            case "incident_merge":
                return await self._merge(session, number, number_of(rest), actor, origin)
            case "incident_unmerge":
                return await self._unmerge(session, number, actor, origin)
            case "incident_split":
                return await self._split(session, number, *alerts_of(rest), actor, origin)
        return await self._join(session, number, *alerts_of(rest), actor, origin)

    async def _merge(
        self, session: AsyncSession, number: int, into: int, actor: str, origin: str
    ) -> tuple[str, int]:
        if await self.merging.done(session, number, "merge", origin):
            return await self._before(session, number), number
        source, target = await self.merging.pair(session, number, into)
        await self.runs.require_unasked(session, source)
        brought = await self.moving.absorb(session, number, into)
        await self.merging.merge(session, source, target, brought, actor, origin)
        await settle(session, target)
        for run in await self.runs.of(session, number):
            if run.state == "proposed":
                await self.runs.show(session, run)  # without its button
        return f"#{number} is part of #{into} now.", into

    async def _unmerge(
        self, session: AsyncSession, number: int, actor: str, origin: str
    ) -> tuple[str, int]:
        if await self.merging.done(session, number, "unmerge", origin):
            return await self._before(session, number), number
        source, target = await self.merging.parted(session, number)
        inner = [incident.number for incident in await under(session, [number])]
        alerts = await self.moving.give_back(session, number, target.number, inner)
        await self.merging.unmerge(session, source, target, alerts, actor, origin)
        for each in (source, target):
            await settle(session, each)
        for run in await self.runs.of(session, number):
            if run.state == "proposed":
                await self.runs.show(session, run)
        return f"#{number} is {source.status} again, with {counted(alerts)}.", number

    async def _split(
        self, session: AsyncSession, number: int, upto: int, match: dict[str, str], actor: str,
        origin: str,
    ) -> tuple[str, int]:  # fmt: skip
        query = select(Incident).where(Incident.origin == f"split:{origin}")
        made = (await session.execute(query)).scalar_one_or_none()
        if made is None:
            incident = await self.incidents.get(session, number)
            check_open(incident)
            picked = await self.moving.inside(session, incident, match, upto)
            made = await self.moving.split(session, incident, *picked, actor, f"split:{origin}")
        return (
            f"Incident {made.number} was split off #{number}. Its channel is being opened.",
            made.number,
        )

    async def _join(
        self, session: AsyncSession, number: int, upto: int, match: dict[str, str], actor: str,
        origin: str,
    ) -> tuple[str, int]:  # fmt: skip
        if await self.merging.done(session, number, "moved", f"join:{origin}"):
            return await self._before(session, number), number
        incident = await self.incidents.get(session, number)
        check_open(incident)
        picked = await self.moving.elsewhere(session, incident, match, upto)
        await self.moving.join(session, incident, picked, actor, f"join:{origin}")
        return f"Joined to #{number}: {picked.words}", number

    async def _before(self, session: AsyncSession, number: int) -> str:
        return f"That was done before. #{number} is {(await self._read(session, number)).standing}."


def _called(incident: Incident) -> str:
    return (
        f"#{incident.number} {cut(incident.title, 80)} ({incident.severity}, {incident.standing})"
    )


def _told(counts: Counter[str]) -> str:
    return counted(counts.total()) + (f": {names(counts)}" if counts else "")


def _hours() -> int:
    return int(UNMERGE_WITHIN.total_seconds() // 3600)
