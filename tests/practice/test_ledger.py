"""The ledger keeps what was acknowledged, and says when it could not."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import pytest

from bot.practice.ledger import Ledger, payment_ids

Open = Callable[[], Ledger]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "ledger.jsonl"


@pytest.fixture
def opened(path: Path) -> Iterator[Open]:
    """Each call opens the same file once more, as another process would."""
    with ExitStack() as stack:
        yield lambda: stack.enter_context(closing(Ledger(path)))


def test_a_retry_is_the_same_payment(opened: Open) -> None:
    """An id is accepted once, also by the other process that shares the file."""
    primary, standby = opened(), opened()
    assert primary.accept("a", 5)
    assert not standby.accept("a", 5)
    assert standby.find("a") == 5
    assert standby.summary() == {"payments": 1, "pence": 5}


def test_a_torn_line_spoils_no_other_payment(path: Path, opened: Open) -> None:
    """A process killed in mid-write leaves half a line; the next payment is still readable."""
    ledger = opened()
    ledger.accept("a", 1)
    with path.open("ab") as dying:
        dying.write(b'{"id": "b", "pe')
    assert ledger.accept("c", 2)
    assert payment_ids(path) == {"a", "c"}
    assert opened().summary() == {"payments": 2, "pence": 3}


def test_health_fails_when_the_file_is_gone_or_another(path: Path, opened: Open) -> None:
    """An open handle to a deleted ledger still takes writes; health must not believe it."""
    beat = path.with_suffix(".beat")
    ledger = opened()
    ledger.check_writable(beat)
    path.unlink()
    with pytest.raises(OSError, match="No such file"):
        ledger.check_writable(beat)
    path.touch()
    with pytest.raises(OSError, match="is not the ledger"):
        ledger.check_writable(beat)
