"""Drives one run at the terminal: shows its plan, asks, prints the record as it grows.

Ctrl-C asks for the run's end, as Abort does on a card: the step in flight comes to its outcome
first. A second one leaves at once; the journal goes on from there.
"""

import asyncio
import signal
from contextlib import suppress

from rich.console import Console
from rich.markup import escape

from bot.catalog import Person
from bot.chat.terminal.asker import Asker
from bot.chat.terminal.plan import plan_table
from bot.chat.terminal.questions import Question, questions
from bot.chat.terminal.room import INCIDENT, BagRoom
from bot.errors import Conflict, NotAllowed
from bot.runbooks import Run
from bot.runbooks.tables import ENDED

_TRIES = 3  # for a code that is misheard


class Desk:
    """One person at one terminal."""

    def __init__(
        self,
        room: BagRoom,
        person: Person,
        asker: Asker,
        console: Console,
        *,
        freeze: str = "",
        glass: str = "",
    ) -> None:
        """``freeze`` and ``glass`` are reasons: the two doors that the command line may force."""
        self.room = room
        self.person = person
        self.asker = asker
        self.console = console
        self._forced = {"freeze": freeze, "approve": glass}
        self._said = 0
        self._shown: set[str] = set()
        self._left = asyncio.Event()
        self._aborting: asyncio.Task[None] | None = None
        self._wrong = 0

    async def drive(self, number: int) -> Run:
        """Until the run has ended. Raises `Conflict` where it waits for somebody who is not here."""
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGINT, self._interrupted, number)
        engine = asyncio.create_task(self.room.engine.run())
        work = asyncio.create_task(self._until_ended(number))
        left = asyncio.create_task(self._left.wait())
        try:
            await asyncio.wait([engine, work, left], return_when=asyncio.FIRST_COMPLETED)
            if engine.done():
                engine.result()
            return work.result() if work.done() else await self._run(number)
        finally:
            loop.remove_signal_handler(signal.SIGINT)
            for task in (engine, work, left):
                task.cancel()
            await asyncio.gather(engine, work, left, return_exceptions=True)

    async def _until_ended(self, number: int) -> Run:
        while True:
            seen = self.room.store.version
            await self._say()
            run = await self._run(number)
            if run.state in ENDED:
                return run
            if run.state == "waiting":
                self._show(run)
            if not await self._answer(run):
                await self.room.store.wait(seen, 1.0)

    def _interrupted(self, number: int) -> None:
        if self._aborting is not None:
            self._left.set()
            return
        self.console.print("Stopping after the step in flight; Ctrl-C again leaves at once.")
        self._aborting = asyncio.create_task(self._abort(number))

    async def _abort(self, number: int) -> None:
        with suppress(Conflict):
            async with self.room.store.write() as session:
                await self.room.runs.abort(session, number, self.person)
        if (await self._run(number)).state in ENDED:  # and nobody must answer what is being asked
            self._left.set()

    async def _run(self, number: int) -> Run:
        return await self.room.engine.journal.fresh(number)

    async def _say(self) -> None:
        for row in await self.room.rows(self._said):
            self._said = row.seq
            self.console.print(f"{row.at:%H:%M:%S}  {row.kind:<18} {row.text}", markup=False)

    def _show(self, run: Run) -> None:
        """The plan, each time it has changed: an approval is of what was seen."""
        if run.plan_digest not in self._shown:
            self._shown.add(run.plan_digest)
            self.console.print(plan_table({"earlier": {}, **run.plan}))

    async def _answer(self, top: Run) -> bool:
        """Asks the first open question; False if there is none (that can be answered now)."""
        async with self.room.store.read() as session:
            found = await questions(session, self.room.runs, INCIDENT)
        if not found:
            return False
        question = found[0]
        self._show(await self._run(question.run_id))
        if reason := self._forced.pop(question.kind, ""):
            await self._force(question, reason)
            return True
        try:
            said = await self.asker.ask(
                question.text, question.words, key=question.step or question.kind
            )
        except Conflict:
            if top.state in ("running", "planning") or self._aborting:
                return False  # what is in flight comes to its outcome first
            raise
        try:
            await self._do(question, said)
        except (NotAllowed, Conflict) as error:
            self._wrong += 1
            if not self.asker.interactive or self._wrong >= _TRIES:
                raise
            self.console.print(escape(str(error)))
        return True

    async def _do(self, question: Question, said: str) -> None:
        runs, decisions, number = self.room.runs, self.room.decisions, question.run_id
        async with self.room.store.write() as session:
            match question.kind, said:
                case "request", "yes":
                    await runs.request(session, number, self.person)
                case "request", _:
                    await runs.refuse(session, number, self.person, "not wanted after all")
                case "approve", code:
                    run = await runs.get(session, number)
                    who = await self.room.take_code(session, code, run.requester)
                    await runs.approve(session, number, who, run.plan_digest, "phone")
                case "approval", code:
                    run = await runs.get(session, number)
                    who = await self.room.take_code(session, code, run.requester)
                    await decisions.approve_step(session, number, question.step, who, "phone")
                case "freeze", "yes":
                    await runs.approve_if_enough(session, await runs.get(session, number))
                case "freeze", _:
                    await runs.refuse(session, number, self.person, "held back by the freeze")
                case "settle", _:
                    happened = said == "happened"
                    await decisions.settle(
                        session, number, self.person, happened=happened, step=question.step
                    )
                case "manual", _:
                    await decisions.confirm(
                        session, number, question.step, self.person, done=said == "done"
                    )
                case "decision", ("retry" | "skip" | "undo" | "stop") as decision:
                    await decisions.decide(session, number, question.step, self.person, decision)
                case _:
                    raise Conflict(f"{said!r} is no answer to: {question.text}")

    async def _force(self, question: Question, reason: str) -> None:
        decisions, number = self.room.decisions, question.run_id
        async with self.room.store.write() as session:
            if question.kind == "freeze":
                await decisions.override_freeze(session, number, self.person, reason)
            else:
                await decisions.break_glass(session, number, self.person, reason)

    async def take_back(self, number: int) -> Run:
        """Has an ended run taken back, and drives that to its end."""
        async with self.room.store.write() as session:
            await self.room.runs.undo(session, number, self.person)
        self._aborting = None
        self._left.clear()
        return await self.drive(number)
