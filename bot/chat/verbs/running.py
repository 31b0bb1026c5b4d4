"""``/runbook search``, ``approve``, ``abort`` and the like: finding one, and steering a run.

What takes a person's judgement of a plan is not done by typing: the plan is shown, with its button.
"""

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.chat.blocks import TEXT, escape, joined, section
from bot.chat.command import Command, Form, Handler, Reply, person_of, usage
from bot.chat.finding import Finder
from bot.chat.run_card import may_approve, run_blocks
from bot.errors import BadInput, NotFound
from bot.incidents import Incidents
from bot.incidents.seeing import require_seen
from bot.located import near
from bot.runbooks import Run, Runbook, Runs, StepAttempt, approvers, held_up
from bot.runbooks.requests import typed_with_inputs
from bot.runbooks.tables import ENDED

RUNNING_FORMS = (
    Form("/runbook search WORDS", "the runbooks that speak of it", ("find",), anybody=True),
    Form("/runbook approve [RUN]", "shows the plan, with the buttons to approve or refuse it"),
    Form("/runbook refuse [RUN] [WHY]", "says no to a run", ("reject",)),
    Form("/runbook pause [RUN]", "lets no further step begin"),
    Form("/runbook resume [RUN]", "lets a paused run go on", ("continue",)),
    Form("/runbook abort [RUN]", "stops a run after the step in flight", ("stop", "cancel")),
    Form("/runbook undo [RUN]", "shows what was done, with the button that takes it back",
         ("rollback",)),
)  # fmt: skip
_WANTED = {  # the states in which a verb makes sense
    "approve": ("proposed", "waiting"), "refuse": ("proposed", "waiting"),
    "pause": ("approved", "running", "held"), "resume": ("paused", "approved", "running", "held"),
    "abort": ("approved", "running", "held", "paused", "unknown", "waiting", "planning"),
    "undo": ("succeeded", "failed", "aborted"),
}  # fmt: skip


class RunningVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "search": self._search, "approve": self._show, "undo": self._show,
            "refuse": self._steer, "pause": self._steer, "resume": self._steer,
            "abort": self._steer,
        }  # fmt: skip

    async def _search(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        del session
        if not words:
            raise BadInput("Say what for.", hint=usage(RUNNING_FORMS, command.verb))
        found = found_by(list(self.runs.library.runbooks.values()), words)
        if not found:
            said = " ".join(words)
            hint = near(said, self.runs.library.runbooks)
            return Reply(f"No runbook speaks of {said!r}{hint or '.'} /runbook list shows all.")
        lines = [
            f"*{r.id}* {escape(r.front.title)}\n      `/runbook plan {typed_with_inputs(r)}`"
            for r in found
        ]
        return Reply(f"{len(found)} runbooks", [section(joined(lines, TEXT))])

    async def _show(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """The run's card for the asker alone; its buttons are those of the channel's."""
        run, _ = await self._which(session, command, words)
        query = select(StepAttempt).where(StepAttempt.run_id == run.id)
        attempts = list((await session.execute(query.order_by(col(StepAttempt.id)))).scalars())
        agreed = await approvers(session, run)
        may = may_approve(self.incidents.catalog(), run, agreed)
        names = [[self._name(person) for person in each] for each in (agreed, may)]
        why = await held_up(session, run, self.incidents.catalog())
        blocks = run_blocks(run, attempts, names[0], self._name(run.requester), names[1], why)
        return Reply(f"{run.title}: {run.state}.", blocks, incident_id=run.incident_id)

    async def _steer(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        run, words = await self._which(session, command, words)
        number, person = run.number, person_of(command)
        match command.verb:
            case "refuse":
                run = await self.runs.refuse(session, number, person, " ".join(words))
            case "pause":
                run = await self.runs.pause(session, number, person)
            case "resume":
                run = await self.runs.resume(session, number, person)
            case _:
                run = await self.runs.abort(session, number, person)
        return Reply(f"{run.title}: {_after(run)}.", incident_id=run.incident_id)

    async def _which(
        self, session: AsyncSession, command: Command, words: list[str]
    ) -> tuple[Run, list[str]]:
        """The run whose number is said, else the only one here for which the verb makes sense."""
        if words and words[0].isdecimal():
            run = await self.runs.get(session, int(words[0][:9]))
            if run.incident_id != command.incident_id:
                incident = await self.incidents.get(session, run.incident_id)
                require_seen(self.incidents.catalog(), incident, person_of(command))
            return run, words[1:]
        number, words = await self.finder.number(session, command, words)
        if words and command.verb != "refuse":
            raise BadInput(
                f"{words[0][:40]!r} is no run's number.", hint=usage(RUNNING_FORMS, command.verb)
            )
        here = await self.runs.of(session, number)
        fit = [run for run in here if run.state in _WANTED[command.verb]]
        if not fit:
            raise NotFound(
                f"Incident {number} has no run to {command.verb}.",
                hint="/runbook status shows its runs.",
            )
        live = [run for run in fit if run.state not in ENDED] or fit[:1]  # of ended ones the newest
        if len(live) > 1:
            each = ", ".join(f"{run.id} ({run.title}: {run.state})" for run in live)
            raise BadInput(f"Which run? {each}", hint=usage(RUNNING_FORMS, command.verb))
        return live[0], words

    def _name(self, person_id: str) -> str:
        person = self.incidents.catalog().person(person_id)
        return escape(person.name if person else person_id)


def found_by(runbooks: list[Runbook], words: list[str]) -> list[Runbook]:
    """Those in which all words are, the ones whose title or id says so first."""
    wanted = [word.casefold() for word in words]

    def rank(runbook: Runbook) -> int:
        head = f"{runbook.id} {runbook.front.title}".casefold()
        return sum(word not in head for word in wanted)

    fit = [r for r in runbooks if all(word in r.text.casefold() for word in wanted)]
    return sorted(fit, key=lambda r: (rank(r), r.id))


def _after(run: Run) -> str:
    if run.abort and run.state == "running":
        return "stops after the step in flight"
    if run.pause and run.state != "paused":
        return "pauses after the step in flight"
    return run.state
