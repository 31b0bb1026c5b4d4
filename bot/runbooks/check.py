"""What is wrong with a runbook beyond its form: names that do not exist, guards that cannot work.

Pure given the registry and the catalog. `bot.runbooks.lint` looks at how the steps hang together.
"""

import re
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.catalog import Catalog
from bot.contract import Action, Effect
from bot.errors import BadInput
from bot.located import Problem, near
from bot.registry import Registry
from bot.runbooks.expressions import templated
from bot.runbooks.inputs import check_inputs_spec
from bot.runbooks.lint import Report, Where, lint
from bot.runbooks.model import AllPaths, NoUndo, Runbook, Step, Undo, Written
from bot.runbooks.read import place_in

__all__ = ["check", "require_valid"]

Params = dict[str, Any]
_TRIGGER = re.compile(r"^(alert|check|service):[A-Za-z0-9_.-]+$")


def check(runbook: Runbook, registry: Registry, catalog: Catalog) -> list[Problem]:
    """Every problem, in the order of the lines."""
    found: list[Problem] = []

    def reporter(written: Written | None) -> Report:
        def report(where: Where, message: str) -> None:
            line, column = place_in(runbook, written, where)
            words = ".".join(str(part) for part in where)
            found.append(Problem(runbook.path, line, f"{words}: {message}", column))

        return report

    _check_front(runbook, catalog, reporter(None))
    for written in runbook.steps:
        report = reporter(written)
        _check_step(written.step, registry, catalog, report)
        for where, name, params in uses(written.step):
            _check_use(registry, catalog, where, name, params, report)
    lint(runbook, catalog, reporter)
    return sorted(set(found), key=lambda p: (p.line, p.column))


def _check_front(runbook: Runbook, catalog: Catalog, report: Report) -> None:
    checks = [c.id for s in catalog.services for c in s.checks]
    known = {"service": [s.id for s in catalog.services], "check": checks}
    for index, trigger in enumerate(runbook.front.triggers):
        kind, _, name = trigger.partition(":")
        if not _TRIGGER.match(trigger):
            report(("triggers", index), f"{trigger!r} must be alert:NAME, check:ID or service:ID")
        elif kind in known and name not in known[kind]:
            report(("triggers", index), f"there is no {kind} {name!r}{near(name, known[kind])}")
    for where, message in check_inputs_spec(runbook.front.inputs):
        report(where, message)
    body = runbook.text.split("\n---", 1)[-1]
    for name in runbook.front.inputs:
        if not re.search(rf"\binputs\.{re.escape(name)}\b", body):
            report(("inputs", name), "no step uses it")


def _check_step(step: Step, registry: Registry, catalog: Catalog, report: Report) -> None:
    _check_paths(step, catalog, report)
    for field in ("guards", "verify", "gate"):
        for index, condition in enumerate(getattr(step, field)):
            looks = registry.actions.get(condition.action)
            if looks is not None and looks.effect is not Effect.READ:
                name = condition.action
                report((field, index, "action"), f"may only read; {name} changes things")
            if not condition.action and (condition.with_ or condition.via):
                given = "with" if condition.with_ else "via"
                report((field, index, given), "needs an action beside it")
    action = registry.actions.get(step.action)
    if action is not None:
        _check_effect(step, action, report)


def _check_effect(step: Step, action: Action, report: Report) -> None:
    """What repeating, checking and taking back the step's action comes to."""
    if action.effect is Effect.READ:
        if isinstance(step.undo, Undo | NoUndo):
            report(("undo",), "a reading step changes nothing, so leave undo out")
        return
    if isinstance(step.via, AllPaths):
        report(("via",), f"over all paths one can only read; {step.action} changes things")
    if action.effect is Effect.ONCE and not step.verify:
        report(("verify",), "an action with effect 'once' needs a verify")
    if step.undo is not None:
        return
    if action.effect is Effect.ONCE:
        said = "say how it is taken back (an action, or auto), or undo: {none: why}"
        report(("undo",), f"{step.action} has effect 'once': {said}")
    elif not action.reverts:
        said = "say undo: auto if this target has one, an action, or {none: why}"
        report(("undo",), f"{step.action} may have no way back: {said}")


def _check_paths(step: Step, catalog: Catalog, report: Report) -> None:
    places: list[tuple[Where, list[str] | AllPaths]] = [(("via",), step.via)]
    for field in ("guards", "verify", "gate"):
        places += [((field, i, "via"), c.via) for i, c in enumerate(getattr(step, field))]
    for where, via in places:
        named = via.all if isinstance(via, AllPaths) else via
        inside = (*where, "all") if isinstance(via, AllPaths) else where
        for index, name in enumerate(named):
            if catalog.path(name) is None:
                guess = near(name, [p.name for p in catalog.paths])
                report((*inside, index), f"there is no access path {name!r}{guess}")


def _check_use(
    registry: Registry, catalog: Catalog, where: Where, name: str, params: Params, report: Report
) -> None:
    """One action with its arguments. Templated ones are checked when the plan is made."""
    action = registry.actions.get(name)
    if action is None:
        guess = near(name, registry.actions)
        report((*where, "action"), f"there is no action {name!r}{guess}")
        return
    inside, fields = (*where, "with"), action.Params.model_fields
    unknown = [key for key in params if key not in fields]
    for key in unknown:
        report((*inside, key), f"{name} has no such argument{near(key, fields)}")
    missing = [key for key, f in fields.items() if f.is_required() and key not in params]
    for key in missing:
        report((*inside, key), f"{name} needs it")
    if not unknown and not missing and not templated(params):
        _check_values(action, params, inside, catalog, report)


def _check_values(
    action: Action, params: Params, inside: Where, catalog: Catalog, report: Report
) -> None:
    try:
        given: BaseModel = action.Params.model_validate(params)
    except ValidationError as error:
        first = error.errors()[0]
        report((*inside, *first["loc"]), first["msg"].removeprefix("Value error, "))
        return
    target = action.target(given)
    if catalog.target(target) is None:
        guess = near(target, [t.name for t in catalog.targets])
        report(inside, f"there is no target {target!r} in the catalog{guess}")


def uses(step: Step) -> list[tuple[Where, str, Params]]:
    """Every action that the step names, where, and its arguments."""
    found: list[tuple[Where, str, Params]] = [((), step.action, step.with_)] if step.action else []
    for field in ("guards", "verify", "gate"):
        for index, condition in enumerate(getattr(step, field)):
            if condition.action:
                found.append(((field, index), condition.action, condition.with_))
    if isinstance(step.undo, Undo):
        found.append((("undo",), step.undo.action, step.undo.with_))
    return found


def require_valid(problems: list[Problem]) -> None:
    """Raises `BadInput` with all problems, one a line."""
    if problems:
        raise BadInput("\n".join(str(p) for p in problems))
