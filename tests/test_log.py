"""What is logged goes to stderr; where that cannot be written, the work goes on."""

import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import TextIO

import pytest
import structlog

from bot import log
from bot.store.rounds import survive


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """Others log as they did."""
    kept = structlog.get_config()
    yield
    structlog.configure(**kept)


def _full_disk() -> TextIO:
    return Path("/dev/full").open("w", buffering=1, encoding="utf-8")


def _nobody_reads() -> TextIO:
    theirs, ours = os.pipe()
    os.close(theirs)
    return os.fdopen(ours, "w", buffering=1, encoding="utf-8")


def _closed() -> TextIO:
    file = _nobody_reads()
    file.close()
    return file


@pytest.mark.parametrize("where", [_full_disk, _nobody_reads, _closed])
async def test_a_log_that_cannot_be_written_ends_no_worker(
    where: type[TextIO], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step fails because the disk is full, and so does saying it: the worker lives."""

    async def step() -> bool:
        raise OSError("No space left on device")

    async def at_once(_: float) -> None:
        return

    stderr = where()
    monkeypatch.setattr("sys.stderr", stderr)
    monkeypatch.setattr("bot.store.rounds.asyncio.sleep", at_once)
    log.configure("info", as_json=True)
    for _ in range(1000):  # more than any buffer holds
        assert await survive(step) is False
    monkeypatch.undo()
    with suppress(OSError):
        stderr.close()


def test_what_can_be_written_is(capsys: pytest.CaptureFixture[str]) -> None:
    """One line of JSON on stderr, without what looks like a credential."""
    log.configure("info", as_json=True)
    log.get("store").error("not_stored", error="Bearer abcdef", token="x")
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert '"event": "not_stored"' in said
    assert "abcdef" not in said
