"""A postmortem's Markdown taken apart: sections, tables, lists and lines for whoever draws them. Pure.

The Markdown is what people have edited and approved, so every export is drawn from it and from
nothing else. Text is plain here, without control characters and marks that reorder it.
"""

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from markdown_it.token import Token

from bot.postmortems.front import cut
from bot.postmortems.front import read as front_of
from bot.postmortems.render import tokens
from bot.postmortems.templating import FOLDER

_ROW = re.compile(r"#row-(\d{1,9})")
ROWS = 1000  # of one table on paper: more pages nobody turns, and each takes time and memory
_JOINERS = "\u200c\u200d"  # hold together emoji and letters; they hide and reorder nothing


@dataclass(frozen=True)
class Span:
    """A piece of a line. ``row`` is the row of the timeline that it cites, ``anchor`` the one it is."""

    text: str
    bold: bool = False
    italic: bool = False
    code: bool = False
    url: str = ""
    row: int | None = None
    anchor: int | None = None


Spans = tuple[Span, ...]


@dataclass(frozen=True)
class Paragraph:
    """One paragraph."""

    spans: Spans


@dataclass(frozen=True)
class Code:
    """A block that keeps its lines."""

    text: str


@dataclass(frozen=True)
class Items:
    """A list; ``start`` is the first number of an ordered one."""

    items: tuple[tuple["Block", ...], ...]
    start: int | None = None


@dataclass(frozen=True)
class Quote:
    """What somebody else said."""

    blocks: tuple["Block", ...]


@dataclass(frozen=True)
class Grid:
    """A table."""

    head: tuple[Spans, ...]
    rows: tuple[tuple[Spans, ...], ...]


@dataclass(frozen=True)
class Picture:
    """A picture by its file's name in ``evidence/``."""

    file: str
    title: str


Block = Paragraph | Code | Items | Quote | Grid | Picture


@dataclass(frozen=True)
class Section:
    """A heading and what stands below it. ``origin`` says where that comes from, if it says so."""

    title: str
    level: int
    origin: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True)
class Document:
    """Front matter, title, what stands before the first section, and the sections."""

    front: dict[str, Any]
    title: str
    opening: tuple[Block, ...]
    sections: tuple[Section, ...]

    def anchors(self) -> set[int]:
        """The rows of the timeline that it holds."""
        return {s.anchor for s in _spans(self) if s.anchor is not None}

    def pictures(self) -> list[str]:
        """The files it shows, each once."""
        found = [b.file for b in _blocks(self) if isinstance(b, Picture)]
        return list(dict.fromkeys(found))


def plain(text: str) -> str:
    """Without controls and marks that reorder or hide text; line ends stay."""
    return "\n".join(line if line.isprintable() else _plain(line) for line in text.split("\n"))


def _plain(line: str) -> str:
    return "".join(c for c in line if c == "\t" or c in _JOINERS or _shown(c))


def _shown(char: str) -> bool:
    return unicodedata.category(char) not in ("Cc", "Cf", "Cs", "Co", "Cn")


def read(markdown: str) -> Document:
    """The document; Markdown is never refused, and neither is front matter that is no YAML."""
    front, body = cut(plain(markdown))
    return taken(front, tokens(body))


def taken(front: str, stream: Sequence[Token]) -> Document:
    """The document of what has been taken apart already."""
    title = ""
    opening: list[Block] = []
    sections: list[tuple[str, int, list[Block]]] = []
    current: list[Block] = opening
    at = 0
    while at < len(stream):
        if stream[at].type == "heading_open":
            level, heading = int(stream[at].tag[1:]), _text(stream[at + 1])
            at += 3
            if level == 1 and not title:
                title = heading
                continue
            current = []
            sections.append((heading, level, current))
            continue
        block, at = _block(stream, at)
        current += block
    made = tuple(_section(*each) for each in sections)
    return Document(front_of(front), title, tuple(opening), made)


def _section(title: str, level: int, blocks: list[Block]) -> Section:
    """The line in italics under a heading says where the section comes from."""
    first = blocks[0] if blocks else None
    if isinstance(first, Paragraph) and first.spans and all(s.italic for s in first.spans):
        return Section(title, level, text_of(first.spans), tuple(blocks[1:]))
    return Section(title, level, "", tuple(blocks))


def _block(stream: Sequence[Token], at: int) -> tuple[list[Block], int]:
    """The block that begins at a token, and where the next one does."""
    token = stream[at]
    end = _end(stream, at)
    inside = stream[at + 1 : end]
    found: list[Block] = []
    match token.type:
        case "paragraph_open":
            found = _paragraph(inside[0])
        case "bullet_list_open" | "ordered_list_open":
            start = None if token.tag == "ul" else int(token.attrs.get("start", 1))
            found = [Items(tuple(tuple(each) for each in _items(inside)), start)]
        case "blockquote_open":
            found = [Quote(tuple(_all(inside)))]
        case "table_open":
            found = [_grid(inside)]
        case "fence" | "code_block":
            found = [Code(token.content.rstrip("\n"))]
        case "heading_open":  # one inside a list or a quotation
            found = [Paragraph(tuple(replace(s, bold=True) for s in spans_of(inside[0])))]
    return found, end + 1


def _all(stream: Sequence[Token]) -> list[Block]:
    found: list[Block] = []
    at = 0
    while at < len(stream):
        block, at = _block(stream, at)
        found += block
    return found


def _end(stream: Sequence[Token], at: int) -> int:
    """Where what a token opens is closed; the token itself where it opens nothing."""
    depth = 0
    for index in range(at, len(stream)):
        depth += stream[index].nesting
        if depth <= 0:
            return index
    return len(stream) - 1


def _items(stream: Sequence[Token]) -> Iterator[list[Block]]:
    at = 0
    while at < len(stream):
        end = _end(stream, at)
        yield _all(stream[at + 1 : end])
        at = end + 1


def _paragraph(inline: Token) -> list[Block]:
    """A paragraph, and its pictures as blocks of their own."""
    pictures: list[Block] = [_picture(c) for c in inline.children or [] if c.type == "image"]
    spans = spans_of(inline)
    return [*([Paragraph(spans)] if text_of(spans).strip() else []), *pictures]


def _picture(token: Token) -> Picture:
    source = str(token.attrs.get("src", "")).removeprefix(FOLDER)
    return Picture(source, "".join(child.content for child in token.children or []))


def _grid(stream: Sequence[Token]) -> Grid:
    rows: list[tuple[Spans, ...]] = []
    cells: list[Spans] = []
    for token in stream:
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline":
            cells.append(spans_of(token))
        elif token.type == "tr_close":
            rows.append(tuple(cells))
    return Grid(rows[0], tuple(rows[1:])) if rows else Grid((), ())


def spans_of(inline: Token) -> Spans:
    """The pieces of a line; what is no text and no link of ours is left out."""
    found: list[Span] = []
    style: dict[str, Any] = {}
    for token in inline.children or []:
        match token.type:
            case "strong_open" | "em_open":
                style["bold" if token.tag == "strong" else "italic"] = True
            case "strong_close" | "em_close":
                style.pop("bold" if token.tag == "strong" else "italic", None)
            case "link_open":
                style |= _link(str(token.attrs.get("href", "")))
            case "link_close":
                style.pop("url", None)
                style.pop("row", None)
            case "row_anchor":
                found.append(Span("", anchor=int(token.meta["seq"])))
            case "softbreak" | "hardbreak":
                found.append(Span(" ", **style))
            case "code_inline":
                found.append(Span(token.content, code=True, **style))
            case "text" | "text_special" | "html_inline":
                found.append(Span(token.content, **style))
    return tuple(each for each in found if each.text or each.anchor is not None)


def _link(address: str) -> dict[str, Any]:
    if cited := _ROW.fullmatch(address):
        return {"row": int(cited[1])}
    return {"url": address} if address.startswith(("http://", "https://")) else {}


def text_of(spans: Spans) -> str:
    """The line without its looks."""
    return "".join(each.text for each in spans)


def shortened(document: Document) -> Document:
    """For paper: very long tables end with how many rows are elsewhere."""
    sections = (
        replace(section, blocks=tuple(map(_short, section.blocks))) for section in document.sections
    )
    opening = tuple(map(_short, document.opening))
    return replace(document, opening=opening, sections=tuple(sections))


def _short(block: Block) -> Block:
    if not isinstance(block, Grid) or len(block.rows) <= ROWS:
        return block
    more = f"{len(block.rows) - ROWS} more rows are in the other forms of this document."
    last: tuple[Spans, ...] = (*([()] * (len(block.head) - 1)), (Span(more, italic=True),))
    return Grid(block.head, (*block.rows[:ROWS], last))


def _text(inline: Token) -> str:
    return " ".join(text_of(spans_of(inline)).split())


def _blocks(document: Document) -> Iterator[Block]:
    for blocks in (document.opening, *(s.blocks for s in document.sections)):
        yield from _within(blocks)


def _within(blocks: Sequence[Block]) -> Iterator[Block]:
    for block in blocks:
        yield block
        if isinstance(block, Quote):
            yield from _within(block.blocks)
        elif isinstance(block, Items):
            for item in block.items:
                yield from _within(item)


def _spans(document: Document) -> Iterator[Span]:
    for block in _blocks(document):
        if isinstance(block, Paragraph):
            yield from block.spans
        elif isinstance(block, Grid):
            for row in (block.head, *block.rows):
                for cell in row:
                    yield from cell
