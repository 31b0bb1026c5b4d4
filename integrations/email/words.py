"""What the subject of an alert's mail says without being told how to read it: its state, and the rest.

The word of the state counts only where vendors put it: at the beginning before a colon or the like, in
brackets, or after "is" or "now" before the end. "Backup of the OK server failed" is not over.
"""

import re

_OVER = r"resolved|recovered|recovery|ok|okay|cleared|closed|normal|up"
_BAD = (
    r"firing|fired|alerting|alarm|alert|problem|triggered|opened|open|new|down|critical|crit|emergency|fatal"
    r"|error|failed|failure|warning|warn|unreachable|unknown|degraded|unhealthy|info"
)
_SEVERITY = {
    "critical": "critical", "crit": "critical", "emergency": "critical", "fatal": "critical",
    "error": "error", "failed": "error", "failure": "error",
    "warning": "warning", "warn": "warning", "info": "info",
}  # fmt: skip
_REPLY = re.compile(r"\A((re|fwd?|aw|wg)\s*:\s*)+", re.IGNORECASE)
_SIGNS = ":|!\u2013\u2014-"  # with the two long dashes
_WHAT = r"(?:incident|issue|alert|alarm|check|problem|monitor|notification)"
_BRACKETS = r"[\[({{<]\s*(?P<brackets>{0})(?:\s*:\s*\d+)?\s*[\])}}>]"
_FIRST = (  # "Incident resolved: …", "DOWN alert: …", Nagios's "RECOVERY Service Alert: …", …
    rf"\A\W*(?:{_WHAT}\s+(?:is\s+|was\s+|has\s+been\s+)?)?"
    rf"(?P<first>(?:{{0}})(?=(?:\s+{_WHAT})?\s*[{_SIGNS}]|\s*\Z)"
    r"|(?:resolved|recovered|recovery|problem|firing|triggered)\b)"
    rf"(?:\s+{_WHAT}(?=\s*:))?"
    rf"(?:\s+in\s[^:]{{{{1,40}}}}(?=:))?\s*[*{_SIGNS}]*\s*"  # … Zabbix's "Resolved in 3m 2s: …"
)
_LAST = (
    rf"(?:\b(?:is|are|now|back)|[→{_SIGNS}])\s+(?:now\s+|back\s+(?:to\s+)?)?(?P<last>{{0}})\b"
    r"(?=\s*\W*\Z|\s*[:|])[\s:|*!.]*"
)
_STATE = re.compile(
    "|".join(form.format(f"{_OVER}|{_BAD}") for form in (_BRACKETS, _FIRST, _LAST)), re.IGNORECASE
)
_ENDED = re.compile(_OVER, re.IGNORECASE)


def told(subject: str) -> str:
    """Without what mail programs put before it."""
    return _REPLY.sub("", subject).strip()


def without_state(subject: str) -> str:
    """What it is about: the same when it fires and when it is over; all of it where nothing is left."""
    return " ".join(_STATE.sub(" ", told(subject)).strip(f" \t*.{_SIGNS}").split()) or told(subject)


def is_over(text: str) -> bool:
    """Whether it names a good state and no bad one: where it can be read both ways, it fires."""
    states = {word for place, word in _words(text) if place == "last" or word not in _SEVERITY}
    return bool(states) and all(_ENDED.fullmatch(word) for word in states)


def severity(text: str) -> str:
    """The gravest that the state's words name; empty if they name none."""
    named = {_SEVERITY[word] for _, word in _words(text) if word in _SEVERITY}
    return min(named, key=list(dict.fromkeys(_SEVERITY.values())).index, default="")


def _words(text: str) -> list[tuple[str, str]]:
    """The words of the state in small letters, and where each stands."""
    return [
        (str(f.lastgroup), str(f[str(f.lastgroup)]).lower()) for f in _STATE.finditer(told(text))
    ]
