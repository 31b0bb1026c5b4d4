"""BugSnag's webhook into alerts: an error is an alert, and so is a project's spike."""

import re
from collections.abc import Sequence

from pydantic import Field

from bot.contract import Alert, RawRequest
from bot.contract.source import Given, Loose, Word, alert, known, moment, parsed, require

SOURCE = "bugsnag"
_FIRES = {"firstException", "exception", "powerTen", "errorEventFrequency", "reopened"}
_BY_HAND = {"fixed": False, "reopened": True, "unignored": True, "snoozeCancelled": True}
_SLUG = re.compile(r"https?://[^/]+/[^/]+/([^/?#]+)")


class BugsnagSource:
    """The webhook of a project: errors that begin, grow, come back and are fixed; spikes."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """The ``token`` in the URL: BugSnag documents no signature and no header to set."""
        hint = "End the webhook's URL with ?token= and one of the live secrets."
        require(known(request.query.get("token", ""), secrets), "BugSnag", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """At most one alert; none for releases, comments, and what is snoozed or ignored."""
        trigger = parsed(_Hook, request.body).trigger
        if trigger.type == "projectSpiking":
            return [_spike(request)]
        firing = _fires(trigger)
        return [] if firing is None else [_error(request.body, firing=firing)]


# ── the payload, as BugSnag documents it ─────────────────────────────────────────────────────


class _Trigger(Loose):
    type: Given
    message: Word = ""
    rate: Word = ""
    state_change: Word = Field(default="", alias="stateChange")


class _Hook(Loose):
    trigger: _Trigger


class _Project(Loose):
    id: Word = ""
    name: Word = ""
    url: Word = ""


class _App(Loose):
    version: Word = ""
    stage: Word = Field(default="", alias="releaseStage")


class _Event(Loose):
    """The event that set the trigger off; ``app`` is newer than the fields beside it."""

    received: Word = Field(default="", alias="receivedAt")
    exception: Word = Field(default="", alias="exceptionClass")
    message: Word = ""
    context: Word = ""
    severity: Word = ""
    url: Word = ""
    stage: Word = Field(default="", alias="releaseStage")
    version: Word = Field(default="", alias="appVersion")
    app: _App | None = None


class _Error(_Event):
    id: Given = Field(alias="errorId")
    received: Given = Field(alias="receivedAt")


class _ErrorBody(Loose):
    trigger: _Trigger
    project: _Project = _Project()
    error: _Error


class _SpikeProject(_Project):
    id: Given


class _SpikeBody(Loose):
    trigger: _Trigger
    project: _SpikeProject
    error: _Event | None = None


def _fires(trigger: _Trigger) -> bool | None:
    """Whether the error fires or is over; None where the trigger says neither."""
    if trigger.type == "errorStateManualChange":
        return _BY_HAND.get(trigger.state_change)
    return True if trigger.type in _FIRES else None


def _error(body: bytes, *, firing: bool) -> Alert:
    sent = parsed(_ErrorBody, body)
    error = sent.error
    context = f" in {error.context}" if error.context else ""
    return alert(
        SOURCE,
        fingerprint=f"error:{error.id}",
        firing=firing,
        name=error.exception or error.message,
        # The event's own time, as an error that comes back is else a repeat of its first event.
        starts_at=moment(error.received, "error.receivedAt"),
        labels=_labels(sent.trigger, sent.project, error),
        annotations={
            "summary": f"{error.exception}{context}" if error.exception else error.message,
            "description": error.message,
        },
        link=error.url,
    )


def _spike(request: RawRequest) -> Alert:
    sent = parsed(_SpikeBody, request.body)
    event = sent.error or _Event()
    many = f": {sent.trigger.rate} events" if sent.trigger.rate else ""
    return alert(
        SOURCE,
        fingerprint=f"spike:{sent.project.id}",
        firing=True,
        name=f"Spike of errors in {sent.project.name or sent.project.id}",
        starts_at=moment(event.received, "error.receivedAt")
        if event.received
        else request.received_at,
        labels=_labels(sent.trigger, sent.project, event),
        annotations={
            "summary": f"Spike of errors in {sent.project.name or sent.project.id}{many}",
            "description": event.message or sent.trigger.message,
        },
        link=sent.project.url,
    )


def _labels(trigger: _Trigger, project: _Project, event: _Event) -> dict[str, str]:
    app = event.app or _App()
    slug = _SLUG.match(project.url)
    return {
        "severity": event.severity,
        "service": slug[1] if slug else project.name,
        "project": project.name,
        "trigger": trigger.type,
        "environment": app.stage or event.stage,
        "version": app.version or event.version,
        "context": event.context,
    }
