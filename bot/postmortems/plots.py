"""What the pictures of a draft show, before they are drawn: spans, events, silences. Pure.

A picture's name says which record it was made from, so that the text can point at it before it is
there, and the same record has the same picture.
"""

import hashlib
from collections.abc import Sequence

from bot.postmortems.case import Case
from bot.postmortems.marks import minutes_between
from bot.postmortems.moments import has_date, is_known
from bot.postmortems.page import Figure, span, utc
from bot.postmortems.plotted import Bar, Event, Plots, Stretch
from bot.timeline import Entry

VERSION = 1  # of the look: another one has other names
_MOST = 14  # events that a phone still shows
_LABEL = 34  # characters
_RANK = {  # class or kind → how much an event matters in the picture
    "trigger": 1, "hypothesis confirmed": 2, "run_failed": 2, "run_aborted": 2, "run_succeeded": 2,
    "run_started": 3, "access_failed": 4, "step_failed": 4, "decision_made": 4, "step_unknown": 4,
    "communication_sent": 5, "severity_changed": 5, "run_approved": 6, "incident_declared": 5,
    "commander_assigned": 6, "hypothesis dropped": 6, "hypothesis": 7, "action": 3, "decision": 5,
}  # fmt: skip


def plots(case: Case) -> Plots:
    """What there is to draw of a case."""
    events, bars = _events(case), _bars(case)
    last = max(case.rows, key=lambda row: row.seq).hash if case.rows else ""
    sign = hashlib.sha256(f"{VERSION} {last}".encode()).hexdigest()[:12]
    name = f"inc-{case.facts.id}"
    return Plots(
        title=str(case.facts.id),
        timeline=f"{name}-timeline-{sign}" if len(events) > 1 and has_date(events[0].at) else "",
        clock=f"{name}-clock-{sign}" if bars else "",
        phases=_phases(case),
        gaps=tuple(Stretch("silence", g.after.at, g.before.at) for g in case.gaps),
        events=events,
        bars=bars,
        metrics=f"{name}-metrics-{sign}" if case.around.graphs else "",
        graphs=case.around.graphs,
    )


def figures_of(found: Plots) -> list[Figure]:
    """The pictures as the text shows them."""
    figures = []
    if found.timeline:
        of = f" of INC-{found.title}" if found.title != "0" else ""
        words = f"Phases and silences{of}, with {len(found.events)} events"
        figures.append(Figure(f"{found.timeline}.png", words))
    if found.clock:
        words = "; ".join(f"{bar.label} {span(bar.length)}" for bar in found.bars)
        figures.append(Figure(f"{found.clock}.png", f"Response clock: {words}"))
    if found.metrics:
        words = "; ".join(graph.title for graph in found.graphs)
        figures.append(Figure(f"{found.metrics}.png", f"With the marks of the clock: {words}"))
    return figures


def _phases(case: Case) -> tuple[Stretch, ...]:
    return tuple(
        Stretch(p.name, p.start, p.end)
        for p in case.phases.phases
        if p.start is not None and p.end is not None and p.end > p.start
    )


def _events(case: Case) -> tuple[Event, ...]:
    """The marks, then what matters most, in order of time; a moment is shown once."""
    marks = [Event(m.at, m.title, mark=True) for m in case.clock.marks() if m.at is not None]
    taken = {mark.seq for mark in case.clock.marks()}
    ranked = sorted(
        ((rank, case.place[row.seq], row) for row in case.rows
         if row.seq not in taken and is_known(row.at) and (rank := _rank(case, row))),
        key=lambda each: each[:2],
    )  # fmt: skip
    kept = [_event(case, row) for _, _, row in ranked[: max(0, _MOST - len(marks))]]
    return tuple(sorted([*marks, *kept], key=lambda event: event.at))


def _rank(case: Case, row: Entry) -> int:
    return _RANK.get(row.kind) or _RANK.get(case.classes[row.seq], 0)


def _event(case: Case, row: Entry) -> Event:
    text = " ".join(case.cast.plain(row.text or row.kind).split())
    return Event(row.at, text if len(text) <= _LABEL else text[: _LABEL - 1] + "…")


def _bars(case: Case) -> tuple[Bar, ...]:
    """From the start of the impact to each mark that is known and not before it."""
    start = case.clock.impact_start
    found = []
    for mark in case.clock.marks():
        minutes = minutes_between(start, mark)
        if minutes is not None and minutes > 0:
            found.append(Bar(mark.title, 0, minutes))
    return tuple(sorted(found, key=lambda bar: bar.length))


def window(events: Sequence[Event]) -> str:
    """From when to when, in words."""
    first, last = events[0].at, events[-1].at
    shape = "%H:%M" if utc(first, "%Y-%m-%d") == utc(last, "%Y-%m-%d") else "%Y-%m-%d %H:%M"
    return f"{utc(first, '%Y-%m-%d %H:%M')} to {utc(last, shape)} UTC"
