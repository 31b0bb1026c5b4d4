"""Which past incidents are like this one. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass

_GROUP, _ALERT, _SERVICES, _WORDS = 3.0, 3.0, 2.0, 2.0
ENOUGH = 2.0  # the same services, or the same alert, or the same words, or half of each
_COMMON = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "firing",
        "for",
        "from",
        "has",
        "have",
        "in",
        "is",
        "it",
        "not",
        "of",
        "on",
        "or",
        "than",
        "that",
        "the",
        "to",
        "was",
        "with",
    ]
)


@dataclass(frozen=True)
class Known:
    """What of an incident is compared; ``group`` and ``alert`` are empty where it had none."""

    number: int
    title: str
    services: frozenset[str] = frozenset()
    alert: str = ""
    group: str = ""


@dataclass(frozen=True)
class Alike:
    """A past incident, how much it is like this one, and in what."""

    number: int
    score: float
    because: str


def alike(this: Known, others: Iterable[Known], limit: int = 3) -> list[Alike]:
    """The most alike first, of two that are equally alike the newer one."""
    found = [each for other in others if (each := _compared(this, other)).score >= ENOUGH]
    return sorted(found, key=lambda a: (-a.score, -a.number))[:limit]


def words(title: str) -> frozenset[str]:
    """The words that say what it was about: no numbers, no small words."""
    return frozenset(re.findall(r"[^\W\d_]{2,}", title.casefold())) - _COMMON


def _compared(this: Known, other: Known) -> Alike:
    same_group = bool(this.group) and this.group == other.group
    same_alert = bool(this.alert) and this.alert == other.alert
    services = _overlap(this.services, other.services)
    title = _overlap(words(this.title), words(other.title))
    score = _GROUP * same_group + _ALERT * same_alert + _SERVICES * services + _WORDS * title
    reasons = [
        word
        for word, holds in (
            ("same alert", same_alert), ("same service", services > 0), ("same group", same_group),
            ("like title", title >= 0.5),  # noqa: PLR2004 - half of the words
        )
        if holds
    ]  # fmt: skip
    return Alike(other.number, round(score, 3), ", ".join(reasons))


def _overlap(one: frozenset[str], two: frozenset[str]) -> float:
    """Jaccard's index: 1 for the same, 0 for nothing in common, also where both are empty."""
    return len(one & two) / len(one | two) if one | two else 0.0
