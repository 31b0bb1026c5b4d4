"""A real Redis primary, its replicas and the Sentinels that watch them, each a process of its own."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis

from tests.servers.process import HOST, Process, free_port, port_open, scratch, spawn, wait_for
from tests.servers.tools import require

MASTER = "sessions"  # what the Sentinels call the primary


@dataclass
class Node:
    """One Redis or Sentinel. `process` has kill, freeze and thaw; `start` brings it back."""

    name: str
    port: int
    folder: Path
    argv: list[str]
    password: str = ""
    _process: Process | None = field(default=None, repr=False)

    @property
    def address(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def process(self) -> Process:
        if self._process is None:
            raise RuntimeError(f"{self.name} was never started")
        return self._process

    def start(self) -> None:
        self._process = spawn(
            self.name, self.argv, folder=self.folder, ready=lambda: port_open(self.port)
        )

    def ask(self, *words: Any) -> Any:
        """One command and its answer, straight to this process."""
        with redis.Redis(
            HOST, self.port, password=self.password or None, socket_timeout=5, decode_responses=True
        ) as client:
            return client.execute_command(" ".join(map(str, words[:1])), *words[1:])

    def info(self) -> dict[str, Any]:
        found: dict[str, Any] = self.ask("INFO", "replication")
        return found

    @property
    def role(self) -> str:
        return str(self.info()["role"])


@dataclass
class Redis:
    """`nodes` are one primary and its replicas, as they began; `sentinels` watch them."""

    nodes: list[Node]
    sentinels: list[Node]

    @property
    def url(self) -> str:
        """The first Sentinel's, for the catalog."""
        return f"tcp://{self.sentinels[0].address}"

    @property
    def also(self) -> list[str]:
        return [f"tcp://{s.address}" for s in self.sentinels[1:]]

    @property
    def primary(self) -> Node:
        """By the first Sentinel's word."""
        return self.node(self.named(self.sentinels[0]))

    @property
    def replicas(self) -> list[Node]:
        primary = self.primary
        return [node for node in self.nodes if node is not primary]

    def node(self, address: str) -> Node:
        return next(node for node in self.nodes if node.address == address)

    def named(self, sentinel: Node) -> str:
        """The primary's address as a Sentinel names it."""
        host, port = sentinel.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", MASTER)
        return f"{host}:{port}"

    def settled(self, primary: Node | None = None) -> bool:
        """All name one primary (that one, if given), and every other node streams from it."""
        named = {self.named(s) for s in self.sentinels}
        if len(named) != 1 or (primary and named != {primary.address}):
            return False
        chief = self.node(named.pop())
        others = [node for node in self.nodes if node is not chief]
        return chief.role == "master" and all(_follows(node, chief) for node in others)

    def wait_settled(self, primary: Node | None = None, timeout: float = 40.0) -> None:
        wait_for(
            lambda: self.settled(primary) and all(self._knows_all(s) for s in self.sentinels),
            timeout=timeout,
            every=0.1,
            what="Redis and its Sentinels to agree",
        )

    def _knows_all(self, sentinel: Node) -> bool:
        """Whether it would find a replica to promote, and the Sentinels it needs for that."""
        replicas = [_pairs(r) for r in sentinel.ask("SENTINEL", "REPLICAS", MASTER)]
        others = sentinel.ask("SENTINEL", "SENTINELS", MASTER)
        good = [r for r in replicas if r["flags"] == "slave" and r["master-link-status"] == "ok"]
        return len(good) == len(self.nodes) - 1 and len(others) == len(self.sentinels) - 1


def _pairs(row: Any) -> dict[str, str]:
    if isinstance(row, dict):
        return {str(k): str(v) for k, v in row.items()}
    return dict(zip(row[::2], row[1::2], strict=True))


def _follows(node: Node, chief: Node) -> bool:
    info = node.info()
    return (
        info["role"] == "slave"
        and int(info["master_port"]) == chief.port
        and info["master_link_status"] == "up"
    )


@contextlib.contextmanager
def redis_sentinel(
    *,
    replicas: int = 2,
    sentinels: int = 3,
    quorum: int = 2,
    down_after: float = 60.0,
    password: str = "",
    sentinel_password: str = "",
) -> Iterator[Redis]:
    """`down_after` seconds of silence are what a Sentinel waits before it acts by itself.

    Long by default, so that a frozen primary is one that Sentinel has not noticed yet.
    """
    server, watcher = require("redis-server"), require("redis-sentinel")
    with scratch("redis") as folder, contextlib.ExitStack() as stack:
        nodes: list[Node] = []
        for number in range(replicas + 1):
            node = _node(folder, f"redis{number}", password)
            node.argv = [str(server), *_redis(node, nodes[0] if nodes else None)]
            nodes.append(node)
            _run(stack, node)
        wait_for(
            lambda: all(_follows(node, nodes[0]) for node in nodes[1:]),
            timeout=40,
            what="replicas to follow",
        )
        watchers: list[Node] = []
        for number in range(sentinels):
            node = _node(folder, f"sentinel{number}", sentinel_password)
            config = node.folder / "sentinel.conf"
            config.write_text(_sentinel(node, nodes[0], quorum, down_after, password))
            node.argv = [str(watcher), str(config)]
            watchers.append(node)
            _run(stack, node)
        whole = Redis(nodes, watchers)
        whole.wait_settled(nodes[0])
        yield whole


def _stop(node: Node) -> None:
    """The process that runs then: a test may have restarted it."""
    node.process.stop()


def _run(stack: contextlib.ExitStack, node: Node) -> None:
    node.start()
    stack.callback(_stop, node)


def _node(folder: Path, name: str, password: str) -> Node:
    own = folder / name
    own.mkdir()
    return Node(name, free_port(), own, [], password)


def _redis(node: Node, primary: Node | None) -> list[str]:
    argv = ["--port", str(node.port), "--bind", HOST, "--dir", str(node.folder), "--save", ""]
    argv += ["--protected-mode", "no"]  # it would talk to 127.0.0.1 alone
    argv += ["--repl-diskless-sync-delay", "0", "--repl-ping-replica-period", "1"]
    if node.password:
        argv += ["--requirepass", node.password, "--masterauth", node.password]
    if primary:
        argv += ["--replicaof", HOST, str(primary.port)]
    return argv


def _sentinel(node: Node, primary: Node, quorum: int, down_after: float, password: str) -> str:
    lines = [
        f"port {node.port}",
        f"bind {HOST}",
        f'dir "{node.folder}"',
        "protected-mode no",
        f"sentinel monitor {MASTER} {HOST} {primary.port} {quorum}",
        f"sentinel down-after-milliseconds {MASTER} {int(down_after * 1000)}",
        f"sentinel failover-timeout {MASTER} 5000",
    ]
    if password:
        lines.append(f"sentinel auth-pass {MASTER} {password}")
    if node.password:  # the Sentinels ask each other with the same one
        lines += [f"requirepass {node.password}", f"sentinel sentinel-pass {node.password}"]
    return "\n".join(lines) + "\n"
