"""Outages written down as YAML: what is read of such a file, and what is wrong with one.

The timeline is what a draft is made from. What else a file says (its cause, its impact, its figures)
is the answer sheet: it ships with our six cases, and `Outage` has no place for it.
"""

from datetime import UTC, date, datetime
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import yaml
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    model_validator,
)

from bot.located import BadFile, Problem, StrictLoader, near, place_of, read_text, unreadable

KINDS = (
    "trigger", "symptom", "detection", "action", "decision", "recovery", "communication", "access",
    "hypothesis", "step", "note", "message", "chat",
)  # fmt: skip
Kind = Literal[
    "trigger", "symptom", "detection", "action", "decision", "recovery", "communication", "access",
    "hypothesis", "step", "note", "message", "chat",
]  # fmt: skip
LONGEST = 10_000  # rows: of a file that is longer, something is wrong
_LARGEST = 8_000_000
_NO_TIME = "is not a time such as 2019-07-02T13:42:00Z"
_YEARS = (1900, 3000)
_Model = TypeVar("_Model", bound=BaseModel)


def _moment(value: object) -> object:
    """A time in UTC; one without a zone is UTC, since that is what the field is called."""
    if isinstance(value, str):
        try:
            value = datetime.fromisoformat(value)
        except ValueError:
            raise ValueError(_NO_TIME) from None
    if isinstance(value, date) and not isinstance(value, datetime):
        value = datetime(value.year, value.month, value.day, tzinfo=UTC)
    if value is not None and not isinstance(value, datetime):
        raise ValueError(_NO_TIME)
    return value and _in_utc(value)


def _in_utc(value: datetime) -> datetime:
    """Its years have room on both sides for a zone, and for minutes that are counted from there."""
    if not _YEARS[0] <= value.year < _YEARS[1]:
        raise ValueError(f"is not between the years {_YEARS[0]} and {_YEARS[1]}")
    return (value if value.tzinfo else value.replace(tzinfo=UTC)).astimezone(UTC)


def _said(value: str) -> str:
    if not value.strip():
        raise ValueError("is empty")
    return value


Utc = Annotated[datetime | None, BeforeValidator(_moment)]
Text = Annotated[str, Field(max_length=4000), AfterValidator(_said)]


class Told(BaseModel):
    """One row of a published timeline. ``utc`` null: the source gives no clock time."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    event: Text
    kind: Kind
    utc: Utc = None
    approx: bool = False
    t_plus_min: float | None = Field(default=None, ge=-100_000, le=10_000_000)
    between: tuple[Utc, Utc] | None = None
    confidence: Literal["high", "medium", "low"] | None = None
    note: str = ""

    @model_validator(mode="before")
    @classmethod
    def _no_misspelt_field(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file says
        return _spelt(value, tuple(cls.model_fields))

    @model_validator(mode="after")
    def _bounds_in_order(self) -> "Told":
        low, high = self.between or (None, None)
        if low and high and low > high:
            raise ValueError("between: the first time is after the second")
        return self


class Source(BaseModel):
    """Where it was published, and how much of it was read."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    title: Text
    publication: str = ""
    url: str = ""
    read: str = ""


class Outage(BaseModel):
    """What a draft may be drawn from."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str = Field(default="", pattern=r"^[a-z0-9][a-z0-9-]{0,80}$|^$")
    title: Text
    org: str = ""
    timeline: Annotated[list[Told], Field(min_length=1, max_length=LONGEST)]
    sources: list[Source] = []

    @model_validator(mode="before")
    @classmethod
    def _no_misspelt_field(cls, value: Any) -> Any:  # noqa: ANN401 - whatever the file says
        return _spelt(value, ("title", "timeline", "sources"))


class Published(BaseModel):
    """An improvement that the organisation announced."""

    model_config = ConfigDict(extra="forbid")

    text: Text
    type: Literal["prevent", "detect", "mitigate", "recover"]
    status: str = ""
    eta: str = ""
    confidence: str = ""
    note: str = ""


class CaseStudy(Outage):
    """One of the six cases that ship: the timeline and all that is known beside it."""

    pattern: str
    summary: Text
    root_cause: Text
    contributing: Annotated[list[Text], Field(min_length=1)]
    delayed_recovery: Annotated[list[Text], Field(min_length=1)]
    published_actions: Annotated[list[Published], Field(min_length=1)]
    impact: dict[str, Any]
    derived_metrics: dict[str, float | str | None]
    seed_differences: Annotated[list[Text], Field(min_length=1)]


def read_outage(path: Path) -> Outage:
    """An outage's file. Raises `BadFile` with file, line and field."""
    large = BadFile(Problem(str(path), 1, f"has more than {_LARGEST:,} characters"))
    if path.is_file() and path.stat().st_size > _LARGEST * 4:  # as many bytes as UTF-8 may need
        raise large
    text = read_text(path)
    if len(text) > _LARGEST:
        raise large
    return read_model(text, str(path), Outage)


def read_model(text: str, path: str, model: type[_Model]) -> _Model:
    """YAML as a model. Raises `BadFile`."""
    try:
        node, data = _loaded(text)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadFile(unreadable(error, text, path, 0)) from None
    if node is None or not isinstance(data, dict):
        raise BadFile(Problem(path, 1, "is not a mapping with title and timeline"))
    try:
        return model.model_validate(data)
    except ValidationError as error:
        raise _bad(error, node, path) from None


def _loaded(text: str) -> tuple[yaml.Node | None, Any]:
    """Its nodes, which know their lines, and what they say; read once, since a long file takes seconds."""
    loader = StrictLoader(text)
    try:
        node = loader.get_single_node()
        return node, None if node is None else loader.construct_document(node)
    finally:
        loader.dispose()


def _bad(error: ValidationError, node: yaml.Node, path: str) -> BadFile:
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = [part for part in first["loc"] if isinstance(part, int | str)]
    line, column = place_of(node, place)
    field = "".join(f"[{p}]" if isinstance(p, int) else f".{p}" for p in place).lstrip(".")
    said = _PLAINER.get(first["type"], first["msg"].removeprefix("Value error, "))
    more = error.error_count() - 1
    said += f" (and {more} more)" if more else ""
    return BadFile(Problem(path, line, f"{field}: {said}".lstrip(": "), column), field=field)


_PLAINER = {  # pydantic's words are about Python
    "model_type": "is not a mapping of fields",
    "list_type": "is not a list",
    "string_type": "is not a text",
    "tuple_type": "is not a list of two times",
    "bool_type": "is not true or false",
    "bool_parsing": "is not true or false",
    "float_type": "is not a number",
    "float_parsing": "is not a number",
    "missing": "is missing",
    "string_unicode": "has a character that is no text",
}


def _spelt(value: Any, known: tuple[str, ...]) -> Any:  # noqa: ANN401 - whatever the file says
    """Other fields are somebody's notes; one that is nearly ours is a slip that would cost a row."""
    for key in value if isinstance(value, dict) else ():
        if key not in known and (hint := near(str(key), [k for k in known if k not in value])):
            raise ValueError(f"{key!r} is not known{hint}")
    return value
