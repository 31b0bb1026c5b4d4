"""A notice as lines that fit IRC, and a server's line taken apart. Pure."""

import re
from dataclasses import dataclass

from bot.contract import Notice

CHANNEL = re.compile(r"[#&][A-Za-z0-9_.+#-]{1,49}")
NICK = re.compile(r"[A-Za-z_\[\]\\`^{|}][A-Za-z0-9_\[\]\\`^{|}-]{0,29}")
ROOM = 380  # bytes of text in a line of 512, next to the prefix that the server puts before it
MOST = 6  # lines: more at once, and servers take us for a flood
_CONTROL = re.compile(r"[\x00-\x1f\x7f\u0085\u2028\u2029]+")


@dataclass(frozen=True)
class Line:
    """One line of the server: who, what, and its words; the last one may hold spaces."""

    source: str
    command: str
    words: tuple[str, ...]

    @property
    def text(self) -> str:
        """The last word, which is the one for people."""
        return self.words[-1] if self.words else ""


def parsed(raw: bytes) -> Line:
    """``:source COMMAND word word :the last one``."""
    text = raw.decode("utf-8", "replace").rstrip("\r\n")
    source = ""
    if text.startswith(":"):
        source, _, text = text[1:].partition(" ")
    head, colon, last = text.partition(" :")
    command, *words = head.split() or [""]
    return Line(source, command.upper(), (*words, last) if colon else tuple(words))


def said(notice: Notice) -> list[str]:
    """What is said, one line each: nothing in it can end a line and begin a command."""
    lines = [part for text in (notice.subject, *notice.text.splitlines()) for part in _parts(text)]
    if len(lines) > MOST:
        left = len(lines) - MOST + 1
        lines = [*lines[: MOST - 1], f"… and {left} more lines"]
    return [*lines, *_parts(f"Acknowledge: {notice.link}")] if notice.link else lines


def _parts(text: str) -> list[str]:
    clean = _CONTROL.sub(" ", text).strip()
    parts = []
    while clean:
        part = clean.encode()[:ROOM].decode("utf-8", "ignore")
        parts.append(part)
        clean = clean[len(part) :].strip()
    return parts
