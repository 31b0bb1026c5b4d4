"""OpenIPMI's BMC on loopback, and the serial line of its host, which a test plays."""

import contextlib
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ipmi import udp_port
from tests.servers.process import HOST, Process, running, scratch, spawn
from tests.servers.tools import require

USER, PASSWORD = "ops", "ipmi-sim-password"
LAN = """\
name "db1"
set_working_mc 0x20
  startlan 1
    addr {host} {port}
    priv_limit admin
    allowed_auths_operator none md2 md5 straight
    guid a123456789abcdefa123456789abcdef
  endlan
  user 2 true "{user}" "{password}" admin 10 none md2 md5 straight
"""
SOL = '  sol "tcp:{host}:{line}" 115200\n'
BOARD = """\
mc_setbmc 0x20
mc_add 0x20 0 no-device-sdrs 0x23 9 8 0x9f 0x1291 0xf02
mc_enable 0x20
"""


class SerialLine:
    """The host's end of the line: `says` prints on it, `heard` is all that was typed there."""

    def __init__(self) -> None:
        self.server = socket.create_server((HOST, 0))
        self.port: int = self.server.getsockname()[1]
        self.heard = b""
        self.joined = threading.Event()
        self._bmc: socket.socket | None = None
        self._reading = threading.Thread(target=self._read)
        self._reading.start()

    def says(self, data: bytes) -> None:
        assert self._bmc is not None
        self._bmc.sendall(data)

    def close(self) -> None:
        for each in (self._bmc, self.server):
            with contextlib.suppress(OSError):
                if each is not None:
                    each.shutdown(socket.SHUT_RDWR)
        self._reading.join()
        self.server.close()

    def _read(self) -> None:
        with contextlib.suppress(OSError):
            self._bmc, _ = self.server.accept()
            with self._bmc:
                self.joined.set()
                while data := self._bmc.recv(4096):
                    self.heard += data


@dataclass
class IpmiSim:
    """`settings` are what the target needs besides those of the jump host."""

    port: int
    line: SerialLine
    process: Process

    @property
    def settings(self) -> dict[str, str]:
        # It does not list its cipher suites, and ipmitool would ask for them for seconds.
        return {"address": f"{HOST}:{self.port}", "username": USER, "password": PASSWORD,
                "cipher_suite": "3"}  # fmt: skip


@contextlib.contextmanager
def ipmi_sim(*, sol: bool = True) -> Iterator[IpmiSim]:
    """The BMC of a host that prints what the test says; without ``sol`` it has no console."""
    binary = require("ipmi_sim")
    require("ipmitool")
    with scratch("ipmi-sim") as folder, contextlib.closing(SerialLine()) as line:
        port = udp_port()
        process = _spawn(binary, folder, port, line, sol=sol)
        with running(process):
            yield IpmiSim(port, line, process)


def _spawn(binary: Path, folder: Path, port: int, line: SerialLine, *, sol: bool) -> Process:
    (folder / "state").mkdir()
    (folder / "board").write_text(BOARD)
    lan = LAN + SOL if sol else LAN
    (folder / "lan").write_text(
        lan.format(host=HOST, port=port, user=USER, password=PASSWORD, line=line.port)
    )
    argv = [binary, "-n", "-c", folder / "lan", "-f", folder / "board", "-s", folder / "state"]
    return spawn(
        "ipmi_sim",
        argv,
        folder=folder,
        ready=lambda: (line.joined.is_set() or not sol) and _bound(port),
    )


def _bound(port: int) -> bool:
    """Looked up, not tried: a try could take the port from the BMC."""
    return f":{port:04X} " in Path("/proc/net/udp").read_text()
