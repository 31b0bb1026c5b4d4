"""Lines on the terminal, each with the seconds since the start."""

import time

from rich.console import Console


class Progress:
    """A stopwatch that talks."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._start = time.monotonic()

    def say(self, text: str) -> None:
        """One line."""
        elapsed = time.monotonic() - self._start
        self._console.print(f"[dim]{elapsed:5.1f} s[/dim]  ", end="")
        self._console.print(text, markup=False)
