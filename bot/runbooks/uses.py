"""Which targets a runbook's steps reach for, and over which paths, as far as can be told. Pure.

Arguments are templates, so some targets are known only at run time. What can be told beforehand:
plain values, the items of a written list, the values of an enum, every ``ssh/*`` target for an
input of type ``host``, every service, and an input's default. Of the rest, that it will be one of
the catalog's targets whose name has the form that is written, such as ``ssh/…``. An input is a
choice, made by a person: one good answer is enough. A written list's items are all needed.
"""

import re
from collections.abc import Container, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product
from typing import Any

from pydantic import BaseModel, ValidationError

from bot.access.graph import Fall, shown
from bot.catalog import Catalog
from bot.contract import Action, Effect
from bot.errors import BadInput
from bot.registry import Registry
from bot.runbooks.expressions import references, render, roots, templated
from bot.runbooks.model import AllPaths, Expect, Foreach, Input, Runbook, Step, Undo, Via

_WHOLE = re.compile(r"\s*\{\{\s*(?:inputs\.)?(\w+)\s*\}\}\s*")
_MOST = 200  # texts that are filled in for one argument; beyond that nothing is told
_Values = Mapping[str, Sequence[Any]]  # a name → what it may be
Where = tuple[int | str, ...]


@dataclass(frozen=True)
class _Told:
    """Targets, the names that decide which; else the ``forms`` that a target's name can have."""

    targets: Sequence[str]
    used: frozenset[str] = frozenset()
    forms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Use:
    """One action of a step, and the targets that it may have.

    ``guessed``: they are known only at run time, and these are all that have such a name.
    """

    step: str
    where: Where
    action: str
    targets: tuple[str, ...]
    via: tuple[str, ...] = ()  # instead of the targets' own
    every: bool = False  # each of the paths must be there
    choice: bool = False  # one of the targets, not all
    guessed: bool = False
    changes: bool = False
    calls: tuple[str, ...] = ()  # the called runbooks, and the step there

    @property
    def role(self) -> str:
        """What it is to its step: ``guard``, ``undo`` …; nothing for the action itself."""
        said = str(self.where[0]) if self.where else ""
        return {"guards": "guard"}.get(said, said)


class Scope:
    """The runbooks, catalog and integrations that names lead to."""

    def __init__(
        self, runbooks: Mapping[str, Runbook], catalog: Catalog, registry: Registry
    ) -> None:
        self.runbooks = runbooks
        self.registry = registry
        self.vias = {target.name: tuple(target.via) for target in catalog.targets}
        self._rank = {path.name: path.rank for path in catalog.paths}
        hosts = [n.removeprefix("ssh/") for n in self.vias if n.startswith("ssh/")]
        self._forms: dict[str, Sequence[str]] = {}
        self.typed = {"host": hosts, "service": [s.id for s in catalog.services]}

    def uses(self, runbook: Runbook) -> list[Use]:
        """Everything that its steps do, with what the runbooks they call do."""
        return list(self._uses(runbook, {}, (runbook.id,)))

    def paths(self, use: Use, target: str) -> tuple[str, ...]:
        """The paths to try, best first."""
        listed = use.via or self.vias.get(target, ())
        return tuple(sorted(listed, key=lambda name: self._rank.get(name, 0)))

    def way(self, use: Use, target: str, fall: Fall) -> tuple[str, str]:
        """The path it would take when all that is down, or an empty text and why there is none."""
        if f"target:{target}" in fall:
            return "", shown(fall.chain(f"target:{target}"))
        paths = self.paths(use, target)
        left = [path for path in paths if f"path:{path}" not in fall]
        if taken := _taken(use, paths, left):
            return taken, ""
        gone = [fall.chain(f"path:{path}") for path in paths if path not in left]
        return "", "; ".join(map(shown, gone))

    def tried_way(
        self, use: Use, target: str, works: Container[tuple[str, str]]
    ) -> tuple[str, str]:
        """The same where every (target, path) was tried, and those work."""
        paths = self.paths(use, target)
        left = [path for path in paths if (target, path) in works]
        if taken := _taken(use, paths, left):
            return taken, ""
        return "", f"{' and '.join(path for path in paths if path not in left)} failed"

    def _uses(self, runbook: Runbook, given: _Values, seen: tuple[str, ...]) -> Iterator[Use]:
        specs = runbook.front.inputs
        told = {name: self._values(spec) for name, spec in specs.items()} | dict(given)
        inputs = {name: values for name, values in told.items() if values}
        for written in runbook.steps:
            step = written.step
            if step.runbook is not None:
                yield from self._called(step, inputs, seen)
            elif step.action:
                yield from self._of_step(step, inputs)

    def _values(self, spec: Input) -> Sequence[Any]:
        if spec.type in self.typed:
            return self.typed[spec.type]
        if spec.type == "enum":
            return spec.values or ()
        return () if spec.default is None else (spec.default,)

    def _called(self, step: Step, inputs: _Values, seen: tuple[str, ...]) -> Iterator[Use]:
        called = self.runbooks.get(str(step.runbook))
        if called is None or called.id in seen:
            return  # reported by `lint_calls`
        given = {name: _filled(value, inputs) for name, value in step.with_.items()}
        for use in self._uses(called, given, (*seen, called.id)):
            calls = (called.id, *(use.calls or (use.step,)))
            yield replace(use, step=step.id, where=("runbook",), calls=calls)

    def _of_step(self, step: Step, inputs: _Values) -> Iterator[Use]:
        names = dict(inputs)
        if step.foreach is not None:
            names["item"] = _items(step.foreach, inputs)
        # an item that comes from an input is as much a choice as the input
        listed = step.foreach is not None and isinstance(step.foreach.items, list)
        parts: list[tuple[Where, str, dict[str, Any], Via]] = [
            ((), step.action, step.with_, step.via)
        ]
        for field in ("guards", "verify", "gate"):
            conditions: list[Expect] = getattr(step, field)
            for index, each in enumerate(conditions):
                parts.append(((field, index), each.action, each.with_, each.via))
        if isinstance(step.undo, Undo):
            back = [] if isinstance(step.via, AllPaths) else step.via
            parts.append((("undo",), step.undo.action, step.undo.with_, back))
        for where, name, params, via in parts:
            action = self.registry.actions.get(name)
            if action is None:
                continue
            told = _targets(action, params, names)
            targets = [t for form in told.forms for t in self._like(form)] or told.targets
            yield Use(
                step=step.id,
                where=where,
                action=name,
                targets=tuple(dict.fromkeys(t for t in targets if t in self.vias)),
                via=tuple(via.all if isinstance(via, AllPaths) else via),
                every=isinstance(via, AllPaths),
                choice=bool(told.forms or (told.used and not (told.used == {"item"} and listed))),
                guessed=bool(told.forms),
                changes=action.effect is not Effect.READ,
            )

    def _like(self, form: str) -> Sequence[str]:
        """The catalog's targets with a name of that form."""
        if form not in self._forms:
            pattern = ".+".join(map(re.escape, form.split("\0")[::2]))
            found = [name for name in self.vias if re.fullmatch(pattern, name)]
            self._forms[form] = found
        return self._forms[form]


def _taken(use: Use, paths: Sequence[str], left: Sequence[str]) -> str:
    """Of the paths that are left the one that the action takes; all or none if it needs every one."""
    if use.every:
        return " and ".join(left) if len(left) == len(paths) else ""
    return left[0] if left else ""


def _targets(action: Action, params: dict[str, Any], names: _Values) -> _Told:
    """The targets that an action may be given, and the names that decide which."""
    marks = {key: _mark(key) for key, value in params.items() if templated(value)}
    plain = _target(action, {**params, **marks})
    deciding = [key for key, mark in marks.items() if mark in plain]
    if not deciding:
        return _Told([plain] if plain else [])
    found: dict[str, None] = {}
    used: set[str] = set()
    for values, filled in _fillings([params[key] for key in deciding], names):
        used |= set(values)
        given = {**params, **marks, **dict(zip(deciding, filled, strict=True))}
        found[_target(action, given)] = None
    if found:
        return _Told([target for target in found if target and "\0" not in target], frozenset(used))
    # A name with a slash may be taken another way.
    split = _target(action, {**params, **{key: _mark(f"{key}/") for key in marks}})
    return _Told([], forms=(plain, split))


def _mark(key: str) -> str:
    """What stands for an argument that is not known."""
    return f"\0{key}\0"


def _target(action: Action, params: dict[str, Any]) -> str:
    given: BaseModel
    try:
        given = action.Params.model_validate(params)
    except ValidationError:
        given = action.Params.model_construct(**params)  # a mark is no number, for one
    try:
        return action.target(given)
    except (AttributeError, TypeError, ValueError, LookupError):
        return ""  # an argument is missing: `check` says which


def _filled(value: Any, names: _Values) -> Sequence[Any]:  # noqa: ANN401 - YAML of any shape
    """What a value with templates may come to; nothing if that cannot be told."""
    if not templated(value):
        return [value]
    return list(dict.fromkeys(filled[0] for _, filled in _fillings([value], names)))


def _fillings(texts: Sequence[Any], names: _Values) -> Iterator[tuple[dict[str, Any], list[Any]]]:
    """Each choice of the names that the texts use, and the texts with them filled in."""
    if not all(isinstance(text, str) for text in texts):
        return
    wholes = [_WHOLE.fullmatch(text) for text in texts]
    used: dict[str, None] = {}
    for text in texts:
        free, inside = roots(text), [name for kind, name in references(text) if kind == "inputs"]
        if free - {"inputs", "item"} or ("inputs" in free and not inside):
            return
        used |= dict.fromkeys([*inside, *(free & {"item"})])
    if not all(names.get(name) for name in used):
        return
    many = 1
    for name in used:
        many *= len(names[name])
    if many > _MOST:
        return
    for choice in product(*(names[name] for name in used)):
        values = dict(zip(used, choice, strict=True))
        try:
            yield (
                values,
                [
                    values[whole[1]] if whole else render(text, {"inputs": values, **values})
                    for text, whole in zip(texts, wholes, strict=True)
                ],
            )
        except BadInput:
            continue


def _items(foreach: Foreach, inputs: _Values) -> Sequence[Any]:
    if isinstance(foreach.items, list):
        found = [_filled(item, inputs) for item in foreach.items]
        return [value for values in found for value in values] if all(found) else []
    values = _filled(foreach.items, inputs)
    return [part.strip() for value in values for part in str(value).split(",") if part.strip()]
