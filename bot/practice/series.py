"""What users saw, second by second: the figures evidence pictures are drawn from.

A shed request counts as an error too, because for its user it is one; `shed` tells how many of
the errors were decided. Latencies are those of answers that succeeded: refusals are fast, and
counting them would draw an outage as an improvement.
"""

import math
from collections import OrderedDict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Literal

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest

Outcome = Literal["ok", "error", "shed"]

KEPT_SECONDS = 3600
_BUCKETS = (0.025, 0.05, 0.075, 0.1, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 3.0)


@dataclass(slots=True)
class Second:
    """One service in one second."""

    requests: int = 0
    errors: int = 0
    shed: int = 0
    latencies: list[float] = field(default_factory=list)

    def point(self, at: int) -> dict[str, int | float | None]:
        ordered = sorted(self.latencies)
        return {
            "t": at,
            "requests": self.requests,
            "errors": self.errors,
            "shed": self.shed,
            "p50_ms": percentile_ms(ordered, 50),
            "p95_ms": percentile_ms(ordered, 95),
            "p99_ms": percentile_ms(ordered, 99),
        }


def percentile_ms(ordered: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile of sorted seconds, in milliseconds; None when there are none."""
    if not ordered:
        return None
    rank = math.ceil(len(ordered) * percent / 100)
    return round(ordered[rank - 1] * 1000, 1)


class Recorder:
    """Counts every answer twice: per second for pictures, since the start for Prometheus."""

    def __init__(self, services: Sequence[str]) -> None:
        self._seconds: dict[str, OrderedDict[int, Second]] = {s: OrderedDict() for s in services}
        self.acknowledged: deque[str] = deque(maxlen=200_000)
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "practice_requests",
            "Requests sent to the edge, by what came of them.",
            ["service", "outcome"],
            registry=self._registry,
        )
        self._latency = Histogram(
            "practice_request_seconds",
            "How long successful answers took.",
            ["service"],
            buckets=_BUCKETS,
            registry=self._registry,
        )
        for service in services:
            self._latency.labels(service)
            for outcome in ("ok", "error", "shed"):
                self._requests.labels(service, outcome)

    def record(self, service: str, outcome: Outcome, *, at: float, seconds: float) -> None:
        """Book an answer under the second it came in."""
        second = self._second(service, int(at))
        second.requests += 1
        self._requests.labels(service, outcome).inc()
        if outcome == "ok":
            second.latencies.append(seconds)
            self._latency.labels(service).observe(seconds)
            return
        second.errors += 1
        second.shed += outcome == "shed"

    def series(self, seconds: int, now: float) -> dict[str, list[dict[str, int | float | None]]]:
        """The last full seconds of every service, oldest first, without gaps."""
        last = int(now) - 1
        return {
            service: [
                kept.get(at, Second()).point(at)
                for at in range(max(last - seconds + 1, min(kept, default=last + 1)), last + 1)
            ]
            for service, kept in self._seconds.items()
        }

    def prometheus(self) -> bytes:
        return generate_latest(self._registry)

    def _second(self, service: str, at: int) -> Second:
        kept = self._seconds[service]
        if at not in kept:
            kept[at] = Second()
            while len(kept) > KEPT_SECONDS:
                kept.popitem(last=False)
        return kept[at]
