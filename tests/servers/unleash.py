"""A real Unleash with a flag or two, and what an application hears of them.

Its packages come by npm into a cache of the user's, once for each lock file: beside the sources they
would be 190 MB in everybody's way.
"""

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.servers.ask import Reply, answers, ask
from tests.servers.postgres import Postgres
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn, wait_for
from tests.servers.tools import require

HERE = Path(__file__).parent / "unleash_node"
ADMIN = "*:*.admin-of-the-tests"
TOKENS = {name: f"*:{name}.application" for name in ("production", "development")}
HALF = {"name": "flexibleRollout", "parameters": {"rollout": "50", "stickiness": "default"}}


@dataclass
class Unleash:
    port: int
    process: Process
    headers: dict[str, str] = field(default_factory=lambda: {"Authorization": ADMIN})

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def admin(self, method: str, path: str, data: Any = None) -> Reply:
        """One call of the administrator's API, which must work; the path is below the project."""
        url = f"{self.url}/api/admin/projects/default/{path}"
        reply = ask(method, url, data=data, headers=self.headers)
        assert reply.status < 300, reply
        return reply

    def add(self, flag: str, *strategies: dict[str, Any], on: bool = False) -> None:
        """A new flag, with these strategies in production."""
        self.admin("POST", "features", {"name": flag, "type": "release"})
        place = f"features/{flag}/environments/production"
        for strategy in strategies:
            self.admin("POST", f"{place}/strategies", strategy)
        if on:
            self.admin("POST", f"{place}/on")
        self.wait_heard(flag, on)

    def heard(self, flag: str, environment: str = "production") -> bool | None:
        """Whether an application there has the flag on; None if it never heard of it."""
        headers = {"Authorization": TOKENS[environment]}
        told = ask("GET", f"{self.url}/api/client/features", headers=headers).json()["features"]
        return next((bool(one["enabled"]) for one in told if one["name"] == flag), None)

    def wait_heard(self, flag: str, on: bool) -> None:
        """Until applications in production hear it so: Unleash renews their list every second."""
        wait_for(lambda: self.heard(flag) is on, what=f"{flag} to be heard of as {on}")


@contextlib.contextmanager
def unleash(database: Postgres) -> Iterator[Unleash]:
    """With the projects and environments that a new Unleash has; two seconds to start."""
    node, packages = require("node"), _packages()
    with scratch("unleash") as folder:
        (folder / "node_modules").symlink_to(packages / "node_modules")
        shutil.copy(HERE / "start.mjs", folder)
        port, name = free_port(), f"unleash_{os.getpid()}"
        database.create_database(name)
        process = spawn(
            "unleash",
            [node, "start.mjs"],
            folder=folder,
            env={
                "DATABASE": database.dsn_of(name), "PORT": str(port), "ADMIN_TOKEN": ADMIN,
                "CLIENT_TOKENS": json.dumps(list(TOKENS.values())), "LOG_LEVEL": "warn",
            },
            ready=lambda: answers(f"http://{HOST}:{port}/health"),
            timeout=60,
        )  # fmt: skip
        try:
            with running(process):
                yield Unleash(port, process)
        finally:
            database.drop_database(name)


def _packages() -> Path:
    """The folder with the locked packages in it; a worker that comes second waits."""
    npm = require("npm")
    lock = hashlib.sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "jackline-tests"
    cache.mkdir(parents=True, exist_ok=True)
    folder = cache / f"unleash-{lock}"
    with (cache / "unleash.lock").open("w") as turn:
        fcntl.flock(turn, fcntl.LOCK_EX)
        if not folder.exists():
            _install(npm, folder)
    return folder


def _install(npm: Path, folder: Path) -> None:
    """Whole or not at all. No package's own scripts: none is needed, and one reports home."""
    new = Path(tempfile.mkdtemp(dir=folder.parent))
    for name in ("package.json", "package-lock.json"):
        shutil.copy(HERE / name, new)
    command = [npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
    done = subprocess.run(command, cwd=new, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        new.rename(folder)
        return
    shutil.rmtree(new, ignore_errors=True)
    said = f"npm ci failed, the registry may be away: {done.stderr[-300:]}"
    if os.environ.get("CI") == "true":
        pytest.fail(said, pytrace=False)
    pytest.skip(said)
