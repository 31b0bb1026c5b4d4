"""The sections that compare an incident with published outages: suggestions, each with its rows.

Nothing here says what caused anything. A resemblance chooses questions and candidate actions, and
tells what differs; people take or drop each of them. Without enough rows it abstains and says so.
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import cache

from bot.postmortems.case import Case
from bot.postmortems.casefile import CaseStudy
from bot.postmortems.mark import Clock, minutes_between, ordered
from bot.postmortems.marks import clock
from bot.postmortems.page import (
    UNKNOWN,
    Block,
    Bullets,
    Line,
    Link,
    Paragraph,
    Section,
    Table,
    cell,
    cites,
    span,
    text_of,
)
from bot.postmortems.patterns.catalogue import case_study
from bot.postmortems.patterns.match import Resemblance, Scored, Seen, resemble
from bot.postmortems.told import entries_of

_TITLE = "Resemblance to known outages"
_CLASSES = {
    "structural": "structure", "runbook_step": "step", "access_path_failure": "access",
    "alert_absence": "missing alert", "alert_label": "alert", "sequence_rule": "order of events",
    "message_words": "words", "negative": "speaks against it",
}  # fmt: skip
_NO_PATTERN = (
    "No known pattern: what was recorded does not resemble one of the published outages enough to "
    "suggest it. The general questions for the facilitator stand."
)


def look(case: Case) -> Resemblance:
    """Compares the record with the catalogue."""
    return resemble(case.rows, case.clock)


def sections(case: Case, found: Resemblance) -> Iterator[Section]:
    """What it resembles and why, what differs, and what might be done about it."""
    if found.abstained:
        yield Section(_TITLE, "derived", tuple(_abstained(found)))
        return
    intro = text_of(
        "A suggestion by recorded signals, for people to take or drop, and no finding. "
        "The rows that speak for it are cited."
    )
    facets = _facets(found)
    yield Section(_TITLE, "proposed", (intro, *([facets] if facets else [])))
    for scored in found.matches:
        yield Section(_heading(scored), "proposed", tuple(_match(case, found, scored)), level=3)
        yield Section("What differs", "derived", (Bullets(tuple(_differs(case, scored))),), level=3)
        yield _candidates(scored)


def with_questions(facilitator: Section, found: Resemblance) -> Section:
    """The facilitator's section with the questions of what it resembles, and of its facets."""
    asked = [cell(q) for scored in found.matches for q in scored.pattern.questions]
    asked += [
        (f"{question} ", *cites(row.seq for row in facet.rows))
        for facet in found.facets for question in facet.text.ask
    ]  # fmt: skip
    if not asked:
        return facilitator
    return replace(facilitator, blocks=(*facilitator.blocks, Bullets(tuple(asked))))


def _abstained(found: Resemblance) -> Iterator[Block]:
    yield text_of(_NO_PATTERN)
    if found.nearest is not None:
        near = found.nearest
        rows = cites(row.seq for row in near.rows)
        yield text_of(f"Nearest: {near.pattern.title}, score {near.score}: not enough to suggest it ", *rows)  # fmt: skip
    if facets := _facets(found):
        yield facets


def _facets(found: Resemblance) -> Bullets | None:
    lines = tuple(
        (f"{each.text.id}, {each.text.name} ", *cites(row.seq for row in each.rows))
        for each in found.facets
    )
    return Bullets(lines) if lines else None


def _heading(scored: Scored) -> str:
    return f"{scored.pattern.ref}: {scored.pattern.title}"


def _match(case: Case, found: Resemblance, scored: Scored) -> Iterator[Block]:
    pattern, study = scored.pattern, case_study(scored.pattern.case)
    rows = cites(row.seq for row in scored.rows)
    yield text_of(f"Score {scored.score} ({found.strength(scored)}). It may resemble “{study.title}” ", *rows)  # fmt: skip
    yield text_of(f"What that outage stands for: {pattern.stands_for}")
    lines = [_seen(case, each) for each in (*scored.seen, *scored.against)]
    yield Table(("Kind of signal", "What was seen", "Rows"), tuple(lines))
    yield text_of(f"How to tell it apart: {pattern.differential}")
    yield Paragraph(("Published: ", *_source(study), "."))


def _source(study: CaseStudy) -> Line:
    source = study.sources[0]
    label = f"{source.title} ({source.publication})" if source.publication else source.title
    return (Link(source.url, label),) if source.url else cell(label)


def _seen(case: Case, each: Seen) -> tuple[Line, ...]:
    return (
        cell(_CLASSES[each.signal.kind]),
        case.say(each.signal.what),
        cites(row.seq for row in each.rows),
    )


@cache
def _studied(case_id: str) -> tuple[Clock, frozenset[str]]:
    """The published outage's own marks and signals, drawn from its timeline like ours."""
    rows = ordered(entries_of(case_study(case_id)))
    found = clock(rows)
    signals = (each.signal.id for m in resemble(rows, found).matches for each in m.seen)
    return found, frozenset(signals)


def _differs(case: Case, scored: Scored) -> Iterator[Line]:
    """What was seen there and not here, the other way round, and how the figures compare."""
    theirs, signals = _studied(scored.pattern.case)
    ours = {each.signal.id for each in scored.seen}
    for absent in scored.absent:
        if absent.id in signals:
            here = "here no row says so" if case.told else f"{absent.absent}, by what was recorded"
            yield cell(f"There {absent.what}; {here}.")
    if ours >= signals:
        yield cell("Every signal that was seen there was seen here.")
    for each in scored.seen:
        if each.signal.id not in signals and each.signal.id != "words":
            rows = cites(row.seq for row in each.rows)
            yield (f"Here and not there: {each.signal.what} ", *rows)
    yield from _figures(case.clock, theirs)


def _figures(mine: Clock, theirs: Clock) -> Iterator[Line]:
    for what, start, end in (("From impact to detection", "impact_start", "detected"),
                             ("From impact to resolution", "impact_start", "resolved")):  # fmt: skip
        first, last = getattr(mine, start), getattr(mine, end)
        here = span(minutes_between(first, last))
        there = span(minutes_between(getattr(theirs, start), getattr(theirs, end)))
        if UNKNOWN not in (here, there):  # of one alone there is nothing to compare
            yield (f"{what}: here {here}, there {there} ", *cites([first.seq, last.seq]))
    here, there = mine.detected.source, theirs.detected.source
    if here and there:
        yield (f"First noticed through: here {here}, there {there} ", *cites([mine.detected.seq]))


def _candidates(scored: Scored) -> Section:
    """Candidates, not action items: those follow from findings."""
    head = ("Candidate action", "Type", "Owner role", "Done when (measurable)", "From rows")
    seen = {each.signal.id: each.rows for each in scored.seen}
    lines = []
    for action in scored.pattern.actions:
        if rows := [row for name in action.after for row in seen.get(name, ())]:
            said = (action.text, action.type, action.owner_role, action.done_when)
            lines.append((*map(cell, said), cites(row.seq for row in rows)))
    note = text_of(
        "To take or to drop, each of them: it is what others changed after such an outage."
    )
    return Section(
        "Candidate actions from there", "proposed", (note, Table(head, tuple(lines))), level=3
    )
