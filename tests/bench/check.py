"""``jackline check`` over a thousand runbooks, beside parsing their YAML and Markdown alone."""

import tempfile
import time
from pathlib import Path

import yaml
from markdown_it import MarkdownIt

from bot import registry
from bot.runbooks import Library
from tests.bench.table import Row
from tests.e2e.harness import write_runbooks

RUNBOOKS = 1000


def check() -> list[Row]:
    """Seconds for all of them."""
    with tempfile.TemporaryDirectory() as name:
        folder = write_runbooks(
            Path(name), team="T1", edge="http://127.0.0.1:9", shop="http://127.0.0.1:9"
        )
        text = (folder / "move-traffic.md").read_text()
        for number in range(RUNBOOKS - 1):
            (folder / f"r{number}.md").write_text(
                text.replace("id: move-traffic", f"id: move-traffic-{number}")
            )
        integrations = registry.load()
        began = time.monotonic()
        library = Library(folder, integrations)
        ours = time.monotonic() - began
        assert len(library.runbooks) == RUNBOOKS
        began = time.monotonic()
        for path in folder.glob("*.md"):
            _yaml(path.read_text())
        floor = time.monotonic() - began
    return [Row(f"check of {RUNBOOKS} runbooks", ours, "s", "3x", floor, "YAML + Markdown alone")]


def _yaml(text: str) -> None:
    _, front, rest = text.split("---\n", 2)
    MarkdownIt("commonmark").parse(rest)
    yaml.safe_load(front)
    for block in rest.split("```yaml step\n")[1:]:
        yaml.safe_load(block.split("```", 1)[0])
