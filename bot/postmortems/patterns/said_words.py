"""Finds cues in what was said. Of thousands of rows only those that have the words are looked at. Pure."""

import re
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import accumulate

import re2

from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import Cue, clauses, hit, supposed


class Said:
    """The words of some rows, in order, as one text."""

    def __init__(self, rows: Sequence[Row]) -> None:
        self._rows = [row for row in rows if row.text]
        lines = [_line(row.text) for row in self._rows]
        self._text = "\n".join(lines)
        self._ends = list(accumulate(len(line) + 1 for line in lines))

    def first(self, cue: str) -> tuple[str, Row] | None:
        """The words and the first row that says them, where that is neither denied nor supposed."""
        exact = _exact(cue)
        for row in self._candidates(cue):
            for part in clauses(row.text):
                if not supposed(part) and hit(part, exact) and (found := exact.search(part)):
                    return found.group(), row
        return None

    def _candidates(self, cue: str) -> Iterator[Row]:
        """Rows that have the words at all."""
        last = -1
        for found in _quick(cue).finditer(self._text) if self._text else ():
            place = bisect_right(self._ends, found.start())
            if place != last:
                last = place
                yield self._rows[place]


def _line(text: str) -> str:
    """Plain lower-case letters, a line each: places in it are the same in any encoding."""
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'").lower()
    return plain.encode("ascii", "replace").decode().replace("\n", " ")


@cache
def _quick(cue: str) -> "re.Pattern[str]":
    found: re.Pattern[str] = re2.compile(f"(?:{cue})")
    return found


@cache
def _exact(cue: str) -> Cue:
    return Cue(rf"(?:{cue})(?![A-Za-z0-9])")
