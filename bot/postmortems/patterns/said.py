"""Who acts in a sentence, and who noticed something, as far as its words tell. Pure."""

import re

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.noticing import is_other_party
from bot.postmortems.patterns.sentence import Cue, clauses, cue, hit, says, statements, supposed

OUTSIDE = "a third party"
TOOLS = ("identity", "admin tools", "build and configuration tools")  # of the ways in

_CUSTOMERS = cue(r"customers\b", r"clients\b", r"users\b", r"merchants?\b", r"subscribers?\b", r"(?:an?|one|another|the|first) (?:customer|client|user)\b(?! \w+s\b)",
                 r"(?:customer|client|user) (?:reports?|writes?|calls?|complains?|checks?|confirms?|notices?|tweets?)\b")  # fmt: skip
_VENDOR = cue(
    r"(?:vendor|supplier|manufacturer|provider|courier)(?:'s)?\b",
    r"(?:cloud|hosting|network) provider\b",
)
_SUBJECT = 3  # "the service that knows customers" is not them
_NOT_THEIRS = ("action", "communication", "step")  # done to customers, or told them, not by them
_BEGINNING = 5  # words: who acts stands there
_DONE_TO = re.compile(  # what stands behind these is where it happens, or whom it happens to
    r"\b(?:on|of|in|at|for|from|to|into|with|by means of|through|via|behind|under|over)\b|^\W*(?:all |both |then )?\w+(?:ed|t|ing)\b(?! \w+ed\b)", re.IGNORECASE,
)  # fmt: skip
_ADJECTIVES = re.compile(r"^\W*(?:an? )?(?:automat|schedul|unattend)\w+", re.IGNORECASE)


def actor_of(text: str, org: str = "", kind: str = "") -> str:
    """Who acts, as a role; "" where the sentence does not say: the first who is named as its subject."""
    if is_other_party(text, org, kind):
        return OUTSIDE
    if kind == "decision":
        return "responders"  # only people decide
    first = clauses(text)[0] if clauses(text) else text
    start = " ".join(first.split()[:_BEGINNING])
    if kind == "detection" and lex.MACHINES.search(start):
        return "monitoring"
    acting = (("the vendor", _VENDOR), ("automation", lex.AUTOMATION), ("customers", _CUSTOMERS),
              ("responders", lex.PEOPLE), ("monitoring", lex.MACHINES))  # fmt: skip
    named = [
        (found.start(), place, actor)
        for place, (actor, words) in enumerate(acting)
        if (found := words.search(start)) and _acts(actor, start, found.start(), kind)
    ]
    return min(named)[2] if named else ""


def _acts(actor: str, start: str, place: int, kind: str) -> bool:
    """Whether what is named there is the one who acts."""
    before = start[:place]
    if actor == "customers":
        near = len(before.split()) < _SUBJECT
        return near and kind not in _NOT_THEIRS and not re.search(r"\bof\b", before)
    if actor in ("automation", "the vendor"):
        return bool(_ADJECTIVES.match(start)) or not _DONE_TO.search(before)
    return True


def fails_to_get_in(text: str) -> bool:
    """Whether a sentence says of a way in, as responders use it, that it failed."""
    return any(failing(text, words) for words in lex.WAYS_IN.values())


def fails_as_a_tool(text: str) -> bool:
    """Whether it says so of what responders mend with, or see with."""
    return any(failing(text, lex.WAYS_IN[way]) for way in TOOLS) or gives_no_answer(text)


def gives_no_answer(text: str) -> bool:
    """Whether it says that telemetry was silent, empty or gone."""
    if text.endswith("?") or lex.STATUS_PAGE.search(text) or lex.SIGHT.search(text):
        return False
    return says(text, lex.TELEMETRY, lex.ABSENT) or bool(lex.NO_SIGNAL.search(text))


def failing(text: str, way: Cue) -> bool:
    """Of one way in."""
    return way.maybe(text) and any(
        hit(part, lex.FAIL) and way.search(part) and not lex.USERS.search(part)
        for part in statements(text)
        if not supposed(part)
    )
