"""Three to five sentences that an outsider understands, from facts only."""

from collections.abc import Iterator

from bot.postmortems.case import Case
from bot.postmortems.marks import Mark, minutes_between
from bot.postmortems.moments import has_date
from bot.postmortems.page import Line, Paragraph, Part, Section, cites, span, utc
from bot.postmortems.runs import Run
from bot.postmortems.told import causes_told, tells_of_lost_data
from bot.postmortems.told_story import is_partial

_NOTICED = {
    "": "A machine's alert reported it", "machine": "A machine's alert reported it",
    "customer": "Customers noticed it", "staff": "Somebody of the staff noticed it",
    "third-party": "Somebody outside noticed it",
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
        opening = f"This is drawn from {_rows(len(seqs))} about “"
        about = (opening, *case.say(facts.title), "” ", *cites([min(seqs), max(seqs)]), ".")
        return (*about, *_told_first(case))
    kind = "a drill" if facts.drill else "an incident"
    where = case.service_titles()
    touching = f" affecting {where}" if where else ""
    seq = case.clock.declared.seq
    opening = (
        f"On {utc(facts.declared_at, '%Y-%m-%d at %H:%M')} UTC {kind} of severity "
        f"{facts.severity.upper()}{touching} was declared under the title “"
    )
    return (opening, *case.say(facts.title), "” ", *cites([seq]), ".")


def _rows(count: int) -> str:
    return f"{count} published row{'' if count == 1 else 's'}"


def _told_first(case: Case) -> Line:
    """What users saw, in the words of the first row that says so."""
    row = next(iter(case.seen_by_users), None)
    return (" The first symptom that it tells of: “", *case.say(row.text), "” ", *cites([row.seq]), ".") if row else ()  # fmt: skip


def _impact(case: Case) -> Line:
    start, end = case.clock.impact_start, case.clock.mitigated
    minutes = minutes_between(start, end)
    if minutes is not None and minutes >= 0:
        ended = "its effect ended at" if not _in_part(case) else "the last recovery, which is told as partial, came at"  # fmt: skip
        text = f"By the record it began at {_minute(case, start)} and {ended} {_minute(case, end)}{_zone(end)}, {span(minutes)} later "
        return (text, *cites([start.seq, end.seq]), *_lost(case), ".")
    if start.at is not None:
        return (f"By the record it began at {_minute(case, start)}{_zone(start)} ", *cites([start.seq]), "; when its effect ended is not recorded", *_lost(case), ".")  # fmt: skip
    return ("When its effect began is not recorded", *_lost(case), ".")


def _in_part(case: Case) -> bool:
    """Whether what ended it is told as a recovery of a part, so that it cannot be said that all was well."""
    row = case.row(case.clock.mitigated.seq)
    return row is not None and case.told and row.kind == "recovery" and is_partial(row)


def _lost(case: Case) -> Line:
    """Where a told outage speaks of data."""
    rows = case.telling(tells_of_lost_data)[:4]
    return ("; what it tells of lost data is quoted below ", *cites(row.seq for row in rows)) if rows else ()  # fmt: skip


def _minute(case: Case, mark: Mark) -> str:
    """With its day where the marks are of several, or where no other sentence names it."""
    clock = case.clock
    marks = (clock.impact_start, clock.mitigated, clock.detected, clock.acknowledged)
    days = {each.at.date() for each in marks if each.at}
    named = len(days) > 1 or (case.told and mark is clock.impact_start)
    return utc(mark.at, "%Y-%m-%d %H:%M" if named else "%H:%M")


def _zone(mark: Mark) -> str:
    """Minutes from a start that nobody dated have none."""
    return " UTC" if mark.at and has_date(mark.at) else ""


def _response(case: Case) -> Line:
    if case.told:
        return _told_response(case)
    detected, person = case.clock.detected, case.clock.acknowledged
    found = (
        f"{_NOTICED['']} at {_minute(case, detected)}{_zone(detected)}"
        if detected.at
        else "No alert reported it"
    )
    acted = f"a person first acted at {_minute(case, person)}{_zone(person)}" if person.at else "no person appears in the record"  # fmt: skip
    return (f"{found}, and {acted} ", *cites([detected.seq, person.seq]), ".")


def _told_response(case: Case) -> Line:
    """Who noticed it, and when, as far as either is told."""
    detected, person = case.clock.detected, case.clock.acknowledged
    row = next(iter(case.of("detection")), None)
    seq = detected.seq or (row.seq if row else None)
    who = _NOTICED.get(detected.source, _NOTICED["staff"]) if seq else ""
    when = (
        f"at {_minute(case, detected)}{_zone(detected)}"
        if detected.at
        else "at a time that is not told"
    )
    found = f"{who} {when}" if who else "Who noticed it is not told"
    acted = (
        f"; a person first took it up at {_minute(case, person)}{_zone(person)}"
        if person.at
        else ""
    )
    return (f"{found}{acted} ", *cites([seq, person.seq]), ".") if seq else (f"{found}.",)


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
    recorded = [row for row, _ in case.notes("cause", "root cause", "trigger")]
    if found := [*recorded, *causes_told(case.rows, case.clock.diagnosed.seq)][:6]:
        seqs = cites(row.seq for row in found)
        said = (
            "What was found, as it is told,"
            if case.told
            else "What responders noted about the cause"
        )
        return (f"{said} is quoted below and not yet confirmed ", *seqs, ".")
    return ("The cause is not established in the record.",)
