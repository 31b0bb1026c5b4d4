"""Three-way merge by lines: what a person wrote into a draft, and the draft drawn anew. Pure.

Nothing that a person wrote is dropped: where both changed the same lines the person's stay, and the
merge says that it clashed, so that somebody looks at both. (The one library for this on PyPI is under
the GPL, which our licence does not go with.)
"""

from dataclasses import dataclass
from difflib import SequenceMatcher

from bot.postmortems.editing.sections import Document, Part, origin_of

Lines = list[str]


@dataclass(frozen=True)
class Merged:
    """The text, and whether both sides had changed the same place."""

    text: str
    clashed: bool = False


@dataclass(frozen=True)
class Whole:
    """A merged document; ``clashes`` are the sections in which somebody must look: key → as drawn anew."""

    document: Document
    clashes: dict[str, str]


def merge_text(base: str, mine: str, new: str) -> Merged:
    """``mine`` and ``new`` both come from ``base``."""
    if mine in (base, new):
        return Merged(new)
    if new == base:
        return Merged(mine)
    b, m, n = base.split("\n"), mine.split("\n"), new.split("\n")
    lines: Lines = []
    clashed = False
    at = (0, 0, 0)
    for here in _anchors(b, m, n):
        text, clash = _between(b[at[0] : here[0]], m[at[1] : here[1]], n[at[2] : here[2]])
        lines += text
        clashed |= clash
        if here[0] < len(b):
            lines.append(b[here[0]])
        at = (here[0] + 1, here[1] + 1, here[2] + 1)
    return Merged("\n".join(lines), clashed)


def _anchors(b: Lines, m: Lines, n: Lines) -> list[tuple[int, int, int]]:
    """The lines that are the same in all three, in order, and the end of each."""
    mine, new = _same(b, m), _same(b, n)
    found = [(line, mine[line], new[line]) for line in sorted(mine.keys() & new.keys())]
    return [*found, (len(b), len(m), len(n))]


def _same(base: Lines, other: Lines) -> dict[int, int]:
    blocks = SequenceMatcher(None, base, other, autojunk=False).get_matching_blocks()
    return {block.a + i: block.b + i for block in blocks for i in range(block.size)}


def _between(b: Lines, m: Lines, n: Lines) -> tuple[Lines, bool]:
    """What stands between two lines that all have."""
    if m in (b, n):
        return n, False
    if n == b:
        return m, False
    if not any(
        line.strip() for line in b
    ):  # both only added: what was drawn, then what was written
        return [*n, *_gap(n, m), *m], False
    for one, other in ((m, n), (n, m)):
        if around := _around(b, one):  # one side only added above and below what the other changed
            return [*around[0], *other, *around[1]], False
    return m, True


def _around(b: Lines, other: Lines) -> tuple[Lines, Lines] | None:
    """What stands above and below ``b`` in the other, where it is in there whole."""
    for at in range(len(other) - len(b) + 1):
        if other[at : at + len(b)] == b:
            return other[:at], other[at + len(b) :]
    return None


def _gap(before: Lines, after: Lines) -> Lines:
    """An empty line between text and text, so that neither runs into the other: a table's row does not."""
    if not before or not after or not before[-1].strip() or not after[0].strip():
        return []
    rows = before[-1].lstrip().startswith("|") and after[0].lstrip().startswith("|")
    return [] if rows else [""]


def merge(base: Document, mine: Document, new: Document) -> Whole:
    """Section by section; the order is that of the new draft, and what only people have stays where
    it stood.
    """
    clashes: dict[str, str] = {}
    parts: list[Part] = []
    for part in new.parts:
        drawn, written = base.part(part.key), mine.part(part.key)
        if written is None:  # new, or a person has taken it out: sections are never taken out
            parts.append(part)
            continue
        merged = merge_text(drawn.body if drawn else "", written.body, part.body)
        if merged.clashed:
            clashes[part.key] = part.body
        origin = origin_of(part.origin, edited=merged.text != part.body)
        parts.append(Part(part.key, part.title, origin, merged.text))
    return Whole(Document(new.head, tuple(_with_own(base, mine, parts))), clashes)


def _with_own(base: Document, mine: Document, parts: list[Part]) -> list[Part]:
    """Sections that are not drawn any more stay where people wrote in them."""
    found = list(parts)
    before = ""
    for part in mine.parts:
        drawn = base.part(part.key)
        if part.key not in {p.key for p in found} and (drawn is None or drawn.body != part.body):
            at = next((i + 1 for i, p in enumerate(found) if p.key == before), 0)
            found.insert(at, part)
        before = part.key
    return found
