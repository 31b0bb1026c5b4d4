"""What the downtime cost and how much of the SLO it burned: ranges with every input. Pure.

low       detected → mitigated      the shortest downtime that the record supports
expected  impact start → mitigated
high      impact start → resolved   counting the time until service was as before

cost = downtime * cost_per_minute * cost_share * (1 - returns)
burn = downtime * cost_share / ((1 - slo) * slo_days)

All but the downtime are fields of the service in the catalog. What is not there is not guessed.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from bot.catalog import Catalog, Service
from bot.postmortems.marks import Clock, minutes_between

_DAY = 24 * 60
NOT_COUNTED = ("SLA credits", "response hours", "penalties", "trust and churn")
ALL = (1.0, 1.0, 1.0)


@dataclass(frozen=True)
class Value:
    """One figure, or the reason why there is none."""

    figure: float | None
    missing: str = ""


@dataclass(frozen=True)
class Range:
    """Low, expected and high of one quantity."""

    low: Value
    expected: Value
    high: Value

    def values(self) -> tuple[Value, Value, Value]:
        """The three, low first."""
        return self.low, self.expected, self.high

    def scaled(self, factors: Sequence[float] | None, missing: str) -> "Range":
        """Each times its factor; without factors nothing is computed."""
        each = factors or (None, None, None)
        return Range(*(_scale(v, f, missing) for v, f in zip(self.values(), each, strict=True)))


@dataclass(frozen=True)
class ServiceImpact:
    """One service: the inputs from the catalog and what follows from them."""

    service: str
    title: str
    tier: str
    currency: str
    cost_per_minute: float | None
    share: tuple[float, ...]
    returns: float
    cost: Range
    slo: float | None
    days: int
    budget_minutes: float | None
    burn: Range


@dataclass(frozen=True)
class Impact:
    """Downtime in minutes, and its price for each affected service."""

    downtime: Range
    services: tuple[ServiceImpact, ...]


def impact(clock: Clock, services: list[str], catalog: Catalog) -> Impact:
    """Computes what can be computed and names each input that is missing."""
    downtime = Range(
        low=_span(clock, "detected", "mitigated"),
        expected=_span(clock, "impact_start", "mitigated"),
        high=_span(clock, "impact_start", "resolved"),
    )
    each = (_service(downtime, name, catalog.service(name)) for name in services)
    return Impact(downtime, tuple(each))


def _span(clock: Clock, start: str, end: str) -> Value:
    first, last = getattr(clock, start), getattr(clock, end)
    minutes = minutes_between(first, last)
    if minutes is None:
        lacking = [mark.title.lower() for mark in (first, last) if mark.at is None]
        return Value(None, f"{' and '.join(lacking)} unknown")
    if minutes < 0:
        return Value(None, f"{last.title.lower()} lies before {first.title.lower()}")
    return Value(minutes)


def _service(downtime: Range, name: str, found: Service | None) -> ServiceImpact:
    if found is None:
        nothing = downtime.scaled(None, "the service is not in the catalog")
        return ServiceImpact(
            name, name, "unknown", "", None, ALL, 0, nothing, None, 0, None, nothing
        )
    rate, share = found.cost_per_minute, tuple(found.cost_share)
    budget = (1 - found.slo) * found.slo_days * _DAY if found.slo else None
    priced = None if rate is None else [rate * part * (1 - found.returns) for part in share]
    return ServiceImpact(
        service=name,
        title=found.title,
        tier=found.tier,
        currency=found.currency,
        cost_per_minute=rate,
        share=share,
        returns=found.returns,
        cost=downtime.scaled(priced, "the catalog has no cost_per_minute"),
        slo=found.slo,
        days=found.slo_days,
        budget_minutes=budget,
        burn=downtime.scaled(
            [part / budget for part in share] if budget else None, "the catalog has no slo"
        ),
    )


def _scale(value: Value, factor: float | None, missing: str) -> Value:
    if factor is None:
        return Value(None, missing)
    if value.figure is None:
        return value
    return Value(value.figure * factor)
