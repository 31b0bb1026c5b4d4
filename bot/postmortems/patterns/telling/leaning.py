"""Whether a sentence says that one thing needs another that had failed. Pure."""

import re
from collections.abc import Iterable, Sequence

from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import Cue, sentences, supposed
from bot.postmortems.patterns.telling import words_access as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View

_WORD = re.compile(r"[A-Za-z][\w.-]{2,}")
_WORDS = (
    "the and for with from that this its our their his her not was were are has had have all any one two three out off "
    "into over under after before which when where while who whom what some many most more less than then also only "
    "there here they them these those down fails failed fail failing error errors service services system systems "
    "server servers customers customer users user team teams engineer engineers operator operators minutes minute hours "
    "hour time times first second third new old same other each every both data network start starts started stop stops "
    "stopped run runs running production traffic requests request company people staff"
)  # fmt: skip
_COMMON = frozenset(_WORDS.split())
_FIRST = 3  # triggers
_NEAR = 60  # characters behind the word that says it needs it


def leans_on_failed(view: View, row: Row, what: Cue) -> bool:
    """Said in one sentence: what is needed, that it needs, and that the other is the one that failed."""
    return any(
        not supposed(part) and what.search(part) and _leans(part, _names_of_failed(view, row))
        for part in sentences(row.text)
    )


def _leans(part: str, failed: frozenset[str]) -> bool:
    for found in words.LEANS.finditer(part):
        behind = part[found.end() : found.end() + _NEAR]
        if words.SELF.search(part[found.start() :]):
            return True
        if any(word.lower().rstrip(".") in failed for word in _WORD.findall(behind)):
            return True
    return False


def _names_of_failed(view: View, row: Row) -> frozenset[str]:
    """Names in the rows of what failed first, the row itself left out."""
    return _named(each for each in _failed(view) if each is not row)


def names(row: Row, others: Sequence[Row]) -> frozenset[str]:
    """Names that a row shares with others."""
    return _named((row,)) & _named(others)


def _named(rows: Iterable[Row]) -> frozenset[str]:
    found = (word for each in rows for word in _WORD.findall(each.text))
    plain = (word.rstrip(".").removesuffix("'s") for word in found if word[:1].isupper())
    return frozenset(word.lower() for word in plain) - _COMMON


@once
def _failed(view: View) -> list[Row]:
    """The rows of what set it off, and of the first symptoms."""
    symptoms = [each for each in view.of("symptom") if view.place[each.seq] <= view.detected]
    return [*view.triggers[:_FIRST], *symptoms[:2]]
