"""Processes that `tests.e2e.crash_launcher` forks, as `Bot` wants a process to be."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Self

ROOT = Path(__file__).resolve().parents[2]


class Forked:
    """One Jackline; the members are those of `asyncio.subprocess.Process`."""

    def __init__(self, pid: int, output: asyncio.StreamReader) -> None:
        self.pid = pid
        self.returncode: int | None = None
        self._ended = asyncio.create_task(self._read(output))

    async def _read(self, output: asyncio.StreamReader) -> int:
        self.returncode = int(await output.readline())
        return self.returncode

    def send_signal(self, number: int) -> None:
        """Sends a signal."""
        os.kill(self.pid, number)

    async def wait(self) -> int:
        """The exit code, once it has ended."""
        return await asyncio.shield(self._ended)


class Forker:
    """The process that has imported Jackline; it runs one fork at a time."""

    async def __aenter__(self) -> Self:
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.e2e.crash_launcher", cwd=ROOT,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self._process.stdin is not None
        self._process.stdin.close()
        await self._process.wait()

    async def spawn(self, env: dict[str, str], log: Path) -> Forked:
        """Starts one."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write(json.dumps({"env": env, "log": str(log)}).encode() + b"\n")
        await self._process.stdin.drain()
        pid = int(await self._process.stdout.readline())
        return Forked(pid, self._process.stdout)
