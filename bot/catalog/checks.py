"""A built-in check of a service, of one of several kinds. Pure data, checked when it is read."""

import re
from collections.abc import Iterable
from string import Template
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

import dns.exception
import dns.name
import dns.rdata
import dns.rdatatype
import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import (
    BaseModel,
    BeforeValidator,
    Field,
    JsonValue,
    ValidationInfo,
    field_validator,
    model_validator,
)

from bot.catalog.durations import seconds
from bot.catalog.entry import STRICT, Name, Seconds

Kind = Literal["http", "tcp", "tls", "dns", "postgres", "redis"]
_OWN: dict[str, tuple[str, ...]] = {  # kind → the fields that no other kind has
    "http": ("expect_status", "steps"),
    "tls": ("expires_within",),
    "dns": ("name", "type", "expect"),
}
_SCHEMES = {"http": ("http", "https"), "tls": ("https", "tcp")}
_Status = Annotated[int, Field(ge=100, le=599)]
_Age = Annotated[float, BeforeValidator(seconds), Field(gt=0, le=366 * 86_400)]


def pattern_of(picked: str) -> str | None:
    """The regular expression of ``/…/``; None for JMESPath, which never begins so."""
    return picked[1:-1] if len(picked) > 2 and picked[0] == picked[-1] == "/" else None  # noqa: PLR2004 - two slashes


def texts(value: JsonValue) -> list[str]:
    """Every text in a body, at any depth."""
    if isinstance(value, dict):
        return [text for each in value.values() for text in texts(each)]
    if isinstance(value, list):
        return [text for each in value for text in texts(each)]
    return [value] if isinstance(value, str) else []


class CheckStep(BaseModel):
    """One request of a journey. ``$name`` stands for what an earlier step saved, ``$$`` for a dollar."""

    model_config = STRICT

    path: str = Field(pattern=r"^/[^\s#]*$", description="below the check's address")
    method: Literal["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"] = "GET"
    body: JsonValue = Field(default=None, description="sent as JSON; a text as a form")
    expect_status: _Status = 200
    contains: str = Field(default="", max_length=1000)
    save: dict[Annotated[str, Field(pattern=r"^[a-z_][a-z0-9_]{0,62}$")], str] = Field(
        default={}, description="name → JMESPath, or /regular expression/ with one group"
    )

    @field_validator("path", "body", "contains")
    @classmethod
    def _dollars(cls, value: Any) -> Any:  # noqa: ANN401 - a text or any JSON
        for text in texts(value):
            if not Template(text).is_valid():
                raise ValueError("a $ must be followed by a name, or by another $")
        return value

    @field_validator("save")
    @classmethod
    def _can_be_picked(cls, value: dict[str, str]) -> dict[str, str]:
        for name, picked in value.items():
            pattern = pattern_of(picked)
            try:
                if pattern is None:
                    jmespath.compile(picked)
                elif re.compile(pattern).groups != 1:
                    raise ValueError(f"{name}: the expression must have one group")
            except (JMESPathError, re.error) as error:
                said = str(error).splitlines()[0].rstrip(":")
                raise ValueError(f"{name}: {said}") from None
        return value

    @property
    def uses(self) -> set[str]:
        """The names that it takes from before."""
        found = [self.path, self.contains, *texts(self.body)]
        return {name for text in found for name in Template(text).get_identifiers()}


class Check(BaseModel):
    """A built-in synthetic probe of a service, over one access path or several. Durations in seconds.

    What is asked is an address of its own (``url``) or a target of the catalog, whose headers and
    settings then serve.
    """

    model_config = STRICT

    id: Name
    kind: Kind = "http"
    url: str = Field(default="", pattern=r"^(https?|tcp)://")
    target: str = ""
    via: list[Name] = Field(default=[], description="access paths; left out: the target's first")
    every: Seconds = 10.0
    timeout: Seconds = Field(default=5.0, description="seconds for one request")
    requests: int = Field(default=1, ge=1, le=50, description="requests in one probe")
    fail_after: int = Field(default=2, ge=1, le=100, description="failed probes that fire")
    recover_after: int = Field(default=3, ge=1, le=100, description="good probes that resolve")
    max_error_rate: float = Field(default=0.1, ge=0, le=1)
    max_ms: float | None = Field(default=None, gt=0, description="a slower answer is a failed one")
    expect_status: _Status = 200
    steps: list[CheckStep] = Field(default=[], max_length=20)
    expires_within: _Age = Field(default=14 * 86_400.0, description="of the certificate")
    name: str = Field(default="", description="the name that is looked up")
    type: str = Field(default="A", description="the type of record")
    expect: list[str] = Field(default=[], description="all its values; left out: any answer")

    @field_validator("expect_status", "steps", "expires_within", "name", "type", "expect")
    @classmethod
    def _of_its_kind(cls, value: Any, info: ValidationInfo) -> Any:  # noqa: ANN401 - of any field
        kind = info.data.get("kind", "http")
        if info.field_name not in _OWN.get(kind, ()):
            raise ValueError(f"a check of kind {kind} has none")
        return value

    @field_validator("url")
    @classmethod
    def _address_of_its_kind(cls, value: str, info: ValidationInfo) -> str:
        kind = info.data.get("kind", "http")
        if kind == "postgres":
            raise ValueError("a check of kind postgres needs a target, which has the login")
        schemes = _SCHEMES.get(kind, ("tcp",))
        if value.partition("://")[0] not in schemes:
            said = " or ".join(f"{scheme}://" for scheme in schemes)
            raise ValueError(f"a check of kind {kind} begins with {said}")
        if value.startswith("tcp:") and not (urlsplit(value).hostname and urlsplit(value).port):
            raise ValueError("it names no host and port")
        return value

    @field_validator("target")
    @classmethod
    def _target_of_its_kind(cls, value: str, info: ValidationInfo) -> str:
        if info.data.get("kind") == "postgres" and not value.startswith("postgres/"):
            raise ValueError("a check of kind postgres needs a target postgres/…")
        return value

    @field_validator("name", "type")
    @classmethod
    def _of_dns(cls, value: str, info: ValidationInfo) -> str:
        try:
            if info.field_name == "name":
                dns.name.from_text(value)
            else:
                dns.rdatatype.from_text(value)
        except (dns.exception.DNSException, UnicodeError, ValueError):
            raise ValueError(f"{value!r} is none that DNS knows") from None
        return value

    @field_validator("expect")
    @classmethod
    def _are_values(cls, value: list[str], info: ValidationInfo) -> list[str]:
        kind = info.data.get("type", "A")
        try:
            _rdata(kind, value)
        except (dns.exception.DNSException, ValueError) as error:
            raise ValueError(f"no values of type {kind}: {error}") from None
        return value

    @model_validator(mode="after")
    def _whole(self) -> "Check":
        if bool(self.url) == bool(self.target):
            raise ValueError("url: a check has either it or a target")
        if self.kind == "dns" and not self.name:
            raise ValueError("name: a check of kind dns needs it")
        return self

    @property
    def expected(self) -> set[dns.rdata.Rdata]:
        """To be compared with an answer: of an address or a name there are several spellings."""
        return _rdata(self.type, self.expect)


def _rdata(kind: str, texts: Iterable[str]) -> set[dns.rdata.Rdata]:
    root = dns.name.root
    return {dns.rdata.from_text("IN", kind, t, origin=root, relativize=False) for t in texts}
