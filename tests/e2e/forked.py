"""Processes that `tests.e2e.launcher` forks, as `Bot` wants a process to be."""

import asyncio
import atexit
import contextlib
import itertools
import json
import os
import subprocess
import sys
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
_numbers = itertools.count(1)


class Forked:
    """One Jackline; the members are those of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, ended: Path) -> None:
        self.pid = pid
        self._ended = ended
        self._code: int | None = None

    @property
    def returncode(self) -> int | None:
        """The exit code, once it has ended."""
        if self._code is None and self._ended.exists():
            self._code = int(self._ended.read_text())
        return self._code

    def send_signal(self, number: int) -> None:
        """Sends a signal, unless it has ended meanwhile: its exit code is there a moment later."""
        with contextlib.suppress(ProcessLookupError):
            os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        while self.returncode is None:
            await asyncio.sleep(0.01)
        return self.returncode


@cache
def _launcher() -> "subprocess.Popen[str]":
    """One for all tests of this process; it imports once what each of them would."""
    process = subprocess.Popen(
        [sys.executable, "-m", "tests.e2e.launcher"], cwd=ROOT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT), "OPENBLAS_NUM_THREADS": "1"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    )  # fmt: skip

    def end() -> None:
        process.communicate()

    atexit.register(end)
    return process


async def spawn(env: dict[str, str], log: Path) -> Forked:
    """Starts one, in a tenth of the time that a start takes."""
    process = _launcher()
    assert process.stdin is not None
    assert process.stdout is not None
    ended = log.with_name(f"ended-{next(_numbers)}")
    asked = {"env": env, "log": str(log), "ended": str(ended)}
    process.stdin.write(json.dumps(asked) + "\n")
    process.stdin.flush()
    return Forked(int(process.stdout.readline()), ended)
