"""Hosts of their own network namespaces on one bridge, to be cut off one by one. For root alone."""

import contextlib
import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from tests.servers.patroni import Place
from tests.servers.tools import require


@dataclass
class Network:
    """`host` is our own address on the bridge; `places` are the hosts."""

    host: str
    places: list[Place]
    links: list[str]

    def cut(self, number: int) -> None:
        """Host `number` (from 0) hears nobody and is heard by nobody. It goes on running."""
        _ip("link", "set", self.links[number], "down")

    def mend(self, number: int) -> None:
        _ip("link", "set", self.links[number], "up")


@contextlib.contextmanager
def network(hosts: int) -> Iterator[Network]:
    require("ip")
    if os.geteuid() != 0:
        pytest.skip("network namespaces want root")
    own = os.getpid()
    net = f"10.213.{own % 250}"
    bridge = f"jlb{own}"
    with contextlib.ExitStack() as stack:
        _ip("link", "add", bridge, "type", "bridge")
        stack.callback(_ip, "link", "del", bridge)
        _ip("addr", "add", f"{net}.1/24", "dev", bridge)
        _ip("link", "set", bridge, "up")
        found = Network(f"{net}.1", [], [])
        for number in range(hosts):
            name, link, address = f"jl{own}-{number}", f"jlv{own}-{number}", f"{net}.{number + 10}"
            _ip("netns", "add", name)
            stack.callback(_ip, "netns", "del", name)
            _ip("link", "add", link, "type", "veth", "peer", "name", "eth0", "netns", name)
            _ip("link", "set", link, "master", bridge, "up")
            _ip("-n", name, "addr", "add", f"{address}/24", "dev", "eth0")
            for device in ("lo", "eth0"):
                _ip("-n", name, "link", "set", device, "up")
            ip = str(require("ip"))
            found.places.append(Place(address, (ip, "netns", "exec", name)))
            found.links.append(link)
        yield found


def _ip(*words: str) -> None:
    done = subprocess.run([require("ip"), *words], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"ip {' '.join(words)}: {done.stderr.strip()}")
