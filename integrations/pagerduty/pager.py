"""Pages by PagerDuty: an event opens an incident there, and it is told how it went on here."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

from datetime import datetime
from typing import Any

from bot.contract import Connection, Duty, Notice, Receipt, Standing
from bot.errors import Retryable

from .api import enqueue, fetch

_SUMMARY = 1024  # characters that PagerDuty keeps
_STATES = {"triggered": "open", "acknowledged": "acknowledged", "resolved": "ended"}


class PagerDutyPager:
    """The dedup key is the notice's thread: the same page again is the same incident there."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Triggers. PagerDuty's 202 says that it has it; whom it wakes is its own affair."""
        payload = {
            "summary": notice.subject[:_SUMMARY],
            "source": "jackline",
            "severity": "critical",
            "timestamp": notice.at.isoformat(),
            "component": to,
            "custom_details": {"text": notice.text},
        }
        event = {"event_action": "trigger", "dedup_key": notice.thread, "payload": payload,
                 "client": "Jackline"}  # fmt: skip
        answer = await enqueue(connection, event)
        return Receipt(confirmed=True, reference=str(answer.get("dedup_key") or notice.thread),
                       detail=f"PagerDuty: {str(answer.get('message', 'accepted'))[:200]}")  # fmt: skip

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """PagerDuty knows a repeat by the dedup key."""
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """Its answer was all that it has to say of the event."""
        return receipt.confirmed

    async def standing(self, thread: str, to: str, connection: Connection) -> Standing | None:
        """The newest incident of the dedup key; asked where the target has an api_token."""
        if not connection.settings.get("api_token"):
            return None
        query = {"incident_key": thread, "sort_by": "created_at:desc", "limit": "1"}
        found = _listed(await fetch(connection, "/incidents", query), "incidents")
        state = _STATES.get(str(found[0].get("status"))) if found else None
        if state is None:
            return None
        return Standing.model_validate({"state": state, "by": _who(found[0])})

    async def acknowledge(self, thread: str, to: str, connection: Connection) -> None:
        """Stops the escalation there."""
        await enqueue(connection, {"event_action": "acknowledge", "dedup_key": thread})

    async def resolve(self, thread: str, to: str, connection: Connection) -> None:
        """Resolves the incident there."""
        await enqueue(connection, {"event_action": "resolve", "dedup_key": thread})

    async def on_call(self, connection: Connection) -> list[Duty]:
        """Who is on call at the first level of each escalation policy, or of ``policy``."""
        if not connection.settings.get("api_token"):
            return []
        query = {"limit": "100"}
        if policy := connection.settings.get("policy", ""):
            query["escalation_policy_ids[]"] = policy
        found = _listed(await fetch(connection, "/oncalls", query), "oncalls")
        return [_duty(each) for each in found if each.get("escalation_level") == 1]


def _listed(answer: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = answer.get(name)
    if not isinstance(found, list):
        raise Retryable(f"PagerDuty's answer has no list of {name}.")
    return [each for each in found if isinstance(each, dict)]


def _who(incident: dict[str, Any]) -> str:
    """Who acknowledged it, else who changed it last."""
    given = [a.get("acknowledger") for a in incident.get("acknowledgements") or []]
    for reference in (*given, incident.get("last_status_change_by")):
        if isinstance(reference, dict) and reference.get("summary"):
            return str(reference["summary"])[:200]
    return ""


def _duty(oncall: dict[str, Any]) -> Duty:
    policy, user = (oncall.get(name) or {} for name in ("escalation_policy", "user"))
    end = oncall.get("end")
    return Duty(
        schedule=str(policy.get("summary") or policy.get("id") or "?")[:200],
        person=str(user.get("summary") or user.get("id") or "?")[:200],
        until=datetime.fromisoformat(end) if isinstance(end, str) else None,
    )
