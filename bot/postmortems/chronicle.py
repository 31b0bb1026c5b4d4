"""The timeline: every row with its phase and class, silences marked, corrections shown as such.

Of a long record, stretches of machines' rows that nothing in the draft cites are one line each: how
many rows of which kinds, from when to when. Nothing of the record is left out without being counted.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from datetime import UTC
from zoneinfo import ZoneInfo

from bot.catalog.schedule import zone
from bot.errors import Unavailable
from bot.postmortems.case import GAP_MINUTES, Case, Gap
from bot.postmortems.moments import has_date, is_known
from bot.postmortems.page import (
    Anchor,
    Bullets,
    Cite,
    Figure,
    Line,
    Link,
    Paragraph,
    Section,
    Table,
    cell,
    cites,
    span,
    text_of,
    utc,
)
from bot.postmortems.phases import PHASES
from bot.timeline import Entry

HEAD = ("Row", "UTC", "Phase", "Class: kind", "Actor", "What", "Evidence")
LONG = 400  # rows that a person still reads one by one
_LEAST = 4  # rows that are worth one line
_KINDS_SHOWN = 4


def timeline(case: Case, cited: Collection[int], pictures: Sequence[Figure] = ()) -> Section:
    """``cited`` are rows that other sections point at: they stand by themselves."""
    if not case.rows:
        return Section("Timeline", "recorded", empty="The record of this incident has no rows.")
    shown = _Shown(case)
    gaps = {gap.before.seq: gap for gap in case.gaps}
    seen: set[str] = set()
    lines: list[tuple[Line, ...]] = [*shown.beginning(seen)]
    for group in _groups(case, cited, gaps):
        phase = case.phases.of[group[0].seq]
        lines += shown.empty_phases(phase, seen)
        seen.add(phase)
        if gap := gaps.get(group[0].seq):
            lines.append(shown.gap(gap))
        lines.append(shown.row(group[0]) if len(group) == 1 else shown.fold(group))
    lines += shown.empty_phases("", seen)
    days = " to ".join(_days(case))
    said = f"All times are UTC on {days}{shown.local_words}."
    if not has_date(case.rows[0].at):
        timed = any(is_known(row.at) for row in case.rows)
        said = "No row has a date: times are minutes from the start." if timed else "No row has a clock time."  # fmt: skip
    intro = text_of(f"{said} {_folded_words(case)}".strip())
    return Section("Timeline", "recorded", (intro, *pictures, Table(HEAD, tuple(lines))))


def _folded_words(case: Case) -> str:
    if len(case.rows) <= LONG:
        return ""
    return (
        "Stretches of machines' rows that nothing here cites are one line each; "
        "the export of the timeline has every row."
    )


def _days(case: Case) -> list[str]:
    """The first and the last day that the table shows; the impact may have begun before the record."""
    moments = [case.rows[0].at, case.rows[-1].at, case.clock.impact_start.at or case.rows[0].at]
    days = (at.astimezone(UTC).date() for at in (min(moments), max(moments)))
    return sorted({day.isoformat() for day in days})


def _groups(case: Case, cited: Collection[int], gaps: Collection[int]) -> Iterator[Sequence[Entry]]:
    """Rows one by one, or together where they may be folded; never across a silence or a phase."""
    if len(case.rows) <= LONG:
        yield from ([row] for row in case.rows)
        return
    held: list[Entry] = []
    for row in case.rows:
        alone = row.actor.startswith("person:") or row.seq in cited
        follows = held and case.phases.of[held[0].seq] == case.phases.of[row.seq]
        if held and (alone or row.seq in gaps or not follows):
            yield from _released(held)
            held = []
        if alone:
            yield [row]
        else:
            held.append(row)
    yield from _released(held)


def _released(held: list[Entry]) -> Iterator[Sequence[Entry]]:
    if len(held) >= _LEAST:
        yield held
    else:
        yield from ([row] for row in held)


class _Shown:
    """How rows look: in one day or over several, with the commander's wall clock or without."""

    def __init__(self, case: Case) -> None:
        self.case = case
        self._shape = "%H:%M:%S" if len(_days(case)) == 1 else "%m-%d %H:%M:%S"
        commander = next((row.actor for row in case.rows if row.kind == "commander_assigned"), "")
        person = case.catalog.person(commander.removeprefix("person:"))
        name = person.timezone if person else "UTC"
        self._zone = _zone(name)
        self.local_words = f", in brackets {name}" if self._zone else ""

    def at(self, row: Entry) -> Line:
        local = f" ({row.at.astimezone(self._zone):%H:%M})" if self._zone else ""
        return cell(f"{utc(row.at, self._shape)}{local}")

    def row(self, row: Entry) -> tuple[Line, ...]:
        case = self.case
        return (
            cell(Anchor(row.seq)),
            self.at(row),
            cell(case.phases.of[row.seq]),
            cell(f"{case.classes[row.seq]}: {case.cast.plain(row.kind)}"),
            cell(case.cast.actor(row.actor)),
            self._what(row),
            _evidence_of(case, row),
        )

    def _what(self, row: Entry) -> Line:
        """What it says; of a message that was changed, where it is put right."""
        case = self.case
        later = case.corrected.get(row.seq)
        if later is not None and later.kind == "note_withdrawn":
            return ("(withdrawn by its author: ", Cite(later.seq), ")")
        said = case.say(row.text or "(no text)")
        if later is not None:
            return (*said, " (corrected: ", Cite(later.seq), ")")
        if row.kind == "note_withdrawn":
            return ("Withdrawn", *self._of(row))
        if row.kind == "note_corrected":
            return ("Corrected", *self._of(row), ": ", *said)
        return said

    def _of(self, row: Entry) -> Line:
        was = [seq for seq, later in self.case.corrected.items() if later.seq == row.seq]
        return (" from ", *cites(was)) if was else ()

    def fold(self, group: Sequence[Entry]) -> tuple[Line, ...]:
        """Many rows as one, with how many of which kind."""
        kinds = Counter(row.kind for row in group).most_common()
        shown = ", ".join(f"{count} {kind}" for kind, count in kinds[:_KINDS_SHOWN])
        rest = sum(count for _, count in kinds[_KINDS_SHOWN:])
        more = f" and {rest} others" if rest else ""
        first, last = group[0], group[-1]
        until = utc(last.at, self._shape)
        names = sorted({self.case.classes[row.seq] for row in group})
        seqs = [row.seq for row in group]
        return (
            cell(f"#{min(seqs)} to #{max(seqs)}"),
            cell(*self.at(first), f" to {until}"),
            cell(self.case.phases.of[first.seq]),
            cell(f"{', '.join(names)}: folded"),
            cell("machines"),
            cell(self.case.cast.plain(f"{len(group)} rows: {shown}{more}")),
            cell(f"hashes {first.hash[:12]} to {last.hash[:12]}"),
        )

    def gap(self, gap: Gap) -> tuple[Line, ...]:
        text = f"GAP: {gap.words} for {span(gap.minutes)}"
        phase = self.case.phases.of[gap.before.seq]
        what: Line = (text, ", between ", *cites([gap.after.seq, gap.before.seq]))
        return (cell(), cell(), cell(phase), cell("gap"), cell(), what, cell("derived"))

    def beginning(self, seen: set[str]) -> Iterator[tuple[Line, ...]]:
        """Where the impact began before anything was recorded: that, and the silence until then."""
        mark, first = self.case.clock.impact_start, self.case.rows[0]
        if mark.at is None or mark.seq is None or mark.at >= first.at:
            return
        yield from self.empty_phases("trigger", seen)
        seen.add("trigger")
        minutes = (first.at - mark.at).total_seconds() / 60
        text: Line = (f"Impact start ({self.case.cast.plain(mark.basis)}) ", Cite(mark.seq))
        at = cell(utc(mark.at, self._shape))
        yield (cell(), at, cell("trigger"), cell("mark"), cell(), text, cell("derived"))
        if minutes > GAP_MINUTES:
            said: Line = (f"GAP: nothing was recorded for {span(minutes)}, until ", Cite(first.seq))
            yield (cell(), cell(), cell("detection"), cell("gap"), cell(), said, cell("derived"))

    def empty_phases(self, until: str, seen: set[str]) -> Iterator[tuple[Line, ...]]:
        """The phases that were passed without a row, each as a line of its own."""
        places = {name: index for index, name in enumerate(PHASES)}
        last = places.get(until, len(PHASES))
        for phase in self.case.phases.phases[:last]:
            if phase.name in seen or phase.rows:
                continue
            seen.add(phase.name)
            length = f", which lasted {span(phase.minutes)}" if phase.minutes is not None else ""
            known = phase.start is not None or phase.name == "before"
            text = f"No row is in this phase{length}" if known else "No mark says when this phase began"  # fmt: skip
            what: Line = (text, " ", *cites(phase.cited)) if phase.cited else cell(text)
            yield (cell(), cell(), cell(phase.name), cell("phase"), cell(), what, cell("derived"))


def _zone(name: str) -> ZoneInfo | None:
    """None for UTC, and where this host does not know it."""
    try:
        return zone(name) if name != "UTC" else None
    except Unavailable:
        return None


def _evidence_of(case: Case, row: Entry) -> Line:
    """The link if there is one, and the ids by which the row can be checked."""
    data = row.data
    ids = [
        f"{label} {data[key]}"
        for key, label in (("run_id", "run"), ("step", "step"), ("fingerprint", "alert"), ("file", "file"))
        if data.get(key) not in (None, "")
    ]  # fmt: skip
    said = case.cast.plain(", ".join(ids) or f"hash {row.hash[:12]}")
    if not row.link:
        return cell(said)
    if case.cast.plain(row.link) != row.link:  # an address with somebody's name or a token in it
        return cell(f"{case.cast.plain(row.link)}, {said}")
    return cell(Link(row.link, "link"), f", {said}" if ids else "")


def cited_in(sections: Iterable[Section]) -> set[int]:
    """The rows that sections point at."""
    return {part.seq for each in sections for line in _lines(each) for part in line
            if isinstance(part, Cite)}  # fmt: skip


def _lines(section: Section) -> Iterator[Line]:
    for block in section.blocks:
        if isinstance(block, Paragraph):
            yield block.line
        elif isinstance(block, Bullets):
            yield from block.items
        elif isinstance(block, Table):
            for row in block.rows:
                yield from row
        elif block.seq is not None:
            yield cell(Cite(block.seq))
