"""Which notifiers would fall silent together. Pure."""

from itertools import combinations

from bot.catalog.model import Catalog
from bot.catalog.people import Notifier


def dependent(catalog: Catalog) -> list[str]:
    """What is wrong with telling people by several ways, one line each; empty if two are apart."""
    needs = {n.id: _needs(catalog, n) for n in catalog.notifiers}
    if len(needs) == 1:
        return [f"{catalog.notifiers[0].id} is the only one: a second, independent one is needed"]
    found = []
    for one, other in combinations(needs, 2):
        if shared := sorted(needs[one] & needs[other]):
            found.append(f"{one} and {other} are not independent: both need {', '.join(shared)}")
    return found


def _needs(catalog: Catalog, notifier: Notifier) -> set[str]:
    """What must work, whichever of its paths is taken; a path counts as a need of its own."""
    target = catalog.target(notifier.target)
    if target is None:
        return set()
    by_path = []
    for name in target.via:
        path = catalog.path(name)
        by_path.append({f"the path {name}", *(path.depends_on if path else [])})
    return {f"the target {target.name}"} | set.intersection(*by_path)
