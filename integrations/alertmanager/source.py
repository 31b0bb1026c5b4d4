"""Alertmanager's webhook, version 4, into alerts.

Alertmanager does not repeat after a 4xx, so a refused request is a lost alert. In a storm this is
the source that floods, so its payload is read into structs rather than models.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field
from msgspec.json import Decoder

from bot.contract import Alert, RawRequest
from bot.contract.source import MAX_ALERTS, alert, credential, decoded, go_time, known, require
from bot.errors import BadInput

SOURCE = "alertmanager"
VERSION = "4"


class AlertmanagerSource:
    """Alertmanager's ``webhook_configs``, payload version 4 (Alertmanager 0.6 and newer)."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """Bearer token, or HTTP basic with the secret as its password and any user name."""
        hint = "Set http_config.authorization.credentials to one of the live secrets."
        require(known(credential(request), secrets), "Alertmanager", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """The alerts of one notification; `BadInput` names the field as a JSON path."""
        try:
            payload = decoded(_PAYLOAD, request.body)
        except BadInput:
            _require_version(request.body)
            raise
        return [_alert(item, number) for number, item in enumerate(payload.alerts)]


# ── the payload, as Alertmanager documents it ────────────────────────────────────────────────


class _Item(Struct):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    fingerprint: Annotated[str, Meta(pattern=r"^[!-~]{1,128}$")]
    starts_at: Annotated[datetime, Meta(tz=True)] = field(name="startsAt")
    ends_at: Annotated[datetime, Meta(tz=True)] | None = field(name="endsAt", default=None)
    annotations: dict[str, str] = {}
    generator_url: str = field(name="generatorURL", default="")


class _Payload(Struct):
    version: Literal["4"]
    alerts: Annotated[list[_Item], Meta(max_length=MAX_ALERTS)]


class _Versioned(Struct):
    version: Any = None


_PAYLOAD = Decoder(_Payload)
_VERSION = Decoder(_Versioned)


def _require_version(body: bytes) -> None:
    """Raises `BadInput` for another version: what else is wrong follows from that."""
    version = decoded(_VERSION, body).version
    if version != VERSION and version is not None:
        raise BadInput(
            f"Field version: this is payload version {str(version)[:20]!r} and Jackline reads "
            f"version {VERSION!r} (Alertmanager 0.6 and newer).", field="version",
        )  # fmt: skip


def _alert(item: _Item, number: int) -> Alert:
    starts_at = go_time(item.starts_at, at := f"alerts[{number}].startsAt")
    if starts_at is None:
        raise BadInput(f"Field {at}: the time is not set.", field=at)
    return alert(
        SOURCE,
        fingerprint=item.fingerprint,
        firing=item.status == "firing",
        name=item.labels.get("alertname", ""),
        labels=item.labels,
        annotations=item.annotations,
        starts_at=starts_at,
        ends_at=item.ends_at and go_time(item.ends_at, f"alerts[{number}].endsAt"),
        link=item.generator_url,
        keeps_start=True,  # what it ended as Prometheus was late, it tells anew as it was
    )
