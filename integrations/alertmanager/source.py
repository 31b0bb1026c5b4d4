"""Alertmanager's webhook, version 4, into alerts.

A refused request is a lost alert (Alertmanager does not repeat after a 4xx), so what can be
shortened is shortened and only what cannot be trusted is refused. Nothing here does I/O.
"""

import base64
import binascii
import hmac
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
)

from bot.contract import Alert, RawRequest
from bot.errors import AuthFailed, BadInput

SOURCE = "alertmanager"
VERSION = "4"
MAX_ALERTS = 10_000
MAX_LABELS = 100
MAX_LABEL = 4_096
MAX_ANNOTATION = 8_192
MAX_NAME = 300
MAX_LINK = 2_048


class AlertmanagerSource:
    """Alertmanager's ``webhook_configs``, payload version 4 (Alertmanager 0.6 and newer)."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """Bearer token, or HTTP basic with the secret as its password and any user name.

        Every live secret is compared, in constant time, whether or not an earlier one fitted.
        """
        offered = _offered(request.headers.get("authorization", ""))
        fits = [hmac.compare_digest(offered, _bytes(secret)) for secret in secrets if secret]
        if not offered or not any(fits):
            raise AuthFailed(
                "The Alertmanager webhook carried no valid secret.",
                hint="Set http_config.authorization.credentials to one of the live secrets.",
            )

    def parse(self, request: RawRequest) -> list[Alert]:
        """The alerts of one notification; `BadInput` names the field as a JSON path."""
        try:
            payload = _Payload.model_validate_json(request.body)
        except ValidationError as error:
            raise _bad_input(error) from error
        return [_alert(item) for item in payload.alerts]


# ── the secret ───────────────────────────────────────────────────────────────────────────────


def _offered(header: str) -> bytes:
    """What the request claims as its secret; empty when there is none to be found."""
    scheme, _, value = header.strip().partition(" ")
    value = value.strip()
    if scheme.lower() == "bearer":
        return _bytes(value)
    if scheme.lower() == "basic":
        try:
            return base64.b64decode(_bytes(value), validate=True).partition(b":")[2]
        except binascii.Error:
            return b""
    return b""


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")


# ── the payload, as Alertmanager documents it ────────────────────────────────────────────────


def _known_version(value: str) -> str:
    if value != VERSION:
        raise ValueError(
            f"this is payload version {value[:20]!r} and Jackline reads version {VERSION!r} "
            "(Alertmanager 0.6 and newer)"
        )
    return value


def _to_utc(value: datetime) -> datetime | None:
    """Go's zero time, 0001-01-01, means *not set*."""
    if value.year == 1:
        return None
    try:
        return value.astimezone(UTC)
    except OverflowError as error:
        raise ValueError("the time is out of range") from error


def _set(value: datetime | None) -> datetime:
    if value is None:
        raise ValueError("the time is not set")
    return value


def _printable(value: str) -> str:
    if "\x00" in value:
        raise ValueError("a NUL character is not allowed")
    return value


_Text = Annotated[str, AfterValidator(_printable)]
_LabelName = Annotated[_Text, StringConstraints(min_length=1, max_length=MAX_LABEL)]
_LabelValue = Annotated[_Text, StringConstraints(max_length=MAX_LABEL)]
_Time = Annotated[AwareDatetime, AfterValidator(_to_utc)]


class _Loose(BaseModel):
    """Fields that a later Alertmanager adds are not an error."""

    model_config = ConfigDict(extra="ignore", strict=True)


class _Item(_Loose):
    status: Literal["firing", "resolved"]
    labels: dict[_LabelName, _LabelValue] = Field(max_length=MAX_LABELS)
    annotations: dict[_LabelName, _Text] = Field(default={}, max_length=MAX_LABELS)
    starts_at: Annotated[_Time, AfterValidator(_set)] = Field(alias="startsAt")
    ends_at: _Time | None = Field(default=None, alias="endsAt")
    generator_url: _Text = Field(default="", alias="generatorURL")
    fingerprint: str = Field(pattern=r"^[!-~]{1,128}$")


class _Payload(_Loose):
    """``version`` stands first, so that its message wins over those that follow from it."""

    version: Annotated[str, AfterValidator(_known_version)]
    alerts: list[_Item] = Field(max_length=MAX_ALERTS)


# ── across the border ────────────────────────────────────────────────────────────────────────


def _alert(item: _Item) -> Alert:
    return Alert(
        source=SOURCE,
        fingerprint=item.fingerprint,
        status=item.status,
        name=(item.labels.get("alertname") or "unnamed alert")[:MAX_NAME],
        labels=item.labels,
        annotations={k: _shortened(v) for k, v in item.annotations.items()},
        starts_at=item.starts_at,
        ends_at=item.ends_at if item.status == "resolved" else None,
        link=_safe_link(item.generator_url),
    )


def _shortened(value: str) -> str:
    return value if len(value) <= MAX_ANNOTATION else value[: MAX_ANNOTATION - 1] + "…"


def _safe_link(url: str) -> str:
    """A link people will click: only http(s), and none rather than half a one."""
    fits = url.startswith(("http://", "https://")) and len(url) <= MAX_LINK
    return url if fits and not any(c.isspace() for c in url) else ""


def _bad_input(error: ValidationError) -> BadInput:
    first: Any = error.errors(include_url=False, include_context=False, include_input=False)[0]
    path = _json_path(first["loc"])
    message = str(first["msg"]).removeprefix("Value error, ")
    where = f"Field {path}" if path else "The body"
    return BadInput(f"{where}: {message}."[:500], field=path or "$")


def _json_path(location: tuple[int | str, ...]) -> str:
    """``("alerts", 2, "startsAt")`` → ``alerts[2].startsAt``."""
    parts = [f"[{p}]" if isinstance(p, int) else f".{p}" for p in location]
    return "".join(parts)[:200].lstrip(".")
