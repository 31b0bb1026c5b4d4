"""The house style of postmortems: blameless, no counterfactuals, roles and no names. Pure.

It reads any Markdown and says where a wording blames, with another way to put it. It judges wording
and nothing else: what repeats the record (a section marked *recorded*, code, addresses) is left alone.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from bot.catalog import Person
from bot.postmortems.cast import words_of


@dataclass(frozen=True)
class Remark:
    """One wording, and what to write instead; ``line`` and ``column`` count from 1."""

    path: str
    line: int
    column: int
    rule: str
    found: str
    suggestion: str

    def __str__(self) -> str:
        return (
            f"{self.path}:{self.line}:{self.column}: {self.rule}: “{self.found}”. {self.suggestion}"
        )


_RULES: tuple[tuple[str, str, str], ...] = (
    ("counterfactual",
     r"(?:should|could|would|might|must|ought to) (?:not |n't |simply |just |easily )?have|(?:should|could|would)n't have|if only|had (?:we|they|he|she|anyone|someone|somebody) (?:only |just )?\w+(?:ed|n)",
     "Say what happened and what was known at that minute, with its row; what ought to be different is an action item."),
    ("counterfactual", r"fail(?:ed|s|ure) to|neglect(?:ed|s)? to|forgot(?:ten)? to|did not bother|didn't bother|omitted to|never bothered",
     "Say what was done instead, and what made that the sensible thing to do at the time."),
    ("blame", r"(?:human|operator|user|pilot|engineer(?:'s)?) error|fat[- ]finger(?:ed)?|careless(?:ly|ness)?|negligen(?:t|tly|ce)|incompeten(?:t|ce)|reckless(?:ly)?|sloppy|laz(?:y|iness)",
     "A slip is where the questions begin: say what made it possible, and what would have caught it."),
    ("blame", r"to blame|at fault|(?:his|her|their|whose) (?:fault|mistake)|responsible for (?:the|this) (?:outage|incident|failure)|was the culprit|caused by (?:him|her|a person|an engineer|an operator)",
     "Name the condition, not the person: which part of the system let this have its effect?"),
    ("hindsight", r"obvious(?:ly)?|clearly|of course|simply|easily|it was foreseeable|in hindsight",
     "Leave it out, or say which signal showed it and who saw it then."),
    ("single cause", r"the root cause|the one cause|the sole cause",
     "Write contributing factors: several conditions came together, each with its row."),
    ("judgement", r"panick?ed|confused|stupid(?:ly)?|sadly|unacceptabl[ey]|inexcusabl[ey]|too slow(?:ly)?",
     "Say what was seen and done, and how long it took."),
)  # fmt: skip
_COMPILED = [
    (rule, re.compile(rf"(?i)(?<!\w)(?:{words})(?!\w)"), hint) for rule, words, hint in _RULES
]
_SKIPPED = re.compile(r"`[^`]*`|\]\([^)]*\)|https?://\S+|<[^>]*>")
_ORIGIN = re.compile(r"^\*(recorded|derived|proposed|written by a person|to be written)\*\s*$")
_FENCE = re.compile(r"^\s*(```|~~~)")
_NAME = "Use the role: incident commander, responder 1, owner of the service."


def check_style(text: str, path: str = "", people: Iterable[Person] = ()) -> list[Remark]:
    """What of a document's wording is against the style, in its order.

    ``people`` are the catalog's: their names are looked for, too.
    """
    names = _names(people)
    found: list[Remark] = []
    for number, line in _own_words(text):
        end = 0  # one wording is remarked on once
        for remark in sorted(_remarks(path, number, line, names), key=lambda r: r.column):
            if remark.column > end:
                found.append(remark)
                end = remark.column + len(remark.found) - 1
    return found


def _names(people: Iterable[Person]) -> re.Pattern[str] | None:
    words = sorted(
        {word for person in people for word in words_of(person)}, key=lambda w: (-len(w), w)
    )
    if not words:
        return None
    return re.compile(rf"(?<![\w@.-])(?:{'|'.join(map(re.escape, words))})(?!\w)")


def _own_words(text: str) -> Iterator[tuple[int, str]]:
    """Lines that are somebody's wording; what is skipped in them is blanked, so that columns hold."""
    fenced = recorded = False
    front = text.startswith("---\n")
    for number, line in enumerate(text.split("\n"), start=1):
        if front:
            front = number == 1 or line != "---"
            continue
        if _FENCE.match(line):
            fenced = not fenced
            continue
        if line.startswith("#"):
            recorded = False
        if found := _ORIGIN.match(line):
            recorded = found[1] == "recorded"
        if not fenced and not recorded:
            yield number, _SKIPPED.sub(lambda match: " " * len(match[0]), line)


def _remarks(path: str, number: int, line: str, names: re.Pattern[str] | None) -> Iterator[Remark]:
    for rule, pattern, hint in _COMPILED:
        for match in pattern.finditer(line):
            yield Remark(path, number, match.start() + 1, rule, match[0], hint)
    for match in names.finditer(line) if names else ():
        yield Remark(path, number, match.start() + 1, "name", match[0], _NAME)
