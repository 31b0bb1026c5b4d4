"""Who acts in a sentence, and who noticed something, as far as its words tell. Pure."""

import re
from typing import Literal

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.sentence import Cue, clauses, cue, hit, says, statements, supposed

Noticed = Literal["machine", "customer", "staff", "third-party"]

OUTSIDE = "a third party"
TOOLS = ("identity", "admin tools", "build and configuration tools")  # of the ways in
_OTHER_PARTY = re.compile(
    r"^([A-Z][\w.&-]*(?: [A-Z][\w.&-]*)?) (?:opens?|opened|reports?|reported|notic\w+|sees?|saw|detects?|detected|"
    r"observ\w+|confirms?|confirmed|publish\w+|tweets?|tweeted|warns?|warned)\b"
)  # fmt: skip
_OUR_ROLES = re.compile(
    r"^(?:engineer|operator|team|support|monitoring|customer|user|page|alert|on-call|sre|staff|first|"
    r"internal|responder|automat|synthetic|probe|dashboard|the\b|an?\b|some\b|several\b|incident|security|network|"
    r"database|platform|commander|coordinator|developer|prometheus|grafana|pager|datadog|nagios|zabbix|"
    r"cloudwatch|sentry|alertmanager|s3\b|we\b)", re.IGNORECASE,
)  # fmt: skip


_CUSTOMERS = cue(r"customers?\b", r"clients?\b", r"users?\b", r"merchants?\b", r"subscribers?\b")
_SUBJECT = 3  # "the service that knows customers" is not them
_NOT_THEIRS = ("action", "communication", "step")  # done to customers, or told them, not by them
_BEGINNING = 5  # words: who acts stands there


def actor_of(text: str, org: str = "", kind: str = "") -> str:
    """Who acts, as a role; "" where the sentence does not say."""
    if is_other_party(text, org, kind):
        return OUTSIDE
    if kind == "decision":
        return "responders"  # only people decide
    first = clauses(text)[0] if clauses(text) else text
    start = " ".join(first.split()[:_BEGINNING])
    first_words = " ".join(first.split()[:_SUBJECT])
    acting = (("automation", lex.AUTOMATION), ("customers", _CUSTOMERS),
              ("responders", lex.PEOPLE), ("monitoring", lex.MACHINES))  # fmt: skip
    noticing = (("monitoring", lex.MACHINES), *acting) if kind == "detection" else acting
    for actor, words in noticing:
        theirs = actor == "customers"
        if words.search(first_words if theirs else start) and not (theirs and kind in _NOT_THEIRS):
            return actor
    return ""


def is_other_party(text: str, org: str = "", kind: str = "") -> bool:
    """Whether somebody outside noticed it: so called, or a name that is not the organisation's."""
    if kind != "detection":
        return False
    if lex.OUTSIDERS.search(text):
        return True
    found = _OTHER_PARTY.match(text)
    if found is None or _OUR_ROLES.match(text):
        return False
    name = found.group(1).lower()
    if name.endswith("s"):  # more likely some people than a company
        return False
    return not any(word and word in org.lower() for word in name.split())


def fails_to_get_in(text: str) -> bool:
    """Whether a sentence says of a way in, as responders use it, that it failed."""
    return any(failing(text, words) for words in lex.WAYS_IN.values())


def fails_as_a_tool(text: str) -> bool:
    """Whether it says so of what responders mend with, or see with."""
    return any(failing(text, lex.WAYS_IN[way]) for way in TOOLS) or gives_no_answer(text)


def gives_no_answer(text: str) -> bool:
    """Whether it says that telemetry was silent, empty or gone."""
    if lex.STATUS_PAGE.search(text) or lex.SIGHT.search(text):
        return False
    return says(text, lex.TELEMETRY, lex.ABSENT) or bool(lex.NO_SIGNAL.search(text))


def failing(text: str, way: Cue) -> bool:
    """Of one way in."""
    return way.maybe(text) and any(
        hit(part, lex.FAIL) and way.search(part) and not lex.USERS.search(part)
        for part in statements(text)
        if not supposed(part)
    )


def tells_what_was_found(text: str) -> bool:
    """Whether it says what had failed; that a copy turns out to be bad is another finding."""
    return says(text, lex.FOUND_OUT) and not says(text, lex.COPIES, lex.BAD_COPY)


def noticed_by(text: str) -> Noticed:
    """Through whom our own detection came: the first of those whom the sentence names."""
    places = {
        "customer": lex.CUSTOMERS.search(text), "machine": lex.MACHINES.search(text),
    }  # fmt: skip
    named = [(found.start(), who) for who, found in places.items() if found]
    if not named:
        return "staff"
    return "customer" if min(named)[1] == "customer" else "machine"
