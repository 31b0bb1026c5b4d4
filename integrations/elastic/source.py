"""Kibana's webhook connector into alerts, with the body that the README gives to paste."""

import json
from collections.abc import Sequence
from typing import Any

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    Loose,
    Text,
    alert,
    credential,
    known,
    moment,
    parsed,
    require,
    tagged,
)
from bot.errors import BadInput

SOURCE = "elastic"
_RECOVERED = {"recovered", "notGeoContained"}  # every rule type's but that of tracking containment
_WORDS = {"critical", "high", "medium", "low", "warning"}  # groups that some rule types have


class ElasticSource:
    """The action of a Kibana rule, run for each alert."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """HTTP basic with the secret as its password and any user name, or a bearer token."""
        hint = "Set the connector's authentication to Basic, with a live secret as the password."
        require(known(credential(request), secrets), "Elastic", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert; none of the connector's own test, which sends the template as it is."""
        sent = parsed(_Payload, request.body)
        if sent.rule.id.startswith("{{"):
            return []
        for field, value in (("rule.id", sent.rule.id), ("alert.id", sent.alert.id)):
            if not value:
                hint = "Set the action's frequency to: For each alert."
                raise BadInput(f"Field {field}: it is empty.", hint=hint, field=field)
        return [_alert(sent)]


# ── the payload, as the README's template makes it ───────────────────────────────────────────


class _Rule(Loose):
    id: Text
    name: Any = None
    type: Any = None
    space: Any = None
    tags: Any = None
    url: Any = None


class _AlertFields(Loose):
    id: Text
    uuid: Any = None
    actionGroup: str  # noqa: N815 - the vendor's name
    actionGroupName: Any = None  # noqa: N815
    flapping: Any = None


class _Context(Loose):
    title: Any = None
    reason: Any = None
    message: Any = None
    conditions: Any = None
    alertDetailsUrl: Any = None  # noqa: N815
    link: Any = None


class _Payload(Loose):
    rule: _Rule
    alert: _AlertFields
    date: str
    context: _Context = _Context()
    labels: Any = None


def _alert(sent: _Payload) -> Alert:
    at = moment(sent.date, "date")
    context, firing = sent.context, sent.alert.actionGroup not in _RECOVERED
    name = _first(sent.rule.name) or f"Kibana rule {sent.rule.id}"
    group = _first(sent.alert.actionGroupName, sent.alert.actionGroup)
    return alert(
        SOURCE,
        fingerprint=json.dumps([sent.rule.id, sent.alert.id], separators=(",", ":")),
        firing=firing,
        name=name,
        labels=_labels(sent, group),
        annotations={
            "summary": _first(context.title, context.reason) or f"{name}: {group}",
            "description": _first(context.message, context.reason, context.conditions),
        },
        starts_at=at,
        ends_at=at,
        link=_first(context.alertDetailsUrl, context.link, sent.rule.url),
    )


def _labels(sent: _Payload, group: str) -> dict[str, Any]:
    """Tags are whoever's who writes rules; the template's own labels go before them."""
    own = {
        "rule_id": sent.rule.id,
        "rule_type": sent.rule.type,
        "space": sent.rule.space,
        "alert": sent.alert.id,
        "alert_uuid": sent.alert.uuid,
        "action_group": sent.alert.actionGroup,
        "flapping": sent.alert.flapping,
    }
    given = sent.labels if isinstance(sent.labels, dict) else {}
    given = {key: value for key, value in given.items() if value not in (None, "")}
    if "severity" not in given and group.lower() in _WORDS:
        given["severity"] = group.lower()
    return tagged(_first(sent.rule.tags).split(",")) | given | own


def _first(*values: Any) -> str:  # noqa: ANN401 - optional: they may be anything
    """The first text that is not empty."""
    return next((v.strip() for v in values if isinstance(v, str) and v.strip()), "")
