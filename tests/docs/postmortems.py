"""Writes the example of ``docs/postmortems.md`` anew: ``python -m tests.docs.postmortems``.

It is the draft of the incident in ``tests/postmortems/example.py``, with its headings one level
deeper, and its pictures beside the page.
"""

import re
from pathlib import Path

from bot.postmortems.charts import draw
from bot.postmortems.draft import draft
from bot.postmortems.page import Draft
from bot.postmortems.render import markdown
from tests.postmortems.example import (
    EXAMPLE_AROUND,
    EXAMPLE_CATALOG,
    EXAMPLE_FACTS,
    example_rows,
)

PAGE = Path(__file__).resolve().parents[2] / "docs" / "postmortems.md"
BEGIN, END = "<!-- the example begins; `make docs` writes it -->", "<!-- the example ends -->"
_PICTURE = re.compile(r"\(\.\./evidence/inc-12-(\w+)-[0-9a-f]+\.png\)")


def example() -> Draft:
    """The draft."""
    return draft(EXAMPLE_FACTS, example_rows(), EXAMPLE_CATALOG, {}, EXAMPLE_AROUND)


def written(page: str) -> str:
    """The page with the example as it is drawn today."""
    _, front, body = markdown(example()).split("---\n", 2)
    body = _PICTURE.sub(r"(postmortem-\1.svg)", re.sub(r"^#", "##", body, flags=re.MULTILINE))
    before, rest = page.split(BEGIN)
    after = rest.split(END)[1]
    return f"{before}{BEGIN}\n\n```yaml\n{front}```\n\n{body}\n{END}{after}"


def pictures() -> dict[str, bytes]:
    """File name in docs/ → content."""
    plots = example().plots
    drawn = draw(plots) if plots else {}
    found = {
        re.sub(r"inc-12-(\w+)-[0-9a-f]+", r"postmortem-\1", name): data
        for name, data in drawn.items()
    }
    return {name: data for name, data in found.items() if name.endswith(".svg")}


if __name__ == "__main__":
    PAGE.write_text(written(PAGE.read_text("utf-8")), "utf-8")
    for name, data in pictures().items():
        (PAGE.parent / name).write_bytes(data)
