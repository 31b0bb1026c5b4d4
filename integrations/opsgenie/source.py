"""Opsgenie's outgoing webhook into alerts; Jira Service Management sends the same."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any
from urllib.parse import quote

from pydantic import StringConstraints

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    Loose,
    Text,
    alert,
    credential,
    is_ours,
    known,
    moment,
    parsed,
    require,
    safe_link,
    tagged,
)
from bot.errors import BadInput

SOURCE = "opsgenie"
SITE = "https://app.opsgenie.com"
_FIRING = {"Create", "UpdatePriority"}
_RESOLVED = {"Close", "Delete"}  # what is deleted is never closed
_SEVERITY = {"1": "critical", "2": "high", "3": "medium", "4": "low", "5": "info"}
_FINER_THAN_MS = 10**14  # a millisecond of the year 5138


class OpsgenieSource:
    """Opsgenie's webhook integration."""

    def check(self, settings: Mapping[str, str]) -> None:
        """The site's address, where one is set."""
        site = settings.get("site", SITE)
        if not safe_link(site):
            raise BadInput(f"{site[:100]!r} is no http(s) address.", field="site")

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """A custom header, ``Authorization: Bearer`` with the secret: Opsgenie signs nothing."""
        hint = "Give the webhook integration the custom header Authorization: Bearer SECRET."
        require(known(credential(request), secrets), "Opsgenie", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where the action says neither that it fires nor that it is over.

        What Jackline has paged for there is none: it would page again.
        """
        action = parsed(_Kind, request.body).action
        if action not in _FIRING and action not in _RESOLVED:
            return []
        item = parsed(_Payload, request.body).alert
        if is_ours(item.alias):
            return []
        return [_alert(action, item, request.settings.get("site", SITE))]


# ── the payload, as Opsgenie documents it ────────────────────────────────────────────────────


class _Kind(Loose):
    action: str


class _Item(Loose):
    alertId: Annotated[Text, StringConstraints(min_length=1)]  # noqa: N815 - the vendor's name
    createdAt: int | str  # noqa: N815
    updatedAt: Any = None  # noqa: N815
    message: Any = None
    description: Any = None
    priority: Any = None
    details: Any = None
    tags: Any = None
    entity: Any = None
    alias: Any = None
    tinyId: Any = None  # noqa: N815
    team: Any = None
    source: Any = None


class _Payload(Loose):
    alert: _Item


def _alert(action: str, item: _Item, site: str) -> Alert:
    created = _moment(item.createdAt, "alert.createdAt")
    # A repeat of an identity is not stored, and a new priority is to be heard: it begins anew.
    updated = action == "UpdatePriority" or (action in _RESOLVED and item.updatedAt is not None)
    at = _moment(item.updatedAt, "alert.updatedAt") if updated else created
    message = item.message if isinstance(item.message, str) else ""
    return alert(
        SOURCE,
        fingerprint=item.alertId,
        firing=action in _FIRING,
        name=message or f"Opsgenie alert {item.alertId}",
        labels=_labels(item),
        annotations={"summary": message, "description": item.description},
        starts_at=at if action == "UpdatePriority" else created,
        ends_at=max(at, created),
        link=f"{site.rstrip('/')}/alert/detail/{quote(item.alertId, safe='')}/details",
    )


def _labels(item: _Item) -> dict[str, Any]:
    """Opsgenie's own words first: details and tags come from whoever sent the alert there."""
    own = {
        "severity": _SEVERITY.get(str(item.priority).strip().upper().removeprefix("P")),
        "priority": item.priority,
        "entity": item.entity,
        "alias": item.alias,
        "tiny_id": item.tinyId,
        "team": item.team,
        "origin": item.source,
    }
    details = item.details if isinstance(item.details, dict) else {}
    written = [t for t in item.tags if isinstance(t, str)] if isinstance(item.tags, list) else []
    tags = tagged(t if ":" in t else t.replace("=", ":", 1) for t in written)
    said = {key: value for key, value in own.items() if value not in (None, "")}
    return {**said, **{k: v for k, v in (tags | details).items() if k not in said}}


def _moment(value: Any, field: str) -> datetime:  # noqa: ANN401 - checked here
    """Milliseconds, or what Opsgenie makes of them: a million times that, and a count."""
    try:
        number = int(value) if isinstance(value, int | str) and value is not True else -1
    except ValueError:
        number = -1
    if number < 0:
        raise BadInput(f"Field {field}: {str(value)[:40]!r} is no time.", field=field)
    return moment(number // 10**6 if number > _FINER_THAN_MS else number, field)
