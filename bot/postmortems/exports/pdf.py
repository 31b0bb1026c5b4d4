"""A postmortem as PDF, set by Typst."""

import json
import re
import subprocess
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bot.errors import Unavailable
from bot.log import get
from bot.postmortems.exports.document import (
    Block,
    Code,
    Document,
    Grid,
    Items,
    Paragraph,
    Picture,
    Quote,
    Span,
    Spans,
    shortened,
    text_of,
)

_SECONDS = 90
_HERE = Path(__file__).parent
_LONG = re.compile(r"[^\s\u200b]{25,}")
_STEP = 16  # characters after which a long word may break
_NARROW = 20  # characters up to which a column is as wide as its words
_TIGHT = 12  # the same where a table has many
_LINE = 105  # characters of a table's line
_TYPES = {b"\x89PNG": "png", b"\xff\xd8\xff": "jpg", b"GIF8": "gif"}
log = get("postmortems")


def pdf(document: Document, pictures: Mapping[str, bytes], *, stand: str, foot: str) -> bytes:
    """The pages. ``stand`` is a line under the title, ``foot`` one on each page.

    Blocking; raises `Unavailable` where this machine cannot make it.
    """
    document = shortened(document)
    with tempfile.TemporaryDirectory(prefix="jackline-pdf-") as name:
        folder = Path(name)
        placed = _put(folder, document, pictures)
        drawing = _Drawing(document.anchors(), placed)
        data = {
            "title": document.title, "stand": stand, "foot": foot,
            "opening": drawing.blocks(document.opening),
            "sections": [
                {"title": _breakable(s.title), "level": s.level, "origin": s.origin, "blocks": drawing.blocks(s.blocks)}
                for s in document.sections
            ],
        }  # fmt: skip
        (folder / "data.json").write_text(json.dumps(data, default=str), encoding="utf-8")
        (folder / "postmortem.typ").write_bytes((_HERE / "postmortem.typ").read_bytes())
        return _set(folder)


def _set(folder: Path) -> bytes:
    command = [sys.executable, "-I", str(_HERE / "typeset.py"), str(folder)]
    try:
        done = subprocess.run(  # noqa: S603 - our own program, no shell
            command, capture_output=True, timeout=_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise Unavailable(
            f"The PDF took longer than {_SECONDS} s.", hint="Take the HTML or DOCX instead."
        ) from None
    if done.returncode or not done.stdout.startswith(b"%PDF"):
        log.error("pdf_not_made", code=done.returncode, said=done.stderr[-500:].decode("utf-8", "replace"))  # fmt: skip
        raise Unavailable(
            "The PDF could not be made; the log says why.", hint="Take the HTML or DOCX instead."
        )
    return done.stdout


def _put(folder: Path, document: Document, pictures: Mapping[str, bytes]) -> dict[str, str]:
    """Writes the pictures under names of ours."""
    placed = {}
    for number, file in enumerate(document.pictures()):
        data = pictures.get(file, b"")
        kind = next((kind for sign, kind in _TYPES.items() if data.startswith(sign)), "")
        if kind:
            placed[file] = f"picture-{number}.{kind}"
            (folder / placed[file]).write_bytes(data)
    return placed


class _Drawing:
    """Blocks as the template reads them. A row's anchor is set once, and only such rows are linked."""

    def __init__(self, anchors: set[int], placed: Mapping[str, str]) -> None:
        self.anchors = anchors
        self.placed = placed
        self.set: set[int] = set()

    def blocks(self, blocks: tuple[Block, ...]) -> list[dict[str, Any]]:
        return [self.block(each) for each in blocks]

    def block(self, block: Block) -> dict[str, Any]:
        match block:
            case Paragraph(spans):
                return {"kind": "paragraph", "spans": self.line(spans)}
            case Code(text):
                return {"kind": "code", "lines": [_breakable(each) for each in text.split("\n")]}
            case Quote(blocks):
                return {"kind": "quote", "blocks": self.blocks(blocks)}
            case Items(items, start):
                listed = [self.blocks(item) for item in items]
                return {"kind": "list", "start": start, "items": listed}
            case Picture(file, title):
                return {"kind": "picture", "path": self.placed.get(file), "title": title}
            case Grid():
                return self.table(block)

    def table(self, grid: Grid) -> dict[str, Any]:
        rows = [[{"spans": self.line(cell)} for cell in row] for row in grid.rows]
        return {"kind": "table", "head": [self.line(c) for c in grid.head], "rows": rows, "widths": _widths(grid)}  # fmt: skip

    def line(self, spans: Spans) -> list[dict[str, Any]]:
        return [self.piece(each) for each in spans]

    def piece(self, span: Span) -> dict[str, Any]:
        made: dict[str, Any] = {"text": _breakable(span.text)}
        made |= {name: True for name in ("bold", "italic", "code") if getattr(span, name)}
        if span.url:
            made["url"] = span.url
        if span.row in self.anchors:
            made["row"] = f"row-{span.row}"
        if span.anchor is not None and span.anchor not in self.set:
            self.set.add(span.anchor)
            made["anchor"] = f"row-{span.anchor}"
        return made


def _widths(grid: Grid) -> list[float | None]:
    """Short columns are as wide as their words, the others share what is left by their text.

    Where the short ones would leave too little, only those of a word or two stay as they are.
    """
    columns = list(zip(*([grid.head, *grid.rows]), strict=False)) if grid.head else []
    lengths = [[len(text_of(cell)) for cell in column] for column in columns]
    longest = [max(each) for each in lengths]
    wide = sum(each > _NARROW for each in longest)
    taken = sum(each + 2 for each in longest if each <= _NARROW)
    narrow = _TIGHT if wide and taken + _NARROW * wide > _LINE else _NARROW
    return [
        None if most <= narrow else max(4.0, min(sum(each) / len(each), 60) ** 0.5)
        for most, each in zip(longest, lengths, strict=True)
    ]


def _breakable(text: str) -> str:
    """Long words may break: an address or a hash must not leave the page."""
    return _LONG.sub(lambda found: "\u200b".join(_cut(found[0])), text)


def _cut(word: str) -> list[str]:
    return [word[at : at + _STEP] for at in range(0, len(word), _STEP)]
