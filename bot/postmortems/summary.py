"""Three to five sentences that an outsider understands, from facts only."""

from collections.abc import Iterator

from bot.postmortems.case import Case
from bot.postmortems.marks import Mark, minutes_between
from bot.postmortems.page import Line, Paragraph, Part, Section, cites, span, utc
from bot.postmortems.runs import Run

_NOTICED = {
    "": "A machine's alert reported it", "machine": "A machine's alert reported it",
    "customer": "Customers noticed it", "staff": "Somebody of the staff noticed it",
}  # fmt: skip


def summary(case: Case) -> Section:
    """One paragraph; each sentence cites its rows."""
    line: list[Part] = []
    for sentence in (_what(case), _impact(case), _response(case), _runs(case), _cause(case)):
        line += [" "] * bool(line and sentence)
        line += sentence
    return Section("Summary", "derived", (Paragraph(tuple(line)),))


def _what(case: Case) -> Line:
    facts = case.facts
    if not facts.id:
        seqs = [row.seq for row in case.rows]
        opening = f"This is drawn from {len(seqs)} published rows about “"
        return (opening, *case.say(facts.title), "” ", *cites([min(seqs), max(seqs)]), ".")
    kind = "a drill" if facts.drill else "an incident"
    where = case.service_titles()
    touching = f" affecting {where}" if where else ""
    seq = case.clock.declared.seq
    opening = (
        f"On {utc(facts.declared_at, '%Y-%m-%d at %H:%M')} UTC {kind} of severity "
        f"{facts.severity.upper()}{touching} was declared under the title “"
    )
    return (opening, *case.say(facts.title), "” ", *cites([seq]), ".")


def _impact(case: Case) -> Line:
    start, end = case.clock.impact_start, case.clock.mitigated
    minutes = minutes_between(start, end)
    if minutes is not None and minutes >= 0:
        text = f"By the record it began at {_minute(start)} and its effect ended at {_minute(end)} UTC, {span(minutes)} later "
        return (text, *cites([start.seq, end.seq]), ".")
    if start.at is not None:
        return (f"By the record it began at {_minute(start)} UTC ", *cites([start.seq]), "; when its effect ended is not recorded.")  # fmt: skip
    return ("When its effect began is not recorded.",)


def _minute(mark: Mark) -> str:
    return utc(mark.at, "%H:%M")


def _response(case: Case) -> Line:
    detected, person = case.clock.detected, case.clock.acknowledged
    found = (
        f"{_NOTICED.get(detected.source, _NOTICED[''])} at {_minute(detected)} UTC"
        if detected.at
        else (
            "When it was noticed is not recorded" if not case.facts.id else "No alert reported it"
        )
    )
    acted = (
        f"a person first acted at {_minute(person)} UTC"
        if person.at
        else (
            "when a person first acted is not"
            if not case.facts.id
            else "no person appears in the record"
        )
    )
    return (f"{found}, and {acted} ", *cites([detected.seq, person.seq]), ".")


def _runs(case: Case) -> Line:
    """Sentences for the prepared procedures that were run; nothing if there were none."""
    started = [run for run in case.runs if run.started]
    return tuple(_run_sentences(case, started)) if started else ()


def _run_sentences(case: Case, started: list[Run]) -> Iterator[Part]:
    count = len(started)
    outcomes = ", ".join(f"“{run.title or run.id}” {run.outcome}" for run in started[:3])
    more = f" and {count - 3} more" if count > 3 else ""  # noqa: PLR2004 - the slice above
    plan = "one prepared procedure" if count == 1 else f"{count} prepared procedures"
    yield case.cast.plain(f"The responders turned to {plan}: {outcomes}{more} ")
    yield from cites(run.end.seq if run.end else None for run in started)
    yield "."


def _cause(case: Case) -> Line:
    if recorded := case.notes("cause", "root cause", "trigger"):
        seqs = cites(row.seq for row, _ in recorded)
        return ("What responders noted about the cause is quoted below and not yet confirmed ", *seqs, ".")  # fmt: skip
    return ("The cause is not established in the record.",)
