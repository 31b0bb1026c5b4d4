"""A drill of the go-bag: every way of its catalog is really tried from here, with what it holds.

Ways that were never meant to work from this host simply fail: a runbook is proven by one good way
for each of its steps. Nothing is changed: probes read.
"""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from bot.access import Dialer
from bot.access.probe import AT_ONCE, Seen, probe
from bot.access.proof import pairs
from bot.log import redact_text
from bot.runbooks.library import Library
from bot.runbooks.whatif import Answer, WhatIf

Way = tuple[str, str]  # target and path
Told = Callable[[int, int, Way, Seen], None]  # how many of how many, and what was just found


@dataclass(frozen=True)
class BagDrill:
    """What was found. ``broken``: runbooks that cannot be used on this host, and why."""

    seen: Mapping[Way, Seen]
    answers: tuple[Answer, ...]
    broken: Mapping[str, str]

    @property
    def score(self) -> float:
        """The share of all runbooks that would run from here, 0 to 1; 0 where there is none."""
        count = len(self.answers) + len(self.broken)
        return sum(answer.runs for answer in self.answers) / count if count else 0.0

    @property
    def not_proven(self) -> list[str]:
        """The runbooks that would not run."""
        return sorted([a.runbook.id for a in self.answers if not a.runs] + list(self.broken))

    @property
    def failed(self) -> list[str]:
        """Each way that did not work, and why."""
        return [
            f"{path} to {target}: {seen.error}"
            for (target, path), seen in self.seen.items()
            if not seen.ok
        ]


async def drill_bag(library: Library, dialer: Dialer, told: Told) -> BagDrill:
    """Tries each way once, a few at the same time; ``told`` hears of each as it is found."""
    question = WhatIf(library.runbooks, library.catalog, library.registry)
    runbooks = list(library.runbooks.values())
    ways = dict.fromkeys(pairs(library.catalog))
    for use in (use for runbook in runbooks for use in question.scope.uses(runbook)):
        # a step may name paths that its target does not
        ways |= {(t, path): None for t in use.targets for path in question.scope.paths(use, t)}
    busy, found = asyncio.Semaphore(AT_ONCE), dict[Way, Seen]()

    async def one(way: Way) -> None:
        async with busy:
            seen = await probe(dialer, library.registry, *way)
        # what a server answers may quote the credential
        found[way] = Seen(seen.ok, seen.depth, seen.ms, redact_text(seen.error))
        told(len(found), len(ways), way, found[way])

    await asyncio.gather(*(one(way) for way in ways))
    works = {way for way, seen in found.items() if seen.ok}
    return BagDrill(
        {way: found[way] for way in ways},
        tuple(question.tried(runbook, works) for runbook in runbooks),
        _broken(library),
    )


def _broken(library: Library) -> dict[str, str]:
    """Runbooks that were good when they were packed: an integration may not load on this host."""
    good = {runbook.path for runbook in library.runbooks.values()}
    return {
        Path(path).stem: problems[0].message
        for path, problems in library.problems.items()
        if path not in good
    }
