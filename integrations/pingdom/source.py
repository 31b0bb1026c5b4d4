"""Pingdom's webhook into alerts: a check that changed its state.

Pingdom says only when the state changed. So a recovery's alert begins when it ends: its firing, of
the same identity, has the beginning.
"""

from collections.abc import Sequence

from bot.contract import Alert, RawRequest
from bot.contract.source import Loose, alert, credential, known, moment, parsed, require, tagged

SOURCE = "pingdom"
UPTIME = {"DOWN": True, "UP": False}
TRANSACTION = {"FAILING": True, "SUCCESS": False}
PAGE = "https://my.pingdom.com/app/reports/uptime#check="
HOME = "https://my.pingdom.com/"


class PingdomSource:
    """Pingdom's state change webhooks, of uptime checks and of transaction checks."""

    def authenticate(self, request: RawRequest, secrets: Sequence[str]) -> None:
        """HTTP basic from the webhook's URL, or the URL's ``token``: Pingdom has nothing else."""
        token = request.query.get("token", "")
        proven = known(credential(request), secrets) or known(token, secrets)
        require(proven, "Pingdom", "Put a live secret into the webhook's URL, as its README says.")

    def parse(self, request: RawRequest) -> list[Alert]:
        """One alert, or none where the state says neither; `BadInput` names the field."""
        change = parsed(_Change, request.body)
        firing = {**UPTIME, **TRANSACTION}.get(change.current_state.upper())
        return [] if firing is None else [_alert(change, firing)]


# ── the payload, as Pingdom documents it ─────────────────────────────────────────────────────


class _Params(Loose):
    """What a check looks at: each type of check has others of these."""

    full_url: str | None = None
    hostname: str | None = None


class _Probe(Loose):
    """From where it was looked at; empty in a test message."""

    location: str | None = None


class _Change(Loose):
    check_id: int
    current_state: str
    state_changed_timestamp: int
    check_name: str | None = None
    check_type: str | None = None
    check_params: _Params = _Params()
    tags: list[str] | None = None
    importance_level: str | None = None
    description: str | None = None
    long_description: str | None = None
    custom_message: str | None = None
    first_probe: _Probe | None = None
    second_probe: _Probe | None = None


def _alert(change: _Change, firing: bool) -> Alert:
    uptime = change.current_state.upper() in UPTIME
    at = moment(change.state_changed_timestamp, "state_changed_timestamp")
    probes = [p.location for p in (change.first_probe, change.second_probe) if p and p.location]
    own = {
        "severity": (change.importance_level or "").lower(),
        "check_id": str(change.check_id),
        "check_type": (change.check_type or "").lower(),
        "hostname": change.check_params.hostname,
        "url": change.check_params.full_url,
    }
    return alert(
        SOURCE,
        # The two kinds of check are numbered apart.
        fingerprint=f"{'uptime' if uptime else 'transaction'}-{change.check_id}",
        firing=firing,
        name=change.check_name or "",
        labels={**own, **{k: v for k, v in tagged(change.tags or []).items() if not own.get(k)}},
        annotations={
            "summary": change.description,
            "description": change.long_description,
            "message": change.custom_message,
            "probes": "; ".join(probes),
        },
        starts_at=at,
        ends_at=at,
        link=f"{PAGE}{change.check_id}" if uptime else HOME,
    )
