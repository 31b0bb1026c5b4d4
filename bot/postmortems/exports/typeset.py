"""Makes a PDF in a process of its own: ``python typeset.py FOLDER``; the PDF goes to stdout.

Typst takes memory by the page; what it took is given back when this process ends. Everything
written by people comes to it as data (``data.json``), never as markup.

DejaVu, which comes with the plotting library, has Latin, Greek, Cyrillic, Arabic, Hebrew and most
signs. What only other fonts can show, such as Chinese, is shown by the machine's own where it has
them; where not, the document says so.
"""

import importlib.util
import json
import sys
from collections.abc import Iterable
from pathlib import Path

import typst
from fontTools.ttLib import TTCollection, TTFont
from fontTools.ttLib.ttFont import TTLibError

_NAMED = 5  # characters without a font that are named
_INVISIBLE = "\ufe0e\ufe0f"  # choose how the sign before them looks


def main() -> None:
    """Reads the folder, writes the PDF."""
    folder = Path(sys.argv[1])
    fonts = folder / "fonts"
    fonts.mkdir()
    for file in _shipped():
        (fonts / file.name).symlink_to(file)
    words = (folder / "data.json").read_text(encoding="utf-8")
    made = typst.compile(
        folder / "postmortem.typ", root=folder, font_paths=[fonts],
        sys_inputs={"lacking": _lacking("".join(_texts(json.loads(words))))},
    )  # fmt: skip
    sys.stdout.buffer.write(made)


def _shipped() -> list[Path]:
    """DejaVu's files; matplotlib is found without being imported."""
    spec = importlib.util.find_spec("matplotlib")
    if spec is None or spec.origin is None:
        return []
    return sorted((Path(spec.origin).parent / "mpl-data/fonts/ttf").glob("DejaVuSans*.ttf"))


def _lacking(text: str) -> str:
    """A sentence on the characters that no font has here; "" where all can be shown."""
    wanted = {c for c in text if c.isprintable() and not c.isspace() and c not in _INVISIBLE}
    for path in (*_shipped(), *_of_machine()):
        if not wanted:
            return ""
        wanted -= _characters(path)
    chars = sorted(wanted)
    if not chars:
        return ""
    named = ", ".join(f"U+{ord(c):04X}" for c in chars[:_NAMED])
    more = f" and {len(chars) - _NAMED} more" if len(chars) > _NAMED else ""
    return (
        f"No font on the machine that made this has {named}{more}: they show as boxes. "
        "Install one there (such as Noto) and export again, or take the HTML."
    )


def _of_machine() -> Iterable[Path]:
    found = typst.Fonts(include_system_fonts=True, include_embedded_fonts=False).fonts()
    return dict.fromkeys(Path(each.path) for each in found if each.path)


def _characters(path: Path) -> set[str]:
    """Those that a font's file can show; none where it cannot be read."""
    whole = TTCollection if path.suffix in (".ttc", ".otc") else TTFont
    try:
        with whole(path, lazy=True) as opened:
            fonts = opened.fonts if isinstance(opened, TTCollection) else [opened]
            return {chr(code) for font in fonts for code in font.getBestCmap() or ()}
    except (OSError, TTLibError, ValueError, KeyError):
        return set()


def _texts(value: object) -> Iterable[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for each in value.values():
            yield from _texts(each)
    elif isinstance(value, list):
        for each in value:
            yield from _texts(each)


if __name__ == "__main__":
    main()
