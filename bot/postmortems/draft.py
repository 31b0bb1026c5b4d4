"""Draws a draft from the record: the order of the sections, top to bottom. Pure.

It never says why something happened. It lists what was recorded, what follows from that by
arithmetic, what might be done about it, and what a person has yet to write, and each section says
which of these it is.
"""

from collections.abc import Iterator, Mapping, Sequence

from bot.catalog import Catalog
from bot.postmortems import figures, history, prompts, proposals, reach, record, resemblance, review
from bot.postmortems.case import Around, Case, Facts, look_at
from bot.postmortems.chronicle import cited_in, timeline
from bot.postmortems.exports import customers
from bot.postmortems.findings import findings
from bot.postmortems.page import Draft, Section
from bot.postmortems.patterns.match import Resemblance
from bot.postmortems.plots import figures_of, plots
from bot.postmortems.summary import summary
from bot.postmortems.technical import technical
from bot.timeline import Entry


def draft(
    facts: Facts, rows: Sequence[Entry], catalog: Catalog, pictures: Mapping[str, bytes],
    around: Around | None = None, like: Resemblance | None = None,
) -> Draft:  # fmt: skip
    """The draft; the same record always gives the same one. ``pictures`` are by file name.

    ``around`` is what the database knows beside the record, ``like`` what the record resembles, where that
    has been worked out. Its own pictures are not drawn yet:
    `bot.postmortems.charts` does that.
    """
    case = look_at(facts, rows, catalog, pictures, around)
    like = like or resemblance.look(case)
    before, after = list(_before(case)), list(_after(case, like))
    drawn = plots(case)
    shown = timeline(case, cited_in([*before, *after]), figures_of(drawn))
    return Draft(
        incident_id=facts.id,
        title=case.cast.plain(facts.title),
        front=record.front_matter(case, like),
        sections=(*before, shown, *after),
        drawn_from=max((row.seq for row in rows), default=0),
        plots=drawn,
    )


def _before(case: Case) -> Iterator[Section]:
    yield record.identity(case)
    yield summary(case)
    yield from figures.impact(case)
    yield from figures.response_clock(case)


def _after(case: Case, like: Resemblance) -> Iterator[Section]:
    """What stands below the timeline, which shows each row that is cited here by itself."""
    found = findings(case)
    yield from technical(case, found)
    yield record.decisions(case)
    yield from prompts.reflections(case, found)
    yield reach.access(case)
    yield reach.tools(case)
    yield reach.communication(case)
    yield from review.runbooks(case)
    yield from resemblance.sections(case, like)
    yield proposals.actions(case, found)
    yield prompts.open_questions(case)
    yield resemblance.with_questions(prompts.facilitator(), like)
    yield from customers.proposed(case)
    yield history.notices(case)
    yield history.related(case)
    yield record.evidence(case)
    yield from record.appendix(case)
