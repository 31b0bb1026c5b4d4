"""Starts a real server as a child process and makes sure that it ends with the test.

Everything listens on loopback and writes to its own folder. Nothing here knows a server by name.
All of it is synchronous, so that the same context managers serve session fixtures, async tests,
benches and plain scripts.
"""

import atexit
import contextlib
import os
import random
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

HOST = "127.0.0.1"
LOG_TAIL = 60  # lines shown when something went wrong

# Below Linux's range for outgoing connections (32768 and up), so that no client takes a port
# between our choosing it and the server's binding it. The practice platform's are above these.
_PORTS = range(20_000, 29_000)

_untried: list[int] = []
_live: "dict[int, Process]" = {}


class DidNotStartError(Exception):
    """The server ended or stayed silent; the message carries the end of its log."""


@dataclass
class Process:
    """A running server. `stop` is polite; `kill`, `freeze` and `thaw` are for outage tests."""

    name: str
    popen: subprocess.Popen[bytes]
    log: Path
    stop_signal: int = signal.SIGTERM

    @property
    def alive(self) -> bool:
        return self.popen.poll() is None

    def tail(self, lines: int = LOG_TAIL) -> str:
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def stop(self, patience: float = 5.0) -> None:
        """Ask; after `patience` seconds, insist. Safe to call twice."""
        self._signal(signal.SIGCONT)
        self._signal(self.stop_signal)
        try:
            self.popen.wait(patience)
        except subprocess.TimeoutExpired:
            self.kill()
        self._forget()

    def kill(self) -> None:
        """kill -9 the whole process group."""
        self._signal(signal.SIGKILL)
        self.popen.wait()
        self._forget()

    def freeze(self) -> None:
        """SIGSTOP: the port stays open and nobody answers, from the moment this returns."""
        self._signal(signal.SIGSTOP)
        wait_for(lambda: stands_still(self.popen.pid), what=f"{self.name} to stand still")

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self.alive:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.popen.pid, number)

    def _forget(self) -> None:
        _live.pop(self.popen.pid, None)


def spawn(
    name: str,
    argv: Sequence[str | Path],
    *,
    folder: Path,
    ready: Callable[[], bool],
    env: Mapping[str, str] | None = None,
    stop_signal: int = signal.SIGTERM,
    timeout: float = 30.0,
) -> Process:
    """Start `argv` in `folder`, its output in `<name>.log`, and wait until `ready()` holds."""
    log = folder / f"{name}.log"
    with log.open("ab") as out:
        popen = subprocess.Popen(
            [str(part) for part in argv],
            cwd=folder,
            env={**os.environ, **(env or {})},
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=subprocess.STDOUT,
            start_new_session=True,  # its own group, which is what we signal
        )
    process = Process(name, popen, log, stop_signal)
    _live[popen.pid] = process
    try:
        wait_for(lambda: not process.alive or ready(), timeout=timeout, what=f"{name} to answer")
    except TimeoutError as error:
        process.kill()
        raise DidNotStartError(f"{error}\n{process.tail()}") from error
    except BaseException:
        process.kill()
        raise
    if not process.alive:
        process._forget()
        raise DidNotStartError(f"{name} ended with {popen.returncode}\n{process.tail()}")
    return process


@contextlib.contextmanager
def running(process: Process) -> Iterator[Process]:
    """Stop the process at the end of the block, whatever happened in it."""
    try:
        yield process
    finally:
        process.stop()


@contextlib.contextmanager
def scratch(name: str, owner: str | None = None) -> Iterator[Path]:
    """A folder that ends with the block.

    Not pytest's tmp_path: only its owner may enter that one, and some servers refuse to be root;
    a Unix socket's path also has to stay under 108 bytes.
    """
    folder = Path(tempfile.mkdtemp(prefix=f"jl-{name}-"))
    try:
        folder.chmod(0o755)
        if owner:
            shutil.chown(folder, owner)
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback TCP port that nobody listens on; one given before only after all the others."""
    for _ in range(2):
        while _untried:
            port = _untried.pop()
            if _can_bind(port):
                return port
        _untried.extend(random.SystemRandom().sample(_own_ports(), len(_own_ports())))
    raise RuntimeError(f"every port between {_PORTS.start} and {_PORTS.stop} is taken")


def _own_ports() -> range:
    """Of pytest's workers each has its part: another would bind what was chosen here."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    number = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return _PORTS[number::workers]


def _can_bind(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((HOST, port))
        except OSError:
            return False
    return True


def wait_for(
    condition: Callable[[], T], *, timeout: float = 10.0, every: float = 0.02, what: str = "it"
) -> T:
    """Call `condition` until it returns something truthy, and return that."""
    deadline = time.monotonic() + timeout
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {timeout:g} s for {what}")
        time.sleep(every)


def port_open(port: int, host: str = HOST) -> bool:
    """Whether something accepts connections on this port, of loopback unless told."""
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((host, port)) == 0


def socket_open(path: Path) -> bool:
    """Whether something accepts connections there; the file is there a moment before."""
    with socket.socket(socket.AF_UNIX) as probe:
        probe.settimeout(1)
        return probe.connect_ex(str(path)) == 0


def stands_still(pid: int) -> bool:
    """Every thread of it: SIGSTOP reaches a busy one a moment later than the others."""
    states = []
    for task in Path(f"/proc/{pid}/task").glob("*/stat"):
        with contextlib.suppress(OSError):
            states.append(task.read_text().rpartition(")")[2].split()[0])
    return all(state in "TtZX" for state in states)


def live() -> list[Process]:
    """Every process started here and not yet stopped: for showing their logs."""
    return list(_live.values())


@atexit.register
def _sweep() -> None:
    """The last net: a session that dies halfway leaves no servers behind."""
    for process in live():
        process.kill()
