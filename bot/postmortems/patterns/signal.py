"""What a signal is: a named, documented predicate that returns the rows it saw. Pure."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.view import View

SignalClass = Literal[
    "structural", "runbook_step", "access_path_failure", "alert_absence", "alert_label",
    "sequence_rule", "message_words", "negative",
]  # fmt: skip
See = Callable[[View], Sequence[Row]]


@dataclass(frozen=True)
class Signal:
    """``what`` completes "because …" in the draft; ``absent`` says how it differs without it."""

    id: str
    kind: SignalClass
    what: str
    see: See
    absent: str = ""


def signal(id: str, kind: SignalClass, what: str, absent: str = "") -> Callable[[See], Signal]:  # noqa: A002 - reads best at the place
    """Makes a predicate a signal."""
    return lambda see: Signal(id, kind, what, see, absent)
