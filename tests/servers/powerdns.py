"""A real PowerDNS with one zone, its HTTP API, and a resolver's question to it."""

import contextlib
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.message
import dns.query
import dns.rdatatype
import httpx

from tests.servers.process import HOST, Process, free_port, port_open, running, scratch, spawn
from tests.servers.tools import require

KEY = "pdns-test-key"
ZONE = "shop.test"
SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")


@dataclass
class PowerDns:
    port: int
    api_port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.api_port}"

    @property
    def headers(self) -> dict[str, str]:
        return {"X-API-Key": KEY}

    def answers(self, name: str, kind: str = "A") -> list[str]:
        """What a client is told, over UDP."""
        question = dns.message.make_query(name, dns.rdatatype.from_text(kind))
        answer = dns.query.udp(question, HOST, port=self.port, timeout=3)
        return sorted(str(item) for rrset in answer.answer for item in rrset)

    def keep(self, name: str, address: str, ttl: int) -> None:
        """As somebody else sets it."""
        rrset = {"name": f"{name}.", "type": "A", "ttl": ttl, "changetype": "REPLACE",
                 "records": [{"content": address, "disabled": False}]}  # fmt: skip
        zone = f"{self.url}/api/v1/servers/localhost/zones/{ZONE}."
        httpx.patch(zone, headers=self.headers, json={"rrsets": [rrset]}).raise_for_status()

    def ttl(self, name: str, kind: str = "A") -> int:
        question = dns.message.make_query(name, dns.rdatatype.from_text(kind))
        answer = dns.query.udp(question, HOST, port=self.port, timeout=3)
        return int(answer.answer[0].ttl)


@contextlib.contextmanager
def powerdns() -> Iterator[PowerDns]:
    """The zone `shop.test` with `www` at 192.0.2.10, TTL 60."""
    binary, sqlite = require("pdns_server"), require("sqlite3")
    with scratch("pdns") as folder:
        port, api_port = _port_for_both(), free_port()
        database = folder / "pdns.db"
        rows = (
            f"insert into domains (name, type) values ('{ZONE}', 'NATIVE');"
            "insert into records (domain_id, name, type, content, ttl) values"
            f" (1, '{ZONE}', 'SOA', 'ns1.{ZONE} admin.{ZONE} 1 3600 600 86400 60', 60),"
            f" (1, '{ZONE}', 'NS', 'ns1.{ZONE}', 60),"
            f" (1, 'www.{ZONE}', 'A', '192.0.2.10', 60);"
        )
        script = SCHEMA.read_text() + rows
        subprocess.run([sqlite, database], input=script, text=True, check=True)
        options = {
            "config-dir": folder, "daemon": "no", "guardian": "no", "launch": "gsqlite3",
            "gsqlite3-database": database, "local-address": HOST, "local-port": port,
            "socket-dir": folder, "api": "yes", "api-key": KEY, "webserver": "yes",
            "webserver-port": api_port, "webserver-address": HOST, "cache-ttl": 0,
            "query-cache-ttl": 0, "negquery-cache-ttl": 0,
        }  # fmt: skip
        process = spawn(
            "pdns",
            [binary, *(f"--{name}={value}" for name, value in options.items())],
            folder=folder,
            ready=lambda: port_open(api_port) and port_open(port),
        )
        with running(process):
            yield PowerDns(port, api_port, process)


def _port_for_both() -> int:
    """Free for TCP and for UDP."""
    while True:
        port = free_port()
        with (
            socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
            contextlib.suppress(OSError),
        ):
            probe.bind((HOST, port))
            return port
