"""What a probe of a check means: whether the service is down, or only a way to it. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog import Check, Service

_SEVERITY = {"p0": "critical", "p1": "error", "p2": "warning"}


@dataclass(frozen=True)
class Seen:
    """What one probe saw over one path. ``warning``: of what answers well, and will not for long.

    ``asked`` unless something of ours was missing for that, such as a secret.
    """

    path: str
    requests: int
    failed: int
    worst_ms: float
    error: str = ""
    warning: str = ""
    asked: bool = True


@dataclass(frozen=True)
class Finding:
    """Whether an alert's reason is there; None where this probe cannot tell."""

    name: str
    severity: str
    bad: bool | None
    said: str
    over: str


def findings(service: Service, check: Check, seen: Sequence[Seen]) -> dict[str, Finding]:
    """Fingerprint → what was found, for each alert that a check may raise."""
    asked = any(s.asked for s in seen)
    bad = [s for s in seen if s.failed / s.requests > check.max_error_rate]
    good = [s for s in seen if s not in bad]
    ways, broken = (", ".join(s.path for s in found) for found in (good, bad))
    warnings = [s.warning for s in good if s.warning]
    return {
        check.id: Finding(
            check.id,
            _SEVERITY[service.tier],
            not good if asked else None,
            _down(bad, several=len(seen) > 1),
            f"check {check.id} passes again" + (f", over {ways}" if bad else ""),
        ),
        f"{check.id} not seen": Finding(
            "CheckNotSeen",
            "warning",
            bool(bad) if good or not asked else None,
            _not_seen(check, bad, ways, broken) if asked else _not_asked(check, seen),
            f"{check.id} answers over {ways} again",
        ),
        f"{check.id} certificate": Finding(
            "CertificateEnding",
            "warning",
            bool(warnings) if good else None,
            warnings[0] if warnings else "",
            f"the certificate that {check.id} sees was renewed",
        ),
    }


def _not_seen(check: Check, bad: Sequence[Seen], ways: str, broken: str) -> str:
    if not (ways and bad):
        return ""
    return (
        f"{check.id} answers over {ways}, not over {broken}: "
        f"the way is broken, not the service ({bad[0].error})"
    )


def _not_asked(check: Check, seen: Sequence[Seen]) -> str:
    return f"{check.id} cannot be asked, so that nobody knows whether it is well ({seen[0].error})"


def _down(bad: Sequence[Seen], *, several: bool) -> str:
    """The worst of it in one line; with several paths the error of each, if they differ."""
    if not bad:
        return ""
    percent = round(100 * sum(s.failed for s in bad) / sum(s.requests for s in bad))
    if not several:
        return f"{percent} % of requests fail ({bad[0].error})"
    if len({s.error for s in bad}) == 1:
        return (
            f"{percent} % of requests fail over {', '.join(s.path for s in bad)} ({bad[0].error})"
        )
    errors = "; ".join(f"over {s.path}: {s.error}" for s in bad)
    return f"{percent} % of requests fail ({errors})"
