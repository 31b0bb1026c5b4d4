"""What is wrong with a runbook beyond its form: names that do not exist, guards that cannot work.

Pure given the registry and the catalog.
"""

import re
from collections.abc import Callable
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.catalog import Catalog
from bot.contract import Action, Effect
from bot.errors import BadInput
from bot.located import Problem, near
from bot.registry import Registry
from bot.runbooks.expressions import check_syntax, references, templated
from bot.runbooks.inputs import check_inputs_spec
from bot.runbooks.model import NoUndo, Runbook, Step, Undo, Written
from bot.runbooks.read import line_in

__all__ = ["check", "require_valid"]

Where = tuple[int | str, ...]
Report = Callable[[Where, str], None]
Params = dict[str, Any]
_TRIGGER = re.compile(r"^(alert|check|service):[A-Za-z0-9_.-]+$")


def check(runbook: Runbook, registry: Registry, catalog: Catalog) -> list[Problem]:
    """Every problem, in the order of the lines."""
    found: list[Problem] = []

    def reporter(written: Written | None) -> Report:
        def report(where: Where, message: str) -> None:
            line = line_in(runbook, written, where)
            found.append(Problem(runbook.path, line, f"{_words(where)}: {message}"))

        return report

    _check_front(runbook, catalog, reporter(None))
    earlier: list[str] = []
    for written in runbook.steps:
        report = reporter(written)
        _check_step(written.step, registry, catalog, report)
        for where, name, params in _uses(written.step):
            _check_use(registry, catalog, where, name, params, report)
        _check_names(written.step, {"inputs": [*runbook.front.inputs], "steps": earlier}, report)
        earlier.append(written.step.id)
    return sorted(found, key=lambda p: p.line)


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
    for where, expression in _expressions(step):
        if problem := check_syntax(expression):
            report(where, f"{expression!r:.200}: {problem}")
    for index, via in enumerate(step.via):
        if catalog.path(via) is None:
            guess = near(via, [p.name for p in catalog.paths])
            report(("via", index), f"there is no access path {via!r}{guess}")
    for index, verify in enumerate(step.verify):
        looks = registry.actions.get(verify.action)
        if looks is not None and looks.effect is not Effect.READ:
            report(("verify", index, "action"), f"may only read; {verify.action} changes things")
    action = registry.actions.get(step.action)
    if action is None:
        return
    if action.effect is Effect.ONCE and not step.verify:
        report(("verify",), "an action with effect 'once' needs a verify")
    if action.effect is Effect.READ and isinstance(step.undo, Undo | NoUndo):
        report(("undo",), "a reading step changes nothing, so leave undo out")


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


def _check_names(step: Step, known: dict[str, list[str]], report: Report) -> None:
    """A name that nothing gives would only be missed in the middle of the run."""
    texts = [(where, f"{{{{ {text} }}}}") for where, text in _expressions(step)]
    for where, _, params in _uses(step):
        texts += [((*where, "with"), text) for text in _texts(params)]
    for where, text in texts:
        for kind, name in references(text):
            own = [step.id] if where[0] == "undo" else []
            if name not in (*known[kind], *own):
                what = "input" if kind == "inputs" else "earlier step"
                report(where, f"there is no {what} {name!r}{near(name, known[kind])}")


def _uses(step: Step) -> list[tuple[Where, str, Params]]:
    """Every action that the step names, where, and its arguments."""
    uses: list[tuple[Where, str, Params]] = [((), step.action, step.with_)]
    for index, verify in enumerate(step.verify):
        if verify.action:
            uses.append((("verify", index), verify.action, verify.with_))
    if isinstance(step.undo, Undo):
        uses.append((("undo",), step.undo.action, step.undo.with_))
    return uses


def _expressions(step: Step) -> list[tuple[Where, str]]:
    guards = [(("guards", i, "expect"), e.expect) for i, e in enumerate(step.guards)]
    verify = [(("verify", i, "expect"), e.expect) for i, e in enumerate(step.verify)]
    return [*guards, *verify]


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - YAML of any shape
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _words(where: Where) -> str:
    return ".".join(str(part) for part in where)


def require_valid(problems: list[Problem]) -> None:
    """Raises `BadInput` with all problems, one a line."""
    if problems:
        raise BadInput("\n".join(str(p) for p in problems))
