"""A told outage as its marks are read: the rows, where its impact began, and what its recoveries say. Pure."""

from collections.abc import Iterator, Sequence

from bot.postmortems.mark import Mark, unknown
from bot.postmortems.moments import is_about, is_known
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.noticing import noticed_by
from bot.postmortems.patterns.said import OUTSIDE
from bot.postmortems.patterns.sentence import clauses, cue, says
from bot.postmortems.told_words import (
    AS_PLANNED,
    AT_MOST,
    BY_ITSELF,
    HURT,
    LOST,
    MANNER,
    MOST,
    ON_PURPOSE,
    PARTLY,
    UNHURT,
    WAS_SO,
    WITHOUT,
)  # fmt: skip
from bot.timeline import Entry

_UPDATED = cue(r"(?:updat|publish|post)\w*", r"(?:available|reachable|works?)\b")


class Story:
    """The rows with what several marks ask of them."""

    def __init__(self, rows: Sequence[Entry]) -> None:
        self.rows = rows
        self.place = {row.seq: index for index, row in enumerate(rows)}
        self.first = next((i for i, row in enumerate(rows) if row.kind == "trigger"), 0)
        self.start = self._impact_start()
        self.recoveries = [
            row for row in self.after_start("recovery") if not only_about_status(row)
        ]

    def after_start(self, *kinds: str) -> Iterator[Entry]:
        """Rows of some kinds from the impact on, in order."""
        begin = self.place[self.start.seq] if self.start.seq is not None else self.first
        yield from (row for row in self.rows[begin:] if row.kind in kinds)

    def _impact_start(self) -> Mark:
        title = "Impact start"
        rows = self.rows[self.first :]
        told = [row for row in rows if row.kind == "symptom"]
        symptoms = [row for row in told if not is_harmless(row)] or told
        found = min(
            (r for r in _candidates(rows, symptoms[:1]) if is_known(r.at)),
            key=lambda row: row.at, default=None,
        )  # fmt: skip
        if found is not None:
            return Mark(title, found.at, found.seq, f"{about(found)}{_BASIS[found.kind]}")
        if symptoms:
            return unknown(title, f"row {symptoms[0].seq} tells of it, without a clock time")
        return unknown(title, "no row tells of a symptom")


_BASIS = {
    "symptom": "first symptom that is told", "trigger": "the trigger, which says what was lost",
    "detection": "the detection, which says what users met: it had begun by then",
}  # fmt: skip


def _candidates(rows: Sequence[Entry], first: Sequence[Entry]) -> Iterator[Entry]:
    """The first symptom, and what says before it that users were hurt.

    A trigger whose time is about is as good as a symptom whose time is, and no better. A detection counts
    only where it is told before the symptom: behind one without a time it proves no beginning.
    """
    yield from first
    rough = any(is_about(row.at) for row in first)
    begin = next((place for place, row in enumerate(rows) if row in first), 0)
    timed = any(is_known(row.at) for row in first)
    for place, row in enumerate(rows):
        if row.kind == "trigger" and is_known(row.at) and (rough or not is_about(row.at)):
            if says(row.text, LOST) and not (UNHURT.search(row.text) or ON_PURPOSE.search(row.text)):  # fmt: skip
                yield row
        elif row.kind == "detection" and first and (timed or place < begin) and _tells_of_harm(row):
            yield row


def _tells_of_harm(row: Entry) -> bool:
    """Whether what was noticed is what users met."""
    met = says(row.text, HURT) or noticed_by(row.text) == "customer"
    return met and row.actor != OUTSIDE and not UNHURT.search(row.text)


def is_harmless(row: Entry) -> bool:
    """Whether a symptom says that users did not feel it, or that it was announced."""
    return bool(UNHURT.search(row.text) or AS_PLANNED.search(row.text))


def only_about_status(row: Entry) -> bool:
    """Whether a recovery is that of what customers are told, not of what they use."""
    return bool(lex.STATUS_PAGE.search(row.text)) and says(row.text, lex.STATUS_PAGE, _UPDATED)


def is_partial(row: Entry) -> bool:
    """Whether a recovery says that something is still missing: in any of its clauses.

    "Most come back without doing anything" says how they come back, not that others do not.
    """
    for part in clauses(row.text):
        if BY_ITSELF.search(part):
            continue
        text = WAS_SO.sub(" ", AT_MOST.sub(" ", part))
        lacking = WITHOUT.search(text)
        if PARTLY.search(text) or MOST.search(text):
            return True
        if lacking and not MANNER.search(lacking.group(1)):
            return True
    return False


def about(row: Entry) -> str:
    """How the basis of a mark begins whose time the source gave as approximate."""
    return "time is approximate; " if is_about(row.at) else ""
