"""A real Patroni: an etcd, and members that each run PostgreSQL as Patroni tells them.

Its timings are short (`TTL`, the smallest that Patroni takes, decides how long a dead leader keeps
its lock). Members listen on loopback, or wherever their `Place` says, such as in a network
namespace of their own.
"""

import base64
import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import sysconfig
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psutil

from tests.servers.ask import Reply, answers, ask
from tests.servers.postgres import _as_owner, _owner
from tests.servers.process import HOST, Process, free_port, scratch, spawn, wait_for
from tests.servers.tools import require

SCOPE = "orders"
TTL = 20
USER, PASSWORD = "ops", "secret-of-the-rest-api"
_SUPERUSER = {"username": "postgres", "password": "su"}  # on loopback, for seconds
_ROLES = {
    "superuser": _SUPERUSER,
    "replication": {"username": "repl", "password": "rp"},
    "rewind": {"username": "rewinder", "password": "rw"},
}
_SHARED_MEMORY = 6  # the line of postmaster.pid with the key and id of the System V segment


@dataclass(frozen=True)
class Place:
    """Where a member runs: the address that it listens on, and what comes before its programs."""

    host: str = HOST
    prefix: tuple[str, ...] = ()


@dataclass
class Etcd:
    """One etcd. `process` has kill, freeze and thaw; `start` brings it back with its data."""

    folder: Path
    host: str
    port: int
    peer_port: int
    _process: Process | None = field(default=None, repr=False)

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError("etcd was never started")
        return self._process

    def start(self) -> None:
        client, peer = (f"http://{self.host}:{port}" for port in (self.port, self.peer_port))
        self._process = spawn(
            "etcd",
            [require("etcd"), "--name=e1", f"--data-dir={self.folder}/etcd",
             f"--listen-client-urls={client}", f"--advertise-client-urls={client}",
             f"--listen-peer-urls={peer}", f"--initial-advertise-peer-urls={peer}",
             f"--initial-cluster=e1={peer}"],
            folder=self.folder,
            ready=lambda: answers(f"{client}/health"),
        )  # fmt: skip

    def stop(self) -> None:
        """The process that runs then: a test may have started it again."""
        self.process.stop()


@dataclass
class Member:
    """One Patroni with its PostgreSQL. What is done to it is done to both and all their children."""

    name: str
    place: Place
    folder: Path
    port: int
    api_port: int
    _process: Process | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        """Of its REST API."""
        return f"http://{self.place.host}:{self.api_port}"

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process

    def start(self) -> None:
        """Start it, or start it again after `kill`: same ports, same data."""
        python, env = _python()
        argv = [*python, "-m", "patroni", self.folder / "patroni.json"]
        self._process = spawn(
            self.name,
            [*self.place.prefix, *_as_owner(), *argv],
            folder=self.folder,
            ready=self.answers,
            env={"HOME": str(self.folder), **env},
        )

    restart = start

    def answers(self) -> bool:
        return self._may_ask("/liveness") is not None

    def ask(self, method: str, path: str, data: Any = None) -> Reply:
        """Its REST API, with the credential that it wants for changes."""
        headers = {"Authorization": authorization()}
        return ask(method, self.url + path, data=data, headers=headers, timeout=3)

    def is_primary(self) -> bool:
        """By its own word: the leader lock is its own, and it is not in recovery."""
        reply = self._may_ask("/primary")
        return reply is not None and reply.status == 200

    def query(self, sql: str) -> str:
        """One statement by psql, from where the member runs; rows as lines, columns split by |."""
        psql = require("postgres").with_name("psql")
        dsn = f"host={self.place.host} port={self.port} user=postgres dbname=postgres"
        argv = [psql, "-XAtq", "-v", "ON_ERROR_STOP=1", "-c", sql, f"{dsn} connect_timeout=3"]
        done = subprocess.run(
            [*self.place.prefix, *argv], capture_output=True, text=True, check=False, timeout=20,
            env={**os.environ, "PGPASSWORD": _SUPERUSER["password"]},
        )  # fmt: skip
        if done.returncode:
            raise RuntimeError(f"{self.name}: {sql}: {done.stderr.strip()}")
        return done.stdout.strip()

    def writable(self) -> bool:
        """Whether PostgreSQL itself takes writes."""
        try:
            return self.query("SELECT pg_is_in_recovery()") == "f"
        except (RuntimeError, subprocess.TimeoutExpired):
            return False

    def kill(self) -> None:
        """kill -9 of everything; Patroni first, as it would start PostgreSQL again."""
        self._signal(signal.SIGKILL)
        self.process.kill()

    def freeze(self) -> None:
        """SIGSTOP of everything: the ports stay open and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        self._signal(signal.SIGCONT)

    def stop(self) -> None:
        """At the end of the test: an immediate stop, also of a frozen, paused or killed one."""
        if self._process is None:
            return
        self.thaw()
        self._process.kill()
        with contextlib.suppress(psutil.Error):
            if postmaster := self._postmaster():
                postmaster.send_signal(signal.SIGQUIT)
                postmaster.wait(5)
        self._signal(signal.SIGKILL)
        self._free_shared_memory()

    def _signal(self, number: int) -> None:
        for process in self._processes():
            with contextlib.suppress(psutil.NoSuchProcess):
                process.send_signal(number)

    def _processes(self) -> list[psutil.Process]:
        """Patroni starts PostgreSQL as a session of its own, whose children are groups again."""
        found: list[psutil.Process] = []
        with contextlib.suppress(psutil.NoSuchProcess):
            if self.process.alive:
                found.append(psutil.Process(self.process.popen.pid))
        if postmaster := self._postmaster():
            found.append(postmaster)
        for parent in list(found):
            with contextlib.suppress(psutil.NoSuchProcess):
                found += parent.children(recursive=True)
        return list(dict.fromkeys(found))

    def _postmaster(self) -> psutil.Process | None:
        """The running PostgreSQL of this data folder; a stale file may name anything."""
        lines = self._pid_file()
        with contextlib.suppress(psutil.Error, ValueError, IndexError):
            process = psutil.Process(int(lines[0]))
            if str(self.folder / "data") in process.cmdline():
                return process
        return None

    def _pid_file(self) -> list[str]:
        try:
            return (self.folder / "data" / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def _free_shared_memory(self) -> None:
        """What a killed PostgreSQL would leave in the kernel until its next start."""
        words = self._pid_file()[_SHARED_MEMORY : _SHARED_MEMORY + 1]
        if words and self._postmaster() is None:
            subprocess.run(["ipcrm", "-m", words[0].split()[1]], check=False, capture_output=True)

    def _may_ask(self, path: str) -> Reply | None:
        try:
            return self.ask("GET", path)
        except OSError:
            return None


@dataclass
class Patroni:
    """`members` by the order of their start: the first one was the leader at the beginning."""

    members: list[Member]
    etcd: Etcd

    @property
    def leader(self) -> Member:
        """The member that says it is primary with the leader lock."""
        return next(member for member in self.members if member.is_primary())

    def member(self, name: str) -> Member:
        return next(member for member in self.members if member.name == name)

    def target(self, at: int = 0, *, listed: bool = True) -> dict[str, Any]:
        """The catalog's entry but for its name: that member is the `url`, the others are `also`."""
        urls = [member.url for member in self.members]
        names = json.dumps({member.name: member.url for member in self.members})
        return {
            "url": urls[at],
            "also": urls[:at] + urls[at + 1 :],
            "headers": {"Authorization": authorization()},
            "settings": {"members": names} if listed else {},
        }

    def pause(self, on: bool = True) -> None:
        """Maintenance mode: nobody is promoted by himself; each member has heard of it."""
        self._ask_any("PATCH", "/config", {"pause": on or None})
        wait_for(
            lambda: all(self._paused(m) is on for m in self.members if m.process.alive),
            timeout=20,
            what="every member to hear of the pause",
        )

    def settled(self, leader: str = "") -> bool:
        """One leader (that one, if given), and every other member streams on its timeline."""
        try:
            rows = json.loads(self._ask_any("GET", "/cluster").body)["members"]
        except (OSError, ValueError, KeyError):
            return False
        chief = [row for row in rows if row["role"] == "leader" and row["state"] == "running"]
        streaming = [row for row in rows if row["state"] == "streaming"]
        timelines = {row.get("timeline") for row in chief + streaming}
        return (
            len(chief) == 1
            and (not leader or chief[0]["name"] == leader)
            and len(streaming) == len(self.members) - 1
            and len(timelines) == 1
            and self.member(chief[0]["name"]).is_primary()
        )

    def wait_settled(self, leader: str = "", timeout: float = 60.0) -> None:
        wait_for(lambda: self.settled(leader), timeout=timeout, every=0.2, what="Patroni to settle")

    def wait_unlocked(self) -> None:
        """Until the lock of a leader that is gone has run out."""
        wait_for(self._unlocked, timeout=TTL * 2, every=0.2, what="the leader lock to run out")

    def _unlocked(self) -> bool:
        try:
            rows = json.loads(self._ask_any("GET", "/cluster").body)["members"]
        except (OSError, ValueError, KeyError):  # whoever is asked has just lost sight of etcd
            return False
        return all(row["role"] != "leader" for row in rows)

    def _paused(self, member: Member) -> bool | None:
        reply = member._may_ask("/health")
        return None if reply is None else bool(json.loads(reply.body).get("pause"))

    def _ask_any(self, method: str, path: str, data: Any = None) -> Reply:
        problem = OSError("no member runs")
        for member in self.members:
            if not member.process.alive:
                continue
            try:
                return member.ask(method, path, data)
            except OSError as error:
                problem = error
        raise problem


def _python() -> tuple[list[str], dict[str, str]]:
    """An interpreter that the owner may start, and what lets it find Patroni.

    Patroni starts itself again to start PostgreSQL: ours will not do where it is root's alone.
    """
    system = f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}"
    if _owner() is None or not Path(system).exists():
        return [sys.executable], {}
    # -S: without the packages of the system, which would be mixed with ours
    return [system, "-S"], {"PYTHONPATH": sysconfig.get_path("purelib")}


def authorization() -> str:
    """What a change through the REST API must bring."""
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()


@contextlib.contextmanager
def patroni(
    members: int = 3, *, places: Sequence[Place] = (), etcd_host: str = HOST
) -> Iterator[Patroni]:
    """About ten seconds to start. Members are n1, n2 …; those without a place are on loopback."""
    require("etcd")
    binary = require("postgres")
    with scratch("patroni", owner=_owner()) as folder, contextlib.ExitStack() as stack:
        etcd = Etcd(folder, etcd_host, free_port(), free_port())
        etcd.start()
        stack.callback(etcd.stop)
        found = Patroni([], etcd)
        for number in range(members):
            place = places[number] if number < len(places) else Place(etcd_host)
            member = Member(f"n{number + 1}", place, folder / f"n{number + 1}", free_port(),
                            free_port())  # fmt: skip
            _configure(member, etcd, binary.parent, folder)
            stack.callback(member.stop)
            member.start()
            found.members.append(member)
            if number == 0:
                wait_for(member.is_primary, timeout=60, every=0.1, what="the first primary")
        found.wait_settled()
        yield found


def _configure(member: Member, etcd: Etcd, bin_dir: Path, folder: Path) -> None:
    """The member's folder and its configuration: JSON is YAML too."""
    member.folder.mkdir(mode=0o755)
    if owner := _owner():
        shutil.chown(member.folder, owner)
    config = _config(member, etcd, bin_dir, folder)
    (member.folder / "patroni.json").write_text(json.dumps(config, indent=1))


def _config(member: Member, etcd: Etcd, bin_dir: Path, folder: Path) -> dict[str, Any]:
    api, database = (f"{member.place.host}:{p}" for p in (member.api_port, member.port))
    dynamic = {
        "ttl": TTL,
        "loop_wait": 1,
        "retry_timeout": 3,
        "maximum_lag_on_failover": 1_048_576,
        "postgresql": {
            "use_pg_rewind": True,
            "parameters": {"wal_keep_size": "64MB", "max_wal_senders": 8, "max_connections": 40},
        },
    }
    return {
        "scope": SCOPE,
        "name": member.name,
        "restapi": {
            "listen": api,
            "connect_address": api,
            "authentication": {"username": USER, "password": PASSWORD},
        },
        "etcd3": {"host": f"{etcd.host}:{etcd.port}"},
        "bootstrap": {
            "dcs": dynamic,
            "initdb": [{"encoding": "UTF8"}, {"locale": "C.UTF-8"}, "no-sync"],
        },
        "postgresql": {
            "listen": database,
            "connect_address": database,
            "data_dir": str(member.folder / "data"),
            "bin_dir": str(bin_dir),
            "pgpass": str(member.folder / "pgpass"),
            "pg_hba": ["host all all 0.0.0.0/0 scram-sha-256",
                       "host replication all 0.0.0.0/0 scram-sha-256"],
            "parameters": {
                "unix_socket_directories": str(member.folder),
                "shared_buffers": "32MB",
                "fsync": "off",
                "dynamic_shared_memory_type": "mmap",
            },
            "authentication": _ROLES,
            "basebackup": ["no-sync", {"checkpoint": "fast"}],
        },
    }  # fmt: skip
