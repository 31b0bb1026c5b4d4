"""The go-bag where there is nothing else: an unprivileged user, Debian's Python, one link."""

import contextlib
import os
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.access.packed import NAME, PYTHON, SYSTEM, World
from tests.servers.http_app import Answer, http_app
from tests.servers.netns import network
from tests.servers.process import HOST, free_port, running, scratch, spawn
from tests.servers.sshd import Sshd
from tests.servers.tools import require

pytestmark = pytest.mark.server
NOBODY = 65534


@contextlib.contextmanager
def on_the_link(address: str, port: int) -> Iterator[int]:
    """A loopback port, to be had at an address of the out-of-band link."""
    theirs = free_port()
    words = [f"TCP-LISTEN:{theirs},bind={address},fork,reuseaddr", f"TCP:{HOST}:{port}"]
    with scratch("socat") as folder:
        process = spawn(
            "socat", [require("socat"), *words], folder=folder,
            ready=lambda: _opens(address, theirs),
        )  # fmt: skip
        with running(process):
            yield theirs


def _opens(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.settimeout(1)
        return probe.connect_ex((address, port)) == 0


def test_it_opens_and_runs_with_only_what_it_holds(
    tmp_path: Path, program: Path, sshd_server: Sshd
) -> None:
    """No name service, no directory, no route but the link; nothing of ours on the machine."""
    if not SYSTEM.exists():
        pytest.skip("Debian's own Python 3.11 is not here")
    with contextlib.ExitStack() as stack:
        net = stack.enter_context(network(1))
        shop = stack.enter_context(http_app("shop"))
        shop.answers["/weights"] = Answer(body='{"eu": 50}')
        web = stack.enter_context(on_the_link(net.host, shop.port))
        shell = stack.enter_context(on_the_link(net.host, sshd_server.port))
        bare = stack.enter_context(scratch("bare"))
        world = World(tmp_path, program, bare, shop)
        world.catalog(sshd_server, f"http://{net.host}:{web}", f"ssh://root@{net.host}:{shell}")
        packed = world.pack("team")
        for path in (Path(packed["file"]), tmp_path / "team.key"):
            shutil.copy(path, bare / path.name)
        for path in (bare, *bare.iterdir()):
            os.chown(path, NOBODY, NOBODY)
        code = world.codes(packed, "ben")[0]
        done = subprocess.run(
            [*net.places[0].prefix, "setpriv", f"--reuid={NOBODY}", f"--regid={NOBODY}",
             "--clear-groups", "--no-new-privs", "env", "-i", f"HOME={bare}", "PATH=/nowhere",
             PYTHON, "-I", str(bare / NAME), "run", "restore", "--identity", str(bare / "team.key"),
             "--signer", packed["signer"], "--as", "eli", "--code", code, "--yes",
             "--journal", str(bare / "journal")],
            cwd=bare, text=True, capture_output=True, check=False, timeout=90,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done
        assert done.stderr == ""  # every integration of the bag could be loaded
        assert [r.json() for r in shop.to("/weights") if r.method == "PUT"] == [{"eu": 0}]
        assert (tmp_path / "made").is_dir()
        left = {path.name for path in bare.iterdir()}
        assert left == {NAME, "team.key", ".cache", "journal"}
        assert (bare / ".cache" / "jackline-bag").stat().st_mode & 0o077 == 0
        found = world.jackline("bag", "merge", str(bare / "journal"), "--declare", "--json")
        assert found.json()["rows"] > 10
