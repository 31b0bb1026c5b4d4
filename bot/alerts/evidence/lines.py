"""Log lines of strangers: made harmless, and grouped by what is the same in them. Pure."""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.contract import Finding
from bot.log import redact_text

_READ = 1000  # characters of a line that are looked at for credentials
_TELLS = 300  # by which a line is told from others
_SHOWN = 300
# A value whose quote is not closed goes on to the end: the line may have been cut there.
_VALUE = (
    r"""(?!\[redacted\])(?:(?:basic|bearer|token|digest)\s+)?"""
    r"""(?:"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s,;&}\])"']+)"""
)
_SECRETS = re.compile(
    r"""((?:passw(?:or)?d|pwd|secret|token|authorization|cookie|credential|api[_-]?key"""
    rf"""|access[_-]?key|private[_-]?key)[\w.-]{{0,40}}["']?\s*[:=]\s*){_VALUE}""",
    re.IGNORECASE,
)
_LOOKS_SECRET = re.compile(
    r"\beyJ[\w-]{8,}\.[\w-]{8,}(?:\.[\w-]*)?"  # a JSON web token
    r"|\b(?:AKIA|ASIA)[0-9A-Z]{16}\b|\bgh[pousr]_\w{20,}|\bsk[_-]\w{16,}|\bglpat-[\w-]{16,}"
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*"
)
_MESSAGE = ("message", "msg", "error", "err", "exception", "log")  # where JSON lines say it
# What differs between two lines that say the same, the longest first.
_VARIES = [
    (re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[.,\d]*(?:Z|[+-]\d\d:?\d\d)?"), "<time>"),
    (re.compile(r"\b\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?\b"), "<address>"),
    (re.compile(r"\b(?=\w*\d)[0-9a-f]{7,}\b|\b0x[0-9a-f]+\b", re.IGNORECASE), "<id>"),
    (re.compile(r"\"[^\"]*\"|'[^']*'"), "<text>"),
    (re.compile(r"\b\w*\d\w*\b"), "<n>"),
    (re.compile(r"(?:<n>[.,:/-]?)+"), "<n>"),
]


@dataclass
class Group:
    """Lines that say the same; ``example`` is the latest of them, as it came: see `plain`."""

    count: int
    example: str
    latest: datetime | None


def plain(text: str, limit: int = _SHOWN) -> str:
    """One line without credentials, control characters and bidi marks, cut to ``limit``."""
    text = text[:_READ]
    text = _LOOKS_SECRET.sub("[redacted]", _SECRETS.sub(r"\1[redacted]", redact_text(text)))
    clean = "".join(c if c.isprintable() else " " for c in text)
    line = " ".join(clean.split())
    return line if len(line) <= limit else line[: limit - 1] + "…"


def grouped(items: Iterable[Finding]) -> list[Group]:
    """The lines by what they say, the most frequent first."""
    groups: dict[str, Group] = {}
    for item in items:
        text = _said(item.text)
        if not text.strip():
            continue
        group = groups.setdefault(pattern(text), Group(0, text, item.at))
        group.count += 1
        if item.at and (group.latest is None or item.at > group.latest):
            group.example, group.latest = text, item.at
    return sorted(groups.values(), key=lambda g: -g.count)


def pattern(line: str) -> str:
    """A line without what differs each time: numbers, ids, addresses, times, quoted values."""
    text = line[:_TELLS]
    for varies, word in _VARIES:
        text = varies.sub(word, text)
    return " ".join(text.split())


def _said(line: str) -> str:
    """The message of a line that is a JSON object; any other line as it is."""
    if not line.lstrip().startswith("{"):
        return line
    try:
        found = json.loads(line)
    except (ValueError, RecursionError):
        return line
    said = [str(found[key]) for key in _MESSAGE if isinstance(found.get(key), str) and found[key]]
    return ": ".join(dict.fromkeys(said)) or line
