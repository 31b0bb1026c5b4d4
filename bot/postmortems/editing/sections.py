"""A postmortem's Markdown as its head and its ``##`` sections, and back. Pure.

The head is the front matter, the title and what stands before the first section.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from markdown_it import MarkdownIt

from bot.errors import BadInput

WRITTEN = "written by a person"
LARGEST = 200_000  # characters of one section that a person may send
_FENCE = re.compile(r" {0,3}(`{3,}(?!.*`)|~{3,})")
_HEADING = re.compile(r"##(?:[ \t]+(.*?))??(?:[ \t]+#+)?[ \t]*")
_ORIGIN = re.compile(r"\*([a-z][a-z ,·]{2,60})\*")
_SENTINEL = "\n\n## the end\n"
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Part:
    """One section. ``key`` is its own in the document and stands in addresses.

    ``origin`` is where its content comes from, as it is marked under the heading; ``body`` is what
    stands below that.
    """

    key: str
    title: str
    origin: str
    body: str

    @property
    def by_person(self) -> bool:
        """Whether people wrote in it."""
        return WRITTEN in self.origin


@dataclass(frozen=True)
class Document:
    """The whole."""

    head: str
    parts: tuple[Part, ...]

    def part(self, key: str) -> Part | None:
        """By its key."""
        return next((part for part in self.parts if part.key == key), None)

    def with_part(self, part: Part) -> "Document":
        """The same with one section replaced."""
        return Document(self.head, tuple(part if p.key == part.key else p for p in self.parts))


def split(markdown: str) -> Document:
    """Cuts at the ``##`` headings that are in no code block."""
    chunks: list[list[str]] = [[]]
    fence = ""
    for line in markdown.splitlines():
        found = _FENCE.match(line)
        if fence:
            closing = line.strip()
            if found and closing.startswith(fence) and not closing.strip(fence[0]):
                fence = ""
        elif found:
            fence = found[1]
        elif _HEADING.fullmatch(line):
            chunks.append([])
        chunks[-1].append(line)
    keys: dict[str, int] = {}
    return Document(
        "\n".join(chunks[0]).strip("\n"),
        tuple(_part(lines[0], lines[1:], keys) for lines in chunks[1:]),
    )


def _part(heading: str, lines: list[str], keys: dict[str, int]) -> Part:
    found = _HEADING.fullmatch(heading)
    title = (found[1] or "") if found else ""
    body = "\n".join(lines).strip("\n")
    first, _, rest = body.partition("\n")
    marked = _ORIGIN.fullmatch(first.strip())
    origin, body = (marked[1], rest.strip("\n")) if marked else ("", body)
    return Part(unique(slug(title), keys), title, origin, body)


def slug(title: str) -> str:
    """``what-went-well``."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:60] or "section"


def unique(key: str, taken: dict[str, int]) -> str:
    """The second of a name is ``name-2``."""
    taken[key] = taken.get(key, 0) + 1
    return key if taken[key] == 1 else unique(f"{key}-{taken[key]}", taken)


def joined(document: Document) -> str:
    """The Markdown of the whole."""
    return "\n\n".join([document.head, *_texts(document.parts)]).strip("\n") + "\n"


def _texts(parts: Iterable[Part]) -> Iterator[str]:
    for part in parts:
        marked = f"\n\n*{part.origin}*" if part.origin else ""
        body = f"\n\n{part.body}" if part.body else ""
        yield f"## {part.title}{marked}{body}"


def origin_of(drawn: str, *, edited: bool) -> str:
    """What marks a section: where it was drawn from, and whether people wrote in it since."""
    if not edited:
        return drawn
    return WRITTEN if drawn in ("", "to be written") else f"{drawn} · {WRITTEN}"


def check_body(text: str) -> str:
    """What a person wrote for one section, as it is kept. Raises `BadInput` where it would not stay
    in its section.
    """
    body = "\n".join(
        "".join(c for c in line if c == "\t" or c.isprintable() or c in _JOINERS).rstrip()
        for line in text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    ).strip("\n")
    if len(body) > LARGEST:
        raise BadInput(
            f"The section has {len(body)} characters; {LARGEST} is the limit.",
            hint="Put long material into the evidence and link to it.",
        )
    tokens = _READER.parse(body + _SENTINEL)
    heads = [t for t in tokens if t.type == "heading_open" and t.tag in ("h1", "h2") and t.map]
    end = body.count("\n") + 2
    if not heads or heads[-1].map != [end, end + 1] or heads[-1].level:
        raise BadInput(
            "A code block is open at the end of the section.", hint="Close it with three backticks."
        )
    if len(heads) > 1 and (at := heads[0].map):
        line = body.split("\n")[at[0]][:40]
        raise BadInput(
            f"Line {at[0] + 1} begins another section: {line!r}.",
            hint="Use ### for a heading inside a section; a line of - or = makes a heading of the line above it.",
        )
    return body


_JOINERS = "\u200c\u200d"  # scripts and emoji are written with them; other invisible marks go
