"""What people type into a search, as both databases ask for it. Pure."""

import re
from dataclasses import dataclass

from bot.errors import BadInput

_LIMIT = 200  # characters
_TERMS = 12
_SHORTEST = 3  # characters of a word whose beginning is enough
_PART = re.compile(r'"([^"]*)"?|(\S+)')
_WORD = re.compile(r"[^\W_]+")
_AROUND = 60  # characters shown before the first word that was found


@dataclass(frozen=True)
class Term:
    """Words that stand side by side; ``begins``: the last of them may go on."""

    words: tuple[str, ...]
    begins: bool


def terms(typed: str) -> list[Term]:
    """Each must be found; what stands in quotation marks, exactly so. Raises `BadInput`."""
    if len(typed) > _LIMIT:
        raise BadInput(f"A search has at most {_LIMIT} characters.")
    found = []
    for quoted, bare in _PART.findall(typed):
        words = tuple(_WORD.findall(quoted or bare))
        if words:
            found.append(Term(words, begins=bool(bare) and len(words[-1]) >= _SHORTEST))
    if not found:
        raise BadInput("Say what to search for.", hint='Such as: certificate "no route"')
    if len(found) > _TERMS:
        raise BadInput(f"A search has at most {_TERMS} words.")
    return found


def for_sqlite(wanted: list[Term]) -> str:
    """FTS5's language; the words hold letters and digits alone, so nothing in them is an operator."""
    return " AND ".join(f'"{" ".join(t.words)}"{" *" if t.begins else ""}' for t in wanted)


def for_postgresql(wanted: list[Term]) -> str:
    """The language of ``to_tsquery``."""
    return " & ".join(
        "(" + " <-> ".join(f"'{w}'" for w in t.words) + (":*" if t.begins else "") + ")"
        for t in wanted
    )


def excerpt(text: str, wanted: list[Term], longest: int = 200) -> str:
    """One line around the first word that was found."""
    line = " ".join(text.split())
    lower = line.lower()
    places = [at for t in wanted if (at := lower.find(t.words[0].lower())) >= 0]
    start = max(0, min(places, default=0) - _AROUND)
    if start:
        start = line.find(" ", start) + 1
    cut = line[start : start + longest]
    return f"{'…' if start else ''}{cut}{'…' if start + longest < len(line) else ''}"
