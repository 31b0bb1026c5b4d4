"""The webhooks of Sentry's internal integrations into alerts.

What a request is about is read from its signed body, not from the ``Sentry-Hook-Resource`` header,
which the signature does not cover. Sentry does not repeat after a 4xx, so a refused request is a
lost alert.
"""

import re
from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    Given,
    Loose,
    Word,
    alert,
    moment,
    parsed,
    require,
    signed,
)

SOURCE = "sentry"
_SEVERITY = {"fatal": "critical", "debug": "info"}  # other levels are known as they are
_PROJECT = re.compile(r"/projects/[^/]+/([^/]+)/")


class SentrySource:
    """Metric alerts, issue alerts, and issues created, resolved and unresolved."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """``Sentry-Hook-Signature``: the HMAC-SHA256 of the body by the client secret."""
        signature = request.headers.get("sentry-hook-signature", "")
        hint = "Give Jackline the Client Secret of the internal integration."
        require(signed(request.body, signature, secrets), "Sentry", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """At most one alert; none for what says neither firing nor resolved."""
        hook = parsed(_Hook, request.body)
        for kind, actions, read in _READERS:
            if kind in hook.data and hook.action in actions:
                return [read(request.body)]
        return []


# ── the payloads, as Sentry documents them ───────────────────────────────────────────────────


class _Hook(Loose):
    action: Given
    data: dict[str, Any]


class _Rule(Loose):
    id: Word = ""
    name: Word = ""
    aggregate: Word = ""
    query: Word = ""
    environment: Word = ""


class _Incident(Loose):
    id: Given
    date_started: Given
    date_closed: Word = ""
    projects: Any = None
    alert_rule: _Rule = _Rule()


class _MetricData(Loose):
    metric_alert: _Incident
    description_title: Word = ""
    description_text: Word = ""
    web_url: Word = ""


class _Metric(Loose):
    action: Word
    data: _MetricData


class _Event(Loose):
    issue_id: Given
    datetime: Given
    title: Word = ""
    message: Word = ""
    culprit: Word = ""
    level: Word = ""
    platform: Word = ""
    environment: Word = ""
    release: Word = ""
    url: Word = ""
    web_url: Word = ""
    tags: Any = None


class _EventData(Loose):
    event: _Event
    triggered_rule: Word = ""


class _EventAlert(Loose):
    data: _EventData


class _Project(Loose):
    slug: Word = ""


class _Issue(Loose):
    id: Given
    first_seen: Given = Field(alias="firstSeen")
    last_seen: Given = Field(alias="lastSeen")
    title: Word = ""
    culprit: Word = ""
    level: Word = ""
    platform: Word = ""
    priority: Word = ""
    substatus: Word = ""
    short_id: Word = Field(default="", alias="shortId")
    category: Word = Field(default="", alias="issueCategory")
    web_url: Word = ""
    permalink: Word = ""
    project: _Project | None = None


class _IssueData(Loose):
    issue: _Issue


class _IssueChange(Loose):
    action: Word
    data: _IssueData


# ── into alerts ──────────────────────────────────────────────────────────────────────────────


def _metric(body: bytes) -> Alert:
    hook = parsed(_Metric, body)
    data, incident = hook.data, hook.data.metric_alert
    firing = hook.action != "resolved"
    closed = incident.date_closed
    projects = incident.projects if isinstance(incident.projects, list) else []
    started = moment(incident.date_started, "data.metric_alert.date_started")
    ended = moment(closed, "data.metric_alert.date_closed") if closed else None
    return alert(
        SOURCE,
        fingerprint=f"metric_alert:{incident.id}",
        firing=firing,
        name=incident.alert_rule.name or data.description_title,
        starts_at=_graver(started) if hook.action == "critical" else started,
        ends_at=max(started, ended) if ended else None,
        labels={
            "severity": hook.action if firing else "",
            "service": projects[0] if len(projects) == 1 else "",
            "kind": "metric_alert",
            "environment": incident.alert_rule.environment,
            "aggregate": incident.alert_rule.aggregate,
            "query": incident.alert_rule.query,
            "rule_id": incident.alert_rule.id,
        },
        annotations={"summary": data.description_title, "description": data.description_text},
        link=data.web_url,
    )


def _graver(started: datetime) -> datetime:
    """The same start, told apart in its last microsecond.

    Warning and critical are one incident with one start, and an alert that fires twice with one
    start is a repeat: without this, what grows critical would stay a warning.
    """
    return started.replace(microsecond=started.microsecond ^ 1)


def _event(body: bytes) -> Alert:
    data = parsed(_EventAlert, body).data
    event, tags = data.event, _tags(data.event.tags)
    project = _PROJECT.search(event.url)
    ours = {
        "severity": _SEVERITY.get(event.level, event.level),
        "service": project[1] if project else "",
        "kind": "event_alert",
        "rule": data.triggered_rule,
        "environment": event.environment or tags.get("environment"),
        "platform": event.platform,
        "release": event.release,
    }
    return alert(
        SOURCE,
        fingerprint=f"issue:{event.issue_id}",
        firing=True,
        name=event.title or data.triggered_rule,
        starts_at=moment(event.datetime, "data.event.datetime"),
        # Who reports an error chooses its tags: they neither replace ours nor crowd them out.
        labels=ours | {name: value for name, value in tags.items() if name not in ours},
        annotations={"summary": event.title, "description": event.message or event.culprit},
        link=event.web_url,
    )


def _tags(tags: Any) -> dict[str, Any]:  # noqa: ANN401 - any JSON
    """Pairs, as ``[["browser", "Chrome"], …]``."""
    found: dict[str, Any] = {}
    for pair in tags if isinstance(tags, list) else []:
        match pair:
            case [str(name), value]:
                found[name] = value
    return found


def _issue(body: bytes) -> Alert:
    hook = parsed(_IssueChange, body)
    issue = hook.data.issue
    # What comes back after it was resolved starts anew, or it would be taken for a repeat.
    start, field = (
        (issue.first_seen, "firstSeen")
        if hook.action == "created"
        else (issue.last_seen, "lastSeen")
    )
    return alert(
        SOURCE,
        fingerprint=f"issue:{issue.id}",
        firing=hook.action != "resolved",
        name=issue.title or issue.short_id,
        starts_at=moment(start, f"data.issue.{field}"),
        labels={
            "severity": _SEVERITY.get(issue.level, issue.level),
            "service": issue.project.slug if issue.project else "",
            "kind": "issue",
            "platform": issue.platform,
            "priority": issue.priority,
            "category": issue.category,
            "substatus": issue.substatus,
            "short_id": issue.short_id,
        },
        annotations={"summary": issue.title, "description": issue.culprit},
        link=issue.web_url or issue.permalink,
    )


_READERS: tuple[tuple[str, frozenset[str], Callable[[bytes], Alert]], ...] = (
    ("metric_alert", frozenset({"critical", "warning", "resolved"}), _metric),
    ("event", frozenset({"triggered"}), _event),
    ("issue", frozenset({"created", "unresolved", "resolved"}), _issue),
)
