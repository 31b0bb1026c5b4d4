"""A runbook's parts, as written. Pure data; `bot.runbooks.read` fills it with line numbers."""

from dataclasses import dataclass
from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from bot.catalog.model import Name, Severity

_UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600}


def seconds(value: object) -> object:
    """``90s``, ``5m``, ``2h``, ``250ms`` as seconds; numbers are refused: say the unit."""
    text = str(value).strip()
    for unit, factor in _UNITS.items():
        number = text.removesuffix(unit)
        if number != text and number.replace(".", "", 1).isdigit():
            return float(number) * factor
    raise ValueError("must be a duration such as 30s, 5m or 2h")


Duration = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=7 * 86_400)]


class Part(BaseModel):
    """An unknown field is an error: a typo must not silently switch off a guard."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class Input(Part):
    """One typed input of a runbook."""

    type: Literal["string", "integer", "enum"]
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
    max_share: float = Field(default=1.0, gt=0, le=1, description="share of serving capacity")


class Approvals(Part):
    """Who must agree before a run starts. The requester never counts.

    An approval holds for ``ttl`` seconds: a run that has not begun by then needs it again.
    """

    count: int = Field(default=1, ge=0, le=5)
    role: Literal["responder", "commander", "approver", "admin"] = "approver"
    ttl: Duration = 1800.0


class Front(Part):
    """The YAML front matter."""

    schema_: Literal["runbook/v1"] = Field(alias="schema")
    id: Name
    title: str = Field(min_length=1, max_length=150)
    triggers: list[str] = []
    severity: list[Severity] = []
    inputs: dict[str, Input] = {}
    blast_radius: BlastRadius = BlastRadius()
    approvals: Approvals = Approvals()
    owner: str = ""


class Expect(Part):
    """A condition in the expression language; ``else`` is what a person reads if it fails."""

    expect: str
    otherwise: str = Field(default="", alias="else")


class Verify(Expect):
    """A condition that shows that the step worked; polled ``every`` until ``within``."""

    within: Duration = 30.0
    every: Duration = 1.0
    action: str = ""
    with_: dict[str, Any] = Field(default={}, alias="with")


class Retry(Part):
    """How often a step that did not take effect is tried, with growing pauses."""

    attempts: int = Field(default=1, ge=1, le=10)
    backoff: Duration = 1.0


class Undo(Part):
    """How a step is taken back when it is not the action's own way."""

    action: str
    with_: dict[str, Any] = Field(default={}, alias="with")


class NoUndo(Part):
    """A step that cannot be taken back says why: people read it before approving."""

    none: str = Field(min_length=3)


class Step(Part):
    """One ``yaml step`` block."""

    id: Name
    action: str
    with_: dict[str, Any] = Field(default={}, alias="with")
    via: list[Name] = []
    guards: list[Expect] = []
    verify: list[Verify] = []
    retry: Retry = Retry()
    timeout: Duration = 60.0
    undo: Literal["auto"] | Undo | NoUndo = "auto"
    on_failure: Literal["stop", "undo", "continue"] = "stop"


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
