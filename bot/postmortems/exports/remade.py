"""A document as Markdown again, for the version that is a part of another. Pure."""

from collections.abc import Iterator

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


def remade(document: Document) -> str:
    """Markdown that reads as the document does."""
    lines = [f"# {text(document.title)}", "", *_blocks(document.opening)]
    for section in document.sections:
        lines += [f"{'#' * section.level} {text(section.title)}", "", *_blocks(section.blocks)]
    return "\n".join(lines).rstrip() + "\n"


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
