"""How the steps of a runbook hang together: what they need, name, act on, and who must agree. Pure.

Everything here would otherwise be found in the middle of an incident: a step that can never
begin, a name that nothing gives, an approval that nobody could give, a target set that may be
empty.
"""

import re
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from bot.catalog import Catalog
from bot.errors import BadInput
from bot.located import Problem, near
from bot.runbooks.expressions import check_syntax, evaluate, references, roots
from bot.runbooks.inputs import resolve_inputs
from bot.runbooks.model import Consent, Foreach, Input, Runbook, Step, Undo, Written
from bot.runbooks.read import place_in
from bot.runbooks.units import portion

Where = tuple[int | str, ...]
Report = Callable[[Where, str], None]
_ALWAYS = ("true", "false", "none", "True", "False", "None")


def lint(runbook: Runbook, catalog: Catalog, reporter: Callable[[Written | None], Report]) -> None:
    """Reports what is wrong with the whole of the steps."""
    front = reporter(None)
    _consent(runbook.front.approvals, catalog, ("approvals",), front)
    for text in _texts(runbook.front.target):
        _names(text, ("target",), {"inputs": list(runbook.front.inputs)}, {"inputs"}, front)
    waits: dict[str, set[str]] = {}  # step → all that is done before it begins
    dead: set[str] = set()
    for written in runbook.steps:
        step, report = written.step, reporter(written)
        _needs(step, waits, report)
        before: set[str] = set()
        for need in runbook.needs(step.id):
            before |= {need} | waits.get(need, set())
        waits[step.id] = before
        if cause := next((d for d in before if d in dead), ""):
            report(("id",), f"can never begin: it waits for {cause!r}, which never can")
            dead.add(step.id)
        elif _never(step, report):
            dead.add(step.id)
        _step_names(step, runbook, before, list(waits), report)
        _staged(step, report)
        _items(step, runbook.front.inputs, report)
        if step.approval:
            _consent(step.approval, catalog, ("approval",), report)
        if step.manual and not any(p.has(step.manual.by) for p in catalog.people):
            report(("manual", "by"), f"nobody in the catalog is {step.manual.by!r}")


def lint_calls(runbooks: Mapping[str, Runbook], catalog: Catalog) -> list[Problem]:
    """What is wrong between runbooks: unknown ones, wrong inputs, and circles of calls."""
    found: list[Problem] = []
    for runbook in runbooks.values():
        for written in runbook.steps:
            step = written.step
            if step.runbook is None:
                continue
            where, said = _call(runbook, step, runbooks, catalog)
            if said:
                line, column = place_in(runbook, written, where)
                found.append(Problem(runbook.path, line, said, column))
    return found


def _call(
    runbook: Runbook, step: Step, runbooks: Mapping[str, Runbook], catalog: Catalog
) -> tuple[Where, str]:
    called = runbooks.get(str(step.runbook))
    if called is None:
        guess = near(str(step.runbook), runbooks)
        return ("runbook",), f"runbook: there is no runbook {step.runbook!r}{guess}"
    if runbook.id in _reached(called, runbooks, set()):
        return ("runbook",), f"runbook: {called.id!r} leads back to this runbook"
    if called.front.from_bag and not runbook.front.from_bag:
        return ("runbook",), (
            f"runbook: {called.id!r} is run from the go-bag, so this one is too: say from_bag: true"
        )
    specs = called.front.inputs
    plain = {k: v for k, v in step.with_.items() if "{{" not in str(v)}
    eased = {k: s.model_copy(update={"required": s.required and k not in step.with_})
             for k, s in specs.items()}  # fmt: skip
    if unknown := [name for name in step.with_ if name not in specs]:
        name = unknown[0]
        return ("with", name), f"with.{name}: {called.id} has no such input{near(name, specs)}"
    try:
        resolve_inputs(eased, plain, catalog)
    except BadInput as error:
        return ("with", error.field), f"with.{error.field}: {error.message}"
    return (), ""


def _reached(runbook: Runbook, runbooks: Mapping[str, Runbook], seen: set[str]) -> set[str]:
    if runbook.id in seen:
        return seen
    seen.add(runbook.id)
    for written in runbook.steps:
        called = runbooks.get(str(written.step.runbook))
        if called is not None:
            _reached(called, runbooks, seen)
    return seen


def _needs(step: Step, earlier: Mapping[str, set[str]], report: Report) -> None:
    for index, need in enumerate(step.needs or []):
        if need == step.id:
            report(("needs", index), "a step cannot wait for itself")
        elif need not in earlier:
            report(
                ("needs", index), f"there is no step {need!r} above this one{near(need, earlier)}"
            )


def _never(step: Step, report: Report) -> bool:
    """Whether a guard is false whatever happens."""
    for index, guard in enumerate(step.guards):
        if check_syntax(guard.expect) or roots(f"{{{{ {guard.expect} }}}}") or guard.action:
            continue
        if evaluate(guard.expect, {})[0] is not True:
            report(("guards", index, "expect"), "is never true: the step can never begin")
            return True
    return False


def _step_names(
    step: Step, runbook: Runbook, before: set[str], above: list[str], report: Report
) -> None:
    """A name that nothing gives would only be missed in the middle of the run."""
    known = {"inputs": list(runbook.front.inputs), "steps": sorted(before)}
    common = {"inputs", "steps"}
    if step.foreach:
        common.add("item")
    if step.stages and not step.foreach:
        common.add("stage")
    for where, text, more in _places(step):
        allowed = {"inputs", "steps"} if where[0] in ("foreach", "when") else common | more
        if where[-1] in ("expect", "when") and (problem := check_syntax(text[3:-3])):
            report(where, f"{text[3:-3]!r:.200}: {problem}")
            continue
        own = {**known, "steps": [*known["steps"], step.id]} if where[0] == "undo" else known
        _names(text, where, own, allowed, report, above=above)


def _names(
    text: str,
    where: Where,
    known: Mapping[str, list[str]],
    allowed: set[str],
    report: Report,
    *,
    above: list[str] | None = None,
) -> None:
    for name in sorted(roots(text) - allowed - set(_ALWAYS)):
        hint = near(name, allowed) or f"; known here: {', '.join(sorted(allowed))}"
        report(where, f"there is no name {name!r}{hint}")
    for kind, name in references(text):
        if kind in known and name not in known[kind]:
            if kind == "steps" and name in (above or [])[:-1]:
                report(where, f"step {name!r} may not be done by then: add it to needs")
                continue
            what = "input" if kind == "inputs" else "earlier step"
            report(where, f"there is no {what} {name!r}{near(name, known[kind])}")


def _places(step: Step) -> Iterator[tuple[Where, str, set[str]]]:
    """Every template and expression of the step, where it is, and which names are its own."""
    seen: dict[str, set[str]] = {"guards": {"state"}, "verify": {"out"}, "gate": {"out", "stage"}}
    for field, own in seen.items():
        for index, condition in enumerate(getattr(step, field)):
            more = own | ({"out"} if condition.action else set())
            yield (field, index, "expect"), f"{{{{ {condition.expect} }}}}", more
            for text in _texts(condition.with_):
                yield (field, index, "with"), text, own
    plain: list[tuple[Where, Any]] = [(("with",), step.with_), (("notify",), step.notify)]
    if step.when:
        plain.append((("when",), f"{{{{ {step.when} }}}}"))
    if isinstance(step.undo, Undo):
        plain.append((("undo", "with"), step.undo.with_))
    if step.foreach:
        plain.append((("foreach", "items"), step.foreach.items))
    for place, value in plain:
        for text in _texts(value):
            yield place, text, set()


def _staged(step: Step, report: Report) -> None:
    if not step.stages:
        return
    sizes = [portion(stage, 100) for stage in step.stages]
    for index, (one, two) in enumerate(zip(step.stages, step.stages[1:], strict=False), start=1):
        if type(one) is type(two) and sizes[index] <= sizes[index - 1]:
            report(("stages", index), f"{two} does not come after {one}: stages must grow")
    if step.foreach and step.stages[-1] != "100%":
        report(("stages", len(step.stages) - 1), "must be 100%: the other items would be left out")
    if not step.foreach and not any("stage" in roots(text) for text in _texts(step.with_)):
        report(("stages",), "nothing of `with` depends on `stage`, so each stage does the same")


def _items(step: Step, inputs: Mapping[str, Input], report: Report) -> None:
    """A set of targets that may turn out to be empty is refused before the run, not in it."""
    if step.foreach is None:
        return
    if not step.foreach.items:
        report(("foreach", "items"), "is empty: the step would act on nothing")
    for name in _inputs_of(step.foreach):
        spec = inputs.get(name)
        if spec is None:
            continue
        empty = spec.type == "string" and spec.pattern and _allows_nothing(spec.pattern)
        if not spec.required and spec.default in (None, ""):
            report(("foreach", "items"), f"may be empty: make the input {name!r} required")
        elif empty:
            report(("foreach", "items"), f"may be empty: the pattern of {name!r} allows no text")


def _allows_nothing(pattern: str) -> bool:
    try:
        return re.fullmatch(pattern, "") is not None
    except re.error:
        return False  # reported where the pattern stands


def _inputs_of(foreach: Foreach) -> list[str]:
    if not isinstance(foreach.items, str):
        return []
    return [name for kind, name in references(foreach.items) if kind == "inputs"]


def _consent(consent: Consent, catalog: Catalog, where: Where, report: Report) -> None:
    """The requester does not count, so one more person must be there to ask."""
    able = [p for p in catalog.people if p.has(consent.from_)]
    others = [p for p in catalog.people if p not in able and p.roles]
    if not consent.count:
        return
    if len(able) < consent.count:
        names = ", ".join(p.id for p in able) or "nobody"
        said = f"needs {consent.count} of {consent.from_!r}, and the catalog has {names}"
        report((*where, "count"), f"nobody could give it: {said}")
    elif len(able) == consent.count and not others:
        report((*where, "count"), "nobody could give it: who asks for the run does not count")


def _texts(value: Any) -> list[str]:  # noqa: ANN401 - YAML of any shape
    if isinstance(value, dict):
        return [text for each in value.values() for text in _texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []
