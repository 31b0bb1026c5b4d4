"""What a step comes to: one unit, or one for each item and stage. Pure.

A unit has an id of its own in the journal, such as ``drain[web1]`` or ``roll[10%]``, so that
what was done and what is to be undone is known for each of them.
"""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.errors import BadInput
from bot.runbooks.expressions import render
from bot.runbooks.model import ENOUGH, Runbook, Step

_LABEL = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./:@-]{0,99}")


@dataclass(frozen=True)
class Unit:
    """One thing to do; ``names`` is what its expressions see besides the run's own."""

    id: str
    step: Step
    names: Mapping[str, Any]


@dataclass(frozen=True)
class Batch:
    """Units that may be done together, ``concurrency`` at a time; a gate may follow."""

    label: str
    units: tuple[Unit, ...]
    concurrency: int = 1


def batches(step: Step, names: Mapping[str, Any]) -> list[Batch]:
    """The step's units, in the order of its stages. Raises `BadInput` for no or wrong items."""
    if step.foreach is None:
        if not step.stages:
            return [Batch("", (Unit(step.id, step, {}),))]
        return [
            Batch(str(stage), (Unit(f"{step.id}[{stage}]", step, {"stage": _number(stage)}),))
            for stage in step.stages
        ]
    items = _items(step, names)
    units = [Unit(f"{step.id}[{item}]", step, {"item": item}) for item in items]
    wide = max(1, portion(step.foreach.concurrency, len(items)))
    if not step.stages:
        return [Batch("", tuple(units), wide)]
    found, done = [], 0
    for stage in step.stages:
        until = min(len(units), portion(stage, len(units)))
        if until > done:
            found.append(Batch(str(stage), tuple(units[done:until]), wide))
            done = until
    return found


def unit_of(unit_id: str, step: Step, names: Mapping[str, Any]) -> Unit:
    """The unit that has this id. Raises `BadInput` if the step has none such (any more)."""
    for batch in batches(step, names):
        for unit in batch.units:
            if unit.id == unit_id:
                return unit
    raise BadInput(f"{unit_id} is no longer one of the items of {step.id}.")


def step_of(unit_id: str) -> str:
    """The step's id in a unit's."""
    return unit_id.partition("[")[0]


def limits(runbook: Runbook) -> dict[str, float]:
    """Seconds that the runbook gives each step at most, or has it wait; of people's it says nothing."""
    steps = [written.step for written in runbook.steps]
    given = {s.id: s.timeout if s.action else s.wait for s in steps}
    return {step: seconds for step, seconds in given.items() if seconds is not None}


def portion(amount: int | str, total: int) -> int:
    """A number as it is; ``10%`` of ``total``, rounded up: one percent of three is one."""
    if isinstance(amount, int):
        return amount
    return math.ceil(total * int(amount.rstrip("%")) / 100)


def reached(step: Step) -> bool:
    """Whether the last stage takes in everything: else items would be left out silently."""
    return not step.stages or step.stages[-1] == "100%" or step.foreach is None


def _items(step: Step, names: Mapping[str, Any]) -> list[str | int]:
    if step.foreach is None:
        raise BadInput(f"step {step.id} has no foreach")
    written = step.foreach.items
    found = render(written, names)  # once: what a value brings along is never a template
    if isinstance(written, str) and isinstance(found, str):
        found = [part.strip() for part in found.split(",") if part.strip()]
    if not isinstance(found, list | tuple) or not all(isinstance(i, str | int) for i in found):
        raise BadInput(f"step {step.id}: foreach.items gives {found!r:.200}, no list of names")
    if not found:
        raise BadInput(
            f"step {step.id}: foreach.items is empty.",
            hint="A step that would act on nothing is refused: look at what gives the list.",
        )
    if len(set(found)) != len(found):
        raise BadInput(f"step {step.id}: foreach.items names something twice: {found!r:.200}")
    if len(found) > ENOUGH:
        raise BadInput(f"step {step.id}: foreach.items has {len(found)} items; {ENOUGH} at most")
    if wrong := [i for i in found if not _LABEL.fullmatch(str(i))]:
        raise BadInput(f"step {step.id}: foreach.items has {wrong[0]!r:.80}, which is no name")
    return list(found)


def _number(stage: int | str) -> int:
    return stage if isinstance(stage, int) else int(stage.rstrip("%"))
