"""A real BIND with one zone that takes signed updates, and a client's question to it."""

import base64
import contextlib
import os
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.update

from tests.servers.powerdns import _port_for_both
from tests.servers.process import HOST, Process, running, scratch, spawn
from tests.servers.tools import require

ZONE = "shop.test"
CONFIG = """\
{keys}
options {{
  directory "{folder}"; pid-file none; session-keyfile "{folder}/session";
  listen-on port {port} {{ {host}; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no; minimal-responses no;
}};
controls {{ }};
zone "{zone}" {{
  type primary; file "{folder}/zone";
  update-policy {{ deny jackline name locked.{zone} ANY; grant jackline zonesub ANY; }};
}};
"""
RECORDS = """\
$TTL 60
@ SOA ns1 admin 1 3600 600 86400 60
@ NS ns1
ns1 A 127.0.0.1
www A 192.0.2.10
both A 192.0.2.10
both TXT "more"
locked A 192.0.2.10
alias 7200 CNAME www
"""


@dataclass
class Bind:
    """`secrets` are the keys by name: `jackline` may change the zone, `reader` may not."""

    port: int
    secrets: dict[str, str]
    process: Process

    @property
    def url(self) -> str:
        return f"tcp://{HOST}:{self.port}"

    def settings(self, key: str = "jackline") -> dict[str, str]:
        """What a target of the catalog needs."""
        return {"key_name": key, "key_secret": self.secrets[key]}

    def answers(self, name: str, kind: str = "A") -> list[tuple[str, int]]:
        """What a client is told over UDP, value and TTL."""
        question = dns.message.make_query(name, dns.rdatatype.from_text(kind))
        answer = dns.query.udp(question, HOST, port=self.port, timeout=3)
        return sorted((str(item), rrset.ttl) for rrset in answer.answer for item in rrset)

    def update(self, name: str, kind: str, value: str) -> None:
        """As somebody else would, who has the same key."""
        change = dns.update.UpdateMessage(ZONE)
        change.use_tsig(dns.tsig.Key("jackline", self.secrets["jackline"], "hmac-sha256"))
        change.replace(dns.name.from_text(name), 60, kind, value)
        answer = dns.query.tcp(change, HOST, port=self.port, timeout=3)
        assert answer.rcode() == dns.rcode.NOERROR, answer


@contextlib.contextmanager
def bind() -> Iterator[Bind]:
    """The zone `shop.test`, whose records are above."""
    binary = require("named")
    with scratch("bind") as folder:
        port = _port_for_both()
        secrets = {n: base64.b64encode(os.urandom(32)).decode() for n in ("jackline", "reader")}
        keys = "\n".join(
            f'key "{name}" {{ algorithm hmac-sha256; secret "{secret}"; }};'
            for name, secret in secrets.items()
        )
        config = CONFIG.format(keys=keys, folder=folder, port=port, host=HOST, zone=ZONE)
        (folder / "named.conf").write_text(config)
        (folder / "zone").write_text(RECORDS)
        process = spawn(
            "named",
            [_unconfined(binary, folder), "-g", "-n", "1", "-c", folder / "named.conf"],
            folder=folder,
            ready=lambda: _loaded(port),
        )
        with running(process):
            yield Bind(port, secrets, process)


def _loaded(port: int) -> bool:
    """It listens a moment before it has read the zone."""
    question = dns.message.make_query(ZONE, "SOA")
    with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
        return bool(dns.query.tcp(question, HOST, port=port, timeout=1).answer)
    return False


def _unconfined(binary: Path, folder: Path) -> Path:
    """A copy: where AppArmor is on, its profile lets /usr/sbin/named write to no folder of ours."""
    return Path(shutil.copy(binary, folder / "named"))
