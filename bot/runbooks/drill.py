"""An access drill: something is taken to be down, and every way that is left is really tried.

What the graph promises on paper is worth what a probe with the real credential shows. Nothing is
changed: probes read.
"""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from bot.access import Prober
from bot.runbooks.model import Runbook
from bot.runbooks.whatif import WhatIf

KIND = "access_drilled"


@dataclass(frozen=True)
class Drilled:
    """One runbook: whether it should run with that down, and which of its ways did not work."""

    runbook: str
    should_run: bool
    failed: tuple[str, ...]

    @property
    def proven(self) -> bool:
        """It should run, and every way that it would take works."""
        return self.should_run and not self.failed


@dataclass(frozen=True)
class Drill:
    """``score`` is the share of all runbooks that are proven to run, 0 to 1."""

    down: tuple[str, ...]
    runbooks: tuple[Drilled, ...]

    @property
    def score(self) -> float:
        """Of those that are there; 0 where there is none: nothing can be run then."""
        good = sum(each.proven for each in self.runbooks)
        return good / len(self.runbooks) if self.runbooks else 0.0

    def as_dict(self) -> dict[str, Any]:
        """For JSON and for the record."""
        return {
            "down": list(self.down),
            "score": round(self.score, 3),
            "runbooks": [
                {"id": d.runbook, "should_run": d.should_run, "proven": d.proven,
                 "failed": list(d.failed)}
                for d in self.runbooks
            ],
        }  # fmt: skip


async def drill(
    question: WhatIf, prober: Prober, runbooks: Iterable[Runbook], down: Iterable[str]
) -> Drill:
    """Tries each way that a runbook would take, once."""
    failed = list(down)
    answers = await asyncio.to_thread(lambda: [question.down(each, failed) for each in runbooks])
    ways = sorted({(r.target, r.path) for a in answers if a.runs for r in a.reaches if r.path})
    seen = dict(zip(ways, await asyncio.gather(*(prober.probe(*way) for way in ways)), strict=True))
    rows = []
    for answer in answers:
        mine = {(r.target, r.path) for r in answer.reaches if r.path} if answer.runs else set()
        bad = tuple(
            f"{path} to {target}: {seen[target, path].error}"
            for target, path in sorted(mine)
            if not seen[target, path].ok
        )
        rows.append(Drilled(answer.runbook.id, answer.runs, bad))
    return Drill(tuple(failed), tuple(rows))
