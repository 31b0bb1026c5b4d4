"""Alertmanager's webhook, version 4, into alerts.

Alertmanager does not repeat after a 4xx, so a refused request is a lost alert.
"""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from bot.contract import Alert, RawRequest
from bot.contract.source import (
    MAX_ALERTS,
    GoTime,
    GoTimeSet,
    Loose,
    alert,
    credential,
    known,
    parsed,
    require,
)

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
        return [_alert(item) for item in parsed(_Payload, request.body).alerts]


# ── the payload, as Alertmanager documents it ────────────────────────────────────────────────


def _known_version(value: str) -> str:
    if value != VERSION:
        raise ValueError(
            f"this is payload version {value[:20]!r} and Jackline reads version {VERSION!r} "
            "(Alertmanager 0.6 and newer)"
        )
    return value


class _Item(Loose):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] = Field(default={})
    starts_at: GoTimeSet = Field(alias="startsAt")
    ends_at: GoTime | None = Field(default=None, alias="endsAt")
    generator_url: str = Field(default="", alias="generatorURL")
    fingerprint: str = Field(pattern=r"^[!-~]{1,128}$")


class _Payload(Loose):
    """``version`` stands first, so that its message wins over those that follow from it."""

    version: Annotated[str, AfterValidator(_known_version)]
    alerts: list[_Item] = Field(max_length=MAX_ALERTS)


def _alert(item: _Item) -> Alert:
    return alert(
        SOURCE,
        fingerprint=item.fingerprint,
        firing=item.status == "firing",
        name=item.labels.get("alertname", ""),
        labels=item.labels,
        annotations=item.annotations,
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        link=item.generator_url,
    )
