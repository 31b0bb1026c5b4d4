"""What a sentence says, as far as its structure allows: clauses, negation, hypotheses, who acts. Pure.

A cue counts only inside one clause, together with what it belongs to: "cannot" and "VPN" in two
halves of a sentence are not a VPN that cannot be reached.
"""

import re
from collections.abc import Callable, Iterator, Sequence
from functools import cached_property, lru_cache

import re2

_SPLIT = re.compile(
    r"(?:[;()]|:(?!\d\d))+|(?<=[.!?])\s+|,\s+|\s+(?:because|while|but|since|although|whereas|so that)\s+",
    re.IGNORECASE,
)
_COARSE = re.compile(
    r"(?:[;()]|:(?!\d\d))+|(?<=[.!?])\s+|\s+(?:because|while|but|since|although|whereas|so that)\s+",
    re.IGNORECASE,
)
_SENTENCE = re.compile(r"(?<=[.!?;])\s+")
_NUMBER = re.compile(r"\bno\. (?=\d)", re.IGNORECASE)
_URL = re.compile(r"https?://\S+")
_QUOTED = re.compile(r"^\s*(?:>|&gt;).*$", re.MULTILINE)
_PASTED = re.compile(
    r"post-?mortem|incident-?report|outage|root-?cause|status\.|/incidents?/", re.IGNORECASE
)
_NEGATIONS = re.compile(
    r"\b(?:no|not|without|never|neither|nor|unlikely|ruled out|\w+n't)\b", re.IGNORECASE
)
_AFTER = re.compile(
    r"\b(?:(?:is|was|were|are|has been)\s+)?(?:ruled out|unlikely|excluded|dismissed|discarded|refuted|not the (?:cause|case|problem))\b", re.IGNORECASE,
)  # fmt: skip
_HYPOTHESIS = re.compile(
    r"\?\s*$|\b(?:suspect\w*|hypothes\w+|theor(?:y|ise\w*|ize\w*)|maybe|perhaps|possibly|might be|may be|could be|"
    r"wonder\w*|we think|is (?:it|this) an?)\b", re.IGNORECASE,
)  # fmt: skip
_NEAR = 4  # tokens


class Cue:
    """A regular expression, compiled when it is first used: a command that needs none starts sooner.

    A quick one in linear time says first whether the words are there at all, which they seldom are.
    """

    def __init__(self, source: str) -> None:
        self._source = source

    @cached_property
    def _exact(self) -> re.Pattern[str]:
        return re.compile(rf"(?<![A-Za-z0-9])(?:{self._source})", re.IGNORECASE)

    @cached_property
    def _quick(self) -> "re.Pattern[str] | None":
        """None for what looks ahead, which needs the slower kind."""
        if "(?!" in self._source or "(?=" in self._source:
            return None
        found: re.Pattern[str] = re2.compile(f"(?i)(?:{self._source})")
        return found

    def maybe(self, text: str) -> bool:
        """Whether a text could say it."""
        return self._quick is None or self._quick.search(text) is not None

    def search(self, text: str) -> re.Match[str] | None:
        """Where a text first says it."""
        return self._exact.search(text) if self.maybe(text) else None

    def finditer(self, text: str) -> Iterator[re.Match[str]]:
        """All places."""
        return self._exact.finditer(text) if self.maybe(text) else iter(())


def cue(*alternatives: str) -> Cue:
    """One of several ways to say a thing, from the start of a word."""
    return Cue("|".join(alternatives))


def cleaned(text: str) -> str:
    """Without addresses, without what is quoted; nothing of a message that pastes a postmortem."""
    if any(_PASTED.search(url) for url in _URL.findall(text)):
        return ""
    return _URL.sub(" ", _QUOTED.sub(" ", text)).strip()


@lru_cache(maxsize=4096)
def clauses(text: str) -> tuple[str, ...]:
    """The parts of a sentence that say one thing each."""
    return tuple(part.strip() for part in _SPLIT.split(_plain(text)) if part and part.strip())


@lru_cache(maxsize=4096)
def statements(text: str) -> tuple[str, ...]:
    """Coarser parts, which keep what commas list together: "VPN is down, also the bastion"."""
    return tuple(part.strip() for part in _COARSE.split(_plain(text)) if part and part.strip())


@lru_cache(maxsize=4096)
def sentences(text: str) -> tuple[str, ...]:
    """Whole sentences: "SSH is refused, because logins use what it signs" is one of them."""
    return tuple(part.strip() for part in _SENTENCE.split(_plain(text)) if part and part.strip())


def _plain(text: str) -> str:
    """With the apostrophe that cues are written with; "unit no. 2" ends no sentence and denies nothing."""
    plain = text.replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
    return _NUMBER.sub("number ", plain) if "o. " in plain.lower() else plain


@lru_cache(maxsize=4096)
def supposed(clause: str) -> bool:
    """Whether it is a hypothesis or a question: to be tagged, never evidence."""
    return bool(_HYPOTHESIS.search(clause))


def hit(clause: str, pattern: Cue) -> bool:
    """Whether a clause says it, and neither denies it nor rules it out."""
    return any(not is_denied(clause, found) for found in pattern.finditer(clause))


def is_denied(clause: str, found: re.Match[str]) -> bool:
    """Whether what stands near those words denies them or rules them out."""
    before = " ".join(clause[: found.start()].split()[-_NEAR:])
    after = " ".join(clause[found.end() :].split()[: _NEAR + 1])
    return bool(_NEGATIONS.search(before) or _AFTER.search(after))


def says(text: str, *patterns: Cue) -> bool:
    """Whether one clause, which is no hypothesis, says all of it; the first may not be denied."""
    return _one_of(clauses, text, patterns)


def states(text: str, *patterns: Cue) -> bool:
    """The same of a statement: "a rule, tried for weeks, is enabled" has two commas and one subject."""
    return _one_of(statements, text, patterns)


def tells(text: str, *patterns: Cue) -> bool:
    """The same of a whole sentence, for cues that say much by themselves."""
    return _one_of(sentences, text, patterns)


def _one_of(cut: Callable[[str], Sequence[str]], text: str, patterns: Sequence[Cue]) -> bool:
    plain = _plain(text)
    if plain.endswith("?"):  # all of it is asked, whatever its commas part
        return False
    if not all(each.maybe(plain) for each in patterns):
        return False
    return any(
        hit(part, patterns[0]) and all(p.search(part) for p in patterns[1:])
        for part in cut(text)
        if not supposed(part)
    )
