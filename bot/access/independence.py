"""Which notifiers would fall silent together, by all that their targets and paths stand on. Pure."""

from itertools import combinations

from bot.access.graph import Graph, graph_of
from bot.catalog import Catalog
from bot.catalog.people import Notifier


def dependent(catalog: Catalog) -> list[str]:
    """What is wrong with telling people by several ways, one line each; empty if two are apart."""
    graph = graph_of(catalog)
    needs = {n.id: _needs(catalog, graph, n) for n in catalog.notifiers}
    if len(needs) == 1:
        return [f"{catalog.notifiers[0].id} is the only one: a second, independent one is needed"]
    found = []
    for one, other in combinations(needs, 2):
        shared = needs[one] & needs[other]
        below = {need for node in shared for need in graph.under(node) - {node}}
        if first := sorted(map(_words, shared - below)):
            found.append(f"{one} and {other} are not independent: both need {', '.join(first)}")
    return found


def _needs(catalog: Catalog, graph: Graph, notifier: Notifier) -> frozenset[str]:
    """What must work, whichever of its paths is taken; a path counts as a need of its own."""
    target = catalog.target(notifier.target)
    if target is None:
        return frozenset()
    by_path = [graph.under(f"path:{name}") for name in target.via]
    return graph.under(f"target:{target.name}") | frozenset.intersection(*by_path)


def _words(node: str) -> str:
    kind, _, name = node.partition(":")
    return f"the {kind} {name}" if kind in ("path", "target", "service", "credential") else node
