"""The terminal of the go-bag on a bad day: a question that was left, a stick that is read-only, a full disk."""

import asyncio
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import NoReturn, TextIO

import pytest
from sqlalchemy.exc import OperationalError

from bot.access.bags import Bag, Manifest
from bot.chat.printing import Printer
from bot.chat.terminal import opening
from bot.chat.terminal.asker import Asker
from bot.chat.terminal.command import guarded
from bot.errors import BadInput, JacklineError, Rejected, Untrusted


@pytest.fixture
def keyboard(monkeypatch: pytest.MonkeyPatch) -> Iterator[TextIO]:
    """What is written to it, is typed."""
    read, write = os.pipe()
    with os.fdopen(read) as stdin, os.fdopen(write, "w", buffering=1) as typed:
        monkeypatch.setattr("sys.stdin", stdin)
        yield typed


async def left(asker: Asker, text: str, words: tuple[str, ...]) -> None:
    """A question that nobody answers before it is left by Ctrl-C."""
    asked = asyncio.create_task(asker.ask(text, words))
    await asyncio.sleep(0.05)
    asked.cancel()
    await asyncio.gather(asked, return_exceptions=True)


async def test_the_answer_is_the_next_questions(keyboard: TextIO) -> None:
    """A question is left by Ctrl-C; what is typed then answers the one that is asked after it."""
    asker = Asker(Printer(stderr=True), interactive=True)
    await left(asker, "Is all of it done?", ("done", "cannot"))
    asked = asyncio.create_task(asker.ask("Take back what was done?", ("no", "yes")))
    await asyncio.sleep(0.05)
    keyboard.write("yes\n")
    async with asyncio.timeout(5):
        assert await asked == "yes"


async def test_what_was_typed_in_between_is_no_answer(keyboard: TextIO) -> None:
    """It was meant for the question that is gone."""
    asker = Asker(Printer(stderr=True), interactive=True)
    await left(asker, "Run it?", ("yes", "no"))
    keyboard.write("yes\n")
    await asyncio.sleep(0.05)
    asked = asyncio.create_task(asker.ask("Take back what was done?", ("no", "yes")))
    await asyncio.sleep(0.05)
    assert not asked.done()
    keyboard.write("no\n")
    async with asyncio.timeout(5):
        assert await asked == "no"


@pytest.mark.parametrize("said", ["yes", "no"])
async def test_a_key_on_a_read_only_stick(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], said: str
) -> None:
    """That the signer is known cannot be kept: it is said, and the bag opens all the same."""
    made = Manifest(
        id="b", packed_at=datetime(2026, 1, 1, tzinfo=UTC), jackline="1", platform="p",
        unpacked=0, recipients=1, runbooks=0, contacts=0, credentials=0, codes=0,
    )  # fmt: skip
    bag = Bag(tmp_path / "x.bag", made, b"s" * 32, "d")
    asker = Asker(Printer(), answers={"": said}, interactive=True)
    knows = opening._know(bag, tmp_path / "no such stick" / "key", "", asker)
    if said == "no":
        with pytest.raises(Untrusted):
            await knows
    else:
        await knows
        assert "key.signers cannot be written" in capsys.readouterr().out


@pytest.mark.parametrize(
    "error",
    [
        OperationalError("INSERT …", {"value": "hush"}, Exception("database or disk is full")),
        OSError(28, "database or disk is full"),
    ],
)
def test_a_full_disk_is_one_line(error: Exception, capsys: pytest.CaptureFixture[str]) -> None:
    """No trace, no statement and nothing of what was to be written."""

    def work() -> NoReturn:
        raise error

    with pytest.raises(SystemExit) as ended:
        guarded(work)
    said = capsys.readouterr().err
    assert ended.value.code == 1
    assert (said.count("\n"), "disk is full" in said, "hush" in said) == (1, True, False)


@pytest.mark.parametrize("kind", [BadInput, Rejected])
def test_an_errors_words_are_shown_and_not_obeyed(
    kind: type[JacklineError], capsys: pytest.CaptureFixture[str]
) -> None:
    """A target's own words, or a file's, retitle no terminal and wipe no line."""

    def work() -> NoReturn:
        raise kind("The wiki says: \x1b]0;owned\x07\x1b[2K\u202eno")

    with pytest.raises(SystemExit):
        guarded(work)
    said = capsys.readouterr().err
    assert said.startswith("jackline: The wiki says: ")
    assert not {"\x1b", "\x07", "\u202e"} & set(said)
