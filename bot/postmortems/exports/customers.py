"""The short version for customers: a section of the postmortem that people write and approve. Pure.

Jackline proposes it from what customers were already told. What leaves is that section as it was
approved, word for word: where something internal is left in it, it is refused, not mended.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import replace

from bot.catalog import Catalog
from bot.errors import Conflict
from bot.postmortems.case import Case
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
from bot.postmortems.exports.document import Section as Part
from bot.postmortems.exports.gate import Gate
from bot.postmortems.moments import has_date
from bot.postmortems.page import Block as DraftBlock
from bot.postmortems.page import Bullets, Cite, Line, Section, utc
from bot.postmortems.page import text_of as sentence
from bot.postmortems.told import is_told

TITLE = "For customers"
_OPEN = "to be written"
_WHAT, _WHEN, _NEXT = "What happened", "When", "What we do about it"
_PRIVATE_NAME = re.compile(r"(?i)\b[a-z0-9][a-z0-9.-]*\.(?:internal|intern|local|localdomain|lan|corp|svc|cluster)\b")  # fmt: skip
_ADDRESS = re.compile(r"(?<![\w.])(?:\d{1,3}\.){3}\d{1,3}(?![\w.]*\d)|(?i:\b(?:[0-9a-f]{1,4}:){3,7}[0-9a-f]{1,4}\b)")  # fmt: skip


def proposed(case: Case) -> list[Section]:
    """The section for the draft: what customers were told, from when to when, and what is open."""
    told: tuple[Line, ...] = tuple(_told(case))
    start, end = case.clock.impact_start, case.clock.mitigated
    what: tuple[DraftBlock, ...] = (Bullets(told),) if told else ()
    zone = " UTC" if not case.told or any(m.at and has_date(m.at) for m in (start, end)) else ""
    when = sentence(
        f"From {utc(start.at, '%Y-%m-%d %H:%M')} to {utc(end.at, '%Y-%m-%d %H:%M')}{zone}."
    )
    far = "No row says what they were told." if case.told else "They were told nothing so far."
    empty = f"{_OPEN.capitalize()}: what customers could not do. {far}"
    intro = f"{_OPEN.capitalize()}: one sentence for people outside, then take this line out. No names, no machines."  # fmt: skip
    return [
        Section(TITLE, "to be written", (sentence(intro),)),
        Section(_WHAT, "to be written", what, empty, level=3),
        Section(_WHEN, "derived", (when,), level=3),
        Section(_NEXT, "to be written", (), f"{_OPEN.capitalize()}.", level=3),
    ]  # fmt: skip


def _told(case: Case) -> Iterator[Line]:
    """What went out to customers, by the rows that say so."""
    for row in case.rows:
        said = ""
        if row.kind == "customers_informed":
            said = row.text.partition("): ")[2]
        elif row.kind == "communication_sent" and row.data.get("audience") == "customers":
            said = row.text.partition(": ")[2] or row.text
        elif row.kind == "communication" and is_told(row):
            said = row.text
        if said:
            yield (f"{utc(row.at, '%H:%M')} UTC: ", *case.say(said), " ", Cite(row.seq))


def for_customers(document: Document, number: int, catalog: Catalog, gate: Gate) -> Document:
    """That section as a document of its own. Raises `Conflict`, saying what to change."""
    parts = _parts(document)
    if not parts:
        raise Conflict(
            f"The postmortem of #{number} has no section “{TITLE}”.",
            hint="Write it in the postmortem, and have it approved with the rest.",
        )
    opening, *rest = (replace(p, origin="", blocks=_without_rows(p.blocks)) for p in parts)
    sections = tuple(replace(part, level=2) for part in rest)
    made = Document({}, _title(document), opening.blocks, sections)
    _require_public(made, number, catalog, gate)
    return made


def _title(document: Document) -> str:
    day = str(document.front.get("impact_start") or document.front.get("declared") or "")[:10]
    return f"Incident report, {day}" if re.fullmatch(r"\d{4}-\d\d-\d\d", day) else "Incident report"


def _parts(document: Document) -> list[Part]:
    """The section and those below it."""
    found: list[Part] = []
    for section in document.sections:
        if not found:
            if section.title.strip().lower() == TITLE.lower():
                found.append(section)
        elif section.level <= found[0].level:
            break
        else:
            found.append(section)
    return found


def _without_rows(blocks: tuple[Block, ...]) -> tuple[Block, ...]:
    """The timeline stays here, and so do the numbers of its rows."""
    return tuple(_bare(each) for each in blocks)


def _bare(block: Block) -> Block:
    match block:
        case Paragraph(spans):
            return Paragraph(_line(spans))
        case Items(items, start):
            return Items(tuple(_without_rows(item) for item in items), start)
        case Quote(blocks):
            return Quote(_without_rows(blocks))
        case Grid(head, rows):
            bare = tuple(tuple(_line(cell) for cell in row) for row in rows)
            return Grid(tuple(_line(cell) for cell in head), bare)
    return block


def _line(spans: Spans) -> Spans:
    kept = [replace(s, anchor=None) for s in spans if s.row is None and s.anchor is None]
    while kept and not kept[-1].text.strip():
        kept.pop()
    if kept:
        kept[-1] = replace(kept[-1], text=kept[-1].text.rstrip())
    return tuple(kept)


def _require_public(document: Document, number: int, catalog: Catalog, gate: Gate) -> None:
    words = [*_words(document.opening)]
    for section in document.sections:
        words += [section.title, *_words(section.blocks)]
    if not any(each.strip() for each in words):
        raise Conflict(f"The section “{TITLE}” of #{number} is empty.", hint="Write it first.")
    names = _internal_names(catalog)
    for each in words:
        if found := _internal(each, names, gate):
            raise Conflict(
                f"The text for customers of #{number} has {found}: “{gate.text(each)[:80]}”.",
                hint=f"Change it in the section “{TITLE}” of the postmortem.",
            )


def _internal(words: str, names: Collection[str], gate: Gate) -> str:
    """What of it is not for people outside, in words; "" if nothing is."""
    if _OPEN in words.lower() or words.strip() == "unknown":
        return "a part that is still to be written"
    if gate.text(words) != words:
        return "a name, an address of a person or a credential"
    if _PRIVATE_NAME.search(words) or _ADDRESS.search(words):
        return "the name or address of a machine"
    lower = words.lower()
    if any(re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-])", lower) for name in names if name in lower):  # fmt: skip
        return "the name of a target"
    return ""


def _internal_names(catalog: Catalog) -> set[str]:
    names = {target.name.lower() for target in catalog.targets}
    hosts = (re.sub(r"^[a-z0-9+]+://|[/:].*$", "", str(t.url).lower()) for t in catalog.targets)
    return names | {host for host in hosts if host and not host.replace(".", "").isdigit()}


def _words(blocks: tuple[Block, ...]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Paragraph(spans):
                yield text_of(spans)
                yield from (span.url for span in spans if span.url)
            case Code(text):
                yield text
            case Quote(inner):
                yield from _words(inner)
            case Items(items, _):
                for item in items:
                    yield from _words(item)
            case Grid(head, rows):
                for row in (head, *rows):
                    yield from (text_of(cell) for cell in row)
            case Picture(_, title):
                yield title
