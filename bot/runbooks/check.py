"""What is wrong with a runbook beyond its form: names that do not exist, guards that cannot work.

Pure given the registry and the catalog.
"""

import difflib
import re
from collections.abc import Callable, Iterable

from pydantic import BaseModel, ValidationError

from bot.catalog import Catalog
from bot.contract import Effect
from bot.errors import BadInput
from bot.registry import Registry
from bot.runbooks.expressions import check_syntax, templated
from bot.runbooks.inputs import check_inputs_spec
from bot.runbooks.model import NoUndo, Problem, Runbook, Step, Undo, Written

Report = Callable[[int, str], None]
_TRIGGER = re.compile(r"^(alert|check|service):[A-Za-z0-9_.-]+$")


def check(runbook: Runbook, registry: Registry, catalog: Catalog) -> list[Problem]:
    """Every problem, in the order of the lines."""
    found: list[Problem] = []

    def report(line: int, message: str) -> None:
        found.append(Problem(runbook.path, line, message))

    for trigger in runbook.front.triggers:
        if not _TRIGGER.match(trigger):
            line = _line(runbook, trigger, 1)
            report(line, f"triggers: {trigger!r} must be alert:NAME, check:ID or service:ID")
    for message in check_inputs_spec(runbook.front.inputs):
        report(_line(runbook, "inputs:", 1), message)
    _unused_inputs(runbook, report)
    for written in runbook.steps:
        _check_step(written, registry, catalog, report, runbook)
    return sorted(found, key=lambda p: p.line)


def _check_step(
    written: Written, registry: Registry, catalog: Catalog, report: Report, runbook: Runbook
) -> None:
    step = written.step

    def at(word: str) -> int:
        return _line(runbook, word, written.line)

    for label, name in _actions(step):
        if name not in registry.actions:
            report(at(name), f"{label}: there is no action {name!r}{near(name, registry.actions)}")
    action = registry.actions.get(step.action)
    if action is not None:
        _check_params(step, action.Params, lambda m: report(at("with:"), m))
        _check_effect(step, action.effect, lambda word, m: report(at(word), m))
    for expression in _expressions(step):
        if problem := check_syntax(expression):
            report(at(expression), f"expect: {expression!r}: {problem}")
    for via in step.via:
        if catalog.path(via) is None:
            names = [p.name for p in catalog.paths]
            report(at("via:"), f"via: there is no access path {via!r}{near(via, names)}")


def _check_effect(step: Step, effect: Effect, report: Callable[[str, str], None]) -> None:
    if effect is Effect.ONCE and not step.verify:
        report("action:", "verify: an action with effect 'once' needs a verify")
    if effect is Effect.READ and isinstance(step.undo, Undo | NoUndo):
        report("undo:", "undo: a reading step changes nothing, so leave undo out")


def _check_params(step: Step, model: type[BaseModel], report: Callable[[str], None]) -> None:
    """Arguments that are written out are checked now; templated ones when the plan is made."""
    unknown = [k for k in step.with_ if k not in model.model_fields]
    for key in unknown:
        report(f"with.{key}: {step.action} has no such argument{near(key, model.model_fields)}")
    missing = [k for k, f in model.model_fields.items() if f.is_required() and k not in step.with_]
    for key in missing:
        report(f"with.{key}: {step.action} needs it")
    if unknown or missing or templated(step.with_):
        return
    try:
        model.model_validate(step.with_)
    except ValidationError as error:
        first = error.errors()[0]
        report(f"with.{'.'.join(str(p) for p in first['loc'])}: {first['msg']}")


def _unused_inputs(runbook: Runbook, report: Report) -> None:
    body = runbook.text.split("\n---", 1)[-1]
    for name in runbook.front.inputs:
        if not re.search(rf"\binputs\.{re.escape(name)}\b", body):
            report(_line(runbook, f"{name}:", 1), f"inputs.{name}: no step uses it")


def _actions(step: Step) -> list[tuple[str, str]]:
    names = [("action", step.action)]
    names += [("verify.action", v.action) for v in step.verify if v.action]
    if isinstance(step.undo, Undo):
        names.append(("undo.action", step.undo.action))
    return names


def _expressions(step: Step) -> list[str]:
    return [e.expect for e in (*step.guards, *step.verify)]


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for a near miss, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def _line(runbook: Runbook, text: str, start: int) -> int:
    """The first line from ``start`` on that holds ``text``; ``start`` if none does."""
    lines = runbook.text.splitlines()
    for number in range(start, len(lines) + 1):
        if text in lines[number - 1]:
            return number
    return start


def require_valid(problems: list[Problem]) -> None:
    """Raises `BadInput` with all problems, one a line."""
    if problems:
        raise BadInput("\n".join(str(p) for p in problems))
