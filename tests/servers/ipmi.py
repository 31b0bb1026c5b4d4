"""A BMC that speaks IPMI, on loopback: `ipmi_bmc.py` as a process, and what its host is doing."""

import contextlib
import importlib.util
import json
import os
import socket
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ipmi_bmc import PASSWORD, USER, settled
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn
from tests.servers.tools import require


@dataclass
class Ipmi:
    """`settings` are what the target needs besides those of the jump host."""

    port: int
    folder: Path
    process: Process

    @property
    def settings(self) -> dict[str, str]:
        return {"address": f"{HOST}:{self.port}", "username": USER, "password": PASSWORD}

    @property
    def power(self) -> str:
        return str(self._read()["power"])

    @property
    def boot(self) -> str:
        """The boot flags, in hex."""
        return str(self._read()["boot"])

    @property
    def orders(self) -> int:
        """How many orders about power it was given."""
        return int(self._read()["orders"])

    def be(self, **state: Any) -> None:
        """Changes it: `mute` hears orders and says nothing, `stuck` does not follow them.

        ``code`` is what it answers to a restart that it takes.
        """
        part = self.folder / "test.part"
        part.write_text(json.dumps({**self._read(), **state}))
        part.replace(self.folder / "state.json")

    def _read(self) -> dict[str, Any]:
        return settled(json.loads((self.folder / "state.json").read_text()))


@contextlib.contextmanager
def ipmi() -> Iterator[Ipmi]:
    """The BMC of a host that is on; `ipmitool` is what reaches it."""
    require("ipmitool")
    if importlib.util.find_spec("pyghmi") is None:
        _missing()
    with scratch("ipmi") as folder:
        port = udp_port()
        process = spawn(
            "ipmi-bmc",
            [sys.executable, Path(__file__).with_name("ipmi_bmc.py"), str(port)],
            folder=folder,
            ready=(folder / "ready").exists,
        )
        with running(process):
            yield Ipmi(port, folder, process)


@dataclass
class Watcher:
    """A person with the console open; `sees` is what it showed them."""

    process: Process

    @property
    def sees(self) -> str:
        return self.process.tail()


@contextlib.contextmanager
def console_taken(settings: Mapping[str, str]) -> Iterator[Watcher]:
    """Somebody has the BMC's console open for the time of the block."""
    with scratch("watcher") as folder:
        log = folder / "watcher.log"
        # Its input stays open, or it would leave; unbuffered, so that one sees when it is in.
        line = f"(cat password; exec sleep 60) | exec stdbuf -o0 {by_hand(settings)} sol activate"
        (folder / "password").write_text(f"{settings['password']}\n")
        process = spawn(
            "watcher",
            ["sh", "-c", line],
            folder=folder,
            ready=lambda: "operational" in log.read_text(errors="replace"),
        )
        with running(process):
            yield Watcher(process)


def by_hand(settings: Mapping[str, str]) -> str:
    """ipmitool as a person would call it, up to the verb; it reads the password."""
    host, _, port = settings["address"].partition(":")
    return (f"ipmitool -I lanplus -H {host} -p {port} -U {settings['username']} -C 3 "
            "-f /dev/stdin")  # fmt: skip


def udp_port() -> int:
    """A loopback port that is free for TCP and for UDP."""
    while True:
        port = free_port()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
            contextlib.suppress(OSError),
        ):
            probe.bind((HOST, port))
            return port


def _missing() -> None:
    cure = "pyghmi is not installed: run `make test`, which installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(cure, pytrace=False)
    pytest.skip(cure)
