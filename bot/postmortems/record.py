"""The sections that only repeat what was recorded: identity, timeline, decisions, pictures."""

from bot.postmortems.case import Case, Gap
from bot.postmortems.page import (
    Anchor,
    Block,
    Cite,
    Figure,
    Line,
    Link,
    Paragraph,
    Section,
    Table,
    cell,
    span,
    text_of,
    utc,
)
from bot.timeline import Entry

OPEN = "to be named"
_DECISIONS = frozenset({
    "incident_declared", "severity_changed", "status_changed", "commander_assigned",
    "run_requested", "run_approved", "run_refused", "run_aborted", "undo_requested",
    "outcome_settled", "approval_void", "incident_merged", "incident_unmerged", "alerts_moved",
})  # fmt: skip


def front_matter(case: Case) -> dict[str, object]:
    """Who, what, when and where the draft comes from, for machines."""
    facts, rows = case.facts, case.rows
    return {
        "id": f"INC-{facts.id}",
        "title": case.cast.plain(facts.title),
        "severity": facts.severity,
        "document_status": "draft",
        "incident_status": facts.status,
        "drill": facts.drill,
        "services": list(facts.services),
        "owner": OPEN,
        "facilitator": OPEN,
        "reviewers": [],
        "declared_by": case.cast.actor(facts.declared_by),
        **{mark.title.lower().replace(" ", "_"): utc(mark.at) for mark in case.clock.marks()},
        "times": "UTC",
        "provenance": {
            "drawn_by": "Jackline",
            "drawn_from": f"timeline of incident {facts.id}, {_extent(rows)}",
            "last_row_hash": max(rows, key=lambda row: row.seq).hash if rows else "",
            "written_by_people": "nothing yet",
        },
    }


def _extent(rows: list[Entry]) -> str:
    if not rows:
        return "no rows"
    seqs = [row.seq for row in rows]
    return f"rows {min(seqs)} to {max(seqs)}"


def identity(case: Case) -> Section:
    """The front matter's main lines for people."""
    facts = case.facts
    pairs = [
        ("Severity", facts.severity.upper()),
        ("Incident", f"{facts.status}{' (drill)' if facts.drill else ''}"),
        ("Document", f"draft; owner, facilitator and reviewers {OPEN}"),
        ("Services", case.service_titles() or "none named"),
        ("Declared", f"{utc(facts.declared_at)} UTC by {case.cast.actor(facts.declared_by)}"),
        ("Resolved", f"{utc(facts.resolved_at)} UTC" if facts.resolved_at else "unknown"),
        ("Drawn from", f"the timeline of incident {facts.id}, {_extent(case.rows)}; no person has written anything here yet"),
    ]  # fmt: skip
    table = Table(("What", "Recorded"), tuple((cell(k), case.say(v)) for k, v in pairs))
    return Section("Identity", "recorded", (table,))


def timeline(case: Case) -> Section:
    """Every row, in UTC, with silences marked."""
    if not case.rows:
        return Section("Timeline", "recorded", empty="The record of this incident has no rows.")
    gaps = {gap.after.seq: gap for gap in case.gaps}
    lines: list[tuple[Line, ...]] = []
    for row in case.rows:
        lines.append(_timeline_row(case, row))
        if gap := gaps.get(row.seq):
            lines.append(_gap_row(gap))
    head = ("Row", "UTC", "Kind", "Actor", "What", "Evidence")
    intro = text_of(f"All times are UTC on {_days(case.rows)}.")
    return Section("Timeline", "recorded", (intro, Table(head, tuple(lines))))


def _days(rows: list[Entry]) -> str:
    days = sorted({utc(row.at, "%Y-%m-%d") for row in rows})
    return days[0] if len(days) == 1 else f"{days[0]} to {days[-1]} (day shown where it matters)"


def _timeline_row(case: Case, row: Entry) -> tuple[Line, ...]:
    one_day = utc(case.rows[0].at, "%d") == utc(case.rows[-1].at, "%d")
    return (
        cell(Anchor(row.seq)),
        cell(utc(row.at, "%H:%M:%S" if one_day else "%m-%d %H:%M:%S")),
        cell(row.kind),
        cell(case.cast.actor(row.actor)),
        case.say(row.text or "(no text)"),
        _evidence_of(case, row),
    )


def _evidence_of(case: Case, row: Entry) -> Line:
    """The link if there is one, and the ids by which the row can be checked."""
    data = row.data
    ids = [
        f"{label} {data[key]}"
        for key, label in (("run_id", "run"), ("step", "step"), ("fingerprint", "alert"), ("file", "file"))
        if data.get(key) is not None
    ]  # fmt: skip
    said = case.cast.plain(", ".join(ids) or f"hash {row.hash[:12]}")
    if not row.link:
        return cell(said)
    return cell(Link(row.link, "link"), f", {said}" if ids else "")


def _gap_row(gap: Gap) -> tuple[Line, ...]:
    text = f"GAP: nothing was recorded for {span(gap.minutes)}"
    return (cell(), cell(), cell("gap"), cell(), cell(text), cell("derived"))


def decisions(case: Case) -> Section:
    """What people decided, and the last thing a machine had said by then."""
    rows = [row for row in case.rows if row.actor.startswith("person:") and _decides(case, row)]
    if not rows:
        why = "No approval, refusal, change of status or other decision by a person was recorded."
        return Section("Decisions", "recorded", empty=why)
    head = ("Row", "UTC", "Who", "Decision", "Last machine row before it", "Options considered")
    table = Table(head, tuple(_decision(case, row) for row in rows))
    return Section("Decisions", "recorded", (table,))


def _decides(case: Case, row: Entry) -> bool:
    return row.kind in _DECISIONS or any(row is note for note, _ in case.notes("decision"))


def _decision(case: Case, row: Entry) -> tuple[Line, ...]:
    before = [r for r in case.rows[: case.rows.index(row)] if not r.actor.startswith("person:")]
    reason = f" (reason: {row.data['reason']})" if row.data.get("reason") else ""
    return (
        cell(Cite(row.seq)),
        cell(utc(row.at, "%H:%M:%S")),
        cell(case.cast.actor(row.actor)),
        case.say(f"{row.kind}: {row.text}{reason}"),
        (Cite(before[-1].seq), " ", *case.say(before[-1].text)) if before else cell("none"),
        cell("to be written"),
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
