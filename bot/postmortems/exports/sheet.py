"""Rows as CSV that a spreadsheet shows and never calculates. Pure."""

import csv
import io
from collections.abc import Iterable, Sequence

from bot.postmortems.exports.document import plain
from bot.postmortems.exports.gate import Gate
from bot.timeline import Entry

# How a spreadsheet knows a formula; the wide forms count in East Asian versions of Excel.
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")  # noqa: RUF001
HEAD = ("seq", "at", "kind", "actor", "text", "link")


def sheet(head: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """CSV after RFC 4180; a cell that would be a formula begins with an apostrophe."""
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(head)
    for row in rows:
        writer.writerow([_inert(str(cell)) for cell in row])
    return out.getvalue()


def timeline(rows: Iterable[Entry], gate: Gate, who: Sequence[str]) -> bytes:
    """Every row of the record; ``who`` are the actors as they are to be called."""
    cells = (
        (row.seq, row.at.isoformat(), row.kind, actor, gate.text(row.text), gate.text(row.link))
        for row, actor in zip(rows, who, strict=True)
    )
    return sheet(HEAD, cells).encode()


def _inert(cell: str) -> str:
    shown = plain(cell)
    return f"'{shown}" if shown.lstrip(" \u00a0\u3000\ufeff").startswith(_FORMULA) else shown
