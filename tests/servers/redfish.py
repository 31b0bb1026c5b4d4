"""A real Redfish service: OpenStack's sushy-emulator, which plays a host that is not there."""

import contextlib
import importlib.util
import json
import os
import ssl
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import bcrypt
import pytest

from tests.servers.process import HOST, Process, free_port, port_open, running, scratch, spawn

USER, PASSWORD = "ops", "bmc-test-password"
UUID = "11111111-1111-1111-1111-111111111111"
OTHER = "22222222-2222-2222-2222-222222222222"
# A host takes 1 to 11 s to follow an order there; a test waits for the shortest time only.
CONFIG = """\
import random
random.randint = lambda least, most: least
SUSHY_EMULATOR_LISTEN_IP = {host!r}
SUSHY_EMULATOR_LISTEN_PORT = {port}
SUSHY_EMULATOR_STATE_DIR = {folder!r}
SUSHY_EMULATOR_AUTH_FILE = {folder!r} + "/users"
SUSHY_EMULATOR_FAKE_SYSTEMS = {systems!r}
"""
TLS = """\
SUSHY_EMULATOR_SSL_CERT = {folder!r} + "/bmc.pem"
SUSHY_EMULATOR_SSL_KEY = {folder!r} + "/bmc.key"
"""


@dataclass
class Redfish:
    """`authority` is the file that a client must trust, where it speaks TLS."""

    port: int
    process: Process
    authority: Path | None

    @property
    def url(self) -> str:
        return f"{'https' if self.authority else 'http'}://{HOST}:{self.port}"

    @property
    def settings(self) -> dict[str, str]:
        return {"username": USER, "password": PASSWORD}

    def system(self) -> dict[str, Any]:
        """What the BMC says about the host, read without Jackline."""
        login = urllib.request.HTTPPasswordMgrWithPriorAuth()
        login.add_password(None, self.url, USER, PASSWORD, is_authenticated=True)
        trusted = ssl.create_default_context(cafile=self.authority) if self.authority else None
        opener = urllib.request.build_opener(
            urllib.request.HTTPBasicAuthHandler(login), urllib.request.HTTPSHandler(context=trusted)
        )
        with opener.open(f"{self.url}/redfish/v1/Systems/{UUID}", timeout=5) as answer:
            found: dict[str, Any] = json.load(answer)
            return found

    @property
    def power(self) -> str:
        return str(self.system()["PowerState"])

    @property
    def boot(self) -> str:
        return str(self.system()["Boot"]["BootSourceOverrideTarget"])

    def orders(self) -> int:
        """How many orders about power it was given."""
        lines = self.process.log.read_text().splitlines()
        return sum("POST" in line and line.endswith("204 -") for line in lines)


@contextlib.contextmanager
def redfish(*, tls: bool = False, systems: int = 1) -> Iterator[Redfish]:
    """The BMC of a host `db1` that is on; of two hosts if asked."""
    if importlib.util.find_spec("sushy_tools") is None:
        _missing()
    with scratch("redfish") as folder:
        port = free_port()
        hosts = [(UUID, "db1"), (OTHER, "db2")][:systems]
        listed = [
            {"uuid": uuid, "name": name, "power_state": "On", "external_notifier": False,
             "nics": [{"mac": "52:54:00:00:00:01", "ip": HOST}]}
            for uuid, name in hosts
        ]  # fmt: skip
        config = CONFIG.format(host=HOST, port=port, folder=str(folder), systems=listed)
        digest = bcrypt.hashpw(PASSWORD.encode(), bcrypt.gensalt(4)).decode()
        (folder / "users").write_text(f"{USER}:{digest}\n")
        if tls:
            config += TLS.format(folder=str(folder))
            _certificate(folder)
        (folder / "bmc.conf").write_text(config)
        process = spawn(
            "sushy-emulator",
            [sys.executable, "-m", "sushy_tools.emulator.main", "--fake", "--config", "bmc.conf"],
            folder=folder,
            ready=lambda: port_open(port),
        )
        with running(process):
            yield Redfish(port, process, folder / "bmc.pem" if tls else None)


def _certificate(folder: Path) -> None:
    """Signed by itself: whoever trusts that file trusts this BMC, and nobody else does."""
    subprocess.run(
        ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256",
         "-nodes", "-keyout", "bmc.key", "-out", "bmc.pem", "-days", "2", "-subj", "/CN=bmc",
         "-addext", f"subjectAltName=IP:{HOST}"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip


def _missing() -> None:
    cure = "sushy-tools is not installed: run `make test`, which installs it"
    if os.environ.get("CI") == "true":
        pytest.fail(cure, pytrace=False)
    pytest.skip(cure)
