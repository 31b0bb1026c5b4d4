"""Airbrake's webhook into alerts. It is sent for a new error and for one that is back; never for
one that is resolved, so what it fires is for people to end.
"""

from collections.abc import Sequence

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import Given, Loose, Word, alert, known, moment, parsed, require

SOURCE = "airbrake"
_SEVERITY = {"alert": "critical", "notice": "info", "debug": "info", "invalid": ""}


class AirbrakeSource:
    """The webhook integration of a project."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """The ``token`` in the URL: Airbrake documents no signature and no header to set."""
        hint = "End the webhook's URL with ?token= and one of the live secrets."
        require(known(request.query.get("token", ""), secrets), "Airbrake", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, firing; none for a body that is of no error."""
        if parsed(_Hook, request.body).error is None:
            return []
        return [_alert(parsed(_Body, request.body))]


# ── the payload, as Airbrake documents it ────────────────────────────────────────────────────


class _Project(Loose):
    id: Word = ""
    name: Word = ""


class _Notice(Loose):
    request_url: Word = ""


class _Error(Loose):
    id: Given
    last: Given = Field(alias="last_occurred_at")
    message: Word = Field(default="", alias="error_message")
    kind: Word = Field(default="", alias="error_class")
    file: Word = ""
    line: Word = Field(default="", alias="line_number")
    environment: Word = ""
    severity: Word = ""
    times: Word = Field(default="", alias="times_occurred")
    project: _Project | None = None
    last_notice: _Notice | None = None


class _Hook(Loose):
    error: object | None = None


class _Body(Loose):
    error: _Error
    link: Word = Field(default="", alias="airbrake_error_url")


def _alert(body: _Body) -> Alert:
    error, project = body.error, body.error.project or _Project()
    return alert(
        SOURCE,
        fingerprint=error.id,
        firing=True,
        name=error.kind or error.message,
        # `first_occurred_at` stays, and an error that is back would be taken for a repeat.
        starts_at=moment(error.last, "error.last_occurred_at"),
        labels={
            "severity": _SEVERITY.get(error.severity, error.severity),
            "service": project.name,
            "project_id": project.id,
            "environment": error.environment,
        },
        annotations={
            "summary": error.message or error.kind,
            "description": _description(error),
        },
        link=body.link,
    )


def _description(error: _Error) -> str:
    url = error.last_notice.request_url if error.last_notice else ""
    line = f":{error.line}" if error.line else ""
    said = [
        f"{error.file}{line}" if error.file else "",
        f"at {url}" if url else "",
        f"seen {error.times} times" if error.times else "",
    ]
    return ", ".join(s for s in said if s)
