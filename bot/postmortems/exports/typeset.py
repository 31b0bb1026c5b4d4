"""Makes a PDF in a process of its own: ``python typeset.py FOLDER FONTS…``; the PDF goes to stdout.

Typst takes memory by the page; what it took is given back when this process ends. Everything
written by people comes to it as data (``data.json``), never as markup.
"""

import sys
from pathlib import Path

import typst


def main() -> None:
    """Reads the folder, writes the PDF."""
    folder, fonts = Path(sys.argv[1]), [Path(each) for each in sys.argv[2:]]
    made = typst.compile(
        folder / "postmortem.typ", root=folder, font_paths=fonts, ignore_system_fonts=True
    )
    sys.stdout.buffer.write(made)


if __name__ == "__main__":
    main()
