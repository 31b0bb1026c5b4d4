"""What differs between two versions, section by section, readable without colour. Pure."""

from collections.abc import Iterator
from dataclasses import dataclass
from difflib import unified_diff

from bot.postmortems.editing.sections import Document

_AROUND = 2  # lines that stay the same, shown around each change
_WORDS = {"+": "added", "-": "taken out", " ": ""}
MOST = 2000  # lines of one section


@dataclass(frozen=True)
class Line:
    """``sign`` is ``+``, ``-``, a blank, or ``…`` where lines that are the same are left out."""

    sign: str
    text: str

    @property
    def what(self) -> str:
        """The sign in words, for those who do not see it."""
        return _WORDS.get(self.sign, "")


@dataclass(frozen=True)
class Difference:
    """One section that differs."""

    title: str
    lines: tuple[Line, ...]


def differences(before: Document, after: Document) -> list[Difference]:
    """In the order of the later one; what is only in the earlier one comes last."""
    keys = [p.key for p in after.parts]
    keys += [p.key for p in before.parts if p.key not in keys]
    found = []
    for key in keys:
        old, new = before.part(key), after.part(key)
        texts = [part.body if part else "" for part in (old, new)]
        if texts[0] != texts[1]:
            title = (new or old).title  # type: ignore[union-attr]  # one of them has the key
            found.append(Difference(title, tuple(_lines(*texts))[:MOST]))
    return found


def _lines(old: str, new: str) -> Iterator[Line]:
    lines = unified_diff(old.split("\n"), new.split("\n"), lineterm="", n=_AROUND)
    for number, line in enumerate(lines):
        if number < 2:  # noqa: PLR2004 - the names of the files, which there are none of
            continue
        if line.startswith("@@"):
            if number > 2:  # noqa: PLR2004 - as above
                yield Line("…", "")
            continue
        yield Line(line[0], line[1:])
