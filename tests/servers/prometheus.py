"""A real Prometheus that scrapes, evaluates rules and talks to an Alertmanager every second."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote

import yaml

from tests.servers.ask import answers, ask
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn
from tests.servers.tools import require


@dataclass
class Prometheus:
    port: int
    folder: Path
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    def query(self, expression: str) -> list[dict[str, Any]]:
        """The result of an instant query: `[{"metric": {…}, "value": [time, "text"]}]`."""
        reply = ask("GET", f"{self.url}/api/v1/query?query={quote(expression)}")
        answer = reply.json()
        if answer["status"] != "success":
            raise ValueError(answer["error"])
        return list(answer["data"]["result"])

    def value(self, expression: str) -> float | None:
        """The first sample's value; None where there is no data, which is not zero."""
        result = self.query(expression)
        return float(result[0]["value"][1]) if result else None

    def alerts(self) -> list[dict[str, Any]]:
        return list(ask("GET", f"{self.url}/api/v1/alerts").json()["data"]["alerts"])

    def set_rules(self, rules: Sequence[Mapping[str, Any]]) -> None:
        """Replace the alert rules of a running server."""
        write_rules(self.folder, rules)
        reply = ask("POST", f"{self.url}/-/reload")
        if reply.status != 200:
            raise ValueError(reply.body)


@contextlib.contextmanager
def prometheus(
    *,
    scrape: Mapping[str, Sequence[str]] | None = None,
    rules: Sequence[Mapping[str, Any]] = (),
    alertmanagers: Sequence[str] = (),
    interval: str = "1s",
) -> Iterator[Prometheus]:
    """`scrape` maps a job's name to its `host:port` targets; `rules` are alert or recording rules."""
    binary = require("prometheus")
    with scratch("prom") as folder:
        port = free_port()
        jobs = {"prometheus": [f"{HOST}:{port}"], **(scrape or {})}
        config = {
            "global": {"scrape_interval": interval, "evaluation_interval": interval},
            "rule_files": ["rules.yml"],
            "alerting": {"alertmanagers": [{"static_configs": [{"targets": list(alertmanagers)}]}]},
            "scrape_configs": [
                {"job_name": job, "static_configs": [{"targets": list(targets)}]}
                for job, targets in jobs.items()
            ],
        }
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
        write_rules(folder, rules)
        argv = [str(binary), "--config.file=prometheus.yml", "--storage.tsdb.path=data"]
        argv += [f"--web.listen-address={HOST}:{port}", "--web.enable-lifecycle"]
        process = spawn(
            "prometheus",
            argv,
            folder=folder,
            ready=lambda: answers(f"http://{HOST}:{port}/-/ready"),
        )
        with running(process):
            yield Prometheus(port, folder, process)


def write_rules(folder: Path, rules: Sequence[Mapping[str, Any]]) -> None:
    groups = [{"name": "test", "rules": [dict(rule) for rule in rules]}] if rules else []
    (folder / "rules.yml").write_text(yaml.safe_dump({"groups": groups}))
