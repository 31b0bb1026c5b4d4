"""The sections that only repeat what was recorded: identity, decisions, evidence, the raw record."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from bot.postmortems.case import Case, Facts
from bot.postmortems.escape import visible
from bot.postmortems.moments import has_date, is_known
from bot.postmortems.page import (
    Block,
    Bullets,
    Cite,
    Figure,
    Line,
    Link,
    Paragraph,
    Section,
    Table,
    cell,
    text_of,
    utc,
)
from bot.postmortems.patterns.match import Resemblance
from bot.postmortems.told import is_told, option_told, reason_told
from bot.timeline import Entry

OPEN = "to be named"
_DECISIONS = frozenset({
    "incident_declared", "severity_changed", "status_changed", "commander_assigned",
    "role_assigned", "decision_made", "run_requested", "run_approved", "run_refused", "run_aborted",
    "step_approved", "step_refused", "undo_requested", "freeze_overridden", "service_added",
    "service_removed", "outcome_settled", "approval_void", "incident_merged", "incident_unmerged",
    "alerts_moved", "decision",
})  # fmt: skip


def front_matter(case: Case, like: Resemblance) -> dict[str, object]:
    """Who, what, when and where the draft comes from, for machines; ``like``: what it resembles."""
    facts, rows = case.facts, case.rows
    return {
        "id": f"INC-{facts.id}" if facts.id else "replay",
        "title": visible(case.cast.plain(facts.title)),
        "severity": facts.severity,
        "document_status": "draft",
        "incident_status": facts.status,
        "drill": facts.drill,
        "services": list(facts.services),
        "owner": _owner(case),
        "facilitator": OPEN,
        "reviewers": [],
        "due": _due(case),
        "declared_by": case.cast.actor(facts.declared_by),
        **{mark.title.lower().replace(" ", "_"): utc(mark.at) for mark in case.clock.marks()},
        "times": "UTC",
        "links": [case.cast.plain(url) for _, url in _links(case)],
        "patterns": [{"id": m.pattern.id, "strength": like.strength(m)} for m in like.matches],
        "provenance": {
            "drawn_by": "Jackline",
            "drawn_from": f"{_record(facts)}, {_extent(rows)}",
            "last_row_hash": max(rows, key=lambda row: row.seq).hash if rows else "",
            "written_by_people": "nothing yet",
        },
    }


def _owner(case: Case) -> str:
    """A proposal: who led it knows most of it. People name somebody else."""
    led = case.of("commander_assigned")
    return f"{case.cast.actor(led[-1].actor)} (proposed)" if led else OPEN


def _due(case: Case) -> str:
    """When the severity's rule asks for the finished document."""
    ended, within = case.clock.resolved.at, case.catalog.severity(case.facts.severity).postmortem_within  # fmt: skip
    if ended is None or within is None:
        return "not set"
    return utc(ended + timedelta(seconds=within), "%Y-%m-%d")


def _links(case: Case) -> list[tuple[str, str]]:
    """The incident's links as the record and the incident's row have them, each once."""
    rows = [(row.text.removeprefix("Link: "), row.link) for row in case.of("link_added")]
    found = {url: title for title, url in (*rows, *case.around.links) if url}
    return [(title, url) for url, title in found.items()]


def _extent(rows: list[Entry]) -> str:
    if not rows:
        return "no rows"
    seqs = [row.seq for row in rows]
    return f"rows {min(seqs)} to {max(seqs)}"


def _record(facts: Facts) -> str:
    return f"timeline of incident {facts.id}" if facts.id else "published timeline"


def identity(case: Case) -> Section:
    """The front matter's main lines for people."""
    facts = case.facts
    pairs: list[tuple[str, Line]] = [
        (name, case.say(value))
        for name, value in (
            ("Severity", facts.severity.upper()),
            ("Incident", f"{facts.status}{' (drill)' if facts.drill else ''}"),
            ("Document", f"draft; due {_due(case)}"),
            ("Owner", _owner(case)),
            ("Facilitator, reviewers", OPEN),
            ("Services", case.service_titles() or "none named"),
            ("Declared", _declared(case)),
            ("Resolved", _zoned(facts.resolved_at)),
        )
    ]
    pairs.append(("Links", _linked(case, _links(case))))
    drawn = f"the {_record(facts)}, {_extent(case.rows)}; no person has written anything here yet"
    pairs.append(("Drawn from", cell(drawn)))
    table = Table(("What", "Recorded"), tuple((cell(name), value) for name, value in pairs))
    return Section("Identity", "recorded", (table,))


def _declared(case: Case) -> str:
    """When and by whom; of a told outage only when, if that."""
    when, who = case.facts.declared_at, case.cast.actor(case.facts.declared_by)
    return _zoned(when) if case.told else f"{_zoned(when)} by {who}"


def _zoned(at: datetime | None) -> str:
    """A time with its zone, where there is a clock that has one."""
    return f"{utc(at)} UTC" if at is not None and is_known(at) and has_date(at) else utc(at)


def _linked(case: Case, links: Iterable[tuple[str, str]]) -> Line:
    line: list[str | Link] = []
    for title, url in links:
        clean = case.cast.plain(url)
        line += ([", "] if line else []) + [Link(url, case.cast.plain(title)) if clean == url else clean]  # fmt: skip
    return tuple(line) or cell("none recorded")


def decisions(case: Case) -> Section:
    """What people decided, the options they named, and what a machine had said by then."""
    noted = {row.seq for row, _ in case.notes("decision", "decided")}
    rows = [
        row
        for row in case.rows
        if (row.actor.startswith("person:") and (row.kind in _DECISIONS or row.seq in noted))
        or (row.kind == "decision" and is_told(row))
    ]
    if not rows:
        why = "No approval, refusal, change of status or other decision by a person was recorded."
        return Section("Decisions", "recorded", empty=why)
    known = "the row before" if case.told else "last machine row"
    head = ("Row", "UTC", "Who", "Decision", "Why", "Options considered", f"Known at that minute: {known}")  # fmt: skip
    table = Table(head, tuple(_decision(case, row) for row in rows))
    return Section("Decisions", "recorded", (table,))


def _decision(case: Case, row: Entry) -> tuple[Line, ...]:
    before, data = case.before(row), row.data
    instead = data.get("instead")
    options = ", ".join(map(str, instead)) if isinstance(instead, list) and instead else ""
    what = data.get("what") or row.text
    why = data.get("why") or data.get("reason") or data.get("because") or reason_told(row)
    beside = option_told(row)
    considered = f"told beside it: {beside}" if beside else "not recorded"
    if options:
        considered = f"{what}; instead of it: {options}"
    return (
        cell(Cite(row.seq)),
        cell(utc(row.at, case.shape)),
        cell(case.cast.actor(row.actor)),
        case.say(what if is_told(row) else f"{row.kind}: {what}"),
        case.say(why or "not recorded"),
        case.say(considered),
        (Cite(before.seq), " ", *case.say(before.text)) if before else cell("none"),
    )


def evidence(case: Case) -> Section:
    """What was attached while the incident ran: pictures, lists, and what could not be had."""
    blocks = tuple(_attached(case, row) for row in case.of("evidence_attached", "evidence_missing"))
    return Section("Evidence", "recorded", blocks, empty="Nothing was attached to the timeline.")


def _attached(case: Case, row: Entry) -> Block:
    file, title = str(row.data.get("file") or ""), str(row.data.get("title") or row.text)
    if file in case.pictures:
        return Figure(file, case.cast.plain(title), row.seq)
    said = f"{title}: the file {file} was not found" if file else row.text
    return Paragraph((Cite(row.seq), case.cast.plain(f": {said}")))


def appendix(case: Case) -> list[Section]:
    """The raw record, what was said, and the words that this document uses."""
    blocks = (_raw(case),) if case.told else (_raw(case), _said(case))
    return [Section("Appendix", "recorded", blocks), _glossary(case)]


def _raw(case: Case) -> Block:
    if not case.rows:
        return text_of("The record has no rows.")
    last = max(case.rows, key=lambda row: row.seq)
    where = "/incident export brings it as Markdown, JSON and CSV; jackline audit verify proves it."
    if case.told:
        where = "They are those of the file that was replayed, in the order of their times."
    return text_of(
        f"Raw timeline: {len(case.rows)} rows, {_extent(case.rows)}, the last with hash {last.hash}. {where}"
    )


def _said(case: Case) -> Block:
    """By which rows the conversation can be found again."""
    said = case.of("note_added", "message_pinned")
    pinned = [row for row in said if row.kind == "message_pinned"]
    files = [row for row in said if "📎" in row.text]
    changed = case.of("note_corrected", "note_withdrawn")
    rows = (
        ("Said in Slack", [r for r in said if r.data.get("surface") == "slack"]),
        ("Said elsewhere", [r for r in said if r.data.get("surface") not in ("slack", None)]),
        ("Pinned", pinned), ("With files", files), ("Corrected or withdrawn", changed),
    )  # fmt: skip
    lines = tuple((cell(name), cell(str(len(found))), _first(found)) for name, found in rows)
    return Table(("Conversation", "Rows", "Which"), lines)


def _first(rows: list[Entry], most: int = 20) -> Line:
    line: list[str | Cite] = []
    for row in rows[:most]:
        line += [" ", Cite(row.seq)] if line else [Cite(row.seq)]
    return (*line, " …") if len(rows) > most else tuple(line) or cell("none")


def _glossary(case: Case) -> Section:
    began = "the first symptom that is told" if case.told else "the earliest start that an alert reported"  # fmt: skip
    words = (
        ("Impact start", began),
        ("Mitigated", "users are no longer materially hurt"),
        ("Resolved", "the service is as it was before"),
        ("Run, step, guard", "one execution of a runbook; one action of it; a condition that must hold before it"),
        ("Access path", "a named way to open a connection to a target"),
        ("Recorded, derived, proposed, written by a person, to be written", "where the content of a section comes from"),
    )  # fmt: skip
    items = tuple((f"{word}: {meaning}.",) for word, meaning in words)
    return Section("Glossary", "derived", (Bullets(items),), level=3)
