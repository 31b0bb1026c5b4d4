"""Asks the person at the terminal, or answers from what the command line gave."""

import asyncio
import sys
import threading
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.markup import escape

from bot.errors import Conflict


class Asker:
    """``codes`` are used in turn; ``answers`` are by step, or by kind for the whole run."""

    def __init__(
        self,
        console: Console,
        *,
        yes: bool = False,
        codes: Sequence[str] = (),
        answers: Mapping[str, str] | None = None,
        interactive: bool | None = None,
    ) -> None:
        self.console = console
        self.yes = yes
        self.codes = list(codes)
        self.answers = dict(answers or {})
        self.interactive = sys.stdin.isatty() if interactive is None else interactive
        self._coming: asyncio.Future[str] | None = None  # the line that a thread waits for

    async def ask(self, text: str, words: Sequence[str] = (), *, key: str = "") -> str:
        """One of the words, or any line if there are none.

        Raises `Conflict` where nobody can be asked and nothing was given beforehand.
        """
        if (given := self._given(words, key)) is not None:
            return given
        if not self.interactive:
            options = f" ({' | '.join(words)})" if words else ""
            raise Conflict(f"A person must answer: {text}{options}",
                           hint="Run the same command again at a terminal to go on.")  # fmt: skip
        while True:
            said = (await self._line(f"{text} {_shown(words)}")).strip()
            if not words and said:
                return said
            meant = [word for word in words if said and word.startswith(said.lower())]
            if len(meant) == 1:
                return meant[0]

    def _given(self, words: Sequence[str], key: str) -> str | None:
        if key in self.answers:
            return self.answers.pop(key)  # once: asked again, it is another question
        if not words and self.codes:
            return self.codes.pop(0)
        return "yes" if self.yes and words[:1] == ("yes",) else None

    async def _line(self, prompt: str) -> str:
        """A question that was left keeps its reader: that takes the line meant for the next one."""
        self.console.print(escape(prompt), end=" ")
        if self._coming is None or self._coming.done():  # what came between was no answer to this
            self._coming = _next_line()
        line = await asyncio.shield(self._coming)
        if not line:
            raise Conflict("The terminal was closed.", hint="Run the same command to go on.")
        return line


def _next_line() -> "asyncio.Future[str]":
    """Read by a thread of its own, which does not keep the process from ending."""
    loop = asyncio.get_running_loop()
    read: asyncio.Future[str] = loop.create_future()

    def wait() -> None:
        line = sys.stdin.readline()
        loop.call_soon_threadsafe(read.set_result, line)

    threading.Thread(target=wait, daemon=True).start()
    return read


def _shown(words: Sequence[str]) -> str:
    return f"[{' | '.join(words)}]" if words else ""
