"""Rows kept in a file while the database is away: fsynced, in order, drained on its return.

A line is a CRC and a row as JSON, so that one torn by a crash is told from one that was promised.
Each process appends to a file of its own and locks it; what a process that died has left is taken
over by whoever starts next in the folder.
"""

import fcntl
import json
import mmap
import os
import uuid
import zlib
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from bot.log import get

log = get("store")
LIMIT = 2 * 1024**3  # bytes; more than that is not taken
Row = dict[str, Any]


@dataclass
class _File:
    """One file, locked; ``drained`` is how far its rows are in the database."""

    path: Path
    descriptor: int
    size: int = 0
    drained: int = 0

    def append(self, lines: bytes) -> None:
        """Without a buffer: what a full disk has refused must not be written later."""
        left, at = memoryview(lines), self.size
        while left:
            written = os.pwrite(self.descriptor, left, at)
            left, at = left[written:], at + written
        os.fdatasync(self.descriptor)
        self.size = at

    def close(self) -> None:
        os.close(self.descriptor)


class Spool:
    """Blocking: called from a thread, one call at a time.

    ``times`` are the columns that hold a moment.
    """

    def __init__(self, folder: Path, name: str, times: Collection[str]) -> None:
        self._folder = folder
        self._name = name
        self._times = frozenset(times)
        self.refused = folder / f"{name}-refused.jsonl"
        self._files: list[_File] = []

    def open(self) -> None:
        """Takes over what processes that died have left: for the one that will drain it."""
        self._files += [file for path in self._left() if (file := _locked(path)) is not None]

    def __bool__(self) -> bool:
        """Whether it holds rows."""
        return bool(self._files)

    def put(self, rows: Iterable[Row]) -> None:
        """Appends; returns once it is on disk. Raises OSError, and then nothing was kept."""
        lines = b"".join(map(_line, rows))
        if sum(each.size for each in self._files) + len(lines) > LIMIT:
            raise OSError("the spool is full")
        file = self._last()
        try:
            file.append(lines)
        except OSError:
            self._take_back(file)
            raise

    def first(self, count: int) -> tuple[list[Row], int]:
        """The oldest rows that are not drained yet, at most ``count``, and a mark for `drained`."""
        file = self._files[0]
        rows: list[Row] = []
        mark = file.drained
        with file.path.open("rb") as reading:
            reading.seek(mark)
            while len(rows) < count and mark < file.size:
                line = reading.readline()
                mark += len(line)
                if (row := _row(line, self._times)) is not None:
                    rows.append(row)
                else:
                    log.warning("spool_line_broken", file=file.path.name, at=mark)
        return rows, mark

    def drained(self, mark: int) -> None:
        """The rows up to the mark are in the database; a file without others is removed."""
        file = self._files[0]
        file.drained = mark
        if mark >= file.size:
            file.path.unlink()
            file.close()
            del self._files[0]

    def refuse(self, row: Row) -> None:
        """Keeps a row that the database will never take, for people."""
        with self.refused.open("ab") as file:
            file.write(_text(row) + b"\n")
            file.flush()
            os.fdatasync(file.fileno())

    def close(self) -> None:
        """Lets the files go to whoever starts next."""
        for file in self._files:
            file.close()
        self._files.clear()

    def _left(self) -> list[Path]:
        found = []
        for path in self._folder.glob(f"{self._name}-*.spool"):
            with suppress(FileNotFoundError):  # whoever has it is done with it this moment
                found.append((path.stat().st_mtime_ns, path.name, path))
        return [path for *_, path in sorted(found)]

    def _last(self) -> _File:
        """The file to append to: rows are never put before those that came earlier."""
        if not self._files:
            self._folder.mkdir(parents=True, exist_ok=True)
            path = self._folder / f"{self._name}-{uuid.uuid4().hex}.spool"
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
            _sync(self._folder)
            self._files.append(_File(path, descriptor))
        return self._files[-1]

    def _take_back(self, file: _File) -> None:
        """Nobody was told that these rows are kept; what is left of them is written over."""
        try:
            os.ftruncate(file.descriptor, file.size)
        except OSError:
            log.exception("spool_not_truncated", file=file.path.name)
        if not file.size:
            file.path.unlink(missing_ok=True)
            file.close()
            self._files.remove(file)


def _locked(path: Path) -> _File | None:
    """What a process that died has left, up to its last whole line; None if there is no such."""
    try:
        descriptor = os.open(path, os.O_RDWR)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # its process lives
        os.close(descriptor)
        return None
    size = _whole_lines(descriptor)
    there = os.fstat(descriptor).st_nlink  # else it was drained and removed before we had the lock
    if size and there:
        os.ftruncate(descriptor, size)
        return _File(path, descriptor, size)
    path.unlink(missing_ok=True)
    os.close(descriptor)
    return None


def _whole_lines(descriptor: int) -> int:
    """The length up to the end of the last whole line, in bytes."""
    if not os.fstat(descriptor).st_size:
        return 0
    with mmap.mmap(descriptor, 0, access=mmap.ACCESS_READ) as text:
        return text.rfind(b"\n") + 1


def _sync(folder: Path) -> None:
    """Makes a new file's name last, too."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _text(row: Row) -> bytes:
    return json.dumps(row, default=datetime.isoformat, separators=(",", ":")).encode()


def _line(row: Row) -> bytes:
    text = _text(row)
    return b"%08x %s\n" % (zlib.crc32(text), text)


def _row(line: bytes, times: Collection[str]) -> Row | None:
    crc, _, text = line.rstrip(b"\n").partition(b" ")
    if crc != b"%08x" % zlib.crc32(text):
        return None
    row: Row = json.loads(text)
    return row | {t: datetime.fromisoformat(row[t]) for t in times if row.get(t)}
