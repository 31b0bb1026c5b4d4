"""Which runbooks still run when something is down, and what would leave one dead. Pure."""

from collections.abc import Callable, Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.access.cuts import Cuts, Needed, cuts
from bot.access.graph import PARTS, Graph, graph_of
from bot.catalog import Catalog
from bot.registry import Registry
from bot.runbooks.model import Runbook
from bot.runbooks.uses import Scope, Use

_SHOWN = 12  # targets named in one line


@dataclass(frozen=True)
class Reach:
    """How a step gets to one target: over ``path``, or not at all and ``why``."""

    step: str
    role: str
    action: str
    target: str
    path: str
    why: str


@dataclass(frozen=True)
class Answer:
    """Whether a runbook runs. ``partly``: for some of the targets that one may choose.

    ``untold``: steps some of whose targets are known only at run time.
    """

    runbook: Runbook
    runs: bool
    partly: bool
    reaches: tuple[Reach, ...]
    untold: tuple[str, ...]


class WhatIf:
    """Questions about a catalog and its runbooks."""

    def __init__(
        self, runbooks: Mapping[str, Runbook], catalog: Catalog, registry: Registry
    ) -> None:
        self.scope = Scope(runbooks, catalog, registry)
        self.graph = graph_of(catalog)
        self._bag = graph_of(catalog, bag=True)

    def down(self, runbook: Runbook, failed: Iterable[str]) -> Answer:
        """How it would go for the runbook with these nodes, and all that stands on them, down."""
        fall = self._graph(runbook).down(failed)
        return self._answer(runbook, lambda use, target: self.scope.way(use, target, fall))

    def tried(self, runbook: Runbook, works: Container[tuple[str, str]]) -> Answer:
        """How it would go where these (target, path) were found to work, and no others."""
        return self._answer(runbook, lambda use, target: self.scope.tried_way(use, target, works))

    def _answer(self, runbook: Runbook, way: Callable[[Use, str], tuple[str, str]]) -> Answer:
        uses = self.scope.uses(runbook)
        reached = [_reaches(use, way) for use in uses]
        dead = [_dead(u, r) for u, r in zip(uses, reached, strict=True)]
        return Answer(
            runbook,
            runs=not any(dead),
            partly=any(not r.path for some in reached for r in some) and not any(dead),
            reaches=tuple(reach for some in reached for reach in some),
            untold=tuple(dict.fromkeys(use.step for use in uses if use.guessed or not use.targets)),
        )

    def own(self, failed: Iterable[str]) -> dict[str, list[str]]:
        """Which of Jackline's own parts fall, by which chain."""
        fall = self.graph.down(failed)
        nodes = {part: f"jackline:{part}" for part in PARTS}
        return {part: fall.chain(node) for part, node in nodes.items() if node in fall}

    def cuts(self, runbook: Runbook, most: int = 3) -> Cuts:
        """The smallest sets of failures, of ``most`` at most, each of which leaves it dead."""
        graph = self._graph(runbook)
        needed = (n for use in self.scope.uses(runbook) for n in self._needed(use, graph))
        return cuts(needed, most)

    def _graph(self, runbook: Runbook) -> Graph:
        return self._bag if runbook.front.from_bag else self.graph

    def _needed(self, use: Use, graph: Graph) -> Iterator[Needed]:
        """What must be there: of each of the sets, everything in one of them."""
        found: list[frozenset[str]] = []
        for target in use.targets:
            paths = [graph.under(f"path:{path}") for path in self.scope.paths(use, target)]
            itself = graph.under(f"target:{target}")
            ways = [itself.union(*paths)] if use.every else [itself | path for path in paths]
            if not use.choice:
                yield frozenset(ways)
            found += ways
        if use.choice and found:
            yield frozenset(found)


def _reaches(use: Use, way: Callable[[Use, str], tuple[str, str]]) -> list[Reach]:
    step = " → ".join((use.step, *use.calls))
    return [Reach(step, use.role, use.action, target, *way(use, target)) for target in use.targets]


def _dead(use: Use, reached: list[Reach]) -> bool:
    gone = [not reach.path for reach in reached]
    return bool(gone) and (all(gone) if use.choice else any(gone))


def ways(answer: Answer) -> Iterator[str]:
    """In lines for people: each path with its steps, then what has no way, and why."""
    over: dict[str, dict[str, None]] = {}
    for reach in answer.reaches:
        if reach.path:
            over.setdefault(reach.path, {})[reach.step] = None
    for path, steps in over.items():
        yield f"{path}: {', '.join(steps)}"
    gone: dict[str, tuple[dict[str, None], dict[str, None]]] = {}
    for reach in answer.reaches:
        if not reach.path:
            names, targets = gone.setdefault(reach.why, ({}, {}))
            names[f"{reach.step} ({reach.role})" if _plain_role(reach) else reach.step] = None
            targets[reach.target] = None
    for why, (all_steps, targets) in gone.items():
        told = [s for s in all_steps if " (" not in s or s.partition(" (")[0] not in all_steps]
        more = f" and {len(targets) - _SHOWN} more" if len(targets) > _SHOWN else ""
        yield f"✗ {why}: {', '.join(told)} → {', '.join(list(targets)[:_SHOWN])}{more}"
    if answer.untold:
        yield f"known only at run time: {', '.join(answer.untold)}"


def _plain_role(reach: Reach) -> bool:
    return bool(reach.role) and "→" not in reach.step


def answer_json(answer: Answer) -> dict[str, Any]:
    """The answer as JSON-able data."""
    return {
        "id": answer.runbook.id,
        "title": answer.runbook.front.title,
        "runs": answer.runs,
        "partly": answer.partly,
        "from_bag": answer.runbook.front.from_bag,
        "steps": [
            {
                "step": reach.step,
                "role": reach.role or "action",
                "action": reach.action,
                "target": reach.target,
                "path": reach.path or None,
                "why": reach.why,
            }
            for reach in answer.reaches
        ],
        "known_only_at_run_time": list(answer.untold),
    }
