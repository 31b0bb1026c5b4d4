"""Turns plain text into Markdown that shows exactly that text, wherever it stands. Pure.

An alert's text is written by whoever can reach the monitoring system: it must not be able to
break a table, inject HTML, load a picture or hide what it says.
"""

import re
import unicodedata
from functools import lru_cache
from urllib.parse import quote, urlsplit

from markupsafe import Markup

from bot.log import redact_text
from bot.postmortems.page import Anchor, Cite, Figure, Line, Link

_ENTITIES = str.maketrans({"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;"})
_PLAIN = re.compile(r"[ -~]*")  # nothing but ASCII that shows: most of what is recorded
_SPECIAL = re.compile(r"([\\`*{}\[\]#~$]|(?<![A-Za-z0-9])_|_(?![A-Za-z0-9]))")
_LINE_START = re.compile(r"^(\d{1,9})([.)])(?=\s|$)|^([-+=:])")
URL_SAFE = "/?:@!$&'*+,;=%~-._#"


@lru_cache(20_000)  # kinds, classes and roles are the same words again and again
def text(value: str, *, first: bool = True) -> str:
    """One line of plain text, escaped for every place where a line can stand.

    What does not come ``first`` in its line needs no guard against what a line's start may mean.
    """
    clean = _SPECIAL.sub(r"\\\1", " ".join(visible(value).split())).translate(_ENTITIES)
    return _LINE_START.sub(r"\1\\\2\3", clean) if first else clean


def visible(value: str) -> str:
    """Only what shows: nothing that hides or reorders the rest of it."""
    return value if _PLAIN.fullmatch(value) else "".join(_visible(c) for c in value)


def _visible(char: str) -> str:
    """Line ends become blanks; controls and marks that reorder text (Cc, Cf …) go."""
    if char.isspace():
        return " "
    return "" if unicodedata.category(char) in ("Cc", "Cf", "Cs", "Co") else char


def line(parts: Line) -> Markup:
    """A line with its citations and links."""
    return Markup(_line(parts))  # noqa: S704 - every part of it is escaped


def cells(row: tuple[Line, ...]) -> Markup:
    """A table's row."""
    done = " | ".join(map(_line, row))
    return Markup(f"| {done} |")  # noqa: S704 - same


def figure(block: Figure, folder: str) -> Markup:
    """A picture with its words below. The name is one that `bot.postmortems.files` lets through."""
    title = text(block.title)
    seq = "" if block.seq is None else f" {_part(Cite(block.seq), first=False)}"
    done = f"![{title}]({folder}{quote(block.file)})\n\n{title}{seq}"
    return Markup(done)  # noqa: S704 - same


def _line(parts: Line) -> str:
    if len(parts) == 1 and isinstance(parts[0], str):
        return _part(parts[0], first=True)
    done = ""
    for part in parts:
        done += _part(part, first=not done.strip())
    return done


def _part(part: str | Cite | Anchor | Link, *, first: bool) -> str:
    if isinstance(part, str):
        lead = " " if part[:1].isspace() else ""
        trail = " " if part[-1:].isspace() and part.strip() else ""
        return f"{lead}{text(part, first=first)}{trail}"
    if isinstance(part, Cite):
        return f"[\\#{part.seq}](#row-{part.seq})"
    if isinstance(part, Anchor):
        return f'<a id="row-{part.seq}"></a>\\#{part.seq}'
    return _link(part)


def _link(link: Link) -> str:
    url = safe_url(link.url)
    return f"[{text(link.label)}]({url})" if url else text(link.url)


def safe_url(url: str) -> str:
    """The address with everything odd percent-encoded, or "" unless it is http(s)."""
    try:
        parts = urlsplit(url.strip())
    except ValueError:
        return ""
    if parts.scheme not in ("http", "https") or not parts.hostname:
        return ""
    return quote(redact_text(url.strip()), safe=URL_SAFE)
