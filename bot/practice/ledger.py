"""The ledger: one file both payment services append to; a line in it is a payment that happened.

A payment is acknowledged only after its line is on the disk (fsync), so whoever reads the file
after a crash finds every acknowledged payment. A retry with the same id is the same payment.
"""

import contextlib
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path


class Ledger:
    """This process's view of the shared file, brought up to date by every call.

    Safe to call from several threads; two processes that accept the same id at the same moment
    write it twice, and every reader counts it once.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file = path.open("a+b", buffering=0)
        self._read = 0
        self._lock = threading.Lock()
        self._payments: dict[str, int] = {}

    def close(self) -> None:
        self._file.close()

    def accept(self, payment_id: str, pence: int) -> bool:
        """Put the payment on the disk; False when it was there already."""
        line = json.dumps({"id": payment_id, "pence": pence}).encode() + b"\n"
        with self._lock:
            self._catch_up()
            if payment_id in self._payments:
                return False
            self._append(line)
            self._catch_up()
        return True

    def find(self, payment_id: str) -> int | None:
        with self._lock:
            self._catch_up()
            return self._payments.get(payment_id)

    def summary(self) -> dict[str, int]:
        with self._lock:
            self._catch_up()
            return {"payments": len(self._payments), "pence": sum(self._payments.values())}

    def check_writable(self, beat: Path) -> None:
        """Raise OSError unless a payment could be recorded now.

        Two halves: the ledger must still be the file we hold, open for appending, and its disk
        must take a synced write (into a beat file, so that health checks are not payments).
        """
        with self._path.open("r+b") as now:
            if not os.path.sameopenfile(now.fileno(), self._file.fileno()):
                raise OSError(f"{self._path} is not the ledger this process opened")
        with beat.open("wb", buffering=0) as file:
            file.write(b"beat\n")
            os.fsync(file.fileno())

    def _append(self, line: bytes) -> None:
        """Write and sync; a line that a killed process left half written is ended first."""
        torn = os.fstat(self._file.fileno()).st_size > self._read
        whole = b"\n" + line if torn else line
        if self._file.write(whole) != len(whole):
            raise OSError("the disk took only a part of the payment")
        os.fsync(self._file.fileno())

    def _catch_up(self) -> None:
        """Read what others appended, whole lines only: the last may be half written."""
        fresh = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size, self._read)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for payment_id, pence in _entries(whole):
            self._payments.setdefault(payment_id, pence)


def payment_ids(path: Path) -> set[str]:
    """Every payment in the file, for whoever audits it from outside."""
    return {payment_id for payment_id, _ in _entries(path.read_bytes())}


def _entries(data: bytes) -> Iterator[tuple[str, int]]:
    """The payments in these lines; a torn line was never acknowledged and is passed over."""
    for line in data.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            yield entry["id"], entry["pence"]
