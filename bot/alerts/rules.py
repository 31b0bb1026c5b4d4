"""From an alert to what should be done about it. Pure."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from bot.catalog import Catalog, Rule
from bot.catalog.durations import spelled
from bot.catalog.matching import differing, matches

_WORDS = {
    "sev1": "critical crit page emergency fatal disaster p0 p1",
    "sev2": "error high major p2",
    "sev3": "warning warn medium minor p3",
    "sev4": "info low none notice debug p4 p5",
}
_BY_LABEL = {word: sev for sev, words in _WORDS.items() for word in (sev, *words.split())}
_GROUP = 500  # characters of a group's name
_SERVICE_LABELS = ("service", "app", "job")
HEARTBEAT = "heartbeat"  # the source of what is missed
PRIVATE = "private:"  # a group of these never meets one of the others
_NO_RULE = Rule()
_LOWER = {"sev1": "sev2", "sev2": "sev3", "sev3": "sev4", "sev4": "sev4"}


@dataclass(frozen=True)
class Decision:
    """What a firing alert leads to, and which rule said so.

    ``joins``: it may join an incident of what its service stands on. ``rule``: what else
    holds for the incident that it opens.
    """

    declare: bool
    severity: str
    service: str
    group: str
    because: str
    joins: bool = True
    rule: Rule = _NO_RULE

    @property
    def asks(self) -> bool:
        """Whether people are asked first."""
        return self.rule.declare == "ask"

    @property
    def private(self) -> bool:
        """Whether only those who belong may see its incident."""
        return self.rule.visibility == "private"

    @property
    def quiet(self) -> float | None:
        """For how many seconds all must have ended before Jackline resolves; None: people do."""
        return self.rule.quiet if self.rule.resolve == "auto" else None

    def as_dict(self) -> dict[str, Any]:
        """For storing beside the alert."""
        return {
            "declare": self.declare, "severity": self.severity, "service": self.service,
            "group": self.group, "because": self.because, "joins": self.joins,
            "asks": self.asks, "private": self.private, "quiet": self.quiet,
        }  # fmt: skip


def all_labels(name: str, labels: dict[str, str], source: str) -> dict[str, str]:
    """What rules and silences may ask for: an alert's labels, ``alertname`` and ``source``."""
    return {**labels, "alertname": labels.get("alertname", name), "source": source}


def is_urgent(labels: dict[str, str]) -> bool:
    """Whether an alert says that it is critical."""
    return _by_label(labels) == "sev1"


def decide(catalog: Catalog, name: str, labels: dict[str, str], source: str) -> Decision:
    """The first matching rule decides; what it leaves open comes from labels and the catalog.

    Without a severity in a rule: the alert's own ``severity`` label, lowered by one for a
    service of tier p2, since what is nice to have should wake nobody.
    """
    everything = all_labels(name, labels, source)
    rule, because = _first(catalog.rules, everything)
    wanted = catalog.service(rule.service or "")
    service = wanted.id if wanted else _service(catalog, labels)
    severity = rule.severity or _severity(catalog, labels, service)
    if rule.group:
        group = "labels:" + ",".join(f"{k}={everything.get(k, '')}" for k in rule.group)
    elif service:
        group = f"service:{service}"
    elif source == HEARTBEAT:  # all have one name, and are of systems that share nothing
        group = f"labels:heartbeat={labels.get('heartbeat', '')}"
    else:
        group = f"alert:{source}:{everything['alertname']}"
    if rule.visibility == "private":
        group = f"{PRIVATE}{group}"
    return Decision(
        rule.declare != "no", severity, service, _short(group), because, not rule.group, rule
    )


def _short(group: str) -> str:
    """Two that are long and differ at their ends stay two."""
    if len(group) <= _GROUP:
        return group
    digest = sha256(group.encode("utf-8", "replace")).hexdigest()[:16]
    return f"{group[: _GROUP - len(digest)]}{digest}"


def explained(catalog: Catalog, name: str, labels: dict[str, str], source: str) -> list[str]:
    """Why `decide` says what it says: rule by rule, then where severity and service are from."""
    everything = all_labels(name, labels, source)
    lines, decided = [], False
    for number, rule in enumerate(catalog.rules, start=1):
        asked = ", ".join(f"{k}={v}" for k, v in rule.match.items()) or "any alert"
        differs = differing(rule.match, everything)
        if decided:
            lines.append(f"rule {number} ({asked}): not asked, an earlier one matched")
        elif differs:
            found = ", ".join(f"{k} is {everything.get(k) or 'not there'!r}" for k in differs)
            lines.append(f"rule {number} ({asked}): no: {found}")
        else:
            decided = True
            lines.append(f"rule {number} ({asked}): matches")
    if not decided:
        lines.append("no rule matched: declared by default")
    rule, _ = _first(catalog.rules, everything)
    decision = decide(catalog, name, labels, source)
    lines.append(f"service {decision.service or 'none'}: {_why_service(catalog, rule, labels)}")
    lines.append(f"severity {decision.severity}: {_why_severity(catalog, rule, labels, decision)}")
    return lines + _then(rule)


def _then(rule: Rule) -> list[str]:
    """What else a rule says about the incident that it opens."""
    lines = []
    if rule.resolve == "auto":
        lines.append(
            f"resolved by Jackline: {spelled(rule.quiet)} after all have ended, by the rule"
        )
    if rule.declare == "ask":
        minutes = f"{rule.ask_within / 60:g} min"
        lines.append(f"people are asked first; declared by itself if nobody answers in {minutes}")
    if rule.people:
        lines.append(f"invited besides those who own the service: {', '.join(rule.people)}")
    if rule.runbook:
        lines.append(f"proposed first: the runbook {rule.runbook}")
    if rule.visibility == "private":
        lines.append("private: only those who are invited, the commander and admins see it")
    return lines


def _why_service(catalog: Catalog, rule: Rule, labels: dict[str, str]) -> str:
    if catalog.service(rule.service or ""):
        return "the rule says so"
    key = next((k for k in _SERVICE_LABELS if catalog.service(labels.get(k, ""))), "")
    return f"by the label {key}" if key else f"none of {', '.join(_SERVICE_LABELS)} names one"


def _why_severity(catalog: Catalog, rule: Rule, labels: dict[str, str], decision: Decision) -> str:
    if rule.severity:
        return "the rule says so"
    given = labels.get("severity", "")
    said = f"by the label severity={given}" if given else "sev2, as no label says"
    if given and _by_label(labels) is None:
        said = f"sev2, as severity={given} is no word that is known"
    found = catalog.service(decision.service)
    return f"{said}, one lower for a service of tier p2" if found and found.tier == "p2" else said


def _first(rules: list[Rule], labels: dict[str, str]) -> tuple[Rule, str]:
    for number, rule in enumerate(rules, start=1):
        if matches(rule.match, labels):
            return rule, f"rule {number} ({rule.match or 'any alert'})"
    return _NO_RULE, "no rule matched: declared by default"


def _service(catalog: Catalog, labels: dict[str, str]) -> str:
    for key in _SERVICE_LABELS:
        if catalog.service(labels.get(key, "")):
            return labels[key]
    return ""


def _by_label(labels: dict[str, str]) -> str | None:
    """What an alert says of itself; None where that is no word we know. ``SEV-1`` is one."""
    return _BY_LABEL.get(labels.get("severity", "").strip().lower().replace("-", ""))


def _severity(catalog: Catalog, labels: dict[str, str], service: str) -> str:
    severity = _by_label(labels) or "sev2"
    found = catalog.service(service)
    return _LOWER[severity] if found and found.tier == "p2" else severity
