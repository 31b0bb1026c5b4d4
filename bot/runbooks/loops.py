"""Finds runbooks that need what they repair, before the incident does. Pure.

For each runbook: what it repairs is down, and so is all that stands on that. A step that has no
way left then is an error, printed with its loop; so is a runbook that would pull the ground from
under Jackline itself, unless it says that it is run from the go-bag.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from bot.access.graph import PARTS, VITAL, Fall, Graph, graph_of, shown
from bot.catalog import Catalog
from bot.located import Problem, near
from bot.registry import Registry
from bot.runbooks.model import Runbook, Step, Written
from bot.runbooks.read import place_in
from bot.runbooks.uses import Scope, Use, Where

_BAG = "run it from the go-bag (from_bag: true)"
_Found = Iterator[tuple[Written | None, Where, str]]


def lint_loops(
    runbooks: Mapping[str, Runbook], catalog: Catalog, registry: Registry
) -> list[Problem]:
    """Every loop of every runbook."""
    lint = _Lint(runbooks, catalog, registry)
    found: list[Problem] = []
    for runbook in runbooks.values():
        for written, where, message in lint.of(runbook):
            line, column = place_in(runbook, written, where)
            found.append(Problem(runbook.path, line, message, column))
    return found


def _repaired(runbook: Runbook, service_of: Mapping[str, str]) -> dict[str, Where]:
    found: dict[str, Where] = {}
    for index, node in enumerate(runbook.front.repairs):
        found.setdefault(node, ("repairs", index))
    for index, trigger in enumerate(runbook.front.triggers):
        kind, _, name = trigger.partition(":")
        service = name if kind == "service" else service_of.get(name) if kind == "check" else None
        if service:
            found.setdefault(f"service:{service}", ("triggers", index))
    return found


class _Lint:
    def __init__(
        self, runbooks: Mapping[str, Runbook], catalog: Catalog, registry: Registry
    ) -> None:
        self.graph = graph_of(catalog)
        self.bag = graph_of(catalog, bag=True)
        self.scope = Scope(runbooks, catalog, registry)
        self.service_of = {check.id: s.id for s in catalog.services for check in s.checks}
        self.tied = _tied(catalog, self.graph)

    def of(self, runbook: Runbook) -> _Found:
        """Each problem: the step, the place in it, and the words."""
        repairs = _repaired(runbook, self.service_of)
        graph = self.bag if runbook.front.from_bag else self.graph
        for node, where in repairs.items():
            if where[0] == "repairs" and node not in graph.needs:
                guess = near(node, graph.needs) or ": name it under `nodes`"
                yield None, where, f"repairs: nothing in the catalog is {node!r}{guess}"
        fall = graph.down(repairs)
        own = [] if runbook.front.from_bag else [p for p in VITAL if f"jackline:{p}" in fall]
        for part in own[:1]:
            chain = fall.chain(f"jackline:{part}")
            said = f"this runbook repairs what {PARTS[part]} stands on"
            yield None, repairs[chain[-1]], f"{said}: {_BAG}: {shown(chain)}"
        acts = bool(self.tied) and not own and not runbook.front.from_bag
        if not acts and not any(n.startswith(("path:", "target:")) for n in fall.because):
            return  # whatever is down, no way is
        uses = self.scope.uses(runbook)
        written = {w.step.id: w for w in runbook.steps}
        told: set[tuple[str, str]] = set()
        for use in uses:
            step = written[use.step]
            if dead := self._dead(use, fall):
                target, said = dead
                if (use.step, target) not in told:
                    yield step, _place(use, step.step), said
                told.add((use.step, target))
            if acts and (message := self._pulls(use)):
                yield step, _place(use, step.step, over=False), message

    def _dead(self, use: Use, fall: Fall) -> tuple[str, str] | None:
        """The first target without a way, if one that is needed has none, and the words."""
        none: list[tuple[str, str]] = []
        for target in use.targets:
            path, why = self.scope.way(use, target, fall)
            if path and use.choice:
                return None
            none += [] if path else [(target, why)]
        if not none:
            return None
        target, why = none[0]
        more = f" (nor to {len(none) - 1} more)" if len(none) > 1 else ""
        role = "" if use.calls or not use.role else f" for its {use.role}"
        said = f"{_who(use)} has no way to {target}{more}{role}"
        return target, f"{said}: {why}, which this runbook repairs"

    def _pulls(self, use: Use) -> str:
        """That the step changes something that Jackline itself stands on."""
        if not use.changes:
            return ""
        hits = [target for target in use.targets if target in self.tied]
        if not hits or (use.choice and len(hits) < len(use.targets)):
            return ""
        hit = hits[0]
        part, chain, of = self.tied[hit]
        said = f"{_who(use)} changes {hit}, and {PARTS[part]} stands on that"
        return f"{said}: {_BAG}: {shown(chain)}{of}"


def _tied(catalog: Catalog, graph: Graph) -> dict[str, tuple[str, list[str], str]]:
    """Targets that Jackline stands on: which part of it does, by which chain."""
    found = {}
    for part in VITAL:
        under = graph.under(f"jackline:{part}")
        for target in catalog.targets:
            own = f"target:{target.name}"
            hit = next((node for node in (own, *target.of) if node in under), None)
            if hit is not None and target.name not in found:
                of = "" if hit == own else f", which {target.name} is a part of"
                found[target.name] = part, graph.down([hit]).chain(f"jackline:{part}"), of
    return found


def _who(use: Use) -> str:
    if not use.calls:
        return f"step {use.step}"
    *runbooks, step = use.calls
    return f"step {use.step} calls {' → '.join(runbooks)}, whose step {step}"


def _place(use: Use, step: Step, *, over: bool = True) -> Where:
    """Where the step names its paths, if it does, else its target."""
    if use.calls:
        return use.where
    inside = use.where
    if over and use.via and (not inside or inside[0] != "undo"):
        return (*inside, "via", "all") if use.every else (*inside, "via")
    given: Any = getattr(step, str(inside[0])) if inside else step
    given = given[int(inside[1])] if len(inside) > 1 else given
    return (*inside, "with") if given.with_ else (*inside, "action")
