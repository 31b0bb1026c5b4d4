"""A catalog in which much stands on something, and short ways to write runbooks over it."""

from bot.catalog import Catalog
from bot.located import Problem
from bot.registry import Registry
from bot.runbooks.loops import lint_loops
from bot.runbooks.model import Runbook
from bot.runbooks.read import read
from tests.runbooks.room import PEOPLE

KEY = {"key": "file:/k", "host_key": "ssh-ed25519 AAAA"}
HOP = {"url": "ssh://ops@bastion", **KEY}
NODES = [
    {"id": "network:corp"},
    {"id": "network:oob"},
    {"id": "dns:corp", "depends_on": ["network:corp"]},
    {"id": "dns:ops", "depends_on": ["region:eu-1"]},
    {"id": "region:eu-1", "depends_on": ["provider:cloud"]},
    {"id": "sso:okta", "depends_on": ["dns:corp"]},
    {"id": "k8s:main"},
    {"id": "slack", "depends_on": ["internet", "dns:corp"]},
    {"id": "jackline:chat", "depends_on": ["slack"]},
    {"id": "jackline:identity", "depends_on": ["sso:okta"]},
    {"id": "jackline:store", "depends_on": ["service:orders"]},
    {"id": "jackline:placement", "depends_on": ["k8s:main"]},
]
SERVICES = [
    {"id": "shop", "title": "Shop", "tier": "p0", "depends_on": ["edge", "dns:corp"],
     "checks": [{"id": "shop-up", "url": "http://shop/"}]},
    {"id": "edge", "title": "Edge", "tier": "p0",
     "checks": [{"id": "edge-up", "url": "http://edge/"}]},
    {"id": "orders", "title": "Orders", "tier": "p0", "depends_on": ["target:patroni/orders"]},
]  # fmt: skip
CREDENTIALS = [
    {"name": "issued", "ref": "vault:ssh/ops", "depends_on": ["sso:okta"]},
    {"name": "sealed", "ref": "vault:ssh/oob", "emergency": True},
    {"name": "proxy", "ref": "env:PROXY", "depends_on": ["service:edge"]},
]
PATHS = [
    {"name": "direct", "depends_on": ["network:corp"]},
    {"name": "oob", "kind": "interface", "bind": "192.0.2.9", "depends_on": ["network:oob"]},
    {"name": "bastion", "kind": "ssh", "hops": [HOP], "depends_on": ["sso:okta"]},
    {"name": "named", "kind": "ssh", "hops": [HOP], "depends_on": ["dns:ops"]},
    {"name": "keyed", "kind": "ssh", "hops": [{**HOP, "key": "credential:issued"}],
     "depends_on": ["network:oob"]},
    {"name": "sealed", "kind": "ssh", "hops": [{**HOP, "key": "credential:sealed"}],
     "depends_on": ["network:oob"]},
    {"name": "proxied", "kind": "proxy", "proxy": "socks5://proxy:1080", "credential": "proxy",
     "depends_on": ["network:oob"]},
    {"name": "unsaid"},
    {"name": "unsaid-pinned", "kind": "pinned", "connect_to": {"pinned": "192.0.2.1"}},
    {"name": "immune", "depends_on": []},
]  # fmt: skip
TARGETS = [
    {"name": "http/shop", "url": "http://shop", "via": ["direct", "oob"], "of": ["service:shop"]},
    {"name": "http/inband", "url": "http://inband", "via": ["direct"]},
    {"name": "http/deaf", "url": "http://deaf", "via": ["oob"], "depends_on": ["service:edge"]},
    {"name": "http/token", "url": "http://token", "via": ["oob"],
     "headers": {"Authorization": "Bearer credential:issued"}},
    {"name": "http/far", "url": "http://far", "via": ["oob"], "depends_on": ["region:eu-1"]},
    {"name": "http/pinned", "url": "http://pinned", "via": ["unsaid-pinned"]},
    {"name": "http/unsaid", "url": "http://unsaid", "via": ["unsaid"]},
    {"name": "http/orders", "url": "http://orders", "via": ["oob"], "of": ["service:orders"]},
    {"name": "patroni/orders", "url": "http://orders", "via": ["oob"]},
    {"name": "kubernetes/main", "url": "http://k", "via": ["oob"], "of": ["k8s:main"]},
    {"name": "ssh/pg1", "url": "ssh://j@pg1", "via": ["bastion"]},
    {"name": "ssh/pg2", "url": "ssh://j@pg2", "via": ["oob"]},
]  # fmt: skip
EVERYTHING = {
    "people": PEOPLE, "nodes": NODES, "services": SERVICES, "credentials": CREDENTIALS,
    "paths": PATHS, "targets": TARGETS,
}  # fmt: skip
CATALOG = Catalog.model_validate(EVERYTHING)


def check(target: str, more: str = "") -> str:
    return f'action: http.check\nwith: {{target: "{target}", path: /}}\n{more}'


def put(target: str, more: str = "undo: auto") -> str:
    return f'action: http.put\nwith: {{target: "{target}", path: /, body: {{}}}}\n{more}'


def fence(host: str, more: str = "") -> str:
    return f'action: ssh.read\nwith: {{host: "{host}", command: fenced}}\n{more}'


def repairs(*nodes: str, more: str = "") -> str:
    return f"repairs: {list(nodes)}\n{more}"


def parsed(text: str, path: str = "fix.md") -> Runbook:
    found, problems = read(text, path)
    assert problems == []
    assert found is not None
    return found


def loops(registry: Registry, *texts: str, catalog: Catalog = CATALOG) -> list[Problem]:
    books = [parsed(text, f"{number}.md") for number, text in enumerate(texts)]
    return lint_loops({book.id: book for book in books}, catalog, registry)
