"""The ledger: one file both payment services append to; a line in it is a payment that happened.

A payment is acknowledged only after its line is on the disk (fsync), so whoever reads the file
after a crash finds every acknowledged payment. A retry with the same id is the same payment.
"""

import json
import os
import threading
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

    def accept(self, payment_id: str, pence: int) -> bool:
        """Put the payment on the disk; False when it was there already."""
        line = json.dumps({"id": payment_id, "pence": pence}).encode() + b"\n"
        with self._lock:
            self._catch_up()
            if payment_id in self._payments:
                return False
            self._file.write(line)
            os.fsync(self._file.fileno())
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

    def _catch_up(self) -> None:
        """Read what others appended, whole lines only: the last may be half written."""
        fresh = os.pread(self._file.fileno(), os.fstat(self._file.fileno()).st_size, self._read)
        whole = fresh[: fresh.rfind(b"\n") + 1]
        self._read += len(whole)
        for line in whole.splitlines():
            entry = json.loads(line)
            self._payments.setdefault(entry["id"], entry["pence"])


def payment_ids(path: Path) -> set[str]:
    """Every payment in the file, for whoever audits it from outside."""
    lines = path.read_bytes().splitlines(keepends=True)
    return {json.loads(line)["id"] for line in lines if line.endswith(b"\n")}
