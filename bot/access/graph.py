"""What stands on what: services, targets, paths, credentials, and all that they need. Pure.

One graph of the whole catalog. A node is ``service:ID``, ``target:NAME``, ``path:NAME``,
``credential:NAME``, ``slack``, ``internet``, or any other ``kind:name``; ``jackline:store`` and
its like are the bot's own parts. An edge means *stands on*, and each is needed: alternatives
exist only between the paths of a step. Two rules are worth knowing:

- What a target is a part of (its ``of``) is no edge. A service that is down does not make the
  load balancer in front of it deaf to orders; a target that cannot be reached then says so by
  ``depends_on``.
- A path that leaves ``depends_on`` out is not immune: nobody said what it stands on, so it counts
  as standing on all that carries packets and names. ``depends_on: []`` says that it needs nothing.
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from urllib.parse import urlsplit

from bot.catalog import Catalog
from bot.catalog.path import Path, is_address
from bot.errors import BadInput
from bot.located import near

PARTS = {
    "store": "Jackline's own database",
    "placement": "the place where Jackline runs",
    "secrets": "Jackline's own store of secrets",
    "chat": "Jackline's chat",
    "identity": "who Jackline takes people for",
}
VITAL = ("store", "placement", "secrets")  # without one of these Jackline runs nothing
_CREDENTIAL = re.compile(r"(?:^|\s)credential:([a-z0-9][a-z0-9_.-]{0,62})$")
_VAULT = re.compile(r"(?:^|\s)vault:\S+$")
_CARRIERS = ("internet", "network", "vpn", "dns")
_BY_ADDRESS = ("pinned", "interface", "bmc")  # kinds of path that may ask no name server


@dataclass(frozen=True)
class Fall:
    """Everything that is down, and for each which of its needs brought it down."""

    because: Mapping[
        str, str
    ]  # a node → the next one on the way to what failed; "" for that itself

    def __contains__(self, node: str) -> bool:
        return node in self.because

    def chain(self, node: str) -> list[str]:
        """From the node to what failed, the shortest way."""
        found = [node]
        while node := self.because[node]:
            found.append(node)
        return found


@dataclass(frozen=True)
class Graph:
    """``needs``: node → what it stands on. ``assumed``: the edges that nobody declared."""

    needs: Mapping[str, tuple[str, ...]]
    assumed: frozenset[tuple[str, str]] = frozenset()

    def down(self, failed: Iterable[str]) -> Fall:
        """All that falls with these nodes."""
        because = dict.fromkeys(failed, "")
        reached = list(because)
        for node in reached:  # grows while it is gone through: breadth first
            for above in self._above.get(node, ()):
                if above not in because:
                    because[above] = node
                    reached.append(above)
        return Fall(because)

    def under(self, node: str) -> frozenset[str]:
        """The node and everything that it stands on."""
        if node not in self._under:
            found = {node: None}
            reached = [node]
            for each in reached:
                reached += [n for n in self.needs.get(each, ()) if n not in found]
                found |= dict.fromkeys(self.needs.get(each, ()))
            self._under[node] = frozenset(found)
        return self._under[node]

    @cached_property
    def _above(self) -> dict[str, list[str]]:
        found: dict[str, list[str]] = {}
        for node, needs in self.needs.items():
            for need in needs:
                found.setdefault(need, []).append(node)
        return found

    @cached_property
    def _under(self) -> dict[str, frozenset[str]]:
        return {}


def graph_of(catalog: Catalog, *, bag: bool = False) -> Graph:
    """The catalog's graph; in the go-bag (``bag``) emergency credentials lie ready."""
    needs: dict[str, dict[str, None]] = {}

    def stands(node: str, on: Iterable[str]) -> None:
        needs.setdefault(node, {}).update(dict.fromkeys(on))
        for need in list(needs[node]):
            needs.setdefault(need, {})

    for part in ("slack", "internet", *(f"jackline:{p}" for p in PARTS)):
        stands(part, ())
    for service in catalog.services:
        stands(f"service:{service.id}", map(_node, service.depends_on))
    for entry in catalog.nodes:
        stands(entry.id, entry.depends_on)
    for credential in catalog.credentials:
        sealed = bag and credential.emergency
        stands(f"credential:{credential.name}", credential.depends_on)
        stands(f"credential:{credential.name}", () if sealed else _secrets([credential.ref]))
    for path in catalog.paths:
        own = [f"credential:{path.credential}"] if path.credential else []
        keys = _secrets(hop.key for hop in path.hops)
        stands(f"path:{path.name}", [*path.depends_on, *own, *keys])
    for target in catalog.targets:
        values = _secrets([*target.headers.values(), *target.settings.values()])
        stands(f"target:{target.name}", [*target.depends_on, *values])
    carriers = [node for node in needs if node.partition(":")[0] in _CARRIERS]
    assumed = {
        (f"path:{path.name}", node)
        for path in filter(undeclared, catalog.paths)
        for node in (carriers if _asks_names(catalog, path) else _but_names(carriers))
    }
    for node, need in sorted(assumed):
        stands(node, [need])
    return Graph({node: tuple(on) for node, on in needs.items()}, frozenset(assumed))


def named(graph: Graph, words: str) -> list[str]:
    """The nodes meant by ``dns:corp, slack``; a service also by its id. Raises `BadInput`."""
    known = graph.needs
    found = []
    for word in (part.strip() for part in words.split(",")):
        node = word if word in known or f"service:{word}" not in known else f"service:{word}"
        if node not in known:
            guess = near(word, known) or near(word, [n.partition(":")[2] or n for n in known])
            raise BadInput(
                f"Nothing in the catalog is {word!r}{guess or '.'}",
                hint="`jackline access graph` draws all there is.",
            )
        found.append(node)
    return found


def undeclared(path: Path) -> bool:
    """Whether nobody said what the path stands on; an empty list says it."""
    return "depends_on" not in path.model_fields_set


def shown(chain: Iterable[str]) -> str:
    """``path bastion → sso:okta → network:corp``."""
    first, *others = chain
    kind, _, name = first.partition(":")
    plain = f"{kind} {name}" if kind in ("path", "target", "service", "credential") else first
    return " → ".join([plain, *others])


def _node(service_or_node: str) -> str:
    plain = ":" not in service_or_node and service_or_node not in ("slack", "internet")
    return f"service:{service_or_node}" if plain else service_or_node


def _secrets(values: Iterable[str]) -> list[str]:
    """What the references among the values stand on."""
    found = []
    for value in values:
        if named := _CREDENTIAL.search(value):
            found.append(f"credential:{named[1]}")
        elif _VAULT.search(value):
            found.append("jackline:secrets")
    return found


def _but_names(carriers: Iterable[str]) -> list[str]:
    return [node for node in carriers if not node.startswith("dns:")]


def _asks_names(catalog: Catalog, path: Path) -> bool:
    """Whether some target's host is a name that has no address of its own on the path."""
    hosts = (
        urlsplit(url).hostname or ""
        for target in catalog.targets
        if path.name in target.via
        for url in (target.url, *target.also)
    )
    return path.kind not in _BY_ADDRESS or any(
        not is_address(path.connect_to.get(host, host)) for host in hosts
    )
