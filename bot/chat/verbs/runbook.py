"""``/runbook``: plans, runs and what people decide about them."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Command, Form, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import Incidents
from bot.incidents.seeing import require_seen
from bot.runbooks import Decisions, Run, Runs

RUNBOOK_FORMS = (
    Form("/runbook list", "the runbooks there are", ("ls",), anybody=True),
    Form("/runbook plan ID [name=value …]", "shows what a run would do; changes nothing"),
    Form("/runbook run ID [name=value …]", "asks for a run; another person approves it",
         ("execute",)),
    Form("/runbook status", "the runs of this incident, and what they wait for",
         anybody=True),
    Form("/runbook override RUN WHY", "lets a run begin in a change freeze"),
    Form("/runbook break-glass RUN WHY",
         "begins a run without its approvals; reviewed afterwards"),
    Form("/runbook review RUN WORDS", "your judgement of a run that began so"),
)  # fmt: skip


class RunbookVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.decisions = Decisions(runs)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "list": self._runbooks, "plan": self._plan, "run": self._plan, "status": self._runs,
            "override": self._force, "break-glass": self._force, "review": self._force,
        }  # fmt: skip

    async def _runbooks(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        del session, command
        only(words, (), usage(RUNBOOK_FORMS, "list"))
        library = self.runs.library
        lines = [f"*{r.id}* {escape(r.front.title)}" for r in library.runbooks.values()]
        broken = [str(p) for problems in library.problems.values() for p in problems[:1]]
        lines += [f"⚠️ not loaded: {escape(b)}" for b in broken]
        text = joined(lines, TEXT) or "There are no runbooks yet."
        return Reply(f"{len(library.runbooks)} runbooks", [section(text)])

    async def _plan(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        asks, hint = command.verb == "run", usage(RUNBOOK_FORMS, command.verb)
        if not words:
            raise BadInput("Say which runbook.", hint=hint)
        inputs = {}
        for word in words[1:]:
            name, equals, value = word.partition("=")
            if not equals:
                raise BadInput(f"{word!r} is not name=value.", hint=hint)
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
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(RUNBOOK_FORMS, "status"))
        found = await self.runs.of(session, incident.number)
        lines = [f"*{run.id}* {escape(run.title)}: {run.state}" for run in found]
        text = joined(lines, TEXT) or "No run yet."
        return Reply(f"{len(found)} runs", [section(text)], incident_id=incident.number)

    async def _force(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """The verbs that need words of a person: they stand in the record."""
        verb = command.verb
        if not words or not words[0].isdecimal():
            raise BadInput("Say which run.", hint=usage(RUNBOOK_FORMS, verb))
        number, why, person = int(words[0][:9]), " ".join(words[1:]), person_of(command)
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
