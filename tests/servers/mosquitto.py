"""A real mosquitto, and a subscriber that keeps what it hears."""

import contextlib
import json
import subprocess
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion

from tests.servers.process import (
    HOST,
    Process,
    free_port,
    port_open,
    running,
    scratch,
    spawn,
    wait_for,
)
from tests.servers.tools import require

USER, PASSWORD = "jackline", "mqtt-password"
TOPIC = "incidents/all"


@dataclass
class Heard:
    """What came on a topic, parsed."""

    notices: list[dict[str, Any]] = field(default_factory=list)

    def wait_for(self, count: int, timeout: float = 20) -> list[dict[str, Any]]:
        wait_for(lambda: len(self.notices) >= count, timeout=timeout, what=f"{count} notices")
        return self.notices


@dataclass
class Mosquitto:
    port: int
    process: Process

    @property
    def url(self) -> str:
        return f"tcp://{HOST}:{self.port}"

    @contextlib.contextmanager
    def heard(self, topic: str = TOPIC) -> Iterator[Heard]:
        """Subscribed for the time of the block."""
        heard, ready = Heard(), threading.Event()
        client = mqtt.Client(CallbackAPIVersion.VERSION2)
        client.on_connect = lambda *_: client.subscribe(topic, qos=1)
        client.on_subscribe = lambda *_: ready.set()
        client.on_message = lambda _, __, message: heard.notices.append(json.loads(message.payload))
        client.connect(HOST, self.port)
        client.loop_start()
        assert ready.wait(20)
        try:
            yield heard
        finally:
            client.disconnect()
            client.loop_stop()


@contextlib.contextmanager
def mosquitto(
    *, certificate: Path | None = None, key: Path | None = None, acl: str = ""
) -> Iterator[Mosquitto]:
    """With a certificate: TLS, and a login that only `USER` has."""
    binary = require("mosquitto")
    with scratch("mqtt") as folder:
        port = free_port()
        lines = [f"listener {port} {HOST}", "persistence false", "log_dest stdout", "user root"]
        if certificate and key:
            for name, source in (("server.pem", certificate), ("server.key", key)):
                (folder / name).write_bytes(source.read_bytes())
            lines += [f"certfile {folder}/server.pem", f"keyfile {folder}/server.key"]
            passwords = folder / "passwords"
            passwords.write_text(f"{USER}:{PASSWORD}\n")
            passwords.chmod(0o600)
            subprocess.run([require("mosquitto_passwd"), "-U", passwords], check=True)
            lines += ["allow_anonymous false", f"password_file {passwords}"]
        else:
            lines.append("allow_anonymous true")
        if acl:
            (folder / "acl").write_text(acl)
            (folder / "acl").chmod(0o600)
            lines.append(f"acl_file {folder}/acl")
        (folder / "mosquitto.conf").write_text("\n".join(lines) + "\n")
        process = spawn(
            "mosquitto",
            [binary, "-c", folder / "mosquitto.conf"],
            folder=folder,
            ready=lambda: port_open(port),
        )
        with running(process):
            yield Mosquitto(port, process)
