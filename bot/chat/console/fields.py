"""Fields of the console's forms, and what they say as words of a command. Pure."""

import shlex
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from bot.chat.console.completion import Facts, Offer, asked, values
from bot.runbooks.model import Input

_PREFIX = "input."  # of the fields that are a runbook's inputs


@dataclass(frozen=True)
class Field:
    """One field. ``offers`` are what a choice or a list holds.

    ``least`` and ``most`` bound a number; ``pattern`` is for the browser, the server checks again.
    """

    name: str
    label: str
    kind: Literal["choice", "list", "line", "text", "number"]
    offers: Sequence[Offer] = ()
    value: str = ""
    needed: bool = True
    least: int | None = None
    most: int | None = None
    pattern: str = ""
    hint: str = ""


def input_fields(specs: Mapping[str, Input], facts: Facts) -> list[Field]:
    """A runbook's typed inputs, those that are needed first."""
    ordered = sorted(specs.items(), key=lambda item: not item[1].required)
    return [_input_field(name, spec, facts) for name, spec in ordered]


def _input_field(name: str, spec: Input, facts: Facts) -> Field:
    offers = values(spec, facts) if spec.type in ("enum", "service", "host") else []
    kind: Literal["list", "number", "line"] = (
        "list" if offers else "number" if spec.type == "integer" else "line"
    )
    pattern = spec.pattern or (r"\s*[0-9.]+\s*(s|m|h|d)?\s*" if spec.type == "duration" else "")
    return Field(
        _PREFIX + name, name, kind, offers, "" if spec.default is None else str(spec.default),
        spec.required, spec.min, spec.max, pattern if kind == "line" else "", asked(spec),
    )  # fmt: skip


def run_words(runbook_id: str, given: Iterable[tuple[str, str]]) -> str:
    """``ID name=value …`` of the fields as they were sent; an empty one is left out."""
    words = [
        f"{name.removeprefix(_PREFIX)}={value.strip()}"
        for name, value in given
        if name.startswith(_PREFIX) and value.strip()
    ]
    return shlex.join([runbook_id, *words])
