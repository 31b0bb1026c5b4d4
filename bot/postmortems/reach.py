"""Access, tools and communication: what was tried, what did not answer, what was promised and kept."""

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

from bot.postmortems.case import Case
from bot.postmortems.marks import minutes_between, read_time
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
from bot.postmortems.told import (
    is_told,
    tells_of_a_tool,
    tells_of_access,
    tells_of_an_estimate,
    tells_of_publishing,
)
from bot.timeline import Entry

_HAPPENED = frozenset({
    "step_succeeded", "step_failed", "step_retried", "step_unknown", "step_interrupted",
    "access_failed",
})  # fmt: skip
_TOOLS = ("evidence_missing", "customers_update_failed", "customers_update_late",
          "status_page_differed", "channel_not_opened", "channel_moved", "page_unanswered")  # fmt: skip
_ETA = re.compile(r"(?i)\b(?:eta|expected (?:back |again )?(?:by|at)|back (?:by|at))\D{0,12}?(\d{1,2}):(\d{2})\b")  # fmt: skip
_HOURS, _MINUTES = 24, 60


def access(case: Case) -> Section:
    """Which ways to the targets were tried, which of them worked, and how long getting in took."""
    rows = [line for row in case.rows if row.kind in _HAPPENED for line in _attempts(case, row)]
    noted = [(*case.say(row.text), " ", Cite(row.seq)) for row in said_of_access(case)]
    if not rows and not noted:
        why = "No step with an access path was recorded, so nothing is known about access"
        if case.told:
            why = "No row tells of a way in, whether it failed or worked"
        return Section("Access", "recorded", (text_of(why, *_looked(case)),))
    failed = failed_access(case)
    said = "Failures of access: " if failed else "No failure of access was recorded"
    blocks: list[Block] = [text_of(said, *(cites(row.seq for row in failed) if failed else _looked(case)))]  # fmt: skip
    blocks += [text_of(*line) for line in [_until_in(case, failed)] if line]
    if noted:
        blocks.append(Bullets(tuple(noted)))
    if rows:
        blocks.append(Table(("Row", "UTC", "Run, step", "Path", "Result"), tuple(rows)))
    return Section("Access", "recorded", tuple(blocks))


def _looked(case: Case) -> Line:
    """None is a statement as well: it says where was looked."""
    if not case.rows:
        return (": the record has no rows.",)
    seqs = [row.seq for row in case.rows]
    return (": rows ", Cite(min(seqs)), " to ", Cite(max(seqs)), " were looked through.")


def failed_access(case: Case) -> list[Entry]:
    """The rows that say that a way in did not work."""
    told = case.telling(tells_of_access)
    return [*case.of("access_failed"), *told]


def said_of_access(case: Case) -> list[Entry]:
    """What people wrote about getting in, and rows that are about nothing else."""
    noted = [row for row, _ in case.notes("access")]
    told = case.telling(tells_of_access)
    return [
        *noted,
        *case.of("access", "bag_merged", "glass_reviewed"),
        *(r for r in told if r.kind != "access"),
    ]


def _until_in(case: Case, failed: list[Entry]) -> Line:
    """From the first attempt that failed to the first that worked."""
    if not failed:
        return ()
    worked = [r for r in case.of("step_succeeded") if r.data.get("path") and r.at >= failed[0].at]
    if not worked and is_told(failed[0]):
        return ()
    if not worked:
        return ("No way in worked after the first one failed ", Cite(failed[0].seq), ".")
    minutes = (worked[0].at - failed[0].at).total_seconds() / 60
    return (f"From the first failed attempt to the first that worked: {span(minutes)} ", *cites([failed[0].seq, worked[0].seq]), ".")  # fmt: skip


def _attempts(case: Case, row: Entry) -> Iterator[tuple[Line, ...]]:
    """The attempts that a step lists, then the path that it ended on."""
    tried = row.data.get("attempts")
    for each in tried if isinstance(tried, list) else []:
        path, result = _attempt(each)
        yield _attempt_row(case, row, path, result)
    if last := row.data.get("path"):
        error = row.data.get("error")
        ended = row.kind.replace("_", " ") + (f": {error}" if error else "")
        yield _attempt_row(case, row, str(last), ended)


def _attempt(each: Any) -> tuple[str, str]:  # noqa: ANN401 - JSON of any shape
    if not isinstance(each, dict):
        return str(each), "tried, result not recorded"
    result = each.get("error") or each.get("outcome") or "tried, result not recorded"
    return str(each.get("path") or "unnamed path"), str(result)


def _attempt_row(case: Case, row: Entry, path: str, result: str) -> tuple[Line, ...]:
    where = f"run {row.data.get('run_id', 'unknown')}, {row.data.get('step', 'unknown')}"
    return (
        cell(Cite(row.seq)),
        cell(utc(row.at, "%H:%M:%S")),
        case.say(where),
        case.say(path),
        case.say(result),
    )


def tools(case: Case) -> Section:
    """What of the responders' own tools did not answer, or said something else than was true."""
    rows, told = case.of(*_TOOLS), case.telling(tells_of_a_tool)
    if not rows and not told:
        said = text_of("No tool is recorded to have failed", *_looked(case))
        return Section("Tools", "recorded", (said,), level=3)
    items = [(f"{utc(row.at, '%H:%M:%S')} UTC: ", *case.say(row.text), " ", Cite(row.seq)) for row in rows]  # fmt: skip
    items += [(*case.say(row.text), " ", Cite(row.seq)) for row in told]
    return Section("Tools", "recorded", (Bullets(tuple(items)),), level=3)


def communication(case: Case) -> Section:
    """Updates that went out, and whether what they promised came when it was promised."""
    updates = case.of("communication_sent", "communication")
    noted = [row for row, _ in case.notes("update")]
    noted += [row for row in case.telling(tells_of_publishing) if row not in updates]
    blocks: list[Block] = []
    if updates or noted:
        head = ("Row", "UTC", "Said", "Incident's status then", "Next promised", "Next came")
        rows = tuple(_update(case, row, updates) for row in sorted([*updates, *noted], key=lambda r: r.seq))  # fmt: skip
        blocks += [Table(head, rows), *_kept(updates)]
    else:
        blocks.append(text_of("No published update was recorded", *_looked(case)))
    blocks += [*_first(case, updates), *_etas(case, updates)]
    return Section("Communication", "recorded", tuple(blocks))


def _update(case: Case, row: Entry, updates: list[Entry]) -> tuple[Line, ...]:
    promised, came = read_time(row.data.get("next_at")), _next(row, updates)
    return (
        cell(Cite(row.seq)),
        cell(utc(row.at, case.shape)),
        case.say(row.text),
        cell("not recorded") if is_told(row) else case.say(_status(case, row.at)),
        cell(utc(promised, "%H:%M") if promised else "nothing"),
        cell(*_came(came, promised)),
    )


def _status(case: Case, at: datetime) -> str:
    before = [row for row in case.of("status_changed") if row.at <= at]
    return str(before[-1].data.get("to", "")) if before else "declared"


def _next(row: Entry, updates: list[Entry]) -> Entry | None:
    """The next one to the same audience."""
    to = row.data.get("audience")
    return next((u for u in updates if u.seq > row.seq and u.data.get("audience") == to), None)


def _came(came: Entry | None, promised: datetime | None) -> Line:
    if came is None:
        return ("never",) if promised else ("no further one",)
    if promised is None:
        return (f"{utc(came.at, '%H:%M')} ", Cite(came.seq))
    late = (came.at - promised).total_seconds() / 60
    word = f"{span(late)} late" if late > 0 else "in time"
    return (f"{utc(came.at, '%H:%M')}, {word} ", Cite(came.seq))


def _kept(updates: list[Entry]) -> Iterator[Block]:
    """How many of the next updates that were promised came in time."""
    promised = [(row, at) for row in updates if (at := read_time(row.data.get("next_at")))]
    if promised:
        kept = sum(
            (came := _next(row, updates)) is not None and came.at <= at for row, at in promised
        )
        yield text_of(f"{kept} of {len(promised)} promised next updates came in time.")


def _first(case: Case, updates: list[Entry]) -> Iterator[Block]:
    """How soon each audience heard, beside what the severity asks for."""
    declared = case.clock.declared
    if declared.at is None or any(is_told(row) for row in updates):
        return
    rule = case.catalog.severity(case.facts.severity)
    asked = [*dict.fromkeys([*rule.tell, *rule.updates, *(str(u.data.get("audience")) for u in updates)])]  # fmt: skip
    lasted = minutes_between(declared, case.clock.resolved)
    lines: list[Line] = []
    for audience in asked:
        first = next((u for u in updates if u.data.get("audience") == audience), None)
        within = rule.first(audience)  # type: ignore[arg-type]  # what a row says is any text
        wanted = f", asked for within {span(within / 60)}" if within else ""
        if first is None:
            short = lasted is not None and bool(within) and lasted * 60 <= (within or 0)
            word = "not told; it was over before that was due" if short else "never told"
            lines.append((f"{case.cast.plain(audience)}: {word}{wanted} ", *cites([declared.seq])))
        else:
            took = span((first.at - declared.at).total_seconds() / 60)
            lines.append((f"{case.cast.plain(audience)}: first told {took} after the declaration{wanted} ", *cites([declared.seq, first.seq])))  # fmt: skip
    if lines:
        yield text_of("First word to each audience:")
        yield Bullets(tuple(lines))


def _etas(case: Case, updates: list[Entry]) -> Iterator[Block]:
    """Times of recovery that were named, beside when it was mitigated."""
    named = [row for row, _ in case.notes("eta")]
    once = {row.seq: row for row in (*updates, *named)}.values()
    found = [(row, at) for row in once if (at := _eta(row))]
    told = case.telling(tells_of_an_estimate)
    if told and not found:
        yield text_of("Estimates that are told of; whether they were kept is to be written:")
        yield Bullets(tuple(("ETA: ", *case.say(row.text), " ", Cite(row.seq)) for row in told))
        return
    if not found:
        yield text_of("No promised time of recovery (ETA) was recorded", *_looked(case))
        return
    actual = case.clock.mitigated
    items: list[Line] = []
    for row, at in found:
        if actual.at is None:
            ended: Line = ("when it was mitigated is unknown",)
        else:
            late = (actual.at - at).total_seconds() / 60
            word = f"{span(late)} later than said" if late > 0 else f"{span(-late)} sooner than said"  # fmt: skip
            ended = (f"mitigated at {utc(actual.at, '%H:%M')}, {word} ", *cites([actual.seq]))
        items.append((f"At {utc(row.at, '%H:%M')} an ETA of {utc(at, '%H:%M')} (read as UTC) ", Cite(row.seq), ": ", *ended))  # fmt: skip
    yield Bullets(tuple(items))


def _eta(row: Entry) -> datetime | None:
    """The next such time of day after the row, in UTC."""
    match = _ETA.search(row.text)
    if match is None:
        return None
    hour, minute = int(match.group(1)), int(match.group(2))
    if hour >= _HOURS or minute >= _MINUTES:
        return None
    at = row.at.replace(hour=hour, minute=minute, second=0, microsecond=0)
    return at if at >= row.at else at + timedelta(days=1)
