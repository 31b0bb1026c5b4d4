"""Child processes that cannot outlive their parent.

Each child is killed by the kernel when its parent dies, however that dies (PR_SET_PDEATHSIG),
sits in a session of its own so that Ctrl-C reaches only the parent, and is always waited for.
The kernel watches the *thread* that started the child: start a platform from a thread that
lives as long as the platform does.
"""

import asyncio
import contextlib
import ctypes
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)  # loaded before any fork: a child must not load
_ROOT = Path(__file__).resolve().parents[2]
_POLL = 0.02
_PORTS = range(29_000, 32_000)  # below Linux's ephemeral range, where outgoing calls take theirs


class Child:
    """One process, its command and its log; it may be started again after it died."""

    def __init__(self, name: str, command: Sequence[str | Path], log: Path) -> None:
        self.name = name
        self.log = log
        self._command = [str(part) for part in command]
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def alive(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int | None:
        return self._process.pid if self._process is not None and self.alive else None

    def start(self) -> None:
        """Start the process; a second call while it lives changes nothing."""
        if self.alive:
            return
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own fixed command
                self._command,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                env=_environment(),
                start_new_session=True,
                preexec_fn=_dies_with(os.getpid()),  # noqa: PLW1509 - two system calls, no locks
            )

    def kill(self) -> None:
        """SIGKILL and wait: a power cut, not a goodbye."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def terminate(self) -> None:
        if self._process is not None and self.alive:
            self._process.terminate()

    def last_words(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        return "\n".join(lines[-12:])


def python_module(module: str, **options: object) -> list[str]:
    """The command line `python -m module --option value …`."""
    command = [sys.executable, "-m", module]
    for name, value in options.items():
        command += [f"--{name.replace('_', '-')}", str(value)]
    return command


async def stop_all(children: Sequence[Child], grace: float) -> None:
    """SIGTERM to all, then SIGKILL to those left, also when the wait itself is cancelled."""
    for child in children:
        child.terminate()
    deadline = time.monotonic() + grace
    try:
        while (  # noqa: ASYNC110 - nothing tells us of a Popen's end
            any(child.alive for child in children) and time.monotonic() < deadline
        ):
            await asyncio.sleep(_POLL)
    finally:
        for child in children:
            child.kill()


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now, all held open until the last one is found."""
    with contextlib.ExitStack() as held:
        ports: list[int] = []
        while len(ports) < count:
            port = secrets.choice(_PORTS)
            holder = held.enter_context(socket.socket())
            with contextlib.suppress(OSError):
                holder.bind(("127.0.0.1", port))
                ports.append(port)
        return ports


def _environment() -> dict[str, str]:
    """Ours, with this checkout importable from whatever folder the parent was started in."""
    inherited = os.environ.get("PYTHONPATH")
    path = os.pathsep.join([str(_ROOT), *([inherited] if inherited else [])])
    return {**os.environ, "PYTHONPATH": path, "PYTHONUNBUFFERED": "1"}


def _dies_with(parent: int) -> Callable[[], None]:
    def between_fork_and_exec() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
        if os.getppid() != parent:  # it died before the kernel was asked to watch
            os._exit(1)

    return between_fork_and_exec
