"""A run's typed inputs. Pure."""

import re
from collections.abc import Mapping
from typing import Any

from bot.catalog import Catalog
from bot.catalog.durations import seconds
from bot.errors import BadInput
from bot.located import near
from bot.runbooks.model import Input

_LENGTH = 500
_LARGEST = 2**53 - 1  # beyond it, JSON readers disagree about an integer's value


def check_inputs_spec(inputs: Mapping[str, Input]) -> list[tuple[tuple[str, ...], str]]:
    """Where the inputs as declared are wrong, and why."""
    found: list[tuple[tuple[str, ...], str]] = []
    for name, spec in inputs.items():
        mine: list[tuple[str, str]] = []
        if spec.type == "enum" and not spec.values:
            mine.append(("values", "an enum needs its values"))
        if spec.type == "string" and not spec.pattern:
            mine.append(("pattern", "a string needs a pattern: it may come from an alert"))
        if spec.pattern:
            try:
                re.compile(spec.pattern)
            except re.error as error:
                mine.append(("pattern", str(error)))
        if spec.min is not None and spec.max is not None and spec.min > spec.max:
            mine.append(("min", f"{spec.min} is above max, {spec.max}"))
        if spec.default is not None and not mine:
            try:
                _one(name, spec, spec.default)
            except BadInput as error:
                mine.append(("default", error.message))
        found += [(("inputs", name, field), message) for field, message in mine]
    return found


def resolve_inputs(
    specs: Mapping[str, Input], given: Mapping[str, Any], catalog: Catalog
) -> dict[str, Any]:
    """The inputs with defaults filled in; a duration is in seconds.

    Raises `BadInput` naming the field.
    """
    for name in given:
        if name not in specs:
            known = ", ".join(specs) or "none"
            raise BadInput(f"There is no input {name!r}.", hint=f"Inputs: {known}.", field=name)
    resolved = {}
    for name, spec in specs.items():
        value = given.get(name, spec.default)
        if value is None:
            if spec.required:
                raise BadInput(f"The input {name!r} is needed.", hint=f"Add {name}=…", field=name)
            continue
        resolved[name] = _one(name, spec, value)
        if spec.type in ("service", "host"):
            _must_exist(name, spec, str(value), catalog)
    return resolved


def _must_exist(name: str, spec: Input, value: str, catalog: Catalog) -> None:
    known = (
        [s.id for s in catalog.services]
        if spec.type == "service"
        else [t.name.removeprefix("ssh/") for t in catalog.targets if t.name.startswith("ssh/")]
    )
    if value not in known:
        guess = near(value, known) or f". Known: {', '.join(known) or 'none'}."
        raise BadInput(f"{name}: the catalog has no {spec.type} {value!r}{guess}", field=name)


def _one(name: str, spec: Input, value: Any) -> str | int | float:  # noqa: ANN401 - what a person or a file gave
    if spec.type == "integer":
        return _integer(name, spec, value)
    if spec.type == "duration":
        return _duration(name, spec, value)
    text = str(value)
    if len(text) > _LENGTH:
        raise BadInput(f"{name}: longer than {_LENGTH} characters.", field=name)
    if not text.isprintable():
        raise BadInput(f"{name}: {text!r} holds a character that cannot be printed.", field=name)
    if text.startswith("-"):
        raise BadInput(f"{name}: must not begin with '-': it would read as an option.", field=name)
    if spec.type == "enum" and text not in (spec.values or []):
        raise BadInput(
            f"{name}: {text!r} is not one of {', '.join(spec.values or [])}.", field=name
        )
    if spec.pattern and not re.fullmatch(spec.pattern, text):
        raise BadInput(f"{name}: {text!r} does not match {spec.pattern}.", field=name)
    return text


def _duration(name: str, spec: Input, value: Any) -> float:  # noqa: ANN401 - what a person or a file gave
    try:
        found = float(str(seconds(value)))
    except ValueError as error:
        raise BadInput(f"{name}: {value!r:.80} {error}", field=name) from None
    low, high = spec.min or 0, spec.max or _LARGEST
    if not low <= found <= high:
        raise BadInput(f"{name}: {found:g} s is not between {low} s and {high} s.", field=name)
    return found


def _integer(name: str, spec: Input, value: Any) -> int:  # noqa: ANN401 - what a person or a file gave
    try:
        number = int(str(value), 10)
    except ValueError:
        raise BadInput(f"{name}: {value!r:.80} is not a whole number.", field=name) from None
    if abs(number) > _LARGEST:
        raise BadInput(f"{name}: {number} is too large.", field=name)
    if spec.min is not None and number < spec.min:
        raise BadInput(f"{name}: {number} is below {spec.min}.", field=name)
    if spec.max is not None and number > spec.max:
        raise BadInput(f"{name}: {number} is above {spec.max}.", field=name)
    return number
