"""The sections with numbers: impact, cost, SLO and the response clock."""

from collections.abc import Callable

from bot.postmortems.case import Case
from bot.postmortems.cost import NOT_COUNTED, WINDOW_DAYS, ServiceImpact, Value
from bot.postmortems.marks import Mark, minutes_between
from bot.postmortems.page import (
    Block,
    Cite,
    Line,
    Section,
    Table,
    cell,
    cites,
    span,
    text_of,
    utc,
)

_SPANS = (
    ("Time to detect", "impact_start", "detected"),
    ("Time to declare", "detected", "declared"),
    ("Time to acknowledge", "detected", "acknowledged"),
    ("Time to mitigate", "impact_start", "mitigated"),
    ("Time to resolve", "impact_start", "resolved"),
)
_HEAD = ("Low", "Expected", "High")


def impact(case: Case) -> list[Section]:
    """Who was hit, for how long, and at what price."""
    return [_affected(case), _downtime(case), _cost(case), _slo(case)]


def _affected(case: Case) -> Section:
    rows = tuple(
        (cell(each.title), cell(each.service), cell(each.tier)) for each in case.impact.services
    )
    start, end = case.clock.impact_start, case.clock.mitigated
    blocks: tuple[Block, ...] = (
        text_of(f"From {utc(start.at)} to {utc(end.at)} UTC ", *cites([start.seq, end.seq]), "."),
        *([Table(("Service", "Id", "Tier"), rows)] if rows else []),
        text_of("What users could not do, how many were affected and how that was measured: to be written."),
        text_of("Data loss: not recorded. Write a statement here, also when there was none."),
    )  # fmt: skip
    return Section("Impact", "recorded", blocks)


def _downtime(case: Case) -> Section:
    table = Table(("", *_HEAD), ((cell("Downtime"), *_figures(case.impact.downtime.values(), span)),))  # fmt: skip
    how = text_of("Low: detected to mitigated. Expected: impact start to mitigated. High: impact start to resolved.")  # fmt: skip
    return Section("Downtime", "derived", (table, how), level=3)


def _figures(values: tuple[Value, ...], show: Callable[[float], str]) -> tuple[Line, ...]:
    return tuple(
        cell(f"not computed: {v.missing}") if v.figure is None else cell(show(v.figure))
        for v in values
    )


def _cost(case: Case) -> Section:
    why = "Not computed: input missing: the incident names no service."
    rows = tuple(_cost_row(each) for each in case.impact.services)
    if not rows:
        return Section("Cost", "derived", level=3, empty=why)
    missing = "; ".join(NOT_COUNTED)
    blocks = (
        Table(("Service", "Cost per minute (catalog)", *_HEAD), rows),
        text_of("Cost = downtime times cost per minute, as if all of the service's traffic was affected."),
        text_of(f"Not computed: input missing: {missing}."),
    )  # fmt: skip
    return Section("Cost", "derived", blocks, level=3)


def _cost_row(each: ServiceImpact) -> tuple[Line, ...]:
    def money(amount: float) -> str:
        return f"{each.currency} {amount:,.0f}"

    rate = "missing" if each.cost_per_minute is None else f"{each.currency} {each.cost_per_minute:,g}"  # fmt: skip
    return (cell(each.title), cell(rate), *_figures(each.cost.values(), money))


def _slo(case: Case) -> Section:
    rows = tuple(_slo_row(each) for each in case.impact.services if each.slo)
    if not rows:
        why = "Not computed: input missing: the catalog has no slo for the services of this incident."  # fmt: skip
        return Section("SLO budget", "derived", level=3, empty=why)
    how = text_of(
        f"Burn = downtime / ((1 - SLO) * {WINDOW_DAYS} days), as if every request failed meanwhile."
    )
    head = ("Service", "SLO (catalog)", f"Budget in {WINDOW_DAYS} days", *_HEAD)
    return Section("SLO budget", "derived", (Table(head, rows), how), level=3)


def _slo_row(each: ServiceImpact) -> tuple[Line, ...]:
    slo, budget = each.slo or 0.0, each.budget_minutes or 0.0
    burn = _figures(each.burn.values(), lambda part: f"{part:.0%}")
    return (cell(each.title), cell(f"{slo * 100:g}%"), cell(f"{budget:.4g} min"), *burn)


def response_clock(case: Case) -> list[Section]:
    """The six marks, each with its row, and the times between them."""
    marks = tuple(_mark_row(mark) for mark in case.clock.marks())
    spans = tuple(_span_row(case, *each) for each in _SPANS)
    head = ("Mark", "UTC", "Row", "How it was found")
    return [
        Section("Response clock", "recorded", (Table(head, marks),)),
        Section("Times between the marks", "derived", (Table(("What", "From → to", "Time", "Rows"), spans),), level=3),
    ]  # fmt: skip


def _mark_row(mark: Mark) -> tuple[Line, ...]:
    row = cell(Cite(mark.seq)) if mark.seq is not None else cell("none")
    return (cell(mark.title), cell(utc(mark.at)), row, cell(mark.basis))


def _span_row(case: Case, title: str, start: str, end: str) -> tuple[Line, ...]:
    first, last = getattr(case.clock, start), getattr(case.clock, end)
    route = f"{first.title} → {last.title}"
    time = span(minutes_between(first, last))
    return (cell(title), cell(route), cell(time), cites([first.seq, last.seq]))
