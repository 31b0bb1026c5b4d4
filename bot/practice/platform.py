"""The whole platform in one `async with`, or in one process of its own.

    async with Platform(folder) as platform:
        await platform.set_load("peak")
        await platform.kill_primary()

    python -m bot.practice.platform --dir DIR    prints its addresses as one JSON line, serves
                                                 the switchboard of control.py, stops on SIGTERM

In the folder: Envoy's configuration, the ledger, and one log per child. Nothing outlives the
platform, however it ends (see children.py).
"""

import argparse
import asyncio
import contextlib
import json
import signal
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Self

import httpx

from bot.errors import JacklineError
from bot.practice import control, edge
from bot.practice.children import Child, free_ports, python_module, stop_all

PRIMARY = "payments-primary"
STANDBY = "payments-standby"
SERVICES = (PRIMARY, STANDBY, "pricing", "social")
_READY_WITHIN = 20.0
_SWITCHED_WITHIN = 15.0  # whoever makes the load may be busy making it
_STOP_WITHIN = 2.5
_POLL = 0.03


class StartFailed(JacklineError):
    """A child died or never answered; the text carries the end of its log."""


class Platform:
    """Envoy, four services and their users. Addresses are settled before anything starts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.ledger = folder / "ledger.jsonl"
        names = ("edge", "envoy_admin", "load", *SERVICES)
        self._ports = dict(zip(names, free_ports(len(names)), strict=True))
        self._children: dict[str, Child] = {}

    @property
    def edge_url(self) -> str:
        return self._url("edge")

    @property
    def envoy_admin_url(self) -> str:
        return self._url("envoy_admin")

    @property
    def load_url(self) -> str:
        return self._url("load")

    @property
    def service_urls(self) -> dict[str, str]:
        return {name: self._url(name) for name in SERVICES}

    @property
    def pids(self) -> dict[str, int | None]:
        """By child; None for one that is not running."""
        return {name: child.pid for name, child in self._children.items()}

    def addresses(self) -> dict[str, object]:
        """All of it, ready for JSON."""
        return {
            "edge_url": self.edge_url,
            "envoy_admin_url": self.envoy_admin_url,
            "load_url": self.load_url,
            "services": self.service_urls,
            "pids": self.pids,
            "ledger": str(self.ledger),
            "folder": str(self.folder),
        }

    async def __aenter__(self) -> Self:
        try:
            self._prepare()
            for child in self._children.values():
                child.start()
            await self._all_ready()
        except BaseException:
            await self.stop()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop()

    async def stop(self) -> None:
        """SIGTERM, then SIGKILL; safe to call twice."""
        await stop_all(list(self._children.values()), _STOP_WITHIN)

    async def kill(self, name: str) -> None:
        """SIGKILL one child. KeyError for a name that is none."""
        self._child(name).kill()

    async def kill_primary(self) -> None:
        await self.kill(PRIMARY)

    async def start(self, name: str) -> None:
        """Start a dead child again at its old address and wait until it answers."""
        self._child(name).start()
        async with _client() as client:
            await self._ready(client, name)

    async def set_load(self, rate: str) -> None:
        """`normal` or `peak`; KeyError for any other."""
        async with _client() as client:
            answer = await client.post(f"{self.load_url}/rate/{rate}", timeout=_SWITCHED_WITHIN)
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise KeyError(answer.json()["error"])
        answer.raise_for_status()

    def _url(self, name: str) -> str:
        return f"http://127.0.0.1:{self._ports[name]}"

    def _child(self, name: str) -> Child:
        if name not in self._children:
            raise KeyError(f"no child {name}: there are {', '.join(self._children)}")
        return self._children[name]

    def _prepare(self) -> None:
        """Write the configuration and name the children, edge first."""
        self.folder.mkdir(parents=True, exist_ok=True)
        config = self.folder / "envoy.json"
        config.write_text(json.dumps(self._edge_config(), indent=1))
        self._add("envoy", _envoy_command(config))
        for name in SERVICES:
            self._add(name, self._service_command(name))
        self._add("load", self._load_command())

    def _add(self, name: str, command: list[str]) -> None:
        self._children[name] = Child(name, command, self.folder / f"{name}.log")

    def _edge_config(self) -> dict[str, object]:
        return edge.config(
            edge_port=self._ports["edge"],
            admin_port=self._ports["envoy_admin"],
            upstreams={name.replace("-", "_"): self._ports[name] for name in SERVICES},
        )

    def _service_command(self, child: str) -> list[str]:
        name, _, role = child.partition("-")
        return python_module(
            "bot.practice.service",
            name=name,
            role=role,
            port=self._ports[child],
            ledger=self.ledger,
            edge_url=self.edge_url,
        )

    def _load_command(self) -> list[str]:
        return python_module("bot.practice.load", edge_url=self.edge_url, port=self._ports["load"])

    async def _all_ready(self) -> None:
        """Every child answers for itself, and the edge serves every route."""
        async with _client() as client:
            await asyncio.gather(*(self._ready(client, name) for name in self._children))
            for route in edge.ROUTES:
                await self._answers(client, "envoy", f"{self.edge_url}/{route}")

    async def _ready(self, client: httpx.AsyncClient, name: str) -> None:
        own = {"envoy": f"{self.envoy_admin_url}/ready", "load": f"{self.load_url}/rate"}
        url = own[name] if name in own else f"{self._url(name)}/healthz"
        await self._answers(client, name, url)

    async def _answers(self, client: httpx.AsyncClient, name: str, url: str) -> None:
        child = self._children[name]
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            if not child.alive:
                raise StartFailed(f"{name} died while starting:\n{child.last_words()}")
            with contextlib.suppress(httpx.HTTPError):
                if (await client.get(url)).is_success:
                    return
            await asyncio.sleep(_POLL)
        raise StartFailed(f"{url} does not answer:\n{child.last_words()}")


def _envoy_command(config: Path) -> list[str]:
    """One worker and no hot restart, so that several can run side by side."""
    flags = ["--concurrency", "1", "--disable-hot-restart", "--log-level", "warning"]
    return [str(edge.envoy_binary()), "--config-path", str(config), *flags]


def _client() -> httpx.AsyncClient:
    return httpx.AsyncClient(timeout=2.0, trust_env=False)


async def serve(folder: Path) -> None:
    """Run until a signal cancels this task, which may happen at any point of the start."""
    async with Platform(folder) as platform:
        (port,) = free_ports(1)
        switchboard = control.server(platform, port)
        serving = asyncio.create_task(switchboard.serve())
        try:
            while not switchboard.started and not serving.done():  # noqa: ASYNC110 - uvicorn has no event
                await asyncio.sleep(_POLL)
            addresses = {**platform.addresses(), "control_url": f"http://127.0.0.1:{port}"}
            sys.stdout.write(json.dumps(addresses) + "\n")
            sys.stdout.flush()
            await asyncio.wait({serving})
        finally:
            switchboard.should_exit = True
            await serving


async def main() -> None:
    parser = argparse.ArgumentParser(description="The practice platform.")
    parser.add_argument("--dir", type=Path, required=True, help="where logs and state go")
    folder = parser.parse_args().dir.resolve()
    serving = asyncio.create_task(serve(folder))
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, serving.cancel)
    with contextlib.suppress(asyncio.CancelledError):
        await serving


if __name__ == "__main__":
    asyncio.run(main())
