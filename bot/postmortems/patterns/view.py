"""A record as signals look at it: phases, neighbours, what was tried. Pure."""

from collections.abc import Iterator, Sequence
from datetime import timedelta
from functools import cached_property

from bot.postmortems.mark import Clock, Mark
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row, rows_of
from bot.postmortems.patterns.said import failing
from bot.postmortems.patterns.said_words import Said
from bot.postmortems.patterns.sentence import Cue, says
from bot.timeline import Entry

STATEMENTS = ("trigger", "symptom", "detection", "action", "decision", "recovery", "access", "hypothesis", "step")  # fmt: skip


class View:
    """The rows of one record, in order, and where impact, detection and recovery are in it."""

    def __init__(self, entries: Sequence[Entry], clock: Clock) -> None:
        self.clock = clock
        self.rows = rows_of(entries, clock.impact_start.at)
        self.place = {row.seq: index for index, row in enumerate(self.rows)}
        self.said: tuple[Said, Said] | None = None  # what words are looked for in, once it is asked
        self.seen: dict[object, list[Row]] = {}  # what told sentences were read for
        self._of: dict[tuple[str, ...], list[Row]] = {}  # every signal asks for the same few kinds
        self._from: dict[tuple[int, tuple[str, ...]], list[Row]] = {}

    def of(self, *kinds: str) -> Iterator[Row]:
        """Statements of the record of some kinds; without kinds, all of them."""
        if kinds not in self._of:
            found = [row for kind in kinds or STATEMENTS for row in self._by_kind.get(kind, ())]
            self._of[kinds] = sorted(found, key=lambda row: self.place[row.seq])
        return iter(self._of[kinds])

    def raw(self, *kinds: str) -> list[Row]:
        """Rows by the kind that the record has."""
        found = [row for kind in kinds for row in self._by_raw.get(kind, ())]
        return sorted(found, key=lambda row: self.place[row.seq])

    @cached_property
    def _by_kind(self) -> dict[str, list[Row]]:
        return _grouped(self.rows, "kind")

    @cached_property
    def _by_raw(self) -> dict[str, list[Row]]:
        return _grouped(self.rows, "raw")

    def named(self, names: Sequence[str]) -> list[Row]:
        """Alerts by what they are called, however that is written."""
        return [row for row, called in self._alerts if any(name in called for name in names)]

    @cached_property
    def _alerts(self) -> list[tuple[Row, str]]:
        alerts = self.raw("alert_received")
        return [(row, row.name.lower().replace("_", "").replace("-", "")) for row in alerts]

    def saying(self, rows: Sequence[Row] | Iterator[Row], *patterns: Cue) -> list[Row]:
        """Those of them whose sentence says all of it in one clause."""
        return [row for row in rows if row.told and says(row.text, *patterns)]

    def steps(self, *verbs: str) -> list[Row]:
        """Steps of runbooks that succeeded, by what their action is called."""
        return [
            row for row in self.rows
            if row.raw == "step_succeeded"
            and any(verb in str(row.data.get("action") or "").lower() for verb in verbs)
        ]  # fmt: skip

    def failing(self, rows: Sequence[Row], way: str) -> list[Row]:
        """Rows that say of a way in, as responders use it, that it failed."""
        return [row for row in rows if row.told and failing(row.text, lex.WAYS_IN[way])]

    @cached_property
    def triggers(self) -> list[Row]:
        """Rows of what set it off."""
        return list(self.of("trigger"))

    @cached_property
    def retold(self) -> bool:
        """Whether it is a published outage, of which no more is there than sentences."""
        return any(row.data.get("told") for row in self.rows)

    @cached_property
    def leads(self) -> list[Row]:
        """Of a told outage: what was done before anything was noticed, which nobody calls a trigger yet."""
        if not self.retold:
            return []
        noticed = next(
            (i for i, row in enumerate(self.rows) if row.kind in ("symptom", "detection")), 0
        )
        rows = self.of("action", "decision")
        return [row for row in rows if row.told and self.place[row.seq] < noticed]

    @cached_property
    def asides(self) -> list[Row]:
        """Of a told outage: what its writer remarks beside its statements; alone, remarks are none."""
        if not any(row.told for row in self.of("trigger", "symptom", "detection")):
            return []
        return [
            row
            for row in self._by_kind.get("said", ())
            if row.told and not lex.FROM_NOW_ON.search(row.text)
        ]

    @cached_property
    def impact(self) -> int:
        """Where the impact begins: its row, or the first one behind its time; else the first symptom."""
        start = self.clock.impact_start
        if start.at is not None and start.seq in self.place:
            later = (i for i, row in enumerate(self.rows) if row.at > start.at)
            return min(self.place[start.seq], next(later, len(self.rows)))
        return next(
            (i for i, row in enumerate(self.rows) if row.kind in ("symptom", "detection")), 0
        )

    @cached_property
    def start(self) -> int:
        """The first trigger, or the impact: before it is the day as it was."""
        return min([self.impact, *(self.place[row.seq] for row in self.triggers[:1])])

    @cached_property
    def detected(self) -> int:
        """Where it was noticed, by whomever; the impact, where no row says."""
        places = [
            i for i, row in enumerate(self.rows) if row.kind == "detection" and i >= self.impact
        ]
        if self.clock.detected.seq in self.place:
            places.append(self.place[self.clock.detected.seq])
        return min(places, default=self.impact)

    @cached_property
    def ended(self) -> int:
        """The row of the mitigation, or behind the last one."""
        seq = self.clock.mitigated.seq
        return self.place[seq] if seq in self.place else len(self.rows)

    def during(self, *kinds: str) -> list[Row]:
        """Statements from the trigger on, whichever comes first of it and the impact."""
        return self._onward(self.start, kinds)

    def responding(self, *kinds: str) -> list[Row]:
        """Statements from the impact on."""
        return self._onward(self.impact, kinds)

    def _onward(self, place: int, kinds: tuple[str, ...]) -> list[Row]:
        key = place, kinds
        if key not in self._from:
            self._from[key] = [row for row in self.of(*kinds) if self.place[row.seq] >= place]
        return self._from[key]

    def before(self, row: Row, *kinds: str) -> list[Row]:
        """Statements before a row."""
        return [each for each in self.of(*kinds) if self.place[each.seq] < self.place[row.seq]]

    def after(self, row: Row, *kinds: str) -> list[Row]:
        """Statements behind a row."""
        return [each for each in self.of(*kinds) if self.place[each.seq] > self.place[row.seq]]

    def early(self, *kinds: str) -> list[Row]:
        """Statements from the trigger to a few minutes after the impact began."""
        start = self.clock.impact_start.at
        rows = self.during(*kinds)
        if start is None:
            return rows[:3]
        return [row for row in rows if row.at <= start + timedelta(minutes=5)]

    def impact_after(self, trigger: Row, minutes: float) -> Row | None:
        """The symptom or detection that followed a trigger so soon, by clocks."""
        rows = self.after(trigger, "symptom", "detection")
        return next((row for row in rows if within(trigger, row, minutes)), None)

    def row(self, mark: Mark) -> Row | None:
        """The row of a mark."""
        return self.rows[self.place[mark.seq]] if mark.seq in self.place else None

    def minutes(self, start: Mark, end: Mark) -> float | None:
        """Between two marks, or None."""
        if start.at is None or end.at is None:
            return None
        return (end.at - start.at) / timedelta(minutes=1)


def _grouped(rows: Sequence[Row], by: str) -> dict[str, list[Row]]:
    found: dict[str, list[Row]] = {}
    for row in rows:
        found.setdefault(getattr(row, by), []).append(row)
    return found


def within(first: Row, second: Row, minutes: float) -> bool:
    """Whether the second came at most so long after the first, both by a clock."""
    if not (first.known and second.known):
        return False
    return timedelta(0) <= second.at - first.at <= timedelta(minutes=minutes)
