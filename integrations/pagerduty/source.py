"""PagerDuty's webhook, version 3, into alerts: an incident over there is one alert here.

PagerDuty does not repeat after a 4xx, and switches a subscription off after three lost deliveries:
what is optional may be anything, only what makes the identity is insisted on.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import StringConstraints

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, Text, alert, is_ours, moment, parsed, require, signed

SOURCE = "pagerduty"
_FIRING = {"incident.triggered", "incident.reopened", "incident.priority_updated"}
_RESOLVED = "incident.resolved"
_GRAVITY = ("critical", "high", "medium", "low", "info")
_SEVERITY = {
    f"{word}{number}": gravity
    for number, gravity in enumerate(_GRAVITY, start=1)
    for word in ("p", "sev", "sev-")
} | {word: word for word in (*_GRAVITY, "error", "warning")}


class PagerDutySource:
    """PagerDuty's webhook subscriptions, version 3."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """``X-PagerDuty-Signature``: HMAC-SHA256 of the body, one for each secret PagerDuty has."""
        given = request.headers.get("x-pagerduty-signature", "").split(",")
        proofs = [
            signed(request.body, each.strip().removeprefix("v1="), secrets)
            for each in given
            if each.strip().startswith("v1=")
        ]
        hint = "Give Jackline the secret that PagerDuty showed when the subscription was made."
        require(any(proofs), "PagerDuty", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where the event says neither that it fires nor that it is over.

        What Jackline has paged for there is none: it would page again.
        """
        kind = parsed(_Kind, request.body).event.event_type
        if kind not in _FIRING and kind != _RESOLVED:
            return []
        event = parsed(_Payload, request.body).event
        if kind == "incident.priority_updated" and event.data.status == "resolved":
            return []
        return [] if is_ours(event.data.incident_key) else [_alert(event)]


# ── the payload, as PagerDuty documents it ───────────────────────────────────────────────────


class _EventKind(Loose):
    event_type: str


class _Kind(Loose):
    event: _EventKind


class _Incident(Loose):
    id: Annotated[Text, StringConstraints(min_length=1)]
    title: Any = None
    status: Any = None
    created_at: Any = None
    reopened_at: Any = None
    html_url: Any = None
    number: Any = None
    incident_key: Any = None
    incident_type: Any = None
    service: Any = None
    escalation_policy: Any = None
    teams: Any = None
    priority: Any = None
    urgency: Any = None


class _Event(Loose):
    event_type: str
    occurred_at: str
    data: _Incident


class _Payload(Loose):
    event: _Event


def _alert(event: _Event) -> Alert:
    incident = event.data
    at = moment(event.occurred_at, "event.occurred_at")
    title = incident.title if isinstance(incident.title, str) else ""
    return alert(
        SOURCE,
        fingerprint=incident.id,
        firing=event.event_type in _FIRING,
        name=title or f"PagerDuty incident {incident.id}",
        labels=_labels(incident),
        annotations={"summary": title},
        starts_at=min(_began(event, at), at),
        ends_at=at,
        link=incident.html_url if isinstance(incident.html_url, str) else "",
    )


def _began(event: _Event, at: datetime) -> datetime:
    """When this stretch of firing began.

    A repeat of an identity is not stored, so a change of priority begins with itself (it is to be
    heard), and what was opened again began then (its second end is to be heard too).
    """
    if event.event_type == "incident.priority_updated":
        return at
    for field in ("reopened_at", "created_at"):
        value = getattr(event.data, field)
        if isinstance(value, str) and value:
            return moment(value, f"event.data.{field}")
    return at


def _labels(incident: _Incident) -> dict[str, Any]:
    teams = incident.teams if isinstance(incident.teams, list) else []
    return {
        "severity": _severity(incident),
        "service": _named(incident.service),
        "priority": _named(incident.priority),
        "urgency": incident.urgency,
        "team": ", ".join(filter(None, map(_named, teams))),
        "escalation_policy": _named(incident.escalation_policy),
        "incident_type": _named(incident.incident_type),
        "incident_key": incident.incident_key,
        "number": incident.number,
    }


def _severity(incident: _Incident) -> str:
    """By the priority where it has a name we know, else by the urgency, which all incidents have."""
    known = _SEVERITY.get(_named(incident.priority).strip().lower())
    return known or ("low" if incident.urgency == "low" else "high")


def _named(reference: Any) -> str:  # noqa: ANN401 - optional: it may be anything
    """What people call the thing that PagerDuty refers to."""
    if not isinstance(reference, dict):
        return ""
    name = reference.get("summary") or reference.get("name")
    return name if isinstance(name, str) else ""
