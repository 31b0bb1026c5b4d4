"""How much one incident is like another, and in what. Pure.

Whoever reads this was woken up: nothing is better than noise. The same service alone says nothing, a busy
one has an incident a week; nor does an alert's name that another service has too, nor a title of words
that half of all titles have.
"""

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

ENOUGH = 3.0
_ALERT, _ELSEWHERE, _LABELS = 4.0, 2.0, 1.0  # its name; the same on a service that is none of these
_SERVICE, _NEAR = 2.0, 1.0
_TITLE, _PATTERN, _RUNBOOK, _TARGET = 4.5, 2.0, 1.5, 1.0
RARE = 20  # a word is rare that at most one of so many titles has
_SEEN = 3  # or so few titles
_LIKE = 0.25  # of a title's words, by their weight
_NAMED = 3  # things of one kind that a reason names
_WORD = re.compile(r"[^\W_]{2,}")
_COMMON = frozenset({
    "all", "an", "and", "are", "as", "at", "be", "by", "firing", "for", "from", "has", "have", "in", "is", "it",
    "not", "of", "on", "or", "than", "that", "the", "to", "was", "with",
})  # fmt: skip


@dataclass(frozen=True)
class Known:
    """What of an incident is compared; empty where it had none. ``labels`` are those of its first alert."""

    number: int
    title: str = ""
    services: frozenset[str] = frozenset()
    alerts: frozenset[str] = frozenset()
    labels: Mapping[str, str] = field(default_factory=dict)
    runbooks: frozenset[str] = frozenset()
    targets: frozenset[str] = frozenset()
    patterns: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Around:
    """What it takes to weigh: how many incidents there are, how many titles have each of this one's words.

    ``near`` are services that this one's stand on, or that stand on them, each with that in words.
    """

    incidents: int = 1
    titles: Mapping[str, int] = field(default_factory=dict)
    near: Mapping[str, str] = field(default_factory=dict)
    names: Mapping[str, str] = field(default_factory=dict)

    def weight(self, word: str) -> float:
        """Words that few titles have weigh more."""
        return math.log(1 + self.incidents / max(1, self.titles.get(word, 1)))

    def rare(self, word: str) -> bool:
        """Whether it is a reason by itself to look at another title with it."""
        return self.titles.get(word, 1) <= max(_SEEN, self.incidents / RARE)


@dataclass(frozen=True)
class Alike:
    """A past incident, how much it is like this one, and in what."""

    number: int
    score: float
    because: tuple[str, ...]


def alike(this: Known, others: Sequence[Known], around: Around, limit: int) -> list[Alike]:
    """The most alike first; of those about equally alike, the newest."""
    found = [compared(this, each, around) for each in others if each.number != this.number]
    return ranked(each for each in found if each.score >= ENOUGH)[:limit]


def ranked(found: Iterable[Alike]) -> list[Alike]:
    """By halves of a point: less is no difference."""
    return sorted(found, key=lambda a: (-round(a.score * 2), -a.number))


def compared(this: Known, other: Known, around: Around) -> Alike:
    """All reasons with what they count."""
    reasons = [
        *_alerts(this, other, around), *_services(this, other, around),
        *_same("same runbook", _RUNBOOK, this.runbooks & other.runbooks),
        *_same("same target", _TARGET, this.targets & other.targets),
        *_title(this, other, around),
        *_same("same pattern", _PATTERN, this.patterns & other.patterns),
    ]  # fmt: skip
    score = sum(worth for worth, _ in reasons)
    return Alike(other.number, round(score, 3), tuple(words for _, words in reasons))


_Reasons = list[tuple[float, str]]


def _alerts(this: Known, other: Known, around: Around) -> _Reasons:
    shared = this.alerts & other.alerts
    if not shared:
        return []
    known = this.services and other.services
    apart = known and not other.services & (this.services | around.near.keys())
    labels = bool(this.labels) and this.labels == other.labels
    words = f"same alert {_listed(shared)}" + (", same labels" if labels else "")
    return [((_ELSEWHERE if apart else _ALERT) + _LABELS * labels, words)]


def _services(this: Known, other: Known, around: Around) -> _Reasons:
    if shared := this.services & other.services:
        named = _listed(around.names.get(each, each) for each in shared)
        return [(_SERVICE, f"same service {named}")]
    near = sorted(other.services & around.near.keys())
    return [(_NEAR, around.near[near[0]])] if near else []


def _title(this: Known, other: Known, around: Around) -> _Reasons:
    """By the words that both have, each by its weight; those that name services and alerts count there."""
    mine, its = words(this.title), words(other.title)
    told = _told(this, around)
    mine, its = mine - told, its - told
    shared = mine & its
    if not any(around.rare(word) for word in shared):
        return []
    whole = sum(map(around.weight, mine))
    common = sum(map(around.weight, shared))
    others = common + len(its - mine) * whole / len(mine)  # of words not looked up: the average
    like = 2 * common / (whole + others)
    if like < _LIKE:
        return []
    best = sorted(shared, key=lambda word: (-around.weight(word), word))[:_NAMED]
    return [(_TITLE * like, f"like title: {', '.join(best)}")]


def _told(this: Known, around: Around) -> frozenset[str]:
    """Words that name its services and alerts: those are reasons of their own."""
    titles = (around.names.get(each, "") for each in this.services)
    texts = (*this.services, *titles, *this.alerts)
    return frozenset(word for text in texts for word in words(text))


def words(title: str) -> frozenset[str]:
    """The words that say what it was about: no numbers, no small words."""
    found = _WORD.findall(title.casefold())
    return frozenset(word for word in found if not word.isdecimal()) - _COMMON


def searched(this: Known, around: Around) -> list[str]:
    """The words of the title by which others are looked for."""
    return sorted(words(this.title) - _told(this, around))


def _same(what: str, worth: float, shared: frozenset[str]) -> _Reasons:
    return [(worth, f"{what} {_listed(shared)}")] if shared else []


def _listed(names: Iterable[str]) -> str:
    found = sorted(names)
    more = f" and {len(found) - _NAMED} more" if len(found) > _NAMED else ""
    return f"{', '.join(found[:_NAMED])}{more}"
