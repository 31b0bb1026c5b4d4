"""The webhook of Grafana's contact points into alerts: its own payload, version 1.

It looks like Alertmanager's and is another: a version of its own, a signature, links to panels.
After any refusal Grafana tries no sooner than its group's next interval.
"""

from collections.abc import Sequence
from datetime import datetime
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
    signed,
)

SOURCE = "grafana"
VERSION = "1"
MAX_AGE = 300  # seconds between the signature's time and its arrival
TIMESTAMP = "x-grafana-alerting-timestamp"
# The first is what the documentation calls the default, the second what the signing code had.
SIGNATURES = ("x-grafana-alerting-signature", "x-grafana-alert-signature")


class GrafanaSource:
    """Grafana Alerting's webhook contact point (Grafana 8 and newer; signatures from 12)."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """An HMAC of the body, with its time or without; else bearer, else basic's password.

        A signature that is there must fit: no other proof makes up for a wrong one.
        """
        signature = next((s for s in map(request.headers.get, SIGNATURES) if s), "")
        hint = "Set the contact point's HMAC secret, or its authorization, to a live secret."
        if not signature:
            require(known(credential(request), secrets), "Grafana", hint)
            return
        body, at = request.body, request.headers.get(TIMESTAMP, "")
        if at:
            late = f"Its signature is more than {MAX_AGE} s old: compare the two clocks."
            require(_recent(at, request.received_at), "Grafana", late)
            body = at.encode() + b":" + body
        require(signed(body, signature, secrets), "Grafana", hint)

    def parse(self, request: RawRequest) -> list[Alert]:
        """The alerts of one notification; `BadInput` names the field as a JSON path."""
        payload = parsed(_Payload, request.body)
        return [_alert(item, payload.external_url) for item in payload.alerts]


def _recent(at: str, received: datetime) -> bool:
    """Whether it is a Unix time close to the arrival. Without the header nothing can be told.

    Taking the header away gains nothing: the signature then fits only a body that begins with
    the time, and that is no JSON object.
    """
    if not (at.isascii() and at.isdigit() and len(at) <= 12):  # noqa: PLR2004 - the year 33658
        return False
    return abs(received.timestamp() - int(at)) <= MAX_AGE


# ── the payload, as Grafana documents it ─────────────────────────────────────────────────────


def _known_version(value: str) -> str:
    if value != VERSION:
        raise ValueError(
            f"this is payload version {value[:20]!r} and Grafana's is {VERSION!r} "
            "(Alertmanager's, also that of Mimir, goes to a source of the kind alertmanager)"
        )
    return value


class _Item(Loose):
    status: Literal["firing", "resolved"]
    labels: dict[str, str]
    annotations: dict[str, str] | None = None
    starts_at: GoTimeSet = Field(alias="startsAt")
    ends_at: GoTime | None = Field(default=None, alias="endsAt")
    fingerprint: str = Field(min_length=1)
    generator_url: str = Field(default="", alias="generatorURL")
    silence_url: str = Field(default="", alias="silenceURL")
    dashboard_url: str = Field(default="", alias="dashboardURL")
    panel_url: str = Field(default="", alias="panelURL")
    value_string: str = Field(default="", alias="valueString")


class _Payload(Loose):
    """``version`` stands first, so that its message wins over those that follow from it."""

    version: Annotated[str, AfterValidator(_known_version)]
    alerts: list[_Item] = Field(max_length=MAX_ALERTS)
    external_url: str = Field(default="", alias="externalURL")


def _alert(item: _Item, grafana: str) -> Alert:
    shown = item.panel_url or item.dashboard_url
    own = {"panel": shown, "silence": item.silence_url, "values": item.value_string}
    return alert(
        SOURCE,
        fingerprint=item.fingerprint,
        firing=item.status == "firing",
        name=_name(item.labels),
        labels=item.labels,
        annotations={**own, **(item.annotations or {})},
        starts_at=item.starts_at,
        ends_at=item.ends_at,
        link=item.generator_url or shown or grafana,
    )


def _name(labels: dict[str, str]) -> str:
    """Without data, or with an error, all of Grafana's rules have the same ``alertname``."""
    name, rule = labels.get("alertname", ""), labels.get("rulename", "")
    return f"{name}: {rule}" if name.startswith("Datasource") and rule else name
