"""A runbook's parts, as written. Pure data; `bot.runbooks.read` fills it with line numbers."""

from dataclasses import dataclass
from datetime import date
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    Tag,
    model_validator,
)

from bot.catalog.durations import Duration
from bot.catalog.entry import Name
from bot.catalog.nodes import NodeId
from bot.catalog.people import Role
from bot.catalog.rule import Severity

ENOUGH = 1000  # members of one foreach: more than that is a typo or needs a runbook of its own


Amount = Annotated[
    int | Annotated[str, Field(pattern=r"^(100|[1-9]?[0-9])%$")],
    Field(description="a number, or a part of all such as 10%"),
]
Stage = Annotated[
    Annotated[int, Field(ge=1)] | Annotated[str, Field(pattern=r"^(100|[1-9][0-9]?)%$")],
    Field(description="how many by the end of the stage, or a part of all such as 10%"),
]
Who = Annotated[
    str,
    Field(
        pattern=r"^(responder|commander|approver|admin|@[a-z0-9][a-z0-9_.-]{0,62})$",
        description="a role, or @group of the catalog's people",
    ),
]


class Part(BaseModel):
    """An unknown field is an error: a typo must not silently switch off a guard."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Input(Part):
    """One typed input of a runbook. ``service`` and ``host`` are looked up in the catalog."""

    type: Literal["string", "integer", "enum", "duration", "service", "host"]
    description: str = ""
    required: bool = False
    default: str | int | None = None
    pattern: str | None = None
    values: list[str] | None = None
    min: int | None = None
    max: int | None = None


class BlastRadius(Part):
    """What a run may take away at most."""

    max_targets: int = Field(default=1, ge=1, description="targets that one step may change")
    max_changes: int = Field(default=50, ge=1, description="lines of the plan that one step makes")
    max_share: float = Field(default=1.0, gt=0, le=1, description="share of serving capacity")
    min_healthy: int = Field(default=0, ge=0, description="healthy members that must be left")


class Consent(Part):
    """Who must agree. The requester never counts."""

    count: int = Field(default=1, ge=0, le=5)
    from_: Who = Field(default="approver", alias="from")


class Approvals(Consent):
    """Who must agree before a run starts.

    An approval holds for ``ttl`` seconds: a run that has not begun by then needs it again.
    """

    ttl: Duration = 1800.0


class Freeze(Part):
    """Whether a change freeze of the catalog holds the run back, and who may override it."""

    honour: bool = True
    override: Role = "commander"


class Front(Part):
    """The YAML front matter."""

    schema_: Literal["runbook/v1"] = Field(alias="schema")
    id: Name
    title: str = Field(min_length=1, max_length=150)
    triggers: list[str] = []
    severity: list[Severity] = []
    inputs: dict[str, Input] = {}
    target: str | list[str] = Field(default=[], description="locked besides what the steps act on")
    blast_radius: BlastRadius = BlastRadius()
    approvals: Approvals = Approvals()
    freeze: Freeze = Freeze()
    timeout: Duration | None = Field(default=None, description="of a run, without its waits")
    repairs: list[NodeId] = Field(
        default=[], description="what is down when this is run, besides the services of triggers"
    )
    from_bag: bool = Field(
        default=False, description="it is run from the go-bag: it takes Jackline's own ground away"
    )
    owner: str = ""
    drilled: date | None = Field(default=None, description="the last drill")


class AllPaths(Part):
    """Looks over several paths: what they see must agree."""

    all: list[Name] = Field(min_length=2)


# The form is chosen by what is written, so that a mistake is explained in terms of that form.
Via = Annotated[
    Annotated[list[Name], Tag("list")] | Annotated[AllPaths, Tag("all")],
    Discriminator(lambda value: "all" if isinstance(value, dict | AllPaths) else "list"),
]


def listed(via: list[str] | AllPaths) -> list[str]:
    """The paths, whichever way they are written."""
    return via.all if isinstance(via, AllPaths) else via


class Expect(Part):
    """A condition in the expression language; ``else`` is what a person reads if it fails.

    With an action its answer is ``out``; over several paths the condition must hold for each.
    """

    expect: str
    otherwise: str = Field(default="", alias="else")
    action: str = ""
    with_: dict[str, Any] = Field(default={}, alias="with")
    via: Via = []


class Verify(Expect):
    """A condition that shows that the step worked; polled ``every`` until ``within``.

    With ``hold`` it must go on holding for that long.
    """

    within: Duration = 30.0
    every: Duration = 1.0
    hold: Duration | None = None


class Retry(Part):
    """How often a step that did not take effect is tried, with growing pauses."""

    attempts: int = Field(default=1, ge=1, le=10)
    backoff: Duration = 1.0
    max: Duration = 60.0


class Undo(Part):
    """How a step is taken back when it is not the action's own way."""

    action: str
    with_: dict[str, Any] = Field(default={}, alias="with")


class NoUndo(Part):
    """A step that cannot be taken back says why: people read it before approving."""

    none: str = Field(min_length=3)


def _form_of_undo(value: object) -> str:
    if isinstance(value, NoUndo) or (isinstance(value, dict) and "none" in value):
        return "none"
    return "action" if isinstance(value, dict | Undo) else "auto"


Undoing = Annotated[
    Annotated[Literal["auto"], Tag("auto")]
    | Annotated[Undo, Tag("action")]
    | Annotated[NoUndo, Tag("none")],
    Discriminator(_form_of_undo),
]


class Foreach(Part):
    """The step once for each item, which its ``with`` and guards see as ``item``."""

    items: str | list[str | int] = Field(description="a list, or an expression that gives one")
    concurrency: Amount = Field(default=1, description="items at a time")
    max_errors: Amount = Field(default=0, description="items that may fail before no more begin")


class Manual(Part):
    """What a person does with their own hands and then confirms."""

    checklist: list[Annotated[str, Field(min_length=1, max_length=300)]] = Field(min_length=1)
    by: Who = "responder"


KINDS = ("action", "manual", "wait", "notify", "runbook")
_OF_ACTIONS = {
    "via", "guards", "verify", "retry", "timeout", "foreach", "stages", "gate", "undo"
}  # fmt: skip


class Step(Part):
    """One ``yaml step`` block: an action, or something that a person, time or a runbook does."""

    id: Name
    action: str = ""
    manual: Manual | None = None
    wait: Duration | None = None
    notify: str = Field(default="", max_length=2000)
    runbook: Name | None = None
    with_: dict[str, Any] = Field(default={}, alias="with")
    via: Via = []
    needs: list[Name] | None = Field(
        default=None, description="steps to wait for; the one before if left out"
    )
    when: str = Field(default="", description="a condition; the step is skipped if it is false")
    approval: Consent | None = None
    guards: list[Expect] = []
    verify: list[Verify] = []
    retry: Retry = Retry()
    timeout: Duration = 60.0
    foreach: Foreach | None = None
    stages: list[Stage] = []
    gate: list[Verify] = Field(default=[], description="holds after a stage, or no next one")
    undo: Undoing | None = None
    on_failure: Literal["stop", "ask", "undo", "continue"] = "stop"

    @model_validator(mode="after")
    def _one_kind(self) -> "Step":
        given = [kind for kind in KINDS if getattr(self, kind)]
        if len(given) != 1:
            found = f"has {' and '.join(given)}" if given else "has none"
            raise ValueError(f"a step is one of {', '.join(KINDS)}; this one {found}")
        wrong = sorted(self.model_fields_set & _OF_ACTIONS)
        if wrong and not self.action:
            raise ValueError(f"{', '.join(wrong)}: only a step with an action can have that")
        if self.gate and not self.stages:
            raise ValueError("gate: it stands between stages, and there are none")
        if self.with_ and self.kind not in ("action", "runbook"):
            raise ValueError("with: only an action or a runbook takes arguments")
        return self

    @property
    def kind(self) -> str:
        """Which of the kinds the step is."""
        return next(kind for kind in KINDS if getattr(self, kind))


@dataclass(frozen=True)
class Written:
    """A step with its heading, its prose, its YAML and the line of the fence above that."""

    step: Step
    heading: str
    prose: str
    line: int
    source: str


@dataclass(frozen=True)
class Runbook:
    """A runbook that parsed. ``digest`` is the SHA-256 of its text."""

    path: str
    text: str
    digest: str
    front: Front
    intro: str
    steps: tuple[Written, ...]

    @property
    def id(self) -> str:
        """The runbook's name."""
        return self.front.id

    @cached_property
    def _steps(self) -> dict[str, Step]:
        return {w.step.id: w.step for w in self.steps}

    @cached_property
    def _needs(self) -> dict[str, list[str]]:
        ids = [w.step.id for w in self.steps]
        before = [[], *([i] for i in ids)]
        said = [w.step.needs for w in self.steps]
        return {
            i: one if needs is None else needs
            for i, one, needs in zip(ids, before, said, strict=False)
        }

    def step(self, step_id: str) -> Step:
        """The step of that id, which must exist."""
        return self._steps[step_id]

    def needs(self, step_id: str) -> list[str]:
        """The steps that a step waits for: what it says, else the one before it."""
        return self._needs[step_id]
