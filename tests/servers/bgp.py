"""A data centre whose addresses the world knows by BGP, with a second network that needs none of it.

Three namespaces: `dc` announces 203.0.113.0/24 to `isp`, which `corp` hears it from. A fourth, `ops`,
has a link to the data centre's router and nothing else. From here a link leads to the router as well,
and one to `corp`: the tests' own hands. For root alone.
"""

import contextlib
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers.process import Process, running, scratch, socket_open, spawn, wait_for
from tests.servers.tools import require

SERVICE, PORT = "203.0.113.1", 8000
PEERS = {  # namespace → its number, its own address, and its neighbours
    "dc": (65030, "10.77.2.2", {"isp": (65020, "10.77.2.1")}),
    "isp": (65020, "10.77.2.1", {"dc": (65030, "10.77.2.2"), "corp": (65010, "10.77.1.1")}),
    "corp": (65010, "10.77.1.1", {"isp": (65020, "10.77.1.2")}),
}
CONFIG = """\
router id {address};
protocol device {{ scan time 1; }}
protocol direct {{ ipv4; interface "{own}"; }}
protocol kernel {{ ipv4 {{ export where source = RTS_BGP; import none; }}; }}
"""
ANYCAST = """\
protocol static anycast { ipv4; route 203.0.113.0/24 blackhole; }
"""
PEER = """\
protocol bgp {name} {{
  local {mine} as {asn}; neighbor {theirs} as {peer};
  connect delay time 1; connect retry time 1; error wait time 1, 2;
  ipv4 {{ import all; export {export}; next hop self; }};
}}
"""


@dataclass
class DataCentre:
    """`dc`, `corp` and `ops` are what to put before a program.

    `oob` is the router's address for us, `router` for ops, whose own is `bind`; `office` is corp's
    address for us, and `ours` our own for the data centre.
    """

    dc: tuple[str, ...]
    corp: tuple[str, ...]
    ops: tuple[str, ...]
    oob: str
    router: str
    bind: str
    office: str
    ours: str
    socket: Path
    routers: list[Process]

    def birdc(self, *words: str) -> str:
        """What the data centre's router answers."""
        argv = [require("birdc"), "-s", self.socket, *words]
        return subprocess.run(argv, capture_output=True, text=True, check=True).stdout

    def reached(self) -> bool:
        """Whether the service answers somebody at corp."""
        ask = f"import socket; socket.create_connection(('{SERVICE}', {PORT}), 1)"
        argv = [*self.corp, sys.executable, "-S", "-c", ask]
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0


@contextlib.contextmanager
def data_centre() -> Iterator[DataCentre]:
    """With its routes announced and heard, and a service that answers at them."""
    ip, bird = str(require("ip")), require("bird")
    if os.geteuid() != 0:
        pytest.skip("network namespaces want root")
    own = os.getpid()
    with scratch("bgp") as folder, contextlib.ExitStack() as stack:
        names = {name: f"jl{own}{name}" for name in (*PEERS, "ops")}
        for name in names.values():
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("-n", name, "link", "set", "lo", "up")
        _link(names["dc"], "isp0", "10.77.2.2/24", names["isp"], "dc0", "10.77.2.1/24")
        _link(names["isp"], "corp0", "10.77.1.2/24", names["corp"], "isp0", "10.77.1.1/24")
        _ip("-n", names["dc"], "addr", "add", f"{SERVICE}/32", "dev", "lo")
        _forward(names["isp"])
        net, office, ops = (f"10.{first}.{own % 250}" for first in (99, 97, 98))
        _hand(stack, f"jlo{own}", net, names["dc"], "oob0")
        _hand(stack, f"jlc{own}", office, names["corp"], "hand0")
        _link(names["ops"], "oob0", f"{ops}.1/24", names["dc"], "ops0", f"{ops}.2/24")
        routers = [
            stack.enter_context(running(_router(name, names[name], folder, [ip, str(bird)])))
            for name in PEERS
        ]
        place = DataCentre(
            *((ip, "netns", "exec", names[name]) for name in ("dc", "corp", "ops")),
            f"{net}.2", f"{ops}.2", f"{ops}.1", f"{office}.2", f"{net}.1", folder / "dc.ctl", routers,
        )  # fmt: skip
        stack.enter_context(running(_service(place.dc, folder)))
        wait_for(place.reached, timeout=30, what="the routes to be heard")
        yield place


def _service(prefix: Sequence[str], folder: Path) -> Process:
    (folder / "index.html").write_text("the shop\n")
    serve = ["-m", "http.server", str(PORT), "--bind", SERVICE]
    return spawn("service", [*prefix, sys.executable, *serve], folder=folder, ready=lambda: True)


def _router(name: str, namespace: str, folder: Path, programs: Sequence[str]) -> Process:
    asn, address, peers = PEERS[name]
    text = CONFIG.format(address=address, own="isp0" if name != "isp" else "corp0")
    text += ANYCAST if name == "dc" else ""
    for peer, (number, theirs) in peers.items():
        mine = "10.77.1.2" if (name, peer) == ("isp", "corp") else address
        export = "where source = RTS_STATIC" if name == "dc" else "all"
        text += PEER.format(
            name=peer, mine=mine, asn=asn, theirs=theirs, peer=number, export=export
        )
    (folder / f"{name}.conf").write_text(text)
    control = folder / f"{name}.ctl"
    ip, bird = programs
    return spawn(
        f"bird-{name}",
        [ip, "netns", "exec", namespace, bird, "-f", "-c", f"{name}.conf", "-s", control],
        folder=folder,
        ready=lambda: socket_open(control),
    )


def _link(one: str, here: str, mine: str, other: str, there: str, theirs: str) -> None:
    _ip("-n", one, "link", "add", here, "type", "veth", "peer", "name", there, "netns", other)
    for name, card, address in ((one, here, mine), (other, there, theirs)):
        _ip("-n", name, "addr", "add", address, "dev", card)
        _ip("-n", name, "link", "set", card, "up")


def _hand(stack: contextlib.ExitStack, link: str, net: str, namespace: str, card: str) -> None:
    """From us, `net`.1, into a namespace, where it is `net`.2."""
    _ip("link", "add", link, "type", "veth", "peer", "name", card, "netns", namespace)
    stack.callback(_ip, "link", "del", link)
    _ip("addr", "add", f"{net}.1/24", "dev", link)
    _ip("link", "set", link, "up")
    _ip("-n", namespace, "addr", "add", f"{net}.2/24", "dev", card)
    _ip("-n", namespace, "link", "set", card, "up")


def _forward(namespace: str) -> None:
    argv = [require("ip"), "netns", "exec", namespace, "sh", "-c",
            "echo 1 > /proc/sys/net/ipv4/ip_forward"]  # fmt: skip
    subprocess.run(argv, check=True, capture_output=True)


def _ip(*words: str) -> None:
    done = subprocess.run([require("ip"), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
