"""The ledger keeps what was acknowledged, and says when it could not."""

from pathlib import Path

import pytest

from bot.practice.ledger import Ledger, payment_ids


def test_a_retry_is_the_same_payment(tmp_path: Path) -> None:
    """An id is accepted once, also by the other process that shares the file."""
    primary, standby = Ledger(tmp_path / "l"), Ledger(tmp_path / "l")
    assert primary.accept("a", 5)
    assert not standby.accept("a", 5)
    assert standby.find("a") == 5
    assert standby.summary() == {"payments": 1, "pence": 5}


def test_a_torn_line_spoils_no_other_payment(tmp_path: Path) -> None:
    """A process killed in mid-write leaves half a line; the next payment is still readable."""
    path = tmp_path / "l"
    ledger = Ledger(path)
    ledger.accept("a", 1)
    with path.open("ab") as dying:
        dying.write(b'{"id": "b", "pe')
    assert ledger.accept("c", 2)
    assert payment_ids(path) == {"a", "c"}
    assert Ledger(path).summary() == {"payments": 2, "pence": 3}


def test_health_fails_when_the_file_is_gone_or_another(tmp_path: Path) -> None:
    """An open handle to a deleted ledger still takes writes; health must not believe it."""
    path, beat = tmp_path / "l", tmp_path / "beat"
    ledger = Ledger(path)
    ledger.check_writable(beat)
    path.unlink()
    with pytest.raises(OSError, match="No such file"):
        ledger.check_writable(beat)
    path.touch()
    with pytest.raises(OSError, match="is not the ledger"):
        ledger.check_writable(beat)
