"""The whole catalog: its lists of entries, and how one of them is found."""

from collections.abc import Iterable
from datetime import datetime
from functools import cached_property

from pydantic import BaseModel

from bot.catalog.digest import WeeklyDigest
from bot.catalog.entry import STRICT
from bot.catalog.escalation import Escalation
from bot.catalog.nodes import Node
from bot.catalog.oncall import Schedule
from bot.catalog.papers import PaperPlace
from bot.catalog.path import Credential, Path
from bot.catalog.people import Contact, Notifier, Person
from bot.catalog.redaction import Redaction
from bot.catalog.regulation import Regulation
from bot.catalog.rule import Rule
from bot.catalog.senders import Heartbeat, Source
from bot.catalog.service import Service
from bot.catalog.severity import DEFAULTS, AudiencePlace, SeverityRule
from bot.catalog.spans import Freeze, Maintenance
from bot.catalog.status import StatusPage
from bot.catalog.target import AccessDrill, Target
from bot.catalog.tracker import Tracker


class Catalog(BaseModel):
    """All of ``catalog/*.yaml``, merged."""

    model_config = STRICT

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
    paper_places: list[PaperPlace] = []
    severities: list[SeverityRule] = []
    audiences: list[AudiencePlace] = []
    regulations: list[Regulation] = []
    redactions: list[Redaction] = []
    trackers: list[Tracker] = []
    digests: list[WeeklyDigest] = []

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

    def tracker(self, services: list[str]) -> Tracker | None:
        """The first that names one of these services, else the first for all."""
        mine = [t for t in self.trackers if set(t.services) & set(services)]
        return next(iter([*mine, *(t for t in self.trackers if not t.services)]), None)

    def status_page(self, page_id: str) -> StatusPage | None:
        """The status page, or None."""
        return next((p for p in self.status_pages if p.id == page_id), None)
