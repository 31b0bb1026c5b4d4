"""The smallest sets of failures that leave no way: minimal hitting sets, found within bounds. Pure."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import combinations

Needed = frozenset[frozenset[str]]  # ways, each by all that it stands on: one of them must be whole
_STEPS = 20_000  # of the search, for one question: some tenths of a second
_FEW = 100  # ways among which it pays to look for those that say nothing new


@dataclass(frozen=True)
class Cuts:
    """Each set kills, and none would without one of its members. ``whole``: there are no others."""

    sets: tuple[frozenset[str], ...]
    whole: bool


def cuts(needed: Iterable[Needed], most: int) -> Cuts:
    """All that need to be broken, of at most ``most`` failures, smallest first."""
    families = set(needed)
    single = {node for family in families for node in frozenset.intersection(*family)}
    search = _Search(most)
    found: set[frozenset[str]] = set()
    for family in {frozenset(way - single for way in family) for family in families}:
        if all(family):  # else some way stands on nothing but what kills alone
            found |= set(search.hitting(_told(family)))
    kept = [frozenset({node}) for node in single]
    known: set[frozenset[str]] = set()
    for cut in sorted(found, key=len):
        parts = (frozenset(p) for n in range(1, len(cut)) for p in combinations(cut, n))
        if not any(part in known for part in parts):
            known.add(cut)
            kept.append(cut)
    return Cuts(tuple(sorted(kept, key=lambda c: (len(c), sorted(c)))), whole=search.steps > 0)


def _told(family: Needed) -> list[frozenset[str]]:
    """Without the ways that any cut of another one cuts as well; the smallest first."""
    ways = sorted(family, key=lambda way: (len(way), sorted(way)))
    if len(ways) > _FEW:
        return ways
    return [way for index, way in enumerate(ways) if not any(o <= way for o in ways[:index])]


class _Search:
    def __init__(self, most: int) -> None:
        self.most = most
        self.steps = _STEPS

    def hitting(self, ways: list[frozenset[str]]) -> Iterator[frozenset[str]]:
        """Minimal sets that have a member in each of the ways."""
        for cut in self._grown(frozenset(), ways):
            if all(any(way & cut == {node} for way in ways) for node in cut):
                yield cut

    def _grown(
        self, chosen: frozenset[str], ways: list[frozenset[str]]
    ) -> Iterator[frozenset[str]]:
        self.steps -= 1
        if not ways:
            yield chosen
        if not ways or self.steps <= 0 or _apart(ways, self.most - len(chosen)):
            return
        tried: set[str] = set()
        shortest: frozenset[str] = min(ways, key=len)
        for node in sorted(shortest):
            left = [way - tried for way in ways if node not in way]
            if all(left):
                yield from self._grown(chosen | {node}, left)
            tried.add(node)  # sets with it have all been seen


def _apart(ways: list[frozenset[str]], more: int) -> bool:
    """Whether more ways have nothing in common than there may be failures."""
    seen: set[str] = set()
    for way in ways:
        if seen.isdisjoint(way):
            seen |= way
            more -= 1
            if more < 0:
                return True
    return False
