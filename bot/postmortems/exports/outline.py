"""A postmortem's structure as JSON, for machines. Pure."""

import json
from collections.abc import Iterator, Sequence
from typing import Any

from bot.postmortems.exports.document import (
    Block,
    Code,
    Document,
    Grid,
    Items,
    Paragraph,
    Picture,
    Quote,
    Spans,
    text_of,
)

SCHEMA = "jackline-postmortem/v1"


def outline(document: Document, number: int, state: str) -> bytes:
    """Sections with their origin and blocks; each line with the rows of the timeline that it cites."""
    whole = {
        "schema": SCHEMA,
        "incident": number,
        "state": state,
        "title": document.title,
        "front": document.front,
        "opening": [_block(each) for each in document.opening],
        "sections": [
            {
                "title": section.title,
                "level": section.level,
                "origin": section.origin or None,
                "blocks": [_block(each) for each in section.blocks],
            }
            for section in document.sections
        ],
    }
    return (json.dumps(whole, indent=2, ensure_ascii=False, default=str) + "\n").encode()


def _block(block: Block) -> dict[str, Any]:
    match block:
        case Paragraph(spans):
            return {"kind": "paragraph", **_line(spans)}
        case Code(text):
            return {"kind": "code", "text": text}
        case Quote(blocks):
            return {"kind": "quote", "blocks": [_block(each) for each in blocks]}
        case Items(items, start):
            listed = [[_block(each) for each in item] for item in items]
            return {"kind": "list", "start": start, "items": listed}
        case Picture(file, title):
            return {"kind": "picture", "file": file, "title": title}
        case Grid(head, rows):
            return {
                "kind": "table",
                "head": [text_of(cell) for cell in head],
                "rows": [[_line(cell) for cell in row] for row in rows],
            }


def _line(spans: Spans) -> dict[str, Any]:
    line: dict[str, Any] = {"text": text_of(spans)}
    if cited := list(_cited(spans)):
        line["rows"] = cited
    if links := [each.url for each in spans if each.url]:
        line["links"] = links
    return line


def _cited(spans: Sequence[Any]) -> Iterator[int]:
    """The rows it cites, and the one that it is."""
    for span in spans:
        number = span.row if span.row is not None else span.anchor
        if number is not None:
            yield number
