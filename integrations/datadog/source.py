"""Datadog's webhook integration into alerts: the payload is the template that the README gives.

Datadog sends again after a 5xx only, so a refused request is a lost alert. It sends no time at
which an alert began: an event's own time stands for it.
"""

import re
from collections.abc import Sequence
from typing import Annotated

from pydantic import AfterValidator

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, alert, credential, known, moment, parsed, require, tagged
from bot.errors import BadInput

SOURCE = "datadog"
FIRING = {"triggered", "no data", "warn"}
_SEVERITY = {"P1": "critical", "P2": "high", "P3": "medium", "P4": "low", "P5": "info"}
_TYPES = {"error", "warning", "info"}
_MILD = {"warning", "medium", "low", "info", "none"}
_VARIABLE = re.compile(r"\$[A-Z_]+")
_PREFIX = re.compile(
    r"\A(\[P[1-5]\]\s*)?\[(re-)?(triggered|recovered|warn|no data|renotify)[^\]]*\]\s*",
    re.IGNORECASE,
)


class DatadogSource:
    """Datadog's monitors, Synthetics among them, with the payload of this folder's README."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """A custom header ``Authorization: Bearer``, or HTTP basic from the webhook's URL."""
        hint = "Give the webhook a custom header Authorization with Bearer and a live secret."
        require(known(credential(request), secrets), "Datadog", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where no monitor changed; `BadInput` names the field."""
        event = parsed(_Event, request.body)
        word = event.alert_transition.lower().removeprefix("re-")
        if word in {"", "null"}:
            return []
        if word not in FIRING | {"renotify", "recovered"}:
            text = f"Field alert_transition: {word[:40]!r} is none that Jackline knows."
            raise BadInput(text, field="alert_transition")
        return [_alert(event, word)]


# ── the payload, as the README's template makes it ───────────────────────────────────────────


def _filled(value: str) -> str:
    """Nothing where Datadog left the variable as it was, having no value for it."""
    return "" if _VARIABLE.fullmatch(value) else value.strip()


_Value = Annotated[str, AfterValidator(_filled)]


class _Event(Loose):
    """Each field is the variable of its name."""

    alert_cycle_key: _Value
    alert_id: _Value
    alert_transition: _Value
    date: _Value
    event_title: _Value = ""
    alert_scope: _Value = ""
    alert_status: _Value = ""
    alert_priority: _Value = ""
    alert_type: _Value = ""
    event_type: _Value = ""
    text_only_msg: _Value = ""
    hostname: _Value = ""
    link: _Value = ""
    tags: _Value = ""
    synthetics_test_name: _Value = ""
    synthetics_first_failing_step_name: _Value = ""


def _alert(event: _Event, word: str) -> Alert:
    at = moment(event.date, "date")
    tags = tagged([*event.tags.split(","), *event.alert_scope.split(",")])
    own = {
        "severity": _severity(event, word, tags.get("severity", "")),
        "monitor_id": event.alert_id,
        "event_type": event.event_type,
        "transition": event.alert_transition,
    }
    notes = {
        "summary": event.alert_status,
        "description": event.text_only_msg,
        "failing_step": event.synthetics_first_failing_step_name,
    }
    return alert(
        SOURCE,
        fingerprint=_identity(event),
        firing=word != "recovered",
        name=event.synthetics_test_name or _PREFIX.sub("", event.event_title),
        # Our own stand first and win: no number of tags pushes the severity out.
        labels={**own, "host": event.hostname, **{k: v for k, v in tags.items() if not own.get(k)}},
        annotations=notes,
        starts_at=at,
        ends_at=at,
        link=event.link,
    )


def _identity(event: _Event) -> str:
    """Datadog links what belongs together, from the triggering to the recovery."""
    if event.alert_cycle_key:
        return event.alert_cycle_key
    if event.alert_id:
        return f"{event.alert_id} {event.alert_scope}".strip()
    raise BadInput(
        "Field alert_cycle_key: it is empty, and so is alert_id.", field="alert_cycle_key"
    )


def _severity(event: _Event, word: str, tag: str) -> str:
    """The monitor's priority, else its tag, else the event's type; a warning is never graver."""
    kind = event.alert_type.lower()
    given = tag or (kind if kind in _TYPES else "")
    severity = _SEVERITY.get(event.alert_priority.upper(), given)
    return "warning" if word == "warn" and severity.lower() not in _MILD else severity
