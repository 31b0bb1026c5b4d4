"""Pictures and long answers, as files of the evidence folder. A name is its content's."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bot.contract import Graph


def draw(
    folder: Path, number: int, graphs: Sequence[Graph], marks: Sequence[tuple[datetime, str]]
) -> str:
    """Draws the graphs, with a line at each mark; the file's name."""
    from bot.timeline.charts import draw as png  # noqa: PLC0415 - the go-bag has no matplotlib

    return keep(folder, number, png(graphs, marks), "png")


def prepare() -> None:
    """What takes a second before the first picture, so that it need not wait for it."""
    import bot.timeline.charts  # noqa: F401, PLC0415 - same


def keep(folder: Path, number: int, content: bytes, kind: str) -> str:
    """Writes it; the file's name. Raises `OSError`."""
    name = f"inc-{number}-{hashlib.sha256(content).hexdigest()[:16]}.{kind}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(content)
    return name
