"""CloudEvents 1.0 over HTTP into alerts: structured, batched and binary mode.

The format does not say which events are bad news, so the sender's entry in the catalog does.
"""

import re
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime
from fnmatch import fnmatchcase
from typing import Annotated, Any, Literal
from urllib.parse import unquote

from pydantic import BaseModel, ConfigDict, Field, RootModel, ValidationError

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    MAX_ALERTS,
    LabelName,
    Text,
    alert,
    bad_input,
    credential,
    known,
    moment,
    parsed,
    parsed_json,
    require,
    safe_link,
)
from bot.errors import BadInput

SOURCE = "cloudevents"
FORMATS = "application/cloudevents"
BATCHES = "application/cloudevents-batch"
_PATTERN = re.compile(r"[A-Za-z0-9_./:*-]{1,200}")
_VERSION = re.compile(r"\.v\d+$")
_SEVERITIES = {"fatal": "critical", "warn": "warning", "debug": "info", "trace": "info"}
# OpenTelemetry's numbers, which the severity extension refers to: 21 to 24 are fatal, and so on
_NUMBERS = ((21, "critical"), (17, "error"), (13, "warning"), (1, "info"))


class CloudEventsSource:
    """A sender of CloudEvents 1.0, some of whose types fire and some resolve."""

    def check(self, settings: Mapping[str, str]) -> None:
        """Both settings are lists of patterns, and no pattern is in both."""
        firing, resolved = _patterns(settings, "firing"), _patterns(settings, "resolved")
        if both := sorted(set(firing) & set(resolved)):
            raise BadInput(f"{both[0]!r} is also in firing", field="resolved")

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """A bearer token, in the header or as ``access_token`` in the query."""
        proven = known(credential(request), secrets)
        proven |= known(request.query.get("access_token", ""), secrets)
        require(proven, "CloudEvents", "Send one of the live secrets as a bearer token.")

    def parse(self, request: RawRequest) -> list[Alert]:
        """The events whose type the settings name; the others give no alert."""
        patterns = {n: _patterns(request.settings, n) for n in ("resolved", "firing")}
        found = []
        for at, event in _events(request):
            # what resolves first, so that firing may be everything else
            names = [n for n, p in patterns.items() if any(fnmatchcase(event.type, x) for x in p)]
            if names:
                found.append(_alert(event, names[0] == "firing", at, request.received_at))
        return found


def _patterns(settings: Mapping[str, str], name: str) -> list[str]:
    patterns = [pattern.strip() for pattern in settings.get(name, "").split(",")]
    for pattern in patterns:
        if not _PATTERN.fullmatch(pattern):
            text = f"{pattern[:50]!r} is no type, such as com.acme.disk.full or com.acme.*.failed"
            raise BadInput(text, field=name)
    return patterns


# ── the event, as CloudEvents 1.0 defines it ─────────────────────────────────────────────────


class _Event(BaseModel):
    """What it does not name are extension attributes."""

    model_config = ConfigDict(extra="allow", strict=True)

    specversion: Literal["1.0"]
    id: Any = None  # another one for each event: it is no alert's identity
    type: LabelName
    source: LabelName
    subject: Text | None = None
    time: Text | None = None
    datacontenttype: Any = None
    data: Any = None
    data_base64: Any = None

    @property
    def stem(self) -> str:
        """The type without its last word, which says what happened, and its version."""
        return _VERSION.sub("", self.type).rpartition(".")[0] or self.type


_Batch = RootModel[Annotated[list[_Event], Field(max_length=MAX_ALERTS)]]


def _events(request: RawRequest) -> list[tuple[str, _Event]]:
    """Each with its place in the body."""
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if not media.startswith(FORMATS):
        return [("", _binary(request, media))]
    if not media.endswith("+json"):
        text = f"The event format {media[:100]!r} is not read: send JSON."
        raise BadInput(text, field="content-type")
    if media.startswith(BATCHES):
        batch = parsed(_Batch, request.body).root
        return [(f"[{n}].", event) for n, event in enumerate(batch)]
    return [("", parsed(_Event, request.body))]


def _binary(request: RawRequest, media: str) -> _Event:
    """Attributes are headers, the body is the data, which no alert needs."""
    values: dict[str, Any] = {
        name.removeprefix("ce-"): _header(name, value)
        for name, value in request.headers.items()
        if name.startswith("ce-") and name not in ("ce-data", "ce-datacontenttype")
    }
    values["datacontenttype"] = media
    if media.endswith(("/json", "+json")):
        with suppress(BadInput):
            values["data"] = parsed_json(request.body)
    elif media == "text/plain":
        values["data"] = request.body.decode("utf-8", "replace")
    try:
        return _Event.model_validate(values)
    except ValidationError as error:
        raise bad_input(error) from None


def _header(name: str, value: str) -> str:
    """Quotes taken off, as older senders set them, then percent signs decoded once."""
    if len(value) > 1 and value.startswith('"') and value.endswith('"'):
        value = re.sub(r"\\(.)", r"\1", value[1:-1])
    try:
        return unquote(value, errors="strict")
    except UnicodeDecodeError:
        raise BadInput(f"Header {name}: not UTF-8.", field=name) from None


# ── across the border ────────────────────────────────────────────────────────────────────────


def _alert(event: _Event, firing: bool, at: str, received_at: datetime) -> Alert:
    data = event.data if isinstance(event.data, dict) else {}
    time = moment(event.time, f"{at}time") if event.time else received_at
    subject = event.subject or ""
    media = str(event.datacontenttype or "application/json").partition(";")[0].lower()
    plain = isinstance(event.data, str) and media in ("text/plain", "application/json")
    return alert(
        SOURCE,
        fingerprint=f"{event.source} {subject or event.stem}",
        firing=firing,
        name=event.stem,
        starts_at=time,
        ends_at=time,
        labels={
            **{k: v for k, v in (event.model_extra or {}).items() if _simple(v)},
            "type": event.type,
            "source": event.source,
            "subject": subject,
            **({"service": data["service"]} if _simple(data.get("service")) else {}),
            **_severity(event, data),
        },
        annotations={
            "summary": _text(data, "summary") or f"{event.type} {subject}".strip(),
            "description": event.data if plain else _text(data, "description"),
        },
        link=safe_link(_text(data, "link")) or event.source,
    )


def _severity(event: _Event, data: dict[str, Any]) -> dict[str, str]:
    """From the data, or else from the severity extension."""
    extra = event.model_extra or {}
    word = _text(data, "severity") or _text(extra, "severitytext")
    if word:
        return {"severity": _SEVERITIES.get(word.lower(), word.lower())}
    number = str(extra.get("severitynumber", ""))
    if re.fullmatch(r"[0-9]{1,2}", number):
        return {"severity": next(w for n, w in (*_NUMBERS, (0, "info")) if int(number) >= n)}
    return {}


def _simple(value: Any) -> bool:  # noqa: ANN401 - any JSON
    return isinstance(value, str | int | float)


def _text(values: Mapping[str, Any], name: str) -> str:
    value = values.get(name)
    return value if isinstance(value, str) else ""
