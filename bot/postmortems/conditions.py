"""What a told outage's rows say that hid, delayed or worsened it, by the matcher's signals. Pure.

A live incident's findings come from runs, alerts and minutes, which nobody publishes. Of an outage that
is told in sentences these are candidates, each with its rows: conditions, never causes.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

from bot.postmortems.mark import Clock
from bot.postmortems.patterns.signals import SIGNALS
from bot.postmortems.patterns.view import View
from bot.timeline import Entry

Made = Literal["hid", "delayed", "worsened", "latent"]
_MADE: dict[str, Made] = {  # signal → what such a condition does to an incident
    "blind.telemetry-silent": "hid", "blind.worked-blind": "hid", "copies.nobody-told": "hid",
    "scope.went-too-far": "worsened", "failover.diverged": "worsened",
    "failover.second-wave": "worsened", "rollout.broke-everywhere": "worsened",
    "scope.status-depends": "delayed", "scope.unrehearsed-restart": "delayed",
    "lockout.on-site": "delayed", "lockout.graded-return": "delayed",
    "copies.failed-restore-step": "delayed", "copies.denied": "delayed",
    "rollout.not-staged": "latent", "copies.not-usable": "latent",
    "failover.absent": "latent",
}  # fmt: skip


def conditions(rows: Sequence[Entry], clock: Clock) -> Iterator[tuple[Made, str, tuple[int, ...]]]:
    """What each did, what it is, and the rows that say so."""
    view = View(rows, clock)
    for signal in (each for signals in SIGNALS.values() for each in signals):
        if made := _MADE.get(signal.id):
            seqs = tuple(dict.fromkeys(row.seq for row in signal.see(view)))
            if seqs:
                yield made, signal.what, seqs
