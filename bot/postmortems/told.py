"""A published outage as rows of a record, so that it is drafted and matched like one of our own. Pure.

Nothing is added: a row has the kind and the words of the file. A row without a clock time keeps its
place in the list and shows its bounds; who acted is read from the sentence or not stated.
"""

import re
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Any

from bot.postmortems.casefile import Outage, Told
from bot.postmortems.moments import NO_DATE, Moment, has_date
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.found import taken_back, tells_what_was_found
from bot.postmortems.patterns.losses import tells_of_losses
from bot.postmortems.patterns.said import (
    actor_of,
    fails_as_a_tool,
    fails_to_get_in,
)
from bot.timeline import Entry
from bot.timeline.chain import GENESIS, row_hash

_REASON = re.compile(
    r"\b((?:because|so that|since|in order to|in case|lest|as nothing|to (?:protect|avoid|keep|save|stop|prevent|relieve|debug)) [^;.]+)",
    re.IGNORECASE,
)
_OPTION = re.compile(
    r"\b(?:rather than|instead of|(?:the )?alternative (?:is|was)) ([^;.,]+)", re.IGNORECASE
)
_DAY_AND_TIME = "%Y-%m-%d %H:%M"
NOT_STATED = "not stated"


def entries_of(outage: Outage) -> list[Entry]:
    """Its rows, chained like any record."""
    link = next((source.url for source in outage.sources if source.url), "")
    rows: list[Entry] = []
    previous = GENESIS
    for seq, (told, at) in enumerate(
        zip(outage.timeline, _moments(outage.timeline), strict=True), 1
    ):
        facts: dict[str, Any] = {
            "incident_id": 0, "seq": seq, "at": at, "kind": told.kind,
            "actor": actor_of(told.event, outage.org, told.kind) or NOT_STATED, "text": told.event,
            "data": _data(told), "link": link, "previous": previous,
        }  # fmt: skip
        previous = row_hash(**facts)
        rows.append(Entry(**facts, hash=previous))
    return rows


def is_told(row: Entry) -> bool:
    """Whether a row comes from a published timeline."""
    return bool(row.data.get("told"))


def tells_of_access(row: Entry) -> bool:
    """Whether its sentence says that a way in failed."""
    return is_told(row) and row.kind != "trigger" and fails_to_get_in(row.text)


def tells_of_a_tool(row: Entry) -> bool:
    """Whether its sentence says that what responders work with failed."""
    return is_told(row) and row.kind not in ("trigger", "decision") and fails_as_a_tool(row.text)


def tells_of_publishing(row: Entry) -> bool:
    """Whether its sentence is about what customers were told."""
    said = lex.PUBLISHING.search(row.text) or lex.INSTEAD.search(row.text)
    return is_told(row) and row.kind != "trigger" and bool(said)


def tells_of_an_estimate(row: Entry) -> bool:
    """Whether its sentence is about a time of recovery that was promised."""
    return is_told(row) and bool(lex.ESTIMATE.search(row.text))


def reason_told(row: Entry) -> str:
    """The part of a told decision that says what it was for, in its own words; "" without one."""
    return _part(_REASON, row)


def option_told(row: Entry) -> str:
    """The part that says what was not taken."""
    return _part(_OPTION, row)


def _part(words: re.Pattern[str], row: Entry) -> str:
    found = words.search(row.text) if is_told(row) else None
    return found.group(1).strip() if found else ""


def tells_of_lost_data(row: Entry) -> bool:
    """Whether its sentence says that data was lost, or that none was."""
    return is_told(row) and row.kind != "hypothesis" and tells_of_losses(row.text, row.kind)


def tells_the_cause(row: Entry) -> bool:
    """Whether its sentence says what was found: a quotation, confirmed by nobody here."""
    kinds = ("detection", "action", "decision", "hypothesis")
    return is_told(row) and row.kind in kinds and tells_what_was_found(row.text, row.kind)


def causes_told(rows: Sequence[Entry], diagnosed: int | None) -> list[Entry]:
    """What was found, as it is told, with the row of the mark; not what a later row takes back."""
    if not any(is_told(row) for row in rows):
        return []
    back = taken_back(["" if row.kind == "symptom" else row.text for row in rows])
    return [
        row for row, is_back in zip(rows, back, strict=True)
        if not is_back and is_told(row) and (row.seq == diagnosed or tells_the_cause(row))
    ]  # fmt: skip


def _data(told: Told) -> dict[str, str]:
    said = {"confidence": told.confidence or "", "note": told.note}
    return {"told": "yes", **{key: value for key, value in said.items() if value}}


def _moments(rows: Sequence[Told]) -> Iterator[datetime]:
    """Where each row stands. One without a time stands with the row before it, or at its earliest."""
    zero = _zero(rows)
    clocks = [_clock(row, zero) for row in rows]
    place = next((at for at in clocks if at), NO_DATE)
    for index, (row, at) in enumerate(zip(rows, clocks, strict=True)):
        if at is not None:
            place = at
            yield at
            continue
        low = (row.between or (None, None))[0]
        after = next((later for later in clocks[index:] if later), None)
        if low and low > place and (after is None or low <= after):
            place = low
        yield Moment.of(place, known=False, words=_bounds(row))


def _zero(rows: Sequence[Told]) -> datetime | None:
    """What T+0 is: a date where some row gives both, else a day without a date, else unknown."""
    both = (
        r.utc - timedelta(minutes=r.t_plus_min) for r in rows if r.utc and r.t_plus_min is not None
    )
    dated = any(row.utc for row in rows)
    return next(both, None if dated else NO_DATE)


def _clock(row: Told, zero: datetime | None) -> datetime | None:
    at = row.utc
    if at is None and row.t_plus_min is not None and zero is not None:
        at = zero + timedelta(minutes=row.t_plus_min)
    if at is None:
        return None
    if row.approx:
        return Moment.of(at, known=True, words="about")
    return at if has_date(at) else Moment.of(at, known=True)


def _bounds(row: Told) -> str:
    low, high = row.between or (None, None)
    if low and high:
        shape = "%H:%M" if low.date() == high.date() else _DAY_AND_TIME
        return f"between {low:{shape}} and {high:{shape}}"
    if low or high:
        return f"after {low:{_DAY_AND_TIME}}" if low else f"before {high:{_DAY_AND_TIME}}"
    return "no clock time given"
