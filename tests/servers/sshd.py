"""A real OpenSSH server on loopback, which lets the user of the tests in by one key."""

import contextlib
import getpass
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncssh
import psutil

from tests.servers.process import HOST, Process, free_port, port_open, scratch, spawn
from tests.servers.tools import require

CONFIG = """\
ListenAddress {host}
Port {port}
HostKey {folder}/host_key
AuthorizedKeysFile {folder}/authorized_keys
PidFile none
StrictModes no
UsePAM no
PermitRootLogin yes
PasswordAuthentication no
AllowTcpForwarding yes
"""


@dataclass
class Sshd:
    """`settings` are what a target of the catalog needs to log in; `url` is its address."""

    port: int
    folder: Path
    host_key: str
    key: str
    process: Process
    host: str = HOST
    prefix: Sequence[str] = ()

    @property
    def url(self) -> str:
        return f"ssh://{getpass.getuser()}@{self.host}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {"key": self.key, "host_key": self.host_key}

    def start(self) -> None:
        """Again, after `cut`: same port, same keys."""
        self.process = _spawn(self.folder, self.port, self.host, self.prefix)

    def freeze(self) -> None:
        """The server and its sessions stand still; the line stays open."""
        self._each("suspend")

    def thaw(self) -> None:
        self._each("resume")

    def _each(self, verb: str) -> None:
        server = psutil.Process(self.process.popen.pid)
        for process in (server, *server.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                getattr(process, verb)()

    def cut(self) -> None:
        """Ends the server and every session at once; the programs that they run go on."""
        sessions = psutil.Process(self.process.popen.pid).children(recursive=True)
        self.process.kill()
        for session in sessions:
            with contextlib.suppress(psutil.NoSuchProcess):
                if session.name() == "sshd":
                    session.kill()


@contextlib.contextmanager
def sshd(host: str = HOST, prefix: Sequence[str] = ()) -> Iterator[Sshd]:
    """Programs run as the user of the tests. ``prefix`` comes before the server: a namespace's."""
    require("sshd")
    if os.geteuid() == 0:
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)  # its privilege separation wants it
    with scratch("sshd") as folder:
        own, client = (asyncssh.generate_private_key("ssh-ed25519") for _ in range(2))
        (folder / "host_key").write_bytes(own.export_private_key())
        (folder / "host_key").chmod(0o600)
        (folder / "authorized_keys").write_bytes(client.export_public_key())
        port = free_port()
        (folder / "sshd_config").write_text(CONFIG.format(host=host, port=port, folder=folder))
        public = " ".join(own.export_public_key().decode().split()[:2])
        process = _spawn(folder, port, host, prefix)
        server = Sshd(
            port, folder, public, client.export_private_key().decode(), process, host, prefix
        )
        try:
            yield server
        finally:
            server.process.stop()


def _spawn(folder: Path, port: int, host: str, prefix: Sequence[str]) -> Process:
    argv = [*prefix, require("sshd"), "-D", "-e", "-f", folder / "sshd_config"]
    return spawn("sshd", argv, folder=folder, ready=lambda: port_open(port, host))
