"""Draws a draft from the record: the order of the sections, top to bottom. Pure.

It never says why something happened. It lists what was recorded, what follows from that by
arithmetic, and what a person has yet to write, and each section says which of these it is.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.catalog import Catalog
from bot.postmortems import figures, prompts, record, review, summary
from bot.postmortems.case import Case, Facts, look_at
from bot.postmortems.page import Draft, Section
from bot.timeline import Entry


def draft(
    facts: Facts, rows: Sequence[Entry], catalog: Catalog, pictures: Mapping[str, bytes]
) -> Draft:
    """The draft; the same record always gives the same one. ``pictures`` are by file name."""
    case = look_at(facts, rows, catalog, pictures)
    return Draft(
        incident_id=facts.id,
        title=case.cast.plain(facts.title),
        front=record.front_matter(case),
        sections=tuple(_sections(case)),
        drawn_from=max((row.seq for row in rows), default=0),
    )


def _sections(case: Case) -> Iterator[Section]:
    yield record.identity(case)
    yield summary.summary(case)
    yield from figures.impact(case)
    yield from figures.response_clock(case)
    yield record.timeline(case)
    yield from prompts.factors(case)
    yield record.decisions(case)
    yield record.evidence(case)
    yield from review.runbooks(case)
    yield review.access(case)
    yield review.communication(case)
    yield from prompts.reflections(case)
    yield prompts.actions()
    yield prompts.open_questions(case)
    yield prompts.facilitator()
    yield from prompts.not_recorded()
