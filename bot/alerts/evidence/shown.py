"""What was found, in the form in which it is stored, told and shown. Pure.

A part is JSON: ``kind``, ``title``, ``lines`` (each with ``text``, and maybe ``at``, ``link``,
``count``, ``key``), ``link``, and ``more``, the number of lines that it leaves out.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.alerts.evidence.lines import grouped, plain
from bot.alerts.evidence.tables import EvidenceItem
from bot.contract import Finding, Findings

Part = dict[str, Any]
PICTURE = "picture"  # the key of the item that has the graphs' picture
_SHOWN = {"logs": 5, "errors": 5, "changes": 10, "experiments": 10, "similar": 3}
_KEPT = 200  # lines of one answer that are told
_ORDER = ("experiments", "changes", "errors", "logs", "similar")
_TEXT = 1500  # characters of a timeline row
CHANGES = "What changed in the last 2 hours"


@dataclass(frozen=True)
class Found:
    """A part, and all its lines as a file where the part leaves some out."""

    part: Part
    whole: str = ""


def found(findings: Findings, link: str = "") -> Found:
    """The part that a source's findings make; ``link`` is the catalog's page to look on."""
    if findings.kind == "logs":
        groups = grouped(findings.items)
        lines = [_line(g.example, g.latest, count=g.count) for g in groups[:_KEPT]]
        more = findings.more or len(groups) > _KEPT
    else:
        items = findings.items
        if findings.kind == "changes":
            items = sorted(items, key=_age)
        lines, more = [_of(item) for item in items[:_KEPT]], findings.more or len(items) > _KEPT
    readable = [line for line in lines if line["text"]]
    return made(findings.kind, findings.title, readable, link or findings.link, more=more)


def made(kind: str, title: str, lines: list[Part], link: str = "", *, more: bool = False) -> Found:
    """A part of these lines; those beyond what is shown go into a file."""
    shown = lines[: _SHOWN[kind]]
    part: Part = {
        "kind": kind, "title": plain(title, 100), "lines": shown, "link": _web(link),
        "more": len(lines) - len(shown), "cut": more,
    }  # fmt: skip
    whole = ""
    if len(lines) > len(shown):
        whole = "\n".join([part["title"], *map(words, lines), ""])
    return Found(part, whole)


def words(line: Part) -> str:
    """A line as text."""
    at = f"{datetime.fromisoformat(line['at']):%Y-%m-%d %H:%M:%S} UTC  " if line.get("at") else ""
    count = f"{line['count']}x  " if line.get("count") else ""
    return f"{at}{count}{line['text']}"


def told(name: str, part: Part) -> str:
    """A part as a row of the timeline."""
    said = [words(line) for line in part["lines"]] or ["none"]
    more = f"; and {part['more']} more" if part["more"] else ""
    text = f"{part['title']} ({name}): {'; '.join(said)}"
    return text[: _TEXT - len(more)] + more


def payload(items: Sequence[EvidenceItem]) -> dict[str, Any]:
    """The message: what is there by now, what could not be had, what is still looked for."""
    parts = [{**part, "name": item.name} for item in items for part in item.data.get("parts", [])]
    changes = _merged([p for p in parts if p["kind"] == "changes"])
    others = [p for p in parts if p["kind"] != "changes"]
    everything = sorted([*changes, *others], key=lambda p: _ORDER.index(p["kind"]))
    picture = next((i.data for i in items if i.key == PICTURE), {})
    return {
        "file": picture.get("file", ""),
        "title": picture.get("title", ""),
        "unmeasured": picture.get("unmeasured", []),
        "parts": everything,
        "missing": [str(i.data["why"]) for i in items if i.state == "missing"],
        "waiting": [i.name for i in items if i.state == "waiting"],
        "files": [name for i in items for name in i.data.get("files", [])],
    }


def marks(items: Iterable[EvidenceItem], since: datetime) -> list[tuple[datetime, str]]:
    """The changes since then, for the graphs: when, and of what kind."""
    lines = [
        line
        for item in items
        for part in item.data.get("parts", [])
        if part["kind"] == "changes"
        for line in part["lines"]
        if line.get("at") and datetime.fromisoformat(line["at"]) >= since
    ]
    return [
        (datetime.fromisoformat(line["at"]), str(line.get("key") or "change").partition(":")[0])
        for line in _once(lines)
    ]


def _merged(parts: list[Part]) -> list[Part]:
    """The changes of all places as one list, newest first, each once."""
    if not parts:
        return []
    lines = _once(line for part in parts for line in part["lines"])
    shown = lines[: _SHOWN["changes"]]
    more = sum(part["more"] for part in parts) + len(lines) - len(shown)
    link = next((part["link"] for part in parts if part["link"]), "")
    return [{"kind": "changes", "title": CHANGES, "lines": shown, "link": link, "more": more,
             "cut": any(part["cut"] for part in parts),
             "name": ", ".join(dict.fromkeys(part["name"] for part in parts))}]  # fmt: skip


def _once(lines: Iterable[Part]) -> list[Part]:
    """Newest first; of what several saw, what was said last."""
    newest = sorted(lines, key=lambda line: str(line.get("at", "")), reverse=True)
    once: dict[str, Part] = {}
    for number, line in enumerate(newest):
        once.setdefault(line.get("key") or str(number), line)
    return list(once.values())


def _of(item: Finding) -> Part:
    line = _line(item.text, item.at)
    if link := _web(item.link):
        line["link"] = link
    if item.key:
        line["key"] = plain(item.key)
    return line


def _line(text: str, at: datetime | None, count: int = 0) -> Part:
    line: Part = {"text": plain(text)}
    if at is not None:
        line["at"] = at.astimezone(UTC).isoformat(timespec="seconds")
    if count:
        line["count"] = count
    return line


def _age(item: Finding) -> float:
    return -item.at.timestamp() if item.at else 0.0


def _web(link: str) -> str:
    """A link that leads to a page, and nowhere else."""
    clean = plain(link, 901)
    whole = clean.startswith(("https://", "http://")) and len(clean) <= 900  # noqa: PLR2004 - what a card has room for
    return clean if whole else ""
