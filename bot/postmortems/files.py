"""The only files of this room: pictures read from ``evidence/``, drafts written to ``postmortems/``."""

import os
import re
import tempfile
from collections.abc import Iterable
from pathlib import Path

from bot.postmortems.plotted import Plots
from bot.postmortems.render import media_type

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,200}")
LARGEST_PICTURE = 4_000_000


def paths(data_dir: Path, incident_id: int) -> tuple[Path, Path]:
    """Where an incident's Markdown and HTML lie."""
    stem = data_dir / "postmortems" / f"INC-{incident_id}"
    return stem.with_suffix(".md"), stem.with_suffix(".html")


def write_whole(path: Path, content: str | bytes) -> None:
    """Writes a file so that it is there whole or not at all, even after a power cut."""
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content.encode() if isinstance(content, str) else content)
            file.flush()
            os.fsync(file.fileno())
        Path(name).replace(path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
    _sync_folder(path.parent)


def _sync_folder(folder: Path) -> None:
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def keep_drawn(folder: Path, plots: Plots | None) -> dict[str, bytes]:
    """Draws a draft's own pictures into the folder of the evidence; file name → content."""
    if plots is None:
        return {}
    from bot.postmortems.charts import draw  # noqa: PLC0415 - half a second that no start should take

    drawn = draw(plots)
    for name, content in drawn.items():
        if not (folder / name).exists():
            write_whole(folder / name, content)
    return drawn


def read_pictures(folder: Path, names: Iterable[object]) -> dict[str, bytes]:
    """The pictures that are there; a name with a path in it or another kind of file is not one."""
    found = {}
    for name in names:
        if isinstance(name, str) and _NAME.fullmatch(name) and (data := _read(folder / name)):
            found[name] = data
    return found


def _read(path: Path) -> bytes:
    try:
        if path.is_symlink() or path.stat().st_size > LARGEST_PICTURE:
            return b""
        data = path.read_bytes()
    except OSError:
        return b""
    return data if media_type(data) and path.suffix != ".svg" else b""
