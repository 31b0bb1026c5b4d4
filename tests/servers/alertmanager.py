"""A real Alertmanager that sends to one webhook, with a bearer token as users configure it."""

import contextlib
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from tests.servers.ask import answers, ask
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn
from tests.servers.tools import require


@dataclass
class Alertmanager:
    port: int
    folder: Path
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def address(self) -> str:
        """`host:port`, as Prometheus and amtool want it."""
        return f"{HOST}:{self.port}"

    def post(self, *alerts: Mapping[str, str], resolved: bool = False, **annotations: str) -> None:
        """Send alerts, each given by its labels, straight in; `resolved` ends them."""
        now = time.time()
        # An hour ahead keeps an alert firing until it is posted again as resolved.
        starts, ends = _at(now - 60), _at(now - 1 if resolved else now + 3600)
        bodies = [
            {"labels": dict(labels), "annotations": annotations, "startsAt": starts, "endsAt": ends}
            for labels in alerts
        ]
        reply = ask("POST", f"{self.url}/api/v2/alerts", data=bodies)
        if reply.status != 200:
            raise ValueError(reply.body)

    def alerts(self) -> list[dict[str, Any]]:
        return list(ask("GET", f"{self.url}/api/v2/alerts").json())

    def silences(self) -> list[dict[str, Any]]:
        return list(ask("GET", f"{self.url}/api/v2/silences").json())


@contextlib.contextmanager
def alertmanager(
    *,
    webhook_url: str,
    token: str | None = None,
    group_by: Sequence[str] = ("alertname", "cluster"),
    group_wait: str = "200ms",
    group_interval: str = "1s",
    repeat_interval: str = "1h",
    max_alerts: int = 0,
    extra: Mapping[str, Any] | None = None,
) -> Iterator[Alertmanager]:
    """One receiver, `webhook_url`. `extra` is merged into the configuration: inhibit_rules, …"""
    binary = require("alertmanager")
    webhook: dict[str, Any] = {
        "url": webhook_url,
        "send_resolved": True,
        "max_alerts": max_alerts,
    }
    if token is not None:
        webhook["http_config"] = {"authorization": {"type": "Bearer", "credentials": token}}
    config = {
        "route": {
            "receiver": "jackline",
            "group_by": list(group_by),
            "group_wait": group_wait,
            "group_interval": group_interval,
            "repeat_interval": repeat_interval,
        },
        "receivers": [{"name": "jackline", "webhook_configs": [webhook]}],
        **(extra or {}),
    }
    with scratch("am") as folder:
        port = free_port()
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config))
        argv = [str(binary), "--config.file=alertmanager.yml", "--storage.path=data"]
        argv += [f"--web.listen-address={HOST}:{port}", "--cluster.listen-address="]
        process = spawn(
            "alertmanager",
            argv,
            folder=folder,
            ready=lambda: answers(f"http://{HOST}:{port}/-/ready"),
        )
        with running(process):
            yield Alertmanager(port, folder, process)


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat()
