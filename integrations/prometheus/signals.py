"""The four golden signals of a service, by the names that the usual client libraries give metrics.

Each query tries one naming after the other. One without data stays without data: that nobody
counts errors must not look as if there were none. Pure.
"""

from collections.abc import Mapping
from typing import NamedTuple

from bot.contract.evidence import Signal

_OVER = "[2m]"
_TIMES = ("http_request_duration_seconds", "http_server_request_duration_seconds")
_COUNTS = ("http_requests_total", *(f"{name}_count" for name in _TIMES))
_CODES = ("code", "status", "status_code", "http_response_status_code")


class Golden(NamedTuple):
    """One signal: its name, what it is shown as, its unit, and its query."""

    signal: Signal
    title: str
    unit: str
    query: str


def golden(service: str, about: Mapping[str, str]) -> list[Golden]:
    """Of what ``about`` says by labels; without it of the job that is named as the service."""
    labels = ",".join(f"{k}={_quoted(v)}" for k, v in (about or {"job": service}).items())
    return [
        Golden("latency", "latency, 99 % are faster", "ms", _latency(labels)),
        Golden("traffic", "traffic", "requests/s", _traffic(labels)),
        Golden("errors", "errors, share of 5xx", "%", _errors(labels)),
        Golden("saturation", "saturation, the fullest process", "%", _saturation(labels)),
    ]


def _latency(labels: str) -> str:
    return " or ".join(
        f"1000 * histogram_quantile(0.99, sum by (le) (rate({name}_bucket{{{labels}}}{_OVER})))"
        for name in _TIMES
    )


def _traffic(labels: str) -> str:
    return " or ".join(f"sum(rate({name}{{{labels}}}{_OVER}))" for name in _COUNTS)


def _errors(labels: str) -> str:
    """Zero only where requests are counted with their status, and none of them is a 5xx."""
    shares = []
    for name in _COUNTS:
        for code in _CODES:
            every = f'sum(rate({name}{{{labels},{code}!=""}}{_OVER}))'
            failed = f'sum(rate({name}{{{labels},{code}=~"5.."}}{_OVER}))'
            shares.append(f"100 * ({failed} or 0 * {every}) / {every}")
    return " or ".join(shares)


def _saturation(labels: str) -> str:
    """Two lines, each a share of something that ends: one core, and the open files."""
    core = f"100 * max(rate(process_cpu_seconds_total{{{labels}}}{_OVER}))"
    files = f"100 * max(process_open_fds{{{labels}}} / process_max_fds{{{labels}}})"
    named = [('"one core"', core), ('"open files"', files)]
    return " or ".join(f'label_replace({query}, "of", {name}, "", "")' for name, query in named)


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
