"""Pages by Opsgenie: an alert there, acknowledged and closed as it goes on here."""

import hashlib
import re
from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Duty, Notice, Receipt, Standing
from bot.errors import Rejected, Retryable

from .api import fetch, post

_TO = re.compile(r"(team|schedule|escalation|user):(\S.{0,150})")
_MESSAGE, _DESCRIPTION = 130, 15_000  # characters that Opsgenie keeps
_OURS = {"source": "Jackline", "user": "Jackline"}


class OpsgeniePager:
    """The alias is the notice's thread and whom it is for: the same page again is the same alert."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Creates the alert; Opsgenie works it off afterwards, which `confirm` asks for."""
        body = {
            "message": notice.subject[:_MESSAGE],
            "alias": _alias(notice.thread, to),
            "description": notice.text[:_DESCRIPTION],
            "responders": [_responder(to)],
            "priority": "P1",
            **_OURS,
        }
        answer = await post(connection, "/v2/alerts", body)
        return Receipt(reference=str(answer.get("requestId", "")),
                       detail=f"Opsgenie: {str(answer.get('result', 'accepted'))[:200]}")  # fmt: skip

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:  # noqa: ARG002 - the contract's
        """Opsgenie knows a repeat by the alias."""
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """Whether the request was worked off, and well."""
        if not receipt.reference:
            return None
        found = await fetch(connection, f"/v2/alerts/requests/{quote(receipt.reference, safe='')}")
        done = found["data"].get("isSuccess") if found and "data" in found else None
        return done if isinstance(done, bool) else None

    async def standing(self, thread: str, to: str, connection: Connection) -> Standing | None:
        """The alert by its alias."""
        found = await fetch(connection, _path(thread, to), identifierType="alias")
        alert = found.get("data") if found else None
        if not isinstance(alert, dict):
            return None
        report = alert.get("report") or {}
        if alert.get("status") == "closed":
            return Standing(state="ended", by=str(report.get("closedBy") or "")[:200])
        by = str(report.get("acknowledgedBy") or alert.get("owner") or "")[:200]
        taken = alert.get("acknowledged") is True
        return Standing(state="acknowledged", by=by) if taken else Standing(state="open")

    async def acknowledge(self, thread: str, to: str, connection: Connection) -> None:
        """Stops the escalation there."""
        path = f"{_path(thread, to)}/acknowledge"
        await post(connection, path, dict(_OURS), identifierType="alias")

    async def resolve(self, thread: str, to: str, connection: Connection) -> None:
        """Closes the alert."""
        await post(connection, f"{_path(thread, to)}/close", dict(_OURS), identifierType="alias")

    async def on_call(self, connection: Connection) -> list[Duty]:
        """Everybody on call on each schedule."""
        found = await fetch(connection, "/v2/schedules/on-calls", flat="true")
        listed = found.get("data") if found else None
        if not isinstance(listed, list):
            raise Retryable("Opsgenie's answer has no list of who is on call.")
        return [
            Duty(schedule=_name(each)[:200], person=str(who)[:200])
            for each in listed
            if isinstance(each, dict)
            for who in each.get("onCallRecipients") or []
        ]


def _responder(to: str) -> dict[str, str]:
    found = _TO.fullmatch(to)
    if found is None:
        raise Rejected(
            f"`to` must be team:NAME, schedule:NAME, escalation:NAME or user:MAIL: {to[:80]!r} is none."
        )
    return {"type": found[1], "username" if found[1] == "user" else "name": found[2]}


def _alias(thread: str, to: str) -> str:
    """One for each of `to`; a digest, as names may hold what a path may not."""
    return f"{thread}-{hashlib.sha256(to.encode()).hexdigest()[:8]}"


def _path(thread: str, to: str) -> str:
    return f"/v2/alerts/{_alias(thread, to)}"


def _name(oncall: dict[str, Any]) -> str:
    parent = oncall.get("_parent") or {}
    return str(parent.get("name") or parent.get("id") or "?")
