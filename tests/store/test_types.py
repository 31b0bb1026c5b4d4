"""Columns mean the same on both databases, and a key is made once."""

import asyncio
import errno
import stat
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from pydantic import SecretStr
from sqlalchemy.exc import StatementError

from bot.delivery import Binding, Message
from bot.errors import Unavailable
from bot.store import Store, load_key, now


async def kept(store: Store, at: datetime) -> datetime:
    """The moment as it comes back."""
    async with store.write() as session:
        session.add(Message(incident_id=1, key="k", kind="line", author="a", created_at=at))
    async with store.read() as session:
        return (await session.get_one(Message, 1)).created_at


@pytest.mark.parametrize("hours", [0, 2, -11])
async def test_a_moment_comes_back_as_the_same_moment_in_utc(store: Store, hours: int) -> None:
    at = datetime(2026, 10, 25, 2, 30, 0, 999_999, tzinfo=timezone(timedelta(hours=hours)))
    found = await kept(store, at)
    assert found == at
    assert found.tzinfo is UTC


async def test_a_naive_moment_is_refused(store: Store) -> None:
    """It would be another moment on another machine."""
    with pytest.raises(StatementError, match="naive datetime"):
        await kept(store, datetime(2026, 1, 1))  # noqa: DTZ001 - that is the claim


def test_the_clock_is_utc() -> None:
    assert abs((now() - datetime.now(UTC)).total_seconds()) < 5
    assert now().tzinfo is UTC


async def test_json_comes_back_as_it_was(store: Store) -> None:
    value = {"a": [1, 2.5, None, True, "é\n"], "b": {"c": {}}, "": []}
    async with store.write() as session:
        session.add(Binding(surface="s", key="k", value=value))
    async with store.read() as session:
        assert (await session.get_one(Binding, ("s", "k"))).value == value


def test_a_key_that_is_given_is_used(tmp_path: Path) -> None:
    """And nothing is written."""
    assert load_key(SecretStr("given"), tmp_path / "data", "audit") == b"given"
    assert not (tmp_path / "data").exists()


def test_a_key_is_made_once_for_its_owner_alone(tmp_path: Path) -> None:
    key = load_key(None, tmp_path / "data", "audit")
    assert len(key) == 64
    assert load_key(None, tmp_path / "data", "audit") == key
    assert load_key(None, tmp_path / "data", "session") != key
    assert stat.S_IMODE((tmp_path / "data" / "audit.key").stat().st_mode) == 0o600


def test_processes_that_start_at_once_agree_on_the_key(tmp_path: Path) -> None:
    """Whoever comes second gets the first one's key, not an empty file's."""
    start = threading.Barrier(8)

    def load() -> bytes:
        start.wait()
        return load_key(None, tmp_path, "audit")

    with ThreadPoolExecutor(8) as pool:
        found = {future.result() for future in [pool.submit(load) for _ in range(8)]}
    assert len(found) == 1
    assert len(found.pop()) == 64


def test_a_key_that_is_being_written_is_waited_for(tmp_path: Path) -> None:
    (tmp_path / "audit.key").touch()
    threading.Timer(0.1, (tmp_path / "audit.key").write_bytes, [b"late\n"]).start()
    assert load_key(None, tmp_path, "audit") == b"late"


@pytest.mark.slow
async def test_an_empty_key_signs_nothing(tmp_path: Path) -> None:
    """A crash between making the file and filling it must not leave a key that anybody knows."""
    (tmp_path / "audit.key").touch()
    with pytest.raises(Unavailable, match=r"audit\.key is empty"):
        await asyncio.to_thread(load_key, None, tmp_path, "audit")


@pytest.mark.parametrize("blocked", ["folder", "key"])
def test_a_key_that_cannot_be_kept(tmp_path: Path, blocked: str) -> None:
    if blocked == "folder":
        (tmp_path / "data").write_text("in the way")
    else:
        (tmp_path / "data" / "audit.key").mkdir(parents=True)
    with pytest.raises(Unavailable, match=r"Cannot (write|read) .*audit\.key"):
        load_key(None, tmp_path / "data", "audit")


def test_a_key_on_a_full_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and no empty file stands in the way of the start that comes when there is room."""

    def full(_: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr("os.fsync", full)
        with pytest.raises(Unavailable, match=r"audit\.key: No space left"):
            load_key(None, tmp_path, "audit")
    assert len(load_key(None, tmp_path, "audit")) == 64
