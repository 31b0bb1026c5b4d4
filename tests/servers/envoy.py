"""A real Envoy: traffic shares and injected faults, both changed at run time by its admin API."""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import yaml

from tests.servers.ask import Reply, answers, ask
from tests.servers.process import HOST, Process, free_port, running, scratch, spawn
from tests.servers.tools import require

TRAFFIC = "routing.traffic"  # routing.traffic.<cluster> is that cluster's weight
TYPES = "type.googleapis.com/envoy.extensions.filters"
HCM = f"{TYPES}.network.http_connection_manager.v3.HttpConnectionManager"


@dataclass
class Envoy:
    """Weights: `routing.traffic.<name>`. Faults: `fault.http.abort.abort_percent`, `.http_status`.

    Delays of 0.2 s: `fault.http.delay.fixed_delay_percent`.
    """

    port: int
    admin_port: int
    process: Process

    @property
    def url(self) -> str:
        return f"http://{HOST}:{self.port}"

    @property
    def admin_url(self) -> str:
        return f"http://{HOST}:{self.admin_port}"

    def set_runtime(self, values: Mapping[str, int]) -> None:
        reply = ask("POST", f"{self.admin_url}/runtime_modify?{urlencode(values)}")
        if reply.status != 200:
            raise ValueError(reply.body)

    def runtime(self) -> dict[str, str]:
        """The values in force now."""
        entries = ask("GET", f"{self.admin_url}/runtime").json()["entries"]
        return {key: entry["final_value"] for key, entry in entries.items()}

    def get(self, path: str = "/") -> Reply:
        return ask("GET", self.url + path)


@contextlib.contextmanager
def envoy(
    *, clusters: Mapping[str, int], weights: Mapping[str, int] | None = None, abort: int = 0
) -> Iterator[Envoy]:
    """`clusters` maps a name to a loopback port; without weights the first one gets everything.

    `abort` is the percentage that the configuration itself has.
    """
    binary = require("envoy")
    shares = weights or {name: 100 * (rank == 0) for rank, name in enumerate(clusters)}
    with scratch("envoy") as folder:
        port, admin_port = free_port(), free_port()
        config = {
            "admin": {"address": _address(admin_port)},
            "layered_runtime": {"layers": [{"name": "admin", "admin_layer": {}}]},
            "static_resources": {
                "listeners": [_listener(port, shares, abort)],
                "clusters": [_cluster(name, target) for name, target in clusters.items()],
            },
        }
        (folder / "envoy.yaml").write_text(yaml.safe_dump(config))
        process = spawn(
            "envoy",
            [binary, "-c", "envoy.yaml", "--disable-hot-restart", "--concurrency", "1"],
            folder=folder,
            ready=lambda: answers(f"http://{HOST}:{admin_port}/ready"),
        )
        with running(process):
            yield Envoy(port, admin_port, process)


def _listener(port: int, shares: Mapping[str, int], abort: int) -> dict[str, Any]:
    weighted = {
        "runtime_key_prefix": TRAFFIC,
        "clusters": [{"name": name, "weight": share} for name, share in shares.items()],
    }
    route = {"match": {"prefix": "/"}, "route": {"weighted_clusters": weighted}}
    host = {"name": "all", "domains": ["*"], "routes": [route]}
    # The percentages come from fault.http.abort.abort_percent and fault.http.delay.
    # fixed_delay_percent, which start absent.
    fault = {
        "abort": {"http_status": 503, "percentage": {"numerator": abort}},
        "delay": {"fixed_delay": "0.2s", "percentage": {"numerator": 0}},
    }
    manager = {
        "@type": HCM,
        "stat_prefix": "edge",
        "route_config": {"virtual_hosts": [host]},
        "http_filters": [
            _filter("fault", "HTTPFault", fault),
            _filter("router", "Router", {}),
        ],
    }
    chain = {"filters": [{"name": "http", "typed_config": manager}]}
    return {"name": "edge", "address": _address(port), "filter_chains": [chain]}


def _filter(name: str, message: str, config: dict[str, Any]) -> dict[str, Any]:
    kind = {"@type": f"{TYPES}.http.{name}.v3.{message}"}
    return {"name": f"envoy.filters.http.{name}", "typed_config": kind | config}


def _cluster(name: str, port: int) -> dict[str, Any]:
    endpoint = {"endpoint": {"address": _address(port)}}
    load = {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]}
    return {"name": name, "type": "STATIC", "connect_timeout": "1s", "load_assignment": load}


def _address(port: int) -> dict[str, Any]:
    return {"socket_address": {"address": HOST, "port_value": port}}
