"""What a person types, on any surface: text in, a domain call, a reply out."""

import re
import shlex
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person
from bot.chat.blocks import TEXT, Block, cut, escape, joined, section, when
from bot.chat.oncall import ONCALL_HELP, OnCall
from bot.chat.regroup import REGROUP_HELP, Regroup, may_regroup
from bot.chat.silences import SILENCE_HELP, Silencing
from bot.chat.ways import ACCESS_HELP, Result, Told, Ways, drilled
from bot.errors import BadInput, JacklineError, NotAllowed
from bot.incidents import Incident, Incidents, require_unmerged
from bot.incidents.seeing import may_see, require_seen
from bot.located import near
from bot.log import get
from bot.runbooks import Decisions, Run, Runs

log = get("chat")
INCIDENT_HELP = (
    ("/incident declare [sev1…sev4] TITLE", "opens an incident and its channel"),
    ("/incident list [all]", "the open incidents, or all"),
    ("/incident status [STATUS]", "where this incident stands, or moves it on"),
    ("/incident severity SEVERITY", "changes the severity"),
    ("/incident lead", "makes you incident commander"),
    ("/incident note TEXT", "puts a line on the timeline"),
    ("/incident resolve", "ends the incident and drafts its postmortem"),
    *REGROUP_HELP,
    *SILENCE_HELP,
    *ONCALL_HELP,
    ("/incident help", "this list"),
)
RUNBOOK_HELP = (
    ("/runbook list", "the runbooks there are"),
    ("/runbook plan ID [name=value …]", "shows what a run would do; changes nothing"),
    ("/runbook run ID [name=value …]", "asks for a run; another person approves it"),
    ("/runbook status", "the runs of this incident, and what they wait for"),
    ("/runbook override RUN WHY", "lets a run begin in a change freeze"),
    ("/runbook break-glass RUN WHY", "begins a run without its approvals; reviewed afterwards"),
    ("/runbook review RUN WORDS", "your judgement of a run that began so"),
    ("/runbook help", "this list"),
)
_SYNONYMS = {
    "new": "declare", "open": "declare", "create": "declare", "ls": "list", "sev": "severity",
    "commander": "lead", "close": "resolve", "done": "resolve", "?": "help", "execute": "run",
    "escalate": "page", "acknowledge": "ack",
}  # fmt: skip
_NUMBER = re.compile(r"#([0-9]{1,9})")


@dataclass(frozen=True)
class Command:
    """One command as it came. ``key`` identifies it, so that a repeat changes nothing.

    ``incident_id`` is the incident of the channel or page where it was typed, if any.
    """

    name: str
    text: str
    person: Person | None
    key: str
    surface: str
    incident_id: int | None = None


# Raises nothing that is a person's to know. None: it was said in the incident's channel.
Later = Callable[[], Awaitable[Told | None]]


@dataclass(frozen=True)
class Reply:
    """An answer for the one who asked.

    ``later`` is the answer proper, where that takes long: the surface awaits it after the commit.
    """

    text: str
    blocks: list[Block] = field(default_factory=list)
    incident_id: int | None = None
    later: Later | None = None


_Handler = Callable[[AsyncSession, Command, list[str]], Awaitable[Reply]]


class Commands:
    """`handle` is the one door for commands of every surface."""

    def __init__(
        self,
        incidents: Incidents,
        runs: Runs,
        ways: Ways,
        silencing: Silencing,
        oncall: OnCall,
    ) -> None:
        self.incidents = incidents
        self.runs = runs
        self.ways = ways
        self.silencing = silencing
        self.oncall = oncall
        self.decisions = Decisions(runs)
        self.regroup = Regroup(incidents, runs)
        self._incident: dict[str, _Handler] = {
            "declare": self._declare, "list": self._list, "status": self._status,
            "severity": self._severity, "lead": self._lead, "note": self._note,
            "resolve": self._resolve, "silence": self._silence, "silences": self._silences,
            "unsilence": self._unsilence, "merge": self._regroup, "unmerge": self._regroup,
            "split": self._regroup, "join": self._regroup, "oncall": self._oncall,
            "page": self._page, "ack": self._page,
        }  # fmt: skip
        self._runbook: dict[str, _Handler] = {
            "list": self._runbooks, "plan": self._plan, "run": self._plan,
            "status": self._runs, "override": self._force, "break-glass": self._force,
            "review": self._force,
        }  # fmt: skip

        self._access: dict[str, _Handler] = {
            "status": self._ways, "whatif": self._ways, "drills": self._ways, "drill": self._drill,
        }  # fmt: skip

    async def handle(self, session: AsyncSession, command: Command) -> Reply:
        """Does what was asked. Raises `BadInput`, `Conflict`, `NotFound` with words for people."""
        verb, rest = _verb(command.text)
        verbs, usage = {
            "runbook": (self._runbook, RUNBOOK_HELP),
            "access": (self._access, ACCESS_HELP),
        }.get(command.name, (self._incident, INCIDENT_HELP))
        if verb in ("help", ""):
            return _help(usage)
        if verb not in verbs:
            known = ["help", *verbs, *(word for word, meant in _SYNONYMS.items() if meant in verbs)]
            raise BadInput(
                f"I do not know {cut(verb, 40)!r}{near(verb, known) or '.'}",
                hint=f"/{command.name} help lists all.",
            )
        person_of(command)
        return await verbs[verb](session, command, _words(verb, rest))

    async def declare(
        self, session: AsyncSession, command: Command, severity: str, title: str
    ) -> Reply:
        """The same as ``/incident declare``, for menus."""
        incident = await self.incidents.declare(
            session, title=title, severity=severity, actor=f"person:{person_of(command).id}",
            origin=command.key,
        )  # fmt: skip
        text = f"Incident {incident.number} ({incident.severity}) is declared. Its channel is being opened."
        return Reply(text, incident_id=incident.number)

    async def _declare(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        severity = "sev2"
        if words and words[0].lower().replace("-", "") in ("sev1", "sev2", "sev3", "sev4"):
            severity, words = words[0], words[1:]
        return await self.declare(session, command, severity, " ".join(words))

    async def _list(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        everything = _only(words, ("all",), "/incident list [all]") == "all"
        found = await self._seen(session, command, everything=everything)
        if not found:
            return Reply("No incident is open." if not everything else "There was no incident yet.")
        lines = [
            f"*#{i.number}* {i.severity} · {i.standing} · {escape(i.title)} · since {when(i.declared_at)}"
            for i in found
        ]
        return Reply(f"{len(found)} incidents", [section(joined(lines, TEXT))])

    async def _status(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        if words:  # it may be opened again: in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident, words = await self._which(session, command, words)
        if not words:
            commander = incident.commander or "nobody"
            return Reply(
                f"#{incident.number} {incident.severity}, {incident.standing}: {incident.title}. "
                f"Commander: {commander}.", incident_id=incident.number,
            )  # fmt: skip
        if len(words) > 1:
            raise BadInput("Say one status.", hint="Usage: /incident status [STATUS]")
        actor = f"person:{person_of(command).id}"
        if words[0].lower() == "closed":
            await self.decisions.require_reviewed(session, incident.number)
        await self.incidents.set_status(session, incident, words[0].lower(), actor)
        return Reply(f"#{incident.number} is {incident.status} now.", incident_id=incident.number)

    async def _severity(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        if len(words) != 1:
            raise BadInput("Say one severity.", hint="Usage: /incident severity sev1")
        actor = f"person:{person_of(command).id}"
        await self.incidents.set_severity(session, incident, words[0], actor)
        return Reply(f"#{incident.number} is {incident.severity} now.", incident_id=incident.number)

    async def _lead(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        _only(words, (), "/incident lead")
        await self.incidents.take_command(session, incident, person_of(command).id)
        return Reply(f"You are commander of #{incident.number}.", incident_id=incident.number)

    async def _note(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        text = words[0] if words else ""
        if command.incident_id is None:
            # Only there: in an incident's channel "#3 is back" is about a thing of theirs.
            head, _, rest = text.partition(" ")
            incident, left = await self._which(session, command, [head, rest])
            text = " ".join(left).strip()
        else:
            incident = await self.incidents.get(session, command.incident_id)
        require_unmerged(incident)
        actor = f"person:{person_of(command).id}"
        await self.incidents.note(session, incident, text, actor, key=command.key)
        return Reply("Noted on the timeline.", incident_id=incident.number)

    async def _resolve(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        _only(words, (), "/incident resolve")
        await self.runs.require_ended(session, incident.number)
        await self.incidents.set_status(
            session, incident, "resolved", f"person:{person_of(command).id}"
        )
        text = f"#{incident.number} is resolved. Its postmortem is being drafted."
        return Reply(text, incident_id=incident.number)

    async def _silence(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        at = command.incident_id
        here = await self.incidents.get(session, at) if at is not None else None
        person, text = person_of(command), "".join(words)
        return Reply(await self.silencing.set(session, text, person, command.key, here))

    async def _silences(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        del command
        _only(words, (), "/incident silences")
        return Reply(*await self.silencing.list(session))

    async def _unsilence(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        return Reply(await self.silencing.end(session, " ".join(words), person_of(command)))

    async def _oncall(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        told = await self.oncall.answer(session, words, person_of(command), command.key)
        return Reply(*told, later=None if words else self.oncall.beside)

    async def _page(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        person = person_of(command)
        if _verb(command.text)[0] == "page":
            text = await self.oncall.page(session, incident, words, person, command.key)
        else:
            _only(words, (), "/incident ack")
            text = await self.oncall.acknowledge(session, incident, person)
        return Reply(text, incident_id=incident.number)

    async def _regroup(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Shows what would happen; its button does it."""
        may_regroup(person_of(command))
        number, words = await self._number(session, command, words)
        verb = _verb(command.text)[0]
        text, blocks = await self.regroup.ask(
            session, verb, number, words, command.key, person_of(command), command.incident_id
        )
        return Reply(text, blocks, incident_id=number)

    async def _runbooks(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        del session, command
        _only(words, (), "/runbook list")
        library = self.runs.library
        lines = [f"*{r.id}* {escape(r.front.title)}" for r in library.runbooks.values()]
        broken = [str(p) for problems in library.problems.values() for p in problems[:1]]
        lines += [f"⚠️ not loaded: {escape(b)}" for b in broken]
        text = joined(lines, TEXT) or "There are no runbooks yet."
        return Reply(f"{len(library.runbooks)} runbooks", [section(text)])

    async def _plan(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        asks = _verb(command.text)[0] == "run"
        if not words:
            raise BadInput("Say which runbook.", hint=f"Usage: {RUNBOOK_HELP[2 if asks else 1][0]}")
        inputs = {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                raise BadInput(f"{word!r} is not name=value.", hint=f"Usage: {RUNBOOK_HELP[1][0]}")
            inputs[name] = value
        run = await self.runs.start(
            session, incident, words[0], inputs, origin=command.key,
            requester=person_of(command).id if asks else "",
        )  # fmt: skip
        word = "asked for" if asks else "being planned"
        return Reply(
            f"{run.title} is {word}; the plan appears in the channel of #{incident.number}.",
            incident_id=incident.number,
        )

    async def _runs(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self._which(session, command, words)
        _only(words, (), "/runbook status")
        found = await self.runs.of(session, incident.number)
        lines = [f"*{run.id}* {escape(run.title)}: {run.state}" for run in found]
        text = joined(lines, TEXT) or "No run yet."
        return Reply(f"{len(found)} runs", [section(text)], incident_id=incident.number)

    async def _force(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """The verbs that need words of a person: they stand in the record."""
        verb = _verb(command.text)[0]
        if not words or not words[0].isdecimal():
            usage = next(line for line, _ in RUNBOOK_HELP if line.startswith(f"/runbook {verb}"))
            raise BadInput("Say which run.", hint=f"Usage: {usage}")
        number, why, person = int(words[0]), " ".join(words[1:]), person_of(command)
        known = await session.get(Run, number)
        if known is not None and known.incident_id != command.incident_id:
            incident = await self.incidents.get(session, known.incident_id)
            require_seen(self.incidents.catalog(), incident, person)
        match verb:
            case "override":
                run = await self.decisions.override_freeze(session, number, person, why)
            case "break-glass":
                run = await self.decisions.break_glass(session, number, person, why)
            case _:
                run = await self.decisions.review(session, number, person, why)
        return Reply(f"{run.title}: {run.state}.", incident_id=run.incident_id)

    async def _ways(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Answers that change nothing, from the catalog and the probes."""
        del session
        match _verb(command.text)[0]:
            case "status":
                return Reply(*await self.ways.status())
            case "drills":
                return Reply(*await self.ways.calendar())
        return Reply(*self.ways.whatif(_listed(words)))

    async def _drill(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Held after the commit: probes take up to 15 s, and nobody could write in that time."""
        del session
        text, hold = self.ways.drill(_listed(words), person_of(command))

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

    async def _seen(
        self, session: AsyncSession, command: Command, *, everything: bool = False
    ) -> list[Incident]:
        """The incidents that the person may see."""
        found = await self.incidents.listed(session, everything=everything)
        person, catalog = person_of(command), self.incidents.catalog()
        return [i for i in found if may_see(catalog, i, person)]

    async def _which(
        self, session: AsyncSession, command: Command, words: list[str]
    ) -> tuple[Incident, list[str]]:
        """The incident meant, locked, and the words that are left."""
        number, words = await self._number(session, command, words)
        return await self.incidents.get(session, number), words

    async def _number(
        self, session: AsyncSession, command: Command, words: list[str]
    ) -> tuple[int, list[str]]:
        """``#12`` as the first word, else the channel's incident, else the only open one."""
        if words and (named := _NUMBER.fullmatch(words[0])):
            number = int(named[1])
            found = await session.get(Incident, number)
            if found and number != command.incident_id:  # in its channel or page they see it
                require_seen(self.incidents.catalog(), found, command.person)
            return number, words[1:]
        if command.incident_id is not None:
            return command.incident_id, words
        seen = await self._seen(session, command)
        if len(seen) == 1:
            return seen[0].number, words
        raise BadInput(
            "Which incident?",
            hint="Say it in the incident's channel, or put its number first: #12.",
        )


def person_of(command: Command) -> Person:
    """The known person who typed. Raises `NotAllowed`: deny by default."""
    if command.person is None:
        raise NotAllowed(
            "I do not know you, so I may not do that for you.",
            hint="Ask the platform team to add you to the catalog's people.",
        )
    return command.person


def _verb(text: str) -> tuple[str, str]:
    head, *rest = text.split(maxsplit=1) or [""]
    verb = head.lower()
    return _SYNONYMS.get(verb, verb), "".join(rest).strip()


def _words(verb: str, text: str) -> list[str]:
    """The words of an answer; what people write is kept as it was typed, quotes and all."""
    if verb in ("note", "silence"):
        return [text]
    if verb == "declare":
        return text.split()
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _listed(words: list[str]) -> str:
    """``dns:corp, slack`` as it is typed: by commas, by spaces or by both."""
    return ",".join(" ".join(words).replace(",", " ").split())


def _only(words: list[str], allowed: tuple[str, ...], usage: str) -> str:
    if len(words) > 1 or (words and words[0] not in allowed):
        raise BadInput(f"I did not understand {' '.join(words)!r}.", hint=f"Usage: {usage}")
    return words[0] if words else ""


def _help(usage: tuple[tuple[str, str], ...]) -> Reply:
    lines = [f"`{form}` {what}" for form, what in usage]
    return Reply("\n".join(f"{f}: {w}" for f, w in usage), [section("\n".join(lines))])
