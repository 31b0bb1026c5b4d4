"""What an integration may be: the abilities, and the data that crosses the border.

An integration is a folder with a ``manifest.yaml`` and code that implements the abilities the
manifest declares. It imports this package and ``bot.errors``, nothing else of Jackline, and it
reaches its target only through the `Connection` it is handed (the access path), never by itself.
Errors say *whether* to retry (see ``bot.errors``); retrying is the engine's work.
"""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from typing import Annotated, Any, ClassVar, Literal, Protocol, runtime_checkable

import httpx
from msgspec import Meta, Struct
from pydantic import BaseModel, Field

from bot.contract.evidence import (
    EvidenceSource,
    Finding,
    Findings,
    Graph,
    Question,
    Series,
)
from bot.contract.frozen import Frozen
from bot.contract.manifest import Manifest, Setting
from bot.contract.paper import Paper, PaperPlace
from bot.contract.status import Published, StatusPage, StatusUpdate
from bot.contract.tickets import Filed, Ticket, Tickets

__all__ = [
    "Action",
    "Alert",
    "AlertSource",
    "AskingSource",
    "Call",
    "Change",
    "Completed",
    "ConfiguredSource",
    "Connection",
    "Duty",
    "Effect",
    "EvidenceSource",
    "Filed",
    "Finding",
    "Findings",
    "Frozen",
    "Graph",
    "Manifest",
    "Notice",
    "Notifier",
    "Pager",
    "Paper",
    "PaperPlace",
    "Preview",
    "Published",
    "Question",
    "RawRequest",
    "Receipt",
    "Series",
    "Setting",
    "Standing",
    "StatusPage",
    "StatusUpdate",
    "Ticket",
    "Tickets",
    "VendorForm",
]

# ── alerts ───────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class RawRequest:
    """One HTTP request exactly as it came; header names are lower case. A mail is a body, too.

    ``received_at`` is for vendors that send no time of their own; ``settings`` are those of the
    catalog's entry for this sender; ``documents`` is what an `AskingSource` needed, by its address.
    """

    headers: Mapping[str, str]
    body: bytes
    query: Mapping[str, str] = field(default_factory=dict)
    settings: Mapping[str, str] = field(default_factory=dict)
    documents: Mapping[str, bytes] = field(default_factory=dict)
    received_at: datetime = field(default_factory=lambda: datetime.now(UTC))


class Alert(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One firing or resolved notification. All times are UTC-aware.

    ``fingerprint`` is the alert's identity over time: the same for its firing and its resolving.
    ``keeps_start``: its sender may tell it anew after its end with the start that it had before.
    `bot.contract.source.alert` makes one within these limits. A struct, not a model: in a flood
    making and writing alerts is most of the work.
    """

    source: Annotated[str, Meta(max_length=64)]
    fingerprint: Annotated[str, Meta(min_length=1, max_length=128)]
    status: Literal["firing", "resolved"]
    name: Annotated[str, Meta(min_length=1, max_length=300)]
    labels: dict[str, str] = {}
    annotations: dict[str, str] = {}
    starts_at: Annotated[datetime, Meta(tz=True)]
    ends_at: Annotated[datetime, Meta(tz=True)] | None = None
    link: str = ""
    keeps_start: bool = False

    @property
    def summary(self) -> str:
        """What a person reads first."""
        return self.annotations.get("summary") or self.annotations.get("description") or self.name


@runtime_checkable
class AlertSource(Protocol):
    """Turns one vendor's webhook into alerts. Pure: no I/O, no clock."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """Raises `AuthFailed` unless the request proves one of the live ``secrets``."""

    def parse(self, request: RawRequest) -> list[Alert]:
        """Raises `BadInput` naming the field that is wrong."""


@runtime_checkable
class ConfiguredSource(AlertSource, Protocol):
    """One that reads as its entry in the catalog says."""

    def check(self, settings: Mapping[str, str]) -> None:
        """Raises `BadInput` whose ``field`` is the setting that is wrong."""


@dataclass(frozen=True)
class VendorForm:
    """A form to be posted to a vendor: its address and its fields."""

    url: str
    fields: Mapping[str, str] = field(repr=False)


@runtime_checkable
class AskingSource(AlertSource, Protocol):
    """One whose vendor must be asked something about a request.

    It stays pure: it says what, and Jackline asks, over the access paths of the entry in the
    catalog, within limits of time and size, and never follows where an answer leads.
    """

    def needs(self, request: RawRequest, secrets: Sequence[str]) -> str:
        """The https address of a public document that `authenticate` must have; empty for none.

        An address that only the vendor answers at. Raises `AuthFailed` where the request proves
        none of the ``secrets``: a stranger makes Jackline ask nobody.
        """

    def asks(self, request: RawRequest) -> VendorForm | None:
        """What to ask about a proven request before it is acknowledged; asked twice does no harm."""


# ── actions ──────────────────────────────────────────────────────────────────────────────────


class Effect(StrEnum):
    """What repeating an action does: decides what happens after a crash."""

    READ = "read"
    IDEMPOTENT = "idempotent"
    ONCE = "once"


class Change(Frozen):
    """One line of a plan: what a target is now and what it would be.

    ``share`` is the part of the serving capacity the change takes away, 0 to 1; None if it takes
    none or the action cannot tell.
    """

    target: str
    what: str
    before: str
    after: str
    share: float | None = None


class Preview(Frozen):
    """What an action would do, found by reading only.

    ``state`` is what was read, JSON-able: expressions see it, and `Action.undo` starts from it.
    ``told``: it says how the target is; where only doing tells, a second look shows no difference.
    ``healthy_after`` is how many healthy members would be left to serve; None where the action
    cannot tell, and then a runbook that sets a floor refuses the step.
    """

    changes: list[Change] = Field(default=[])
    state: dict[str, Any] = Field(default={})
    told: bool = True
    healthy_after: int | None = None


class Call(Frozen):
    """An action by name with its arguments: how an undo is written down."""

    action: str
    params: dict[str, Any]


class Completed(Frozen):
    """What a command on a host ended with."""

    status: int
    stdout: str
    stderr: str


class Connection(Protocol):
    """An open access path to one target.

    ``http`` is a client whose base URL is the target and whose sockets go over the path, also
    for absolute URLs (the members of a cluster); ``settings`` are the target's, secrets
    resolved. What reaches out raises `NotSent` when nothing left and `Unknown` when the answer
    never came; ``http`` raises httpx's own errors, of which `httpx.ConnectError` and
    `httpx.ConnectTimeout` mean that nothing left.
    """

    target: str
    path: str
    settings: Mapping[str, str]

    @property
    def http(self) -> httpx.AsyncClient:
        """The client."""

    async def exchange(self, request: bytes, *, timeout: float = 5.0) -> bytes:  # noqa: ASYNC109 - callers set it per target
        """Opens a TCP connection over the path, sends, reads to the end, closes."""

    def forward(
        self, address: tuple[str, int] | None = None
    ) -> AbstractAsyncContextManager[tuple[str, int]]:
        """A local (host, port) that leads over the path to the target, or to ``address``.

        For drivers that want an address. Raises `NotSent` on entering when nothing answers there.
        """

    async def run(
        self,
        argv: Sequence[str],
        *,
        stdin: str = "",
        hold: float = 0.0,
        timeout: float = 30.0,  # noqa: ASYNC109 - callers set it per command
    ) -> Completed:
        """Runs a program on the target, whose address is ``ssh://user@host``: no shell's syntax.

        ``hold`` keeps its standard input open for so many seconds, for a program that works until
        its input ends; it ends sooner when the call is cancelled, so that such a program can put
        things in order. Raises `NotSent`, `AuthFailed`, or `Unknown` when the connection broke or
        time ran out.
        """


class Action(Protocol):
    """One verb of an integration, such as ``haproxy.drain_server``."""

    name: ClassVar[str]
    effect: ClassVar[Effect]
    reverts: ClassVar[bool]  # `undo` always knows the way back to where it was
    Params: ClassVar[type[BaseModel]]

    def target(self, params: Any) -> str:  # noqa: ANN401 - each action narrows it to its Params
        """The name of the target in the catalog, such as ``envoy/edge``: what is locked."""

    async def preview(self, params: Any, connection: Connection) -> Preview:  # noqa: ANN401
        """Reads, and says what `apply` would change."""

    async def apply(self, params: Any, connection: Connection) -> dict[str, Any]:  # noqa: ANN401
        """Does it; returns JSON-able facts that the step's ``verify`` can use as ``out``."""

    async def verify(self, params: Any, connection: Connection) -> bool | None:  # noqa: ANN401
        """Reads whether `apply` took effect; None when that cannot be told."""

    def undo(self, params: Any, state: Mapping[str, Any]) -> Call | None:  # noqa: ANN401
        """The call that takes it back to ``state`` (from `Preview`); None if nothing can."""


# ── notices ──────────────────────────────────────────────────────────────────────────────────


class Notice(Frozen):
    """A short message about one incident, for people who are not in Slack.

    ``id`` is the same whenever the same notice is sent again, so that whoever gets it twice can
    tell; ``thread`` is the same for all notices of an incident. ``subject`` is one line that says
    all on a small screen; ``text`` are the lines below it. ``link`` is where whoever got it says that
    they have it, empty if nobody is asked to; a medium that is read aloud leaves it out.
    """

    id: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    thread: str = Field(pattern=r"^[a-z0-9][a-z0-9.-]{0,63}$")
    subject: str = Field(min_length=1, max_length=300)
    text: str = Field(max_length=8000)
    link: str = Field(default="", max_length=500)
    at: datetime


class Receipt(Frozen):
    """What a medium said when it took a notice.

    ``confirmed``: True where the last place that we can see has it (the broker, the chat server,
    the phone), False where the medium says that nobody got it, None where it cannot be told, or
    not yet. ``reference`` is the medium's own name for it, by which `Notifier.confirm` asks later;
    empty where the medium never tells.
    """

    confirmed: bool | None = None
    reference: str = ""
    detail: str = ""


@runtime_checkable
class Notifier(Protocol):
    """Brings a notice to a person or a group outside Slack.

    ``to`` is an address of the medium as the catalog has it; `Rejected` where it is none.
    """

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Sends it once. `NotSent` if nothing of the notice left, `Unknown` if it may have arrived."""

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """After a crash or a lost answer: the receipt if the medium has it.

        None if it has not, or if sending it again does no harm because its id tells it apart;
        `Unknown` where neither is so.
        """

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """Asks the medium whether it arrived; None where it cannot tell, or not yet."""


class Standing(Frozen):
    """How a page stands at a pager; ``by`` is who acknowledged or ended it there, if it says."""

    state: Literal["open", "acknowledged", "ended"]
    by: str = Field(default="", max_length=200)


class Duty(Frozen):
    """Somebody is on call at a pager: for what, who as it names them, and until when if it says."""

    schedule: str = Field(max_length=200)
    person: str = Field(max_length=200)
    until: datetime | None = None


@runtime_checkable
class Pager(Notifier, Protocol):
    """A notifier that pages by itself: it has schedules of its own, and is told how it went on.

    A notice opens a page there that is known by its ``thread``: the same thread again is the same
    page. Each verb may be repeated. Errors are those of `Notifier`.
    """

    async def standing(self, thread: str, to: str, connection: Connection) -> Standing | None:
        """How it stands there; None where it cannot be told."""

    async def acknowledge(self, thread: str, to: str, connection: Connection) -> None:
        """Somebody has it here: nobody is paged there any more."""

    async def resolve(self, thread: str, to: str, connection: Connection) -> None:
        """It is over."""

    async def on_call(self, connection: Connection) -> list[Duty]:
        """Who is on call there now; empty where the target's settings do not let it be asked."""
