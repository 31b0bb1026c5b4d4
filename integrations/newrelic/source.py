"""The webhook of New Relic's workflows into alerts: an issue is an alert.

The payload is the template that New Relic fills in by default; one that was cut down to fewer
fields is read too, as long as it still says which issue, in which state, since when.
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, alert, credential, known, moment, parsed, require
from bot.errors import BadInput

SOURCE = "newrelic"
_STATES = {"CREATED": "firing", "ACTIVATED": "firing", "DEACTIVATED": "", "CLOSED": "resolved"}
# A condition's warning threshold makes an issue HIGH: New Relic's own templates call it a warning.
_SEVERITY = {"CRITICAL": "critical", "HIGH": "warning", "MEDIUM": "medium", "LOW": "low"}


class NewRelicSource:
    """New Relic's workflows (not the notification channels before 2022)."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """A bearer token, HTTP basic, or the same as a custom header of the destination."""
        hint = "Give the destination a bearer token that is one of the live secrets."
        require(known(credential(request), secrets), "New Relic", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where the issue is neither; `BadInput` names the field."""
        issue = parsed(_Issue, request.body)
        status = _STATES.get(issue.state)
        if status is None:
            text = f"Field state: {issue.state[:40]!r} is none that Jackline knows."
            raise BadInput(text, field="state")
        return [_alert(issue, status == "firing")] if status else []


# ── the payload, as New Relic's default template makes it ────────────────────────────────────


class _Issue(Loose):
    id: str = Field(min_length=1)
    state: str
    created_at: int = Field(alias="createdAt")
    updated_at: int | None = Field(default=None, alias="updatedAt")
    trigger: str | None = None
    title: str | None = None
    priority: str | None = None
    issue_url: str | None = Field(default=None, alias="issueUrl")
    entities: list[str] | None = Field(default=None, alias="impactedEntities")
    policies: list[str] | None = Field(default=None, alias="alertPolicyNames")
    conditions: list[str] | None = Field(default=None, alias="alertConditionNames")
    workflow: str | None = Field(default=None, alias="workflowName")


def _alert(issue: _Issue, firing: bool) -> Alert:
    created = moment(issue.created_at, "createdAt")
    updated = created if issue.updated_at is None else moment(issue.updated_at, "updatedAt")
    condition, title = _first(issue.conditions), issue.title or ""
    return alert(
        SOURCE,
        fingerprint=issue.id,
        firing=firing,
        name=condition or title,
        labels=_labels(issue, condition),
        annotations={"summary": title, "entities": ", ".join(issue.entities or [])},
        starts_at=_since(issue, created, updated),
        ends_at=updated,
        link=issue.issue_url or "",
    )


def _since(issue: _Issue, created: datetime, updated: datetime) -> datetime:
    """Since the issue is there, so that its updates and its acknowledgement say nothing new.

    A changed priority is new: with the time of the change it is not taken for a repetition.
    """
    return updated if issue.trigger == "PRIORITY_CHANGED" else created


def _labels(issue: _Issue, condition: str) -> dict[str, str]:
    """``service`` only where one entity is concerned: of several none is the one."""
    entities, priority = issue.entities or [], issue.priority or ""
    return {
        "severity": _SEVERITY.get(priority.upper(), ""),
        "service": entities[0] if len(entities) == 1 else "",
        "condition": condition,
        "policy": _first(issue.policies),
        "workflow": issue.workflow or "",
        "priority": priority,
    }


def _first(names: list[str] | None) -> str:
    return names[0] if names else ""
