"""A document as Markdown again, for the version that is a part of another. Pure."""

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt

from bot.postmortems.escape import text
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
)
from bot.postmortems.templating import FOLDER

_PICTURE = re.compile(r"^!\[(.*)\]\([^)]*\)$", re.MULTILINE)


def remade(document: Document, *, pictures: bool = True) -> str:
    """Markdown that reads as the document does."""
    lines = [f"# {text(document.title)}", "", *_blocks(document.opening)]
    for section in document.sections:
        lines += [f"{'#' * section.level} {text(section.title)}", ""]
        lines += [f"*{text(section.origin)}*", ""] if section.origin else []
        lines += _blocks(section.blocks)
    made = "\n".join(lines).rstrip() + "\n"
    return made if pictures else _PICTURE.sub(r"*\1 (a picture)*", made)


def xhtml(document: Document) -> str:
    """The same as HTML that is XML too, with words where pictures are: what wikis take."""
    reader = MarkdownIt("commonmark", {"html": False}).enable("table")
    return str(reader.render(remade(document, pictures=False)))


def _blocks(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        yield from _block(block)
        yield ""


def _block(block: Block) -> Iterator[str]:
    match block:
        case Paragraph(spans):
            yield _line(spans)
        case Code(code):
            yield from (f"    {each}" for each in code.split("\n"))
        case Quote(blocks):
            yield from (f"> {each}".rstrip() for each in _blocks(blocks))
        case Items(items, start):
            for number, item in enumerate(items, start or 0):
                mark = "- " if start is None else f"{number}. "
                inside = "\n".join(_blocks(item)).rstrip().split("\n")
                yield mark + inside[0]
                yield from (f"{' ' * len(mark)}{each}".rstrip() for each in inside[1:])
        case Picture(file, title):
            yield f"![{text(title)}]({FOLDER}{file})"
        case Grid(head, rows):
            yield f"| {' | '.join(map(_line, head))} |"
            yield f"|{' --- |' * len(head)}"
            yield from (f"| {' | '.join(map(_line, row))} |" for row in rows)


def _line(spans: Spans) -> str:
    return "".join(map(_span, spans)).strip()


def _span(span: Span) -> str:
    lead = " " if span.text[:1].isspace() else ""
    trail = " " if span.text.strip() and span.text[-1:].isspace() else ""
    said = text(span.text)
    mark = "**" if span.bold else "*" if span.italic else ""
    said = f"{mark}{said}{mark}" if said else said
    return f"{lead}[{said}]({span.url}){trail}" if span.url else f"{lead}{said}{trail}"
