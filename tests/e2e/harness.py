"""Jackline as a process of its own, as the tests' stories need it."""

import asyncio
import json
import os
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any, Self

import httpx

from tests.e2e.forked import ROOT, Forked, spawn
from tests.servers.process import free_port
from tests.slackstub import U_ANA, U_BEN, SlackStub

TOKEN, ALERTS = "api-token", "alert-secret"

RUNBOOK = """---
schema: runbook/v1
id: move-traffic
title: Move traffic to the standby
triggers: [service:shop]
---
## 1. Move it
```yaml step
id: move
action: envoy.set_weights
with: {edge: edge, route: routing.traffic, weights: {primary: 0, standby: 100}}
```
## 2. It serves
```yaml step
id: serves
action: http.check
with: {target: http/shop, path: /, count: 5}
verify:
  - {expect: "out.ok", else: "The shop does not answer"}
```
"""


def write_runbooks(folder: Path, *, team: str, edge: str, shop: str) -> Path:
    """One runbook and a catalog with two people, one service and the targets."""
    (folder / "catalog").mkdir(parents=True, exist_ok=True)
    (folder / "move-traffic.md").write_text(RUNBOOK)
    catalog = {
        "services": [{"id": "shop", "title": "Shop", "tier": "p0", "owner": "shop"}],
        "people": [
            {"id": "ana", "name": "Ana", "slack": [f"{team}:{U_ANA}"], "groups": ["shop"],
             "roles": ["responder", "commander"]},
            {"id": "ben", "name": "Ben", "slack": [f"{team}:{U_BEN}"], "groups": ["shop"],
             "roles": ["responder", "approver"]},
        ],
        "targets": [
            {"name": "envoy/edge", "url": edge},
            {"name": "http/shop", "url": shop},
        ],
    }  # fmt: skip
    (folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    return folder


Process = asyncio.subprocess.Process | Forked
Spawn = Callable[[dict[str, str], Path], Awaitable[Process]]


async def serve(env: dict[str, str], log: Path) -> Process:
    """Jackline as its users start it, imports and all: what a bench measures."""
    with log.open("ab") as output:
        return await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "serve",
            stdout=output, stderr=output, env=env, cwd=ROOT,
        )  # fmt: skip


class Bot:
    """``jackline serve`` under the test's control; it may be killed and started again."""

    def __init__(self, folder: Path, runbooks: Path, database_url: str, **extra: str) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.spawn: Spawn = spawn
        self.env = {k: v for k, v in os.environ.items() if not k.startswith("JACKLINE_")} | {
            "JACKLINE_DATABASE_URL": database_url,
            "JACKLINE_HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "JACKLINE_DATA_DIR": str(folder / "data"),
            "JACKLINE_RUNBOOKS_DIR": str(runbooks),
            "JACKLINE_WEBHOOKS__API__SECRETS": json.dumps([TOKEN]),
            "JACKLINE_WEBHOOKS__ALERTMANAGER__SECRETS": json.dumps([ALERTS, "older"]),
            "PYTHONPATH": str(ROOT),
            "PYTHONFAULTHANDLER": "1",
            **extra,
        }
        self.http = httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {TOKEN}"}, trust_env=False,
            timeout=20,
        )  # fmt: skip
        self.process: Process | None = None

    @staticmethod
    def slack_env(slack: SlackStub, mode: str) -> dict[str, str]:
        """Connects the bot to the stub."""
        return {
            "JACKLINE_SLACK__BOT_TOKEN": slack.bot_token,
            "JACKLINE_SLACK__APP_TOKEN": slack.app_token,
            "JACKLINE_SLACK__SIGNING_SECRET": slack.signing_secret,
            "JACKLINE_SLACK__API_URL": slack.api_url,
            "JACKLINE_SLACK__MODE": mode,
        }

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        try:
            await self.stop()
        finally:
            await self.http.aclose()

    async def start(self) -> None:
        """Starts the process and waits until it is ready."""
        await self.launch()
        await self.until(self.ready, "Jackline to start", limit=60)

    async def launch(self) -> None:
        """Starts the process; it may die before it is ready."""
        self.process = await self.spawn(self.env, self.folder / "bot.log")

    async def ready(self) -> bool:
        """Whether it answers."""
        assert self.process is not None
        assert self.process.returncode is None, self.log()
        try:
            return (await self.http.get("/readyz")).is_success
        except httpx.HTTPError:
            return False

    async def stop(self, number: int = signal.SIGTERM) -> int:
        """Ends the process; its exit code."""
        assert self.process is not None
        if self.process.returncode is None:
            self.process.send_signal(number)
        try:
            return await asyncio.wait_for(self.process.wait(), 25)
        except TimeoutError:
            self.process.send_signal(signal.SIGABRT)  # faulthandler writes where it hangs
            await self.process.wait()
            raise AssertionError(f"did not stop\n{self.log()}") from None

    async def api(self, path: str) -> Any:
        """One GET of the API."""
        answer = await self.http.get(f"/api/v1{path}")
        assert answer.is_success, answer.text
        return answer.json()

    async def alert(self, payload: dict[str, Any], secret: str = ALERTS) -> httpx.Response:
        """Sends an Alertmanager webhook."""
        return await self.http.post(
            "/webhooks/alertmanager", json=payload, headers={"Authorization": f"Bearer {secret}"}
        )

    async def until(self, look: Callable[[], Awaitable[Any]], what: str, limit: float = 30) -> Any:
        """The first truthy answer."""
        deadline = time.monotonic() + limit
        while time.monotonic() < deadline:
            if found := await look():
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"waited {limit} s for {what}\n{self.log()}")

    async def incident(self, number: int = 1) -> dict[str, Any]:
        """The whole incident, or nothing yet."""
        answer = await self.http.get(f"/api/v1/incidents/{number}")
        return answer.json() if answer.is_success else {}

    async def run_in(self, state: str, number: int = 1) -> dict[str, Any]:
        """The newest run once it is in a state."""

        async def look() -> dict[str, Any] | None:
            runs = (await self.incident(number)).get("runs", [])
            return runs[0] if runs and runs[0]["state"] == state else None

        return await self.until(look, f"the run to be {state}")

    async def row(self, kind: str, number: int = 1) -> dict[str, Any]:
        """The first timeline row of a kind."""

        async def look() -> dict[str, Any] | None:
            rows = (await self.incident(number)).get("timeline", [])
            return next((r for r in rows if r["kind"] == kind), None)

        return await self.until(look, kind)

    async def said_all(self) -> None:
        """Waits until nothing is left to be said on any surface."""

        async def look() -> bool:
            return "jackline_outbox_unsent 0.0" in (await self.http.get("/metrics")).text

        await self.until(look, "the outbox to be empty")

    def log(self) -> str:
        """The end of the process's log."""
        return (self.folder / "bot.log").read_text()[-6000:]


def firing(name: str = "ShopDown", status: str = "firing", service: str = "shop") -> dict[str, Any]:
    """An Alertmanager v4 webhook with one alert."""
    alert = {
        "status": status,
        "labels": {"alertname": name, "service": service, "severity": "critical"},
        "annotations": {"summary": "The shop is down"},
        "startsAt": "2026-11-23T12:00:00Z",
        "endsAt": "2026-11-23T12:05:00Z" if status == "resolved" else "0001-01-01T00:00:00Z",
        "generatorURL": "http://prometheus.test/graph",
        "fingerprint": "468b1d51ea167ee1",
    }
    return {
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": status,
        "receiver": "jackline", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.test", "alerts": [alert],
    }  # fmt: skip
