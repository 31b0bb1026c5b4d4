"""What a draft is made of: sections, tables and lines, before anybody decides how they look.

Text stays plain here. Escaping is the renderer's, in one place, so that no section can forget it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, get_args

from bot.postmortems.moments import Moment
from bot.postmortems.plotted import Plots

Origin = Literal["recorded", "derived", "proposed", "written by a person", "to be written"]
ORIGINS: tuple[Origin, ...] = get_args(Origin)
UNKNOWN = "unknown"
_MINUTE, _HOUR, _DAY = 60, 3600, 86_400


@dataclass(frozen=True)
class Cite:
    """Points at a row of the timeline: ``[#12]``."""

    seq: int


@dataclass(frozen=True)
class Anchor:
    """Where a `Cite` leads: the row itself."""

    seq: int


@dataclass(frozen=True)
class Link:
    """A link to somewhere else; shown as text unless it is http(s)."""

    url: str
    label: str


Part = str | Cite | Anchor | Link
Line = tuple[Part, ...]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    line: Line


@dataclass(frozen=True)
class Bullets:
    """A list."""

    items: tuple[Line, ...]


@dataclass(frozen=True)
class Table:
    """A table; every cell is a line."""

    head: tuple[str, ...]
    rows: tuple[tuple[Line, ...], ...]


@dataclass(frozen=True)
class Figure:
    """A picture of ``data/evidence``; ``seq`` is the row that it came with, if it came with one."""

    file: str
    title: str
    seq: int | None = None


Block = Paragraph | Bullets | Table | Figure


@dataclass(frozen=True)
class Section:
    """A heading, where its content comes from, and the content or why there is none."""

    title: str
    origin: Origin
    blocks: tuple[Block, ...] = ()
    empty: str = ""
    level: int = 2

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing below the heading, or a table that waits for rows."""
        return all(isinstance(block, Table) and not block.rows for block in self.blocks)


@dataclass(frozen=True)
class Draft:
    """A postmortem's draft: the front matter (YAML) and the sections."""

    incident_id: int
    title: str
    front: dict[str, object]
    sections: tuple[Section, ...]
    drawn_from: int
    plots: Plots | None = None  # what its own pictures show


def cell(*parts: Part) -> Line:
    """A line from its parts."""
    return parts


def text_of(*parts: Part) -> Paragraph:
    """A paragraph from its parts."""
    return Paragraph(parts)


def cites(seqs: Iterable[int | None]) -> Line:
    """``[#3] [#7]``, each row once, in order."""
    known = sorted({seq for seq in seqs if seq is not None})
    line: list[str | Cite] = []
    for seq in known:
        line += [" ", Cite(seq)] if line else [Cite(seq)]
    return tuple(line)


def utc(at: datetime | None, shape: str = "%Y-%m-%d %H:%M:%S") -> str:
    """A time in UTC, or the word unknown."""
    if isinstance(at, Moment):
        return at.shown(shape)
    return at.astimezone(UTC).strftime(shape) if at else UNKNOWN


def span(minutes: float | None) -> str:
    """A length of time as people say it, from two days on in days and hours; negative ones say so."""
    if minutes is None:
        return UNKNOWN
    seconds = round(abs(minutes) * 60)
    sign = "minus " if minutes < 0 and seconds else ""
    if seconds < _MINUTE:
        return f"{sign}{seconds} s"
    if seconds < _HOUR:
        rest = f" {seconds % 60} s" if seconds % 60 else ""
        return f"{sign}{seconds // 60} min{rest}"
    if seconds < 2 * _DAY:
        return f"{sign}{seconds // _HOUR} h {seconds % _HOUR // 60:02d} min"
    hours = f" {seconds % _DAY // _HOUR} h" if seconds % _DAY >= _HOUR else ""
    return f"{sign}{seconds // _DAY} days{hours}"
