"""``jackline check`` over a thousand runbooks, beside parsing their YAML and Markdown alone."""

import tempfile
import time
from pathlib import Path
from typing import Any

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
        texts = [path.read_text() for path in folder.glob("*.md")]
        floor, quick = _alone(texts, yaml.SafeLoader), _alone(texts, yaml.CSafeLoader)
    what = f"check of {RUNBOOKS} runbooks"
    return [
        Row(what, ours, "s", "3x", floor, "YAML + Markdown alone, by safe_load"),
        Row(what, ours, "s", "", quick, "the same by libyaml, which reads our YAML"),
    ]


def _alone(texts: list[str], loader: type[Any]) -> float:
    began = time.monotonic()
    reader = MarkdownIt("commonmark")
    for text in texts:
        _, front, rest = text.split("---\n", 2)
        reader.parse(rest)
        for block in (front, *(b.split("```", 1)[0] for b in rest.split("```yaml step\n")[1:])):
            yaml.load(block, Loader=loader)
    return time.monotonic() - began
