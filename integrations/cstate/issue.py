"""An incident as cState's Markdown file: front matter, then the updates, newest first. Pure."""

import re
from datetime import UTC, datetime
from typing import Any

import yaml

from bot.contract import StatusUpdate
from bot.errors import Rejected

_FRONT = re.compile(r"---\n(.*?)\n---\n(.*)", re.DOTALL)
_MARK = re.compile(r"<!-- jackline (\S+) -->")
_SEVERITY = {"major_outage": "down", "partial_outage": "disrupted", "degraded_performance": "disrupted"}  # fmt: skip
_WORST = ("notice", "disrupted", "down")
_TIME = "%Y-%m-%d %H:%M:%S"


def name_of(update: StatusUpdate) -> str:
    """The file of an incident: the same for all its updates."""
    return f"{update.began_at.astimezone(UTC):%Y-%m-%d}-{update.thread}.md"


def added(before: str, update: StatusUpdate) -> str:
    """The file with the update; what people wrote there by hand stays. Raises `Rejected`."""
    front, body = _taken_apart(before)
    if has(before, update.id):
        return before
    resolved = update.status == "resolved"
    known = front.get("affected")
    affected = [str(each) for each in known] if isinstance(known, list) else []
    affected += [name for name in update.components if name not in affected]
    severity = max(
        [_SEVERITY.get(health, "notice") for health in update.components.values()]
        + ([str(front["severity"])] if front.get("severity") in _WORST else ["notice"]),
        key=_WORST.index,
    )
    front |= {
        "title": " ".join(update.title.split()),
        "date": front.get("date") or _stamp(update.began_at),
        "resolved": resolved,
        "severity": severity,
        "affected": affected,
        "section": "issue",
    }
    if resolved:
        front["resolvedWhen"] = _stamp(update.at)
    else:
        front.pop("resolvedWhen", None)
    head = yaml.safe_dump(front, sort_keys=False, allow_unicode=True)
    return f"---\n{head}---\n{_entry(update)}\n{body.lstrip()}"


def has(text: str, update_id: str) -> bool:
    """Whether the file has the update."""
    return update_id in _MARK.findall(text)


def state_of(text: str) -> str:
    """``resolved``, or what the newest update says."""
    front, body = _taken_apart(text)
    if front.get("resolved") is True:
        return "resolved"
    found = re.match(r"\s*(?:<!--.*?-->\s*)?\*(\w+)\*", body)
    return found[1].lower() if found else "open"


def _entry(update: StatusUpdate) -> str:
    """One update; its words are text: no markup of Hugo's and no HTML begins in them."""
    stamp = _stamp(update.at)
    return (
        f"<!-- jackline {update.id} -->\n"
        f'*{update.status.capitalize()}* - {_inert(update.text)} {{{{< track "{stamp}" >}}}}\n'
    )


def _inert(text: str) -> str:
    shown = text.strip().replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
    shown = shown.replace("{", "&#123;").replace("}", "&#125;")
    return re.sub(r"([\\`*_\[\]#|~])", r"\\\1", shown)


def _stamp(at: datetime) -> str:
    return at.astimezone(UTC).strftime(_TIME)


def _taken_apart(text: str) -> tuple[dict[str, Any], str]:
    if not text:
        return {}, ""
    found = _FRONT.fullmatch(text.replace("\r\n", "\n"))
    try:
        front = yaml.safe_load(found[1]) if found else None
    except yaml.YAMLError:
        front = None
    if found is None or not isinstance(front, dict):
        raise Rejected("The incident's file has no front matter that can be read: mend it by hand.")
    return front, found[2]
