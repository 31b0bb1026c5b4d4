"""Rollbar's webhooks into alerts: an item is an alert, its activation the alert's beginning.

Rollbar repeats for days what is not answered with 2xx, with the same body.
"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import Given, Loose, Word, alert, known, moment, parsed, require

SOURCE = "rollbar"
# An item's level is a number, an occurrence's is a word.
_SEVERITY = {
    "50": "critical", "40": "error", "30": "warning", "20": "info", "10": "info", "debug": "info",
}  # fmt: skip
_ACTIVATED, _OCCURRED = "last_activated_timestamp", "last_occurrence_timestamp"
# event → whether it fires, and which time tells it from a repeat. A threshold that is crossed is
# news of an active item; every single occurrence of it is none.
_EVENTS = {
    "new_item": (True, _ACTIVATED),
    "reactivated_item": (True, _ACTIVATED),
    "reopened_item": (True, _ACTIVATED),
    "occurrence": (True, _ACTIVATED),
    "exp_repeat_item": (True, _OCCURRED),
    "item_velocity": (True, _OCCURRED),
    "resolved_item": (False, _ACTIVATED),
}


class RollbarSource:
    """A webhook rule's JSON: items that begin, grow and end."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """The ``token`` in the URL: Rollbar signs nothing and sends no header that one can set."""
        hint = "End the webhook's URL with ?token= and one of the live secrets."
        require(known(request.query.get("token", ""), secrets), "Rollbar", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """At most one alert; none for deploys, tests, and events that Rollbar may add."""
        event = parsed(_Hook, request.body).event_name
        return [_alert(event, request.body)] if event in _EVENTS else []


# ── the payload, as it was recorded ──────────────────────────────────────────────────────────


class _Hook(Loose):
    event_name: Given


class _Occurrence(Loose):
    uuid: Word = ""
    level: Word = ""
    language: Word = ""
    context: Word = ""
    server: dict[str, Any] | None = None


class _Item(Loose):
    id: Given
    activated: Given = Field(alias=_ACTIVATED)
    occurred: Given = Field(alias=_OCCURRED)
    title: Word = ""
    level: Word = ""
    environment: Word = ""
    project_id: Word = ""
    counter: Word = ""
    total_occurrences: Word = ""
    last_occurrence: _Occurrence | None = None


class _Trigger(Loose):
    threshold: Word = ""
    window: Word = Field(default="", alias="window_size_description")


class _Data(Loose):
    item: _Item
    occurrence: _Occurrence | None = None
    trigger: _Trigger | None = None


class _Body(Loose):
    data: _Data


def _alert(event: str, body: bytes) -> Alert:
    data = parsed(_Body, body).data
    item = data.item
    occurrence = data.occurrence or item.last_occurrence or _Occurrence()
    level = item.level or occurrence.level
    firing, time = _EVENTS[event]
    start = item.activated if time == _ACTIVATED else item.occurred
    return alert(
        SOURCE,
        fingerprint=item.id,
        firing=firing,
        name=item.title,
        starts_at=moment(start, f"data.item.{time}"),
        labels={
            "severity": _SEVERITY.get(level, level),
            "event": event,
            "environment": item.environment,
            "project_id": item.project_id,
            "item": item.counter,
            "language": occurrence.language,
            "host": (occurrence.server or {}).get("host"),
        },
        annotations={
            "summary": item.title,
            "description": _description(item, data.trigger, occurrence),
        },
        link=_link(item, occurrence),
    )


def _description(item: _Item, trigger: _Trigger | None, occurrence: _Occurrence) -> str:
    said = [
        f"{trigger.threshold} times in {trigger.window}" if trigger and trigger.threshold else "",
        f"seen {item.total_occurrences} times" if item.total_occurrences else "",
        f"in {occurrence.context}" if occurrence.context else "",
    ]
    return ", ".join(s for s in said if s)


def _link(item: _Item, occurrence: _Occurrence) -> str:
    """Rollbar sends none; it documents that an occurrence's id leads to its item."""
    if occurrence.uuid:
        return f"https://rollbar.com/item/uuid/?uuid={quote(occurrence.uuid, safe='')}"
    return f"https://rollbar.com/item/{quote(item.id, safe='')}/"
