"""A real ngircd, and somebody who sits in a channel and keeps what is said."""

import contextlib
import os
import socket
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

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

PASSWORD = "irc-password"
CHANNEL = "#incidents"


@dataclass
class Person:
    """`said` are the lines of others that reached this person, without the protocol."""

    nick: str
    wire: socket.socket
    raw: list[str] = field(default_factory=list)

    @property
    def said(self) -> list[str]:
        lines = [line.split(" ", 3) for line in self.raw if " PRIVMSG " in line]
        return [text.removeprefix(":") for _, _, _, text in lines]

    def wait_for(self, count: int, timeout: float = 20) -> list[str]:
        wait_for(
            lambda: len(self.said) >= count, timeout=timeout, what=f"{count} lines: {self.raw}"
        )
        return self.said

    def send(self, line: str) -> None:
        self.wire.sendall(f"{line}\r\n".encode())

    def listen(self) -> None:
        with contextlib.suppress(OSError), self.wire.makefile(encoding="utf-8") as lines:
            for line in lines:
                self.raw.append(line.rstrip("\r\n"))
                if line.startswith("PING"):
                    self.send(line.replace("PING", "PONG", 1).strip())


@dataclass
class Ngircd:
    port: int
    process: Process

    @property
    def url(self) -> str:
        return f"tcp://{HOST}:{self.port}"

    @contextlib.contextmanager
    def person(self, nick: str = "ana", channel: str = CHANNEL, key: str = "") -> Iterator[Person]:
        """Who is in the channel for the time of the block (on a server without a password)."""
        with socket.create_connection((HOST, self.port), 5) as wire:
            wire.settimeout(None)
            someone = Person(nick, wire)
            listener = threading.Thread(target=someone.listen, daemon=True)
            listener.start()
            someone.send(f"NICK {nick}")
            someone.send(f"USER {nick} 0 * :{nick}")
            wait_for(lambda: any(" 001 " in line for line in someone.raw), what="the welcome")
            if channel:
                someone.send(f"JOIN {channel} {key}".rstrip())
                wait_for(lambda: any(" 366 " in line for line in someone.raw), what="the names")
            if key:
                someone.send(f"MODE {channel} +k {key}")
                wait_for(lambda: any(" MODE " in line for line in someone.raw), what="the key")
            try:
                yield someone
            finally:
                with contextlib.suppress(OSError):
                    wire.shutdown(socket.SHUT_RDWR)
                listener.join(5)


@contextlib.contextmanager
def ngircd(
    *, password: str = "", certificate: Path | None = None, key: Path | None = None
) -> Iterator[Ngircd]:
    """With a certificate: TLS only."""
    binary = require("ngircd")
    root = os.geteuid() == 0
    with scratch("irc") as folder:
        port = free_port()
        plain = free_port()
        lines = [
            "[Global]", "Name=irc.oob.test", "Info=test", f"Listen={HOST}", "MotdPhrase=hello",
            f"Ports={plain if certificate else port}",
        ]  # fmt: skip
        lines += ["ServerUID=nobody", "ServerGID=nogroup"] if root else []
        lines += [f"Password={password}"] if password else []
        lines += ["[Limits]", "MaxPenaltyTime=0"]  # else it makes each newcomer wait for seconds
        lines += ["[Options]", "Ident=no", "PAM=no", "DNS=no"]
        if certificate and key:
            for name, source in (("server.pem", certificate), ("server.key", key)):
                (folder / name).write_bytes(source.read_bytes())
                (folder / name).chmod(0o644)  # for the user it becomes
            lines += [
                "[SSL]", f"CertFile={folder}/server.pem", f"KeyFile={folder}/server.key",
                f"Ports={port}",
            ]  # fmt: skip
        (folder / "ngircd.conf").write_text("\n".join(lines) + "\n")
        process = spawn(
            "ngircd",
            [binary, "--nodaemon", "--config", folder / "ngircd.conf"],
            folder=folder,
            ready=lambda: port_open(port),
        )
        with running(process):
            yield Ngircd(port, process)
