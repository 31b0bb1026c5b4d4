"""The catalog's shape. Pure data; every field is checked when it is read."""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cached_property
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    Field,
    field_validator,
    model_validator,
)

from bot.catalog.checks import Check
from bot.catalog.durations import Duration
from bot.catalog.entry import STRICT, Name, Seconds
from bot.catalog.escalation import Escalation, Reach
from bot.catalog.matching import Match, matches
from bot.catalog.oncall import Schedule
from bot.catalog.regulation import Regulation
from bot.catalog.rule import Rule, Severity
from bot.catalog.schedule import check_schedule, check_timezone
from bot.catalog.severity import DEFAULTS, AudiencePlace, SeverityRule
from bot.catalog.spans import Freeze, Maintenance, UtcTime
from bot.catalog.status import StatusPage

Address = Annotated[str, Field(pattern=r"^(https?|tcp|ssh)://[^\s/]+")]
Role = Literal["responder", "commander", "approver", "admin"]
_SERVICE = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}")
_NODE = re.compile(r"slack|internet|[a-z][a-z0-9_]{0,30}:[a-z0-9][a-z0-9_./-]{0,62}")


def _node(value: str) -> str:
    if not _NODE.fullmatch(value):
        raise ValueError(f"{value!r} must be kind:name, such as dns:corp, or slack")
    return value


def _service_or_node(value: str) -> str:
    return value if _SERVICE.fullmatch(value) else _node(value)


def _reachable(value: str) -> str:
    """Reading the port is what finds it wrong."""
    if value and (urlsplit(value).hostname is None or urlsplit(value).port == 0):
        raise ValueError("it names no host and port")
    return value


NodeId = Annotated[
    str,
    AfterValidator(_node),
    Field(
        description="what may fail: slack, internet, or kind:name such as dns:corp, sso:okta, "
        "vpn:office, k8s:main, region:eu-1, network:corp, service:ID, path:NAME, target:NAME, "
        "credential:NAME, jackline:store"
    ),
]
Kind = Literal["direct", "pinned", "proxy", "ssh", "interface", "bmc", "cloud"]
# kind → the fields of its own; the first of them is needed
_OWN: dict[str, tuple[str, ...]] = {
    "direct": (),
    "pinned": ("connect_to",),
    "proxy": ("proxy",),
    "ssh": ("hops",),
    "interface": ("bind", "connect_to"),
    "bmc": ("", "bind", "connect_to"),
    "cloud": (),
}
_MEANS = {"connect_to", "proxy", "hops", "bind"}


class Entry(BaseModel):
    """An unknown field in the catalog is an error, with its file and line."""

    model_config = STRICT


class Evidence(Entry):
    """What to look up when this service has an incident."""

    integration: Name
    target: str
    about: dict[str, str] = Field(
        default={}, description="which part of the target is the service's, such as a project"
    )
    queries: dict[str, str] = Field(
        default={}, description="title → query; left out: what the integration asks by itself"
    )
    link: str = Field(
        default="", pattern=r"^(https?://\S+)?$",
        description="a page to look on; $since and $until are the window in milliseconds",
    )  # fmt: skip


class Service(Entry):
    """One service: who owns it, how much it matters, what it needs."""

    id: Name
    title: str
    tier: Literal["p0", "p1", "p2"]
    owner: str = ""
    depends_on: list[Annotated[str, AfterValidator(_service_or_node)]] = Field(
        default=[], description="services, and kind:name"
    )
    cost_per_minute: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    currency: str = "USD"
    slo: float | None = Field(default=None, gt=0, lt=1)
    public: str = Field(
        default="", max_length=100,
        description="what customers call it; left out: no draft for customers names it",
    )  # fmt: skip
    checks: list[Check] = []
    evidence: list[Evidence] = []
    links: dict[
        Annotated[str, Field(min_length=1, max_length=100)],
        Annotated[str, Field(pattern=r"^https?://[^\s|<>\"@]{1,900}$")],
    ] = Field(
        default={}, description="title → address: bookmarked in its incidents' channels, such as "
        "the call and the document",
    )  # fmt: skip


class Person(Entry):
    """A person and what they may do; (workspace, user id) leads here."""

    id: Name
    name: str
    email: str = ""
    slack: list[str] = Field(default=[], description="workspace:user, such as T012:U345")
    groups: list[Name] = []
    roles: list[Role] = ["responder"]
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="in which this person's times are read: Europe/Berlin"
    )
    reach: list[Reach] = Field(default=[], description="how the person is paged")
    age: str = Field(
        default="", pattern=r"^(age1[0-9a-z]{58})?$",
        description="the person's own age recipient: their go-bag codes are encrypted to it",
    )  # fmt: skip

    @field_validator("slack")
    @classmethod
    def _workspace_and_user(cls, value: list[str]) -> list[str]:
        for entry in value:
            if entry.count(":") != 1:
                raise ValueError(f"{entry!r} must be workspace:user, such as T012:U345")
        return value

    def has(self, who: str) -> bool:
        """Whether the person has the role, or is in the ``@group``; an admin has every role."""
        if who.startswith("@"):
            return who[1:] in self.groups
        return who in self.roles or "admin" in self.roles


class Node(Entry):
    """Something that may fail, and what it stands on: ``dns:corp`` on ``network:corp``.

    ``jackline:store``, ``:placement``, ``:secrets``, ``:chat`` and ``:identity`` are the bot's own.
    """

    id: NodeId
    title: str = ""
    depends_on: list[NodeId] = []


class Credential(Entry):
    """A secret by reference, used elsewhere as ``credential:NAME``.

    ``emergency``: made beforehand for the day when nothing else works; it must not come from SSO.
    """

    name: Name
    ref: str = Field(pattern=r"^(env|file|age|vault):\S+$")
    expires: UtcTime | None = None
    emergency: bool = False
    owner: str = ""
    depends_on: list[NodeId] = []


class Hop(Entry):
    """A host that SSH jumps over: its address, the key to log in with, its own public key."""

    url: Annotated[str, Field(pattern=r"^ssh://[^\s/@:]+@[^\s/@]+$"), AfterValidator(_reachable)]
    key: str = Field(description="a reference to the private key")
    host_key: str = Field(description='such as "ssh-ed25519 AAAA…"')


class Path(Entry):
    """A named way to open a TCP connection to (host, port).

    ``direct`` as the machine does; ``pinned`` by address instead of DNS, certificates still
    checked against the name; ``proxy`` over SOCKS5 or HTTP CONNECT; ``ssh`` over one or more
    bastions; ``interface`` from an out-of-band address or network card; ``bmc`` and ``cloud``
    lead to a machine's management controller and to a provider's control plane.
    """

    name: Name
    kind: Kind = "direct"
    connect_to: dict[str, str] = Field(default={}, description="host → address")
    proxy: Annotated[
        str, Field(pattern=r"^((socks5|http)://[^\s/@]+:[0-9]{1,5})?$"), AfterValidator(_reachable)
    ] = ""
    hops: list[Hop] = Field(default=[], max_length=5)
    bind: str = Field(default="", pattern=r"^[A-Za-z0-9.:_-]{0,64}$")
    credential: Name | None = Field(default=None, description="user:password of a proxy")
    depends_on: list[NodeId] = []
    rank: int = Field(default=0, ge=0, le=1000, description="a lower one is tried first")
    owner: str = ""

    @model_validator(mode="after")
    def _means_of_its_kind(self) -> "Path":
        own = _OWN[self.kind]
        given = {name for name in _MEANS if getattr(self, name)}
        if wrong := sorted(given - set(own)):
            raise ValueError(f"{wrong[0]}: a path of kind {self.kind} has none")
        if own[:1] not in ((), ("",)) and own[0] not in given:
            raise ValueError(f"{own[0]}: a path of kind {self.kind} needs it")
        if self.credential and self.kind != "proxy":
            raise ValueError(f"credential: a path of kind {self.kind} has none; a hop has its key")
        return self


class Probe(Entry):
    """The reading action that proves a path to the target, end to end."""

    action: str
    with_: dict[str, object] = Field(default={}, alias="with")


class Target(Entry):
    """Something an action acts on, and the access paths that lead to it, best first."""

    name: str = Field(pattern=r"^[a-z0-9_]+/[a-z0-9_.-]+$")
    url: Address
    also: list[Address] = Field(default=[], description="tried when nothing answers at `url`")
    via: list[Name] = Field(default=["direct"], min_length=1)
    of: list[NodeId] = Field(default=[], description="what it is a part of: service:payments")
    depends_on: list[NodeId] = Field(default=[], description="what it needs to take an order")
    probe: Probe | None = Field(default=None, description="proves the paths to it, by reading")
    headers: dict[str, str] = {}
    settings: dict[str, str] = Field(default={}, description="values, env:NAME or file:PATH")


class Source(Entry):
    """A sender of alerts, who sends to ``/webhooks/NAME``: one of several of a kind, or with settings."""

    name: str = Field(pattern=r"^[a-z][a-z0-9_]{0,63}$")
    integration: Name
    settings: dict[str, str] = {}
    via: list[Name] = Field(
        default=[], description="access paths to its vendor, where that must be asked; else direct"
    )


class Heartbeat(Entry):
    """A sign of life that must come: by alerts that match, or to ``/heartbeats/ID``.

    Without one for ``every`` and ``grace`` an alert fires, and ``escalate`` after that a critical one.
    """

    id: Name
    title: str = Field(default="", max_length=100)
    match: Match | None = Field(default=None, description="labels of the alert that is the sign")
    every: Duration
    grace: Duration = 60.0
    escalate: Duration | None = Field(default=None, description="after it began to fire")
    service: Name | None = None
    severity: Literal["critical", "error", "warning", "info"] = "error"

    @property
    def name(self) -> str:
        """For people."""
        return self.title or self.id

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether an alert with these labels is the sign."""
        return self.match is not None and matches(self.match, labels)


class Notifier(Entry):
    """Who is told outside Slack, and by what. ``to`` is an address of the integration's medium."""

    id: Name
    integration: Name
    target: str
    to: list[Annotated[str, Field(min_length=1, max_length=200)]] = []
    when: Literal["slack_down", "always", "pages"] = Field(
        default="slack_down", description="pages: only who is paged hears by it"
    )
    after: Seconds = Field(default=60.0, description="seconds Slack may be late: `slack_down`")
    severity: list[Severity] = Field(default=["sev1", "sev2"], min_length=1)
    per_minute: int = Field(default=6, ge=1, le=600, description="notices, to all of `to` together")

    @model_validator(mode="after")
    def _somebody(self) -> "Notifier":
        if not self.to and self.when != "pages":
            raise ValueError("to: only a notifier with `when: pages` has none")
        return self


class Contact(Entry):
    """Whom to reach when chat is down: a person, a vendor, a bridge to meet on."""

    name: str = Field(min_length=1, max_length=100)
    how: Literal["phone", "bridge", "radio", "mail", "chat", "place", "other"] = "phone"
    value: str = Field(min_length=1, max_length=300)
    note: str = Field(default="", max_length=500)


class AccessDrill(Entry):
    """What is taken to be down, and when the ways that are left are really tried.

    Without ``least``, no way that a runbook would take may fail.
    """

    name: Name
    down: list[Annotated[str, AfterValidator(_service_or_node)]] = Field(min_length=1)
    schedule: Annotated[str, AfterValidator(check_schedule)]
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    least: float | None = Field(
        default=None, ge=0, le=1, description="the share of runbooks that must be proven to run"
    )
    owner: str = ""


class Catalog(Entry):
    """All of ``catalog/*.yaml``, merged."""

    services: list[Service] = []
    people: list[Person] = []
    rules: list[Rule] = []
    targets: list[Target] = []
    paths: list[Path] = [Path(name="direct")]
    credentials: list[Credential] = []
    nodes: list[Node] = []
    freezes: list[Freeze] = []
    maintenance: list[Maintenance] = []
    sources: list[Source] = []
    heartbeats: list[Heartbeat] = []
    notifiers: list[Notifier] = []
    contacts: list[Contact] = []
    drills: list[AccessDrill] = []
    schedules: list[Schedule] = []
    escalations: list[Escalation] = []
    status_pages: list[StatusPage] = []
    severities: list[SeverityRule] = []
    audiences: list[AudiencePlace] = []
    regulations: list[Regulation] = []

    def severity(self, severity: str) -> SeverityRule:
        """The rules of a severity: those of the catalog, else the ones that ship."""
        return next((s for s in self.severities if s.id == severity), DEFAULTS[severity])

    def audience(self, audience: str) -> AudiencePlace | None:
        """Where an audience's updates go, or None if the catalog does not say."""
        return next((a for a in self.audiences if a.id == audience), None)

    def regulation(self, law: str) -> Regulation | None:
        """The regulation, or None where it does not apply."""
        return next((r for r in self.regulations if r.id == law), None)

    def service(self, service_id: str) -> Service | None:
        """The service, or None if the catalog does not know it."""
        if self._by_id[0] is not self.services:  # a copy with other services
            del self.__dict__["_by_id"]
        return self._by_id[1].get(service_id)

    @cached_property
    def _by_id(self) -> tuple[list[Service], dict[str, Service]]:
        """A storm asks for services by the hundred thousand."""
        return self.services, {service.id: service for service in self.services}

    def person(self, person_id: str) -> Person | None:
        """The person, or None."""
        return next((p for p in self.people if p.id == person_id), None)

    def among(self, names: Iterable[str]) -> list[str]:
        """The ids of the persons who are named, or in a ``@group`` that is; in the catalog's order."""
        wanted = set(names)
        return [
            p.id
            for p in self.people
            if p.id in wanted or any(f"@{group}" in wanted for group in p.groups)
        ]

    def person_of_slack(self, team: str, user: str) -> Person | None:
        """The person behind a Slack user of a workspace, or None: then they may do nothing."""
        return next((p for p in self.people if f"{team}:{user}" in p.slack), None)

    def source(self, name: str) -> Source | None:
        """The sender of alerts, or None."""
        return next((s for s in self.sources if s.name == name), None)

    def target(self, name: str) -> Target | None:
        """The target, or None."""
        return next((t for t in self.targets if t.name == name), None)

    def notifier(self, notifier_id: str) -> Notifier | None:
        """The notifier, or None."""
        return next((n for n in self.notifiers if n.id == notifier_id), None)

    def frozen(self, at: datetime, services: list[str]) -> Freeze | None:
        """The freeze that holds at this time for one of the services, or None."""
        for freeze in self.freezes:
            concerns = not freeze.services or set(freeze.services) & set(services)
            if freeze.on(at) and concerns:
                return freeze
        return None

    def credential(self, name: str) -> Credential | None:
        """The credential, or None."""
        return next((c for c in self.credentials if c.name == name), None)

    def path(self, name: str) -> Path | None:
        """The access path, or None."""
        return next((p for p in self.paths if p.name == name), None)

    def drill(self, name: str) -> AccessDrill | None:
        """The access drill, or None."""
        return next((d for d in self.drills if d.name == name), None)

    def schedule(self, schedule_id: str) -> Schedule | None:
        """The on-call schedule, or None."""
        return next((s for s in self.schedules if s.id == schedule_id), None)

    def escalation(self, escalation_id: str) -> Escalation | None:
        """The escalation policy, or None."""
        return next((e for e in self.escalations if e.id == escalation_id), None)

    def status_page(self, page_id: str) -> StatusPage | None:
        """The status page, or None."""
        return next((p for p in self.status_pages if p.id == page_id), None)
