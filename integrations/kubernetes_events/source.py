"""An Event object of Kubernetes, as an exporter posts it, into alerts.

core/v1 and events.k8s.io/v1 are one thing with two sets of names. What fires is an object with a
reason, whoever says it and however often.
"""

from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from string import Template
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    Given,
    GoTime,
    Loose,
    Word,
    alert,
    credential,
    known,
    parsed,
    require,
)
from bot.errors import BadInput

from .reasons import OF_THE_POD, can_end, check, ended_by, severity_of

SOURCE = "kubernetes_events"
_APP = ("app.kubernetes.io/name", "app_kubernetes_io/name")  # the latter without dots, if asked for
_PLACES = ("cluster", "namespace", "kind", "name", "reason")


class KubernetesEventsSource:
    """The webhook of an event exporter, without a layout of its own."""

    def check(self, settings: Mapping[str, str]) -> None:
        """The tables can be read, and the link names only what there is."""
        check(settings)
        try:
            Template(settings.get("link", "")).substitute(dict.fromkeys(_PLACES, "x"))
        except (ValueError, KeyError) as error:
            names = ", ".join(f"${place}" for place in _PLACES)
            text = f"{error}: an address with {names} in it, and $$ for a dollar"
            raise BadInput(text, field="link") from None

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """A header ``Authorization: Bearer``, or HTTP basic with the secret as its password."""
        hint = "Give the webhook a header Authorization with Bearer and a live secret."
        require(known(credential(request), secrets), "Kubernetes events", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """What fires, or each reason that the event says is over; none of any other event."""
        event = parsed(_Event, request.body)
        if event.subject is None:
            text = "Field involvedObject: it is missing, and so is regarding."
            raise BadInput(text, field="involvedObject")
        if not event.reason:
            raise BadInput("Field reason: it is missing.", field="reason")
        read = _Reader(event, event.subject, request)
        if severity := severity_of(event.subject.kind, event.reason, event.type_, request.settings):
            return [read.firing(severity)]
        return [read.over(reason) for reason in ended_by(event.reason, request.settings)]


# ── the object, as Kubernetes's API describes it ─────────────────────────────────────────────


class _Object(Loose):
    kind: Given
    name: Given
    namespace: Word = ""
    field_path: Word = Field(default="", alias="fieldPath")
    labels: Any = None  # the exporter's own


class _From(Loose):
    host: Word = ""


class _Series(Loose):
    count: Word = ""
    last: GoTime | None = Field(default=None, alias="lastObservedTime")


class _Meta(Loose):
    created: GoTime | None = Field(default=None, alias="creationTimestamp")


class _Event(Loose):
    """Of the two versions; what both have stands once."""

    metadata: _Meta = _Meta()
    reason: Word = ""
    type_: Word = Field(default="", alias="type")
    event_time: GoTime | None = Field(default=None, alias="eventTime")
    series: _Series | None = None
    cluster: Word = Field(default="", alias="clusterName")
    # core/v1
    involved: _Object | None = Field(default=None, alias="involvedObject")
    message: Word = ""
    source: _From | None = None
    first: GoTime | None = Field(default=None, alias="firstTimestamp")
    last: GoTime | None = Field(default=None, alias="lastTimestamp")
    count: Word = ""
    component: Word = Field(default="", alias="reportingComponent")
    # events.k8s.io/v1
    regarding: _Object | None = None
    note: Word = ""
    old_source: _From | None = Field(default=None, alias="deprecatedSource")
    old_first: GoTime | None = Field(default=None, alias="deprecatedFirstTimestamp")
    old_last: GoTime | None = Field(default=None, alias="deprecatedLastTimestamp")
    old_count: Word = Field(default="", alias="deprecatedCount")
    controller: Word = Field(default="", alias="reportingController")
    # core/v1 as well, under the same name
    instance: Word = Field(default="", alias="reportingInstance")

    @property
    def subject(self) -> _Object | None:
        return self.involved or self.regarding


class _Reader:
    """One event; who is told of it what."""

    def __init__(self, event: _Event, subject: _Object, request: RawRequest) -> None:
        self._event, self._subject, self._request = event, subject, request
        self._cluster = event.cluster or request.settings.get("cluster", "")

    def firing(self, severity: str) -> Alert:
        """A repeat is the same alert: it began when the first one came.

        Where another event can end it, each repeat counts as a beginning: Kubernetes raises the
        count of an event of the last hour also when it was over in between.
        """
        reason = self._event.reason
        repeats = can_end(reason, self._request.settings)
        starts_at = self._last() if repeats else self._first()
        return self._alert(reason, firing=True, at=starts_at, severity=severity)

    def over(self, reason: str) -> Alert:
        """The end of what fired for this reason."""
        return self._alert(reason, firing=False, at=self._last())

    def _alert(self, reason: str, *, firing: bool, at: datetime, severity: str = "") -> Alert:
        event, subject = self._event, self._subject
        said = event.message or event.note
        where = f"{subject.kind} {'/'.join(filter(None, (subject.namespace, subject.name)))}"
        own = {
            "severity": severity, "namespace": subject.namespace, "kind": subject.kind,
            "name": subject.name, "reason": reason, "node": self._node(),
            "cluster": self._cluster, "container": _container(subject.field_path),
        }  # fmt: skip
        return alert(
            SOURCE,
            fingerprint=self._identity(reason),
            firing=firing,
            name=reason,
            labels={**own, **{k: v for k, v in self._labels().items() if not own.get(k)}},
            annotations={
                "summary": f"{where}: {event.reason}" + (f": {said}" if said else ""),
                "description": said,
                "count": self._count(),
            },
            starts_at=at,
            ends_at=at,
            link=self._link(reason),
        )

    def _identity(self, reason: str) -> str:
        """By name and not by uid: the kubelet writes another one for its node than the API has."""
        subject = self._subject
        path = "" if reason in OF_THE_POD else subject.field_path
        parts = (self._cluster, subject.kind, subject.namespace, subject.name, path, reason)
        return " ".join(parts)

    def _first(self) -> datetime:
        event = self._event
        return event.first or event.old_first or event.event_time or self._last()

    def _last(self) -> datetime:
        event = self._event
        seen = event.series.last if event.series else None
        times = (seen, event.last, event.old_last, event.event_time, event.first)
        found = [at for at in times if at is not None]
        return max(found) if found else event.metadata.created or self._now()

    def _now(self) -> datetime:
        return self._request.received_at.astimezone(UTC)

    def _count(self) -> str:
        event = self._event
        of_series = event.series.count if event.series else ""
        return next(
            (n for n in (of_series, event.count, event.old_count) if n not in {"", "0"}), ""
        )

    def _node(self) -> str:
        event = self._event
        if self._subject.kind == "Node":
            return self._subject.name
        host = next((s.host for s in (event.source, event.old_source) if s and s.host), "")
        kubelet = "kubelet" in (event.controller, event.component)
        return host or (event.instance if kubelet else "")

    def _labels(self) -> dict[str, Any]:
        found = self._subject.labels
        labels = dict(found) if isinstance(found, dict) else {}
        named = next((labels[name] for name in _APP if labels.get(name)), "")
        return {"app": labels.pop("app", "") or named, **labels}

    def _link(self, reason: str) -> str:
        subject = self._subject
        values = (self._cluster, subject.namespace, subject.kind, subject.name, reason)
        places = zip(
            _PLACES, (quote(v.encode("utf-8", "replace"), safe="") for v in values), strict=True
        )
        return Template(self._request.settings.get("link", "")).safe_substitute(dict(places))


def _container(path: str) -> str:
    """``spec.containers{app}`` → ``app``."""
    return path.partition("{")[2].removesuffix("}")
