"""Events of AWS, whichever way they come: CloudWatch's alarms, and what AWS Health says of AWS itself.

For the integrations that read them.
"""

import re
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bot.contract import Alert
from bot.contract.source import LabelName, Loose, Text, alert, moment, parsed
from bot.errors import BadInput

MAX_ENTITIES = 20
ALARM_STATES = {"ALARM": True, "OK": False}
HEALTH_STATES = {"open": True, "closed": False}
_SEVERITIES = {
    "issue": "error", "investigation": "warning", "scheduledChange": "info",
    "accountNotification": "info",
}  # fmt: skip
_CONSOLES = {
    "aws": "console.aws.amazon.com", "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}  # fmt: skip
_ALARM_ARN = re.compile(r"arn:(aws[a-z-]*):cloudwatch:([a-z0-9-]+):[0-9]*:alarm:")


def event_alerts(source: str, body: bytes) -> list[Alert] | None:
    """The alert of an event that fires or resolves one, for that source; empty where it does neither.

    None of an event about anything else. Raises `BadInput` naming the field.
    """
    kind = parsed(_Event, body)
    if kind.source == "aws.health":
        return _health(source, parsed(_HealthEvent, body))
    if (kind.source, kind.detail_type) == ("aws.cloudwatch", "CloudWatch Alarm State Change"):
        return _alarm(source, parsed(_AlarmEvent, body))
    return None


def alarm_page(arn: str, name: str) -> str:
    """The alarm in CloudWatch's console; nothing where the ARN does not say where that is."""
    found = _ALARM_ARN.match(arn)
    host = _CONSOLES.get(found[1]) if found else None
    if found is None or host is None:
        return ""
    page = f"https://{found[2]}.{host}/cloudwatch/home?region={found[2]}"
    return f"{page}#alarmsV2:alarm/{quote(name.encode('utf-8', 'replace'), safe='')}"


class _Event(Loose):
    source: Text
    detail_type: Text = Field(alias="detail-type")
    account: Text = ""
    region: Text = ""


# ── CloudWatch ───────────────────────────────────────────────────────────────────────────────


class _State(Loose):
    value: Text
    timestamp: Text
    reason: Any = None
    suppressed_by: Any = Field(default=None, alias="actionsSuppressedBy")


class _Alarm(Loose):
    name: LabelName = Field(alias="alarmName")
    state: _State
    previous: Any = Field(default=None, alias="previousState")
    configuration: Any = None
    tags: Any = Field(default=None, alias="alarmTags")
    mute: Any = Field(default=None, alias="muteDetail")


class _AlarmEvent(_Event):
    resources: list[LabelName] = Field(min_length=1)
    detail: _Alarm


def _alarm(source: str, event: _AlarmEvent) -> list[Alert]:
    """Nothing for INSUFFICIENT_DATA: it says neither that it is bad nor that it is over."""
    detail, arn = event.detail, event.resources[0]
    firing = ALARM_STATES.get(detail.state.value)
    if firing is None:
        return []
    at = moment(detail.state.timestamp, "detail.state.timestamp")
    description = _text(_get(detail.configuration, "description"))
    reason = _text(detail.state.reason)
    return [
        alert(
            source,
            fingerprint=arn,
            firing=firing,
            name=detail.name,
            starts_at=at if firing else _began(detail.previous) or at,
            ends_at=at,
            labels=_alarm_labels(event),
            annotations={"summary": description or reason or detail.name, "description": reason},
            link=alarm_page(arn, detail.name),
        )
    ]


def _began(previous: Any) -> datetime | None:  # noqa: ANN401 - any JSON
    """An alarm that is over says in its previous state since when it was one."""
    if _get(previous, "value") == "ALARM":
        with suppress(BadInput):
            return moment(_text(_get(previous, "timestamp")), "detail.previousState.timestamp")
    return None


def _alarm_labels(event: _AlarmEvent) -> dict[str, Any]:
    """What EventBridge itself says wins over the tags that people set.

    An alarm whose own actions are held back fires here all the same: a rule of the catalog can
    tell it by these labels, and none is lost where nobody thought of it.
    """
    detail = event.detail
    stats = (_get(m, "metricStat") for m in _list(_get(detail.configuration, "metrics")))
    metric = next((found for s in stats if isinstance(found := _get(s, "metric"), dict)), {})
    return {
        **_texts(detail.tags),
        **_texts(metric.get("dimensions")),
        "account": event.account,
        "region": event.region,
        "namespace": _text(metric.get("namespace")),
        "metric": _text(metric.get("name")),
        "suppressed_by": _text(detail.state.suppressed_by),
        "muted": "true" if detail.mute else "",
    }


# ── AWS Health ───────────────────────────────────────────────────────────────────────────────


class _Health(Loose):
    arn: LabelName = Field(alias="eventArn")
    code: LabelName = Field(alias="eventTypeCode")
    status: Text = Field(alias="statusCode")
    start: Text = Field(alias="startTime")
    end: Any = Field(default=None, alias="endTime")
    service: Text = ""
    category: Text = Field(default="", alias="eventTypeCategory")
    scope: Any = Field(default=None, alias="eventScopeCode")
    region: Any = Field(default=None, alias="eventRegion")
    account: Any = Field(default=None, alias="affectedAccount")
    description: Any = Field(default=None, alias="eventDescription")
    entities: Any = Field(default=None, alias="affectedEntities")
    actionability: Any = None


class _HealthEvent(_Event):
    detail: _Health


def _health(source: str, event: _HealthEvent) -> list[Alert]:
    """Nothing for ``upcoming``: it has not begun."""
    detail = event.detail
    firing = HEALTH_STATES.get(detail.status)
    if firing is None:
        return []
    starts_at = _date(detail.start, "detail.startTime")
    ends_at = None
    with suppress(BadInput):
        ends_at = _date(_text(detail.end), "detail.endTime")
    region = _text(detail.region) or event.region
    return [
        alert(
            source,
            fingerprint=detail.arn,
            firing=firing,
            name=detail.code,
            starts_at=starts_at,
            ends_at=ends_at if ends_at and ends_at >= starts_at else None,
            labels={
                "severity": _SEVERITIES.get(detail.category, ""),
                "service": detail.service.lower(),
                "account": _text(detail.account) or event.account,
                "region": region,
                "category": detail.category,
                "scope": _text(detail.scope),
                "actionability": _text(detail.actionability),
            },
            annotations={
                "summary": f"{detail.service or 'AWS'} in {region or 'AWS'}: {detail.code}",
                "description": _description(detail.description),
                "affected": _affected(detail.entities),
            },
            link=_dashboard(detail.arn),
        )
    ]


def _date(value: str, field: str) -> datetime:
    """``Fri, 27 Jan 2023 06:02:51 GMT``, as AWS Health writes it, or ISO 8601."""
    try:
        at = parsedate_to_datetime(value)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return moment(value, field)


def _description(texts: Any) -> str:  # noqa: ANN401 - any JSON
    """In English where there is more than one language."""
    found = {_text(_get(t, "language")): _text(_get(t, "latestDescription")) for t in _list(texts)}
    return found.get("en_US") or next(iter(found.values()), "")


def _affected(entities: Any) -> str:  # noqa: ANN401 - any JSON
    names = [name for e in _list(entities) if (name := _text(_get(e, "entityValue")))]
    more = f" and {len(names) - MAX_ENTITIES} more" if len(names) > MAX_ENTITIES else ""
    return ", ".join(names[:MAX_ENTITIES]) + more


def _dashboard(arn: str) -> str:
    if not arn.startswith("arn:aws:"):
        return ""  # other partitions have dashboards of their own
    event = quote(arn.encode("utf-8", "replace"), safe=":/")
    home = "https://health.aws.amazon.com/health/home#/account/event-log"
    return f"{home}?eventID={event}&eventTab=details"


# ── any JSON ─────────────────────────────────────────────────────────────────────────────────


def _get(value: Any, name: str) -> Any:  # noqa: ANN401 - any JSON
    return value.get(name) if isinstance(value, dict) else None


def _list(value: Any) -> list[Any]:  # noqa: ANN401 - any JSON
    return value if isinstance(value, list) else []


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    return value if isinstance(value, str) else ""


def _texts(value: Any) -> Mapping[str, str]:  # noqa: ANN401 - any JSON
    found = value if isinstance(value, dict) else {}
    return {name: text for name, text in found.items() if isinstance(text, str)}
