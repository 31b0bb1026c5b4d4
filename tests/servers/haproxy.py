"""A real HAProxy: weights, drain and shedding at run time through its stats socket."""

import contextlib
import socket
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.servers.ask import Reply, ask
from tests.servers.process import (
    HOST,
    Process,
    free_port,
    port_open,
    running,
    scratch,
    socket_open,
    spawn,
)
from tests.servers.tools import require

# The share of requests to shed is looked up by path prefix in a map that the socket can change.
CONFIG = """\
global
  stats socket {socket} mode 666 level admin
  stats socket ipv4@{host}:{stats_port} level admin
  maxconn 1000

defaults
  mode http
  timeout connect 1s
  timeout client 5s
  timeout server 5s
  timeout queue 1s
  timeout check 5s

frontend edge
  bind {host}:{port}
  http-request set-var(txn.shed) path,map_beg({shed},0)
  http-request set-var(txn.dice) rand(100)
  acl unlucky var(txn.dice),sub(txn.shed) lt 0
  http-request return status 503 content-type text/plain string shed hdr Retry-After 30 if unlucky
  default_backend app

backend app
  balance roundrobin
  option httpchk GET /health
{servers}
"""


@dataclass
class HAProxy:
    """`backend app` has the servers by the names given; the map is `shed` (see `shed_map`)."""

    port: int
    stats_port: int
    socket: Path
    shed_map: Path
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def stats_address(self) -> str:
        return f"{HOST}:{self.stats_port}"

    def command(self, line: str) -> str:
        """One command of the runtime API, its answer."""
        with socket.socket(socket.AF_UNIX) as stats:
            stats.settimeout(5)
            stats.connect(str(self.socket))
            stats.sendall(line.encode() + b"\n")
            answer = b""
            while part := stats.recv(65536):
                answer += part
        return answer.decode().strip()

    def get(self, path: str = "/") -> Reply:
        return ask("GET", self.url + path)


@contextlib.contextmanager
def haproxy(
    *, servers: Mapping[str, int], shed: Mapping[str, int] | None = None
) -> Iterator[HAProxy]:
    """`servers` maps a name to a loopback port; `shed` a path prefix to the percent turned away."""
    binary = require("haproxy")
    with scratch("hap") as folder:
        port, stats_port = free_port(), free_port()
        shed_map = folder / "shed.map"
        shares = shed or {"/": 0}
        shed_map.write_text("".join(f"{path} {share}\n" for path, share in shares.items()))
        lines = [
            f"  server {name} {HOST}:{target} check inter 500 weight 100"
            for name, target in servers.items()
        ]
        config = CONFIG.format(
            socket=folder / "stats.sock",
            host=HOST,
            port=port,
            stats_port=stats_port,
            shed=shed_map,
            servers="\n".join(lines),
        )
        (folder / "haproxy.cfg").write_text(config)
        process = spawn(
            "haproxy",
            [binary, "-db", "-f", "haproxy.cfg"],
            folder=folder,
            ready=lambda: (
                port_open(port) and port_open(stats_port) and socket_open(folder / "stats.sock")
            ),
        )
        with running(process):
            yield HAProxy(port, stats_port, folder / "stats.sock", shed_map, process)


BALANCER = """\
defaults
  mode tcp
  timeout connect 1s
  timeout client 30s
  timeout server 30s

listen balancer
  bind {host}:{port}
  balance roundrobin
{servers}
"""


@contextlib.contextmanager
def tcp_balancer(ports: Sequence[int]) -> Iterator[int]:
    """Its port: connections are handed on by turns, without a look at what they carry."""
    binary = require("haproxy")
    with scratch("bal") as folder:
        port = free_port()
        servers = "\n".join(f"  server s{target} {HOST}:{target} check" for target in ports)
        config = BALANCER.format(host=HOST, port=port, servers=servers)
        (folder / "haproxy.cfg").write_text(config)
        process = spawn(
            "haproxy",
            [binary, "-db", "-f", "haproxy.cfg"],
            folder=folder,
            ready=lambda: port_open(port),
        )
        with running(process):
            yield port
