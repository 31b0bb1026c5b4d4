"""The sections with numbers: impact, cost, SLO, the response clock and where the time went."""

from collections.abc import Callable, Iterator

from bot.postmortems.case import Case
from bot.postmortems.cost import ALL, NOT_COUNTED, Range, ServiceImpact, Value
from bot.postmortems.marks import Mark, minutes_between
from bot.postmortems.moments import has_date
from bot.postmortems.page import (
    Block,
    Bullets,
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
from bot.postmortems.told import tells_of_lost_data

_SPANS = (
    ("Time to detect", "impact_start", "detected"),
    ("Time to declare", "detected", "declared"),
    ("Time to acknowledge", "detected", "acknowledged"),
    ("Time to mitigate", "impact_start", "mitigated"),
    ("Time to resolve", "impact_start", "resolved"),
)
_SYMPTOMS = 5  # that the impact quotes
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
        text_of(*_from_to(start, end)),
        *([Table(("Service", "Id", "Tier"), rows)] if rows else []),
        *_quoted(case),
    )
    return Section("Impact", "recorded", blocks)


def _from_to(start: Mark, end: Mark) -> Line:
    """From when to when, as far as either is known; minutes from a start have no zone."""
    if start.at is None and end.at is None:
        return ("When it began and when its effect ended is unknown.",)
    zone = "" if any(mark.at and not has_date(mark.at) for mark in (start, end)) else " UTC"
    begun = utc(start.at) if start.at else "a time that is unknown"
    ended = f"to {utc(end.at)}" if end.at else "on; when its effect ended is unknown"
    if end.at is None:
        return (f"From {begun}{zone} {ended} ", *cites([start.seq]), ".")
    return (f"From {begun} {ended}{zone} ", *cites([start.seq, end.seq]), ".")


def _quoted(case: Case) -> Iterator[Block]:
    """What people noted about users and data; else that nobody did."""
    said = case.notes("impact")
    if said:
        yield Bullets(tuple(_quote(case, *each) for each in said))
    elif seen := case.seen_by_users:
        yield text_of("What it did, as it is told; how many users that were and how it was measured: to be written.")  # fmt: skip
        yield Bullets(tuple((*case.say(row.text), " ", Cite(row.seq)) for row in seen[:_SYMPTOMS]))
    else:
        yield text_of("What users could not do, how many were affected and how that was measured: to be written.")  # fmt: skip
    lost = case.notes("data loss")
    if told := case.telling(tells_of_lost_data):
        yield Bullets(tuple(("Data loss, as it is told: ", *case.say(row.text), " ", Cite(row.seq)) for row in told))  # fmt: skip
    elif lost:
        items = ((*cell("Data loss: "), *_quote(case, *each)) for each in lost)
        yield Bullets(tuple(items))
    else:
        yield text_of("Data loss: not recorded. Write a statement here, also when there was none.")


def _quote(case: Case, row: object, text: str) -> Line:
    actor, seq = getattr(row, "actor", ""), getattr(row, "seq", 0)
    return (f"{case.cast.actor(actor)} noted: ", *case.say(text), " ", Cite(seq))


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
    sums = [line for each in case.impact.services for line in _sums(case, each)]
    head = ("Service", "Cost per minute (cost_per_minute)", "Share of traffic (cost_share)",
            "Demand that returns (returns)", *_HEAD)  # fmt: skip
    blocks = (
        Table(head, rows),
        text_of("Cost = downtime times cost per minute times share of traffic times (1 - demand that returns); the inputs are the catalog's, the downtime is above."),
        *([Bullets(tuple(sums))] if sums else []),
        *_absent(case, "cost_per_minute"),
        text_of(f"Not counted, as nothing recorded says it: {missing}."),
    )  # fmt: skip
    return Section("Cost", "derived", blocks, level=3)


def _cost_row(each: ServiceImpact) -> tuple[Line, ...]:
    rate = "missing" if each.cost_per_minute is None else _money(each, each.cost_per_minute)
    share = "all, as none is given" if each.share == ALL else _parts(each.share)
    costs = _figures(each.cost.values(), lambda amount: f"{each.currency} {amount:,.0f}")
    return (cell(each.title), cell(rate), cell(share), cell(f"{each.returns:.0%}"), *costs)


def _money(each: ServiceImpact, amount: float) -> str:
    return f"{each.currency} {amount:,g}"


def _parts(shares: tuple[float, ...]) -> str:
    return " / ".join(f"{share:.0%}" for share in shares)


def _sums(case: Case, each: ServiceImpact) -> Iterator[Line]:
    """Each figure as the sum that gives it, so that anybody can do it again."""
    if each.cost_per_minute is None:
        return
    rows = zip(_HEAD, case.impact.downtime.values(), each.share, each.cost.values(), strict=True)
    for name, time, share, cost in rows:
        if time.figure is not None and cost.figure is not None:
            yield cell(
                f"{each.title}, {name.lower()}: {time.figure:,.2f} min * {_money(each, each.cost_per_minute)}"
                f" * {share:.0%} * (1 - {each.returns:.0%}) = {each.currency} {cost.figure:,.0f}"
            )  # fmt: skip


def _absent(case: Case, name: str) -> Iterator[Block]:
    """Which field of which catalog entry would give the figure."""
    for each in case.impact.services:
        if getattr(each, name) is None:
            yield text_of(f"For {each.title}: {name} of service {each.service} in the catalog would give it.")  # fmt: skip


def _slo(case: Case) -> Section:
    rows = tuple(_slo_row(each) for each in case.impact.services)
    if not rows:
        why = "Not computed: input missing: the incident names no service."
        return Section("SLO budget", "derived", level=3, empty=why)
    sums = [line for each in case.impact.services for line in _burns(case, each)]
    blocks = (
        Table(("Service", "SLO (slo)", "Window (slo_days)", "Error budget", *_HEAD), rows),
        text_of("Burn = downtime times share of traffic / ((1 - SLO) times window), as if all of that share failed meanwhile."),
        *([Bullets(tuple(sums))] if sums else []),
        *_absent(case, "slo"),
    )  # fmt: skip
    return Section("SLO budget", "derived", blocks, level=3)


def _slo_row(each: ServiceImpact) -> tuple[Line, ...]:
    burn = _figures(each.burn.values(), lambda part: f"{part:.0%}")
    if each.slo is None or each.budget_minutes is None:
        return (cell(each.title), cell("missing"), cell("unknown"), cell("unknown"), *burn)
    slo = f"{each.slo * 100:g}%"
    return (cell(each.title), cell(slo), cell(f"{each.days} days"), cell(f"{each.budget_minutes:.4g} min"), *burn)  # fmt: skip


def _burns(case: Case, each: ServiceImpact) -> Iterator[Line]:
    if each.slo is None or each.budget_minutes is None:
        return
    downtime: Range = case.impact.downtime
    for name, time, share, burn in zip(_HEAD, downtime.values(), each.share, each.burn.values(), strict=True):  # fmt: skip
        if time.figure is not None and burn.figure is not None:
            yield cell(
                f"{each.title}, {name.lower()}: {time.figure:,.2f} min * {share:.0%}"
                f" / ((1 - {each.slo:g}) * {each.days} * 1,440 min) = {burn.figure:.1%}"
            )  # fmt: skip


def response_clock(case: Case) -> list[Section]:
    """The marks, each with its row, the times between them, and where the time went."""
    marks = tuple(_mark_row(case, mark) for mark in case.clock.marks())
    spans = tuple(_span_row(case, *each) for each in _SPANS)
    head = ("Mark", "UTC", "Row", "How it was found")
    return [
        Section("Response clock", "recorded", (Table(head, marks),)),
        Section("Times between the marks", "derived", (Table(("What", "From → to", "Time", "Rows"), spans),), level=3),
        _phases(case),
    ]  # fmt: skip


def _mark_row(case: Case, mark: Mark) -> tuple[Line, ...]:
    row = cell(Cite(mark.seq)) if mark.seq is not None else cell("none")
    return (cell(mark.title), cell(utc(mark.at)), row, case.say(mark.basis))


def _span_row(case: Case, title: str, start: str, end: str) -> tuple[Line, ...]:
    first, last = getattr(case.clock, start), getattr(case.clock, end)
    route = f"{first.title} → {last.title}"
    time = span(minutes_between(first, last))
    return (cell(title), cell(route), cell(time), cites([first.seq, last.seq]))


def _phases(case: Case) -> Section:
    """What made it last: the length of each phase, its part of the whole, and its silences."""
    whole = minutes_between(case.clock.impact_start, case.clock.resolved)
    lines = tuple(_phase_row(case, index, whole) for index in range(len(case.phases.phases)))
    head = ("Phase", "From", "To", "Time", "Of impact to resolved", "Rows", "Silences in it", "Cites")  # fmt: skip
    longest = max(
        (p for p in case.phases.phases if p.name not in ("before", "after") and p.minutes),
        key=lambda p: p.minutes or 0, default=None,
    )  # fmt: skip
    if case.told and (case.clock.detected.at is None or case.clock.mitigated.at is None):
        longest = None  # a phase whose end nobody knows would take the others' time
    said = (
        text_of(f"Most of the time went into {longest.name}: {span(longest.minutes)} ", *cites(longest.cited), ".")
        if longest else text_of("Which phase took most of the time is not known: too few marks are recorded.")
    )  # fmt: skip
    noted = case.notes("delay", "delayed recovery")
    quotes = [Bullets(tuple(_quote(case, *each) for each in noted))] if noted else []
    return Section("Where the time went", "derived", (Table(head, lines), said, *quotes), level=3)


def _phase_row(case: Case, index: int, whole: float | None) -> tuple[Line, ...]:
    phase = case.phases.phases[index]
    minutes = phase.minutes
    part = f"{minutes / whole:.0%}" if minutes is not None and whole else ""
    gaps = [gap for gap in case.gaps if case.phases.of[gap.before.seq] == phase.name]
    silence = f"{len(gaps)}, {span(sum(gap.minutes for gap in gaps))}" if gaps else "none"
    return (
        cell(phase.name), cell(utc(phase.start, "%H:%M:%S") if phase.start else "open"),
        cell(utc(phase.end, "%H:%M:%S") if phase.end else "open"), cell(span(minutes)), cell(part),
        cell(str(phase.rows)), cell(silence), cites(phase.cited),
    )  # fmt: skip
