"""The file that stands in for the database: whole, in order, and never what was refused."""

import os
import subprocess
import sys
import zlib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.store import Spool
from bot.store import spool as spool_module

AT = datetime(2026, 11, 26, 3, 0, 0, 250_000, tzinfo=UTC)
_TEXT = st.text(st.characters(exclude_categories=["Cs"]))


def row(number: int, **more: Any) -> dict[str, Any]:
    return {"n": number, "at": AT, "ended": None, "labels": {"a": "x\ny"}} | more


def spool(folder: Path) -> Spool:
    found = Spool(folder, "alerts", ("at", "ended"))
    found.open()
    return found


def drain(found: Spool, at_once: int = 3) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = []
    while found:
        some, mark = found.first(at_once)
        rows += some
        found.drained(mark)
    return rows


def files(folder: Path) -> list[Path]:
    return list(folder.glob("alerts-*.spool"))


def test_in_order_and_gone_when_drained(tmp_path: Path) -> None:
    """Also what comes while it is being drained, and what comes after."""
    kept = spool(tmp_path / "new")
    assert not kept
    kept.put([row(1), row(2)])
    some, mark = kept.first(1)
    kept.put([row(3)])
    kept.drained(mark)
    assert some + drain(kept) == [row(1), row(2), row(3)]
    assert files(tmp_path / "new") == []
    kept.put([row(4)])
    assert drain(kept) == [row(4)]


@given(st.dictionaries(_TEXT, _TEXT))
def test_any_text_comes_back(tmp_path_factory: pytest.TempPathFactory, labels: Any) -> None:
    folder = tmp_path_factory.mktemp("spool")
    kept = spool(folder)
    kept.put([row(1, labels=labels)])
    kept.close()
    assert drain(spool(folder)) == [row(1, labels=labels)]


@pytest.mark.parametrize("cut", [1, 9, 10, 30])
def test_a_torn_end_is_no_row(tmp_path: Path, cut: int) -> None:
    """A crash in the middle of a write, before anybody was told; what comes later is whole."""
    kept = spool(tmp_path)
    kept.put([row(1)])
    kept.close()
    (file,) = files(tmp_path)
    whole = file.read_bytes()
    file.write_bytes(whole + whole[:cut])
    again = spool(tmp_path)
    again.put([row(2)])
    assert drain(again) == [row(1), row(2)]


def test_a_line_that_was_changed_is_passed_over(tmp_path: Path) -> None:
    kept = spool(tmp_path)
    kept.put([row(1), row(2), row(3)])
    kept.close()
    (file,) = files(tmp_path)
    file.write_bytes(file.read_bytes().replace(b'"n":2', b'"n":7'))
    assert drain(spool(tmp_path)) == [row(1), row(3)]


def test_each_process_has_its_own_and_the_dead_are_taken_over(tmp_path: Path) -> None:
    """While the first lives, its file is left alone; oldest first after that."""
    first, second = spool(tmp_path), spool(tmp_path)
    first.put([row(1)])
    second.put([row(2)])
    assert not spool(tmp_path)
    first.close()
    third = spool(tmp_path)
    assert drain(third) == [row(1)]
    second.close()
    assert drain(spool(tmp_path)) == [row(2)]


@pytest.mark.slow
def test_a_killed_process_leaves_what_it_promised(tmp_path: Path) -> None:
    """SIGKILL right after ``put`` has returned."""
    script = (
        "import os, sys; from pathlib import Path; from bot.store import Spool\n"
        "Spool(Path(sys.argv[1]), 'alerts', ()).put([{'n': 1}, {'n': 2}]); os.kill(os.getpid(), 9)"
    )
    done = subprocess.run([sys.executable, "-c", script, tmp_path], check=False)
    assert done.returncode == -9
    assert [r["n"] for r in drain(spool(tmp_path))] == [1, 2]


@pytest.mark.parametrize("kept_before", [0, 2])
def test_what_a_full_disk_refused_does_not_come_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept_before: int
) -> None:
    """Half of it was written: it is taken back, and the next one stands in its place."""
    kept = spool(tmp_path)
    if kept_before:
        kept.put([row(n) for n in range(kept_before)])
    written = os.pwrite

    def full(descriptor: int, data: Any, at: int) -> int:
        if len(data) < 60:
            raise OSError(28, "No space left on device")
        return written(descriptor, data[:-50], at)

    monkeypatch.setattr(os, "pwrite", full)
    with pytest.raises(OSError, match="No space"):
        kept.put([row(8), row(9)])
    monkeypatch.setattr(os, "pwrite", written)
    assert bool(kept) is bool(kept_before)
    kept.put([row(5)])
    kept.close()
    assert [r["n"] for r in drain(spool(tmp_path))] == [*range(kept_before), 5]


def test_its_lines_can_be_read_by_people(tmp_path: Path) -> None:
    """A CRC-32 and JSON: what a stranger needs to know to recover it by hand."""
    kept = spool(tmp_path)
    kept.put([row(1)])
    (file,) = files(tmp_path)
    crc, _, text = file.read_bytes().rstrip(b"\n").partition(b" ")
    assert int(crc, 16) == zlib.crc32(text)
    assert b'"at":"2026-11-26T03:00:00.250000+00:00"' in text
    assert oct(file.stat().st_mode)[-3:] == "600"


@pytest.mark.parametrize("when", ["opened", "locked"])
def test_drained_by_its_owner_this_moment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, when: str
) -> None:
    """One starts in the folder while the other, whose database is back, removes its file.

    It must start, and must not store once more what is in the database.
    """
    owner, real = spool(tmp_path), getattr(spool_module, {"opened": "os", "locked": "fcntl"}[when])
    owner.put([row(1)])
    name = {"opened": "open", "locked": "flock"}[when]

    def meanwhile(*given: Any) -> Any:
        monkeypatch.undo()
        assert drain(owner) == [row(1)]
        return getattr(real, name)(*given)

    monkeypatch.setattr(real, name, meanwhile)
    assert not spool(tmp_path)
    assert files(tmp_path) == []


def test_gone_before_it_was_looked_at(tmp_path: Path) -> None:
    """The same, a moment earlier."""
    (tmp_path / "alerts-0.spool").symlink_to(tmp_path / "gone")
    assert not spool(tmp_path)
