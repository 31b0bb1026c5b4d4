"""Scores what of the rubric a machine can check, from a draft's Markdown and front matter alone.

Twenty points of 0 to 2 make the rubric's 40; these are the ten that it leaves to a script, and its
hard failures, which cap the total. Nothing of the code under test is used to read the document.
"""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

import yaml

PHASES = ("before", "trigger", "detection", "response", "mitigation", "recovery", "after")
ORIGINS = ("recorded", "derived", "proposed", "written by a person", "to be written")
_CITE = re.compile(r"\[\\#(\d+)\]\(#row-(\d+)\)")
_ANCHOR = re.compile(r'<a id="row-(\d+)"></a>')
_PERSONAL = re.compile(
    r"[\w.+-]+@[\w-]+(?:\.[\w-]+)*\.[a-z]{2,}(?![\w/])|\bxox[abp]-\w|\bAKIA[0-9A-Z]{16}\b|<@U\w+>|\bperson:\w"
    r"|-----BEGIN \w+ PRIVATE KEY"
)
_BLAME = re.compile(r"(?i)\bhuman error\b|\bshould have\b|\bfailed to\b")


@dataclass(frozen=True)
class Truth:
    """What the draft must agree with: hard failures are against this."""

    severity: str
    marks: dict[str, datetime | None] = field(default_factory=dict)  # title → when
    never: tuple[str, ...] = ()  # names, secrets, personal data


@dataclass(frozen=True)
class Score:
    """``points`` by number of the rubric; ``failures`` are its hard ones."""

    points: dict[int, tuple[int, str]]
    failures: tuple[str, ...]

    @property
    def total(self) -> int:
        """Of 20."""
        return sum(value for value, _ in self.points.values())

    @property
    def full(self) -> bool:
        """Whether nothing is missing and nothing is wrong."""
        return not self.failures and all(value == 2 for value, _ in self.points.values())

    def __str__(self) -> str:
        lines = [f"  {number:>2}  {value}  {why}" for number, (value, why) in self.points.items()]
        lines += [f"  hard failure: {each}" for each in self.failures]
        return "\n".join(
            ["", *lines, f"  machine-checkable: {self.total} of {2 * len(self.points)}"]
        )


class Paper:
    """A draft, read as its readers get it."""

    def __init__(self, text: str) -> None:
        self.text = text
        front, self.body = text.split("---\n", 2)[1:]
        self.front: dict[str, Any] = yaml.safe_load(front)
        self.sections: dict[str, str] = {}
        title = ""
        for line in self.body.split("\n"):
            if found := re.match(r"#{2,3} (.*)", line):
                title = found.group(1)
                self.sections[title] = ""
            elif title:
                self.sections[title] += line + "\n"

    def table(self, title: str) -> list[dict[str, str]]:
        """The first table of a section, by its head."""
        lines = [line for line in self.sections.get(title, "").split("\n") if line.startswith("|")]
        rows = [[cell.strip() for cell in line.strip()[1:-1].split("|")] for line in lines]
        return [dict(zip(rows[0], row, strict=False)) for row in rows[2:]] if rows else []

    def timeline(self) -> list[dict[str, str]]:
        return self.table("Timeline")

    def at(self, seq: str) -> datetime | None:
        """When a row happened, as the timeline shows it."""
        row = next((r for r in self.timeline() if f'id="row-{seq}"' in r["Row"]), None)
        return self.moment(row["UTC"]) if row else None

    def moment(self, shown: str) -> datetime | None:
        if minutes := re.match(r"(?:about )?T([+-][\d.]+)", shown):  # a told outage without a date
            return datetime(2000, 1, 1, tzinfo=UTC) + timedelta(minutes=float(minutes[1]))
        found = re.match(r"(?:about )?(?:(\d\d)-(\d\d) )?(\d\d):(\d\d):(\d\d)", shown)
        days = re.search(r"All times are UTC on (\d{4})-(\d\d)-(\d\d)", self.body)
        if not found or not days:
            return None
        month, day, *clock = found.groups()
        year = int(days[1])
        if month and int(month) < int(days[2]):  # it went on into January
            year += 1
        date = (year, int(month or days[2]), int(day or days[3]))
        return datetime(*date, *map(int, clock), tzinfo=UTC)

    def marks(self) -> dict[str, tuple[datetime | None, str]]:
        """Title → when, and the row that is cited."""
        found = {}
        for row in self.table("Response clock"):
            cite = _CITE.search(row["Row"])
            shown = row["UTC"].removeprefix("about ")
            at = None if shown == "unknown" else self.moment(shown) or datetime.fromisoformat(shown + "Z")  # fmt: skip
            found[row["Mark"]] = (at, cite[1] if cite else "")
        return found


def score(text: str, truth: Truth | None = None) -> Score:
    """The table of points; without ``truth`` only what the document shows by itself."""
    paper = Paper(text)
    points = {number: check(paper) for number, check in CHECKS.items()}
    return Score(points, tuple(_failures(paper, truth)))


def _grade(found: dict[str, bool], least: int = 1) -> tuple[int, str]:
    """2 where all hold, 1 where enough do."""
    missing = [name for name, holds in found.items() if not holds]
    held = len(found) - len(missing)
    value = 2 if not missing else 1 if held >= least else 0
    return value, f"missing: {', '.join(missing)}" if missing else ", ".join(found)


def _identity(paper: Paper) -> tuple[int, str]:
    front = paper.front
    origins = [re.search(r"^\*(.*)\*$", body, re.MULTILINE) for body in paper.sections.values()]
    return _grade({
        "severity": re.fullmatch(r"sev[1-4]", str(front.get("severity"))) is not None,
        "status": bool(front.get("document_status") and front.get("incident_status")),
        "owner": "owner" in front and "facilitator" in front and "reviewers" in front,
        "dates": bool(front.get("declared") and front.get("resolved") and front.get("due")),
        "links": isinstance(front.get("links"), list) and "Links" in paper.sections["Identity"],
        "provenance": bool((front.get("provenance") or {}).get("last_row_hash"))
        and all(found and found[1] in ORIGINS for found in origins),
    }, least=4)  # fmt: skip


def _money(text: str) -> float:
    return float(text.replace(",", "").replace("%", ""))


def _cost_and_slo(paper: Paper) -> tuple[int, str]:
    """Each sum is done again from what is written; three figures for one service at least."""
    number = r"([\d,.]+)"
    sums = re.findall(rf"(low|expected|high): {number} min \\\* \S+ {number} \\\* {number}% \\\* \(1 - {number}%\) = \S+ {number}$",
                      paper.sections.get("Cost", ""), re.MULTILINE)  # fmt: skip
    cost = all(
        abs(_money(m) * _money(r) * _money(s) / 100 * (1 - _money(b) / 100) - _money(c)) <= 0.006 * _money(r) + 1
        for _, m, r, s, b, c in sums
    )  # fmt: skip
    burns = re.findall(rf"(low|expected|high): {number} min \\\* {number}% / \(\(1 - {number}\) \\\* {number} \\\* 1,440 min\) = {number}%",
                       paper.sections.get("SLO budget", ""))  # fmt: skip
    burn = all(
        abs(_money(m) * _money(s) / ((1 - _money(o)) * _money(d) * 1440) - _money(b)) <= 0.2 + _money(b) * 0.01
        for _, m, s, o, d, b in burns
    )  # fmt: skip
    names = {"low", "expected", "high"}
    return _grade({
        "cost with formula and range": cost and {each[0] for each in sums} == names,
        "burn with formula and range": burn and {each[0] for each in burns} == names,
    })  # fmt: skip


def _clock(paper: Paper) -> tuple[int, str]:
    """Each mark is the minute of the row that it cites; the start of the impact may be earlier than it."""
    marks = paper.marks()
    right = {}
    for title, (at, seq) in marks.items():
        row = paper.at(seq) if seq else None
        if at is not None and row is not None:
            same = abs((at - row).total_seconds()) < 60
            right[title] = same or (title == "Impact start" and at <= row)
    known = sum(right.values())
    declared = all(at is not None or row["How it was found"] for (at, _), row in
                   zip(marks.values(), paper.table("Response clock"), strict=True))  # fmt: skip
    wrong = [title for title, (at, _) in marks.items() if at is not None and not right.get(title)]
    if wrong or not known:
        return 0, f"not the minute of its row: {', '.join(wrong) or 'no mark is known'}"
    value = 2 if known >= 6 and declared else 1
    return value, f"{known} marks of the minute of their row, unknown ones declared"


def _timeline(paper: Paper) -> tuple[int, str]:
    rows = paper.timeline()
    times = [at for row in rows if (at := paper.moment(row["UTC"]))]
    return _grade({
        "rows": bool(rows),
        "in order": times == sorted(times),
        "UTC": "All times are UTC" in paper.sections.get("Timeline", ""),
        "kinds": all(": " in row["Class: kind"] or row["Class: kind"] in ("gap", "phase", "mark") for row in rows),
        "roles": all(row["Actor"] for row in rows if _ANCHOR.search(row["Row"])),
        "a row for each phase": set(PHASES) <= {row["Phase"] for row in rows},
    }, least=2)  # fmt: skip


def _evidence(paper: Paper) -> tuple[int, str]:
    rows = [row for row in paper.timeline() if row["Row"]]
    with_ = [r for r in rows if re.search(r"\]\(http|run \S|alert \S|file \S|hash(es)? [0-9a-f]{12}", r["Evidence"])]  # fmt: skip
    share = len(with_) / len(rows) if rows else 0
    return (2 if share >= 0.8 else 1 if share >= 0.2 else 0), f"{share:.0%} of the rows have a link or an id"  # fmt: skip


def _gaps(paper: Paper) -> tuple[int, str]:
    """Every silence of more than fifteen minutes while it lasted has a row that says so."""
    marks = paper.marks()
    start, end = marks["Impact start"][0], marks["Resolved"][0]
    silent = marked = 0
    before: datetime | None = start
    said = False
    for row in paper.timeline():
        said = said or row["Class: kind"] == "gap"
        at = paper.moment(row["UTC"])
        if at is None:
            continue
        if (
            before
            and at - before > timedelta(minutes=15, seconds=1)
            and (end is None or before < end)
        ):
            silent, marked = silent + 1, marked + said
        last = re.search(
            r" to (?:\d\d-\d\d )?(\d\d:\d\d:\d\d)$", row["UTC"]
        )  # rows that are folded
        before = at if not last else at.replace(**_clock_of(last[1]))
        if last and before < at:
            before += timedelta(days=1)
        said = False
    if silent and not marked:
        return 0, f"{silent} silences, none is marked"
    return (2 if marked == silent else 1), f"{marked} of {silent} silences are marked"


def _clock_of(text: str) -> dict[str, int]:
    return dict(zip(("hour", "minute", "second"), map(int, text.split(":")), strict=True))


def _reach(paper: Paper) -> tuple[int, str]:
    """Failures, updates and times that were named; or that there were none, with where was looked."""
    parts = {"Access": "Access", "Tools": "Tools", "Communication": "Communication"}
    found = {
        name: bool(_CITE.search(paper.sections.get(title, ""))) for name, title in parts.items()
    }
    eta = re.search(r"ETA.*\(#row-\d+\)", paper.sections.get("Communication", "")) is not None
    return _grade({**found, "ETA": eta})


def _runbook(paper: Paper) -> tuple[int, str]:
    body = paper.sections.get("Runbook review", "")
    runs = [title for title in paper.sections if title.startswith("Run ")]
    if not runs:
        none = "No runbook run was recorded" in body and "rows were looked through" in body
        return (2 if none and "Missing steps" in body else 0), "none was run, with where was looked"
    steps = [row for title in runs for row in paper.table(title)]
    ran = [row for row in steps if row["Rows"]]
    compared = [r for r in ran if re.search(r"times the usual|of what is stated", r["Compared"])]
    timed = [row for row in ran if row["Outcome"] in ("succeeded", "failed") and row["Time"]]
    value = 2 if "Missing steps" in body and (compared or not timed) else 1 if steps else 0
    return value, f"{len(steps)} steps, {len(compared)} compared with what is stated or usual"


def _actions(paper: Paper) -> tuple[int, str]:
    rows = paper.table("Action items")
    kinds = {row["Type"] for row in rows}
    return _grade({
        "actions": bool(rows),
        "type": all(r["Type"] for r in rows), "owner": all(r["Owner role"] for r in rows),
        "date": any(re.fullmatch(r"\d{4}-\d\d-\d\d", r["Due"]) for r in rows) and all(r["Due"] for r in rows),
        "ticket": all(r["Ticket"] for r in rows),
        "finding": all(_CITE.search(r["From finding"]) for r in rows),
        "criterion": all(len(r["Done when (measurable)"]) > 10 for r in rows),
        "prevent": "prevent" in kinds, "detect or recover": bool({"detect", "recover"} & kinds),
    }, least=1 if rows else 99)  # fmt: skip


def _unknowns(paper: Paper) -> tuple[int, str]:
    questions = paper.table("Open questions")
    named = all(
        row["Who will answer (proposed)"] and row["By when (proposed)"] for row in questions
    )
    empty = "leaves none of the questions open" in paper.sections.get("Open questions", "")
    related = paper.sections.get("Related incidents", "")
    clocks = paper.sections.get("Regulatory and customer notices", "")
    return _grade({
        "unknowns": (bool(questions) and named) or empty,
        "related incidents": "looked up" not in related and len(related) > 30,
        "regulatory clocks": bool(paper.table("Regulatory and customer notices"))
        or "no regulatory notice is recorded" in clocks,
    })  # fmt: skip


CHECKS: dict[int, Callable[[Paper], tuple[int, str]]] = {
    1: _identity, 4: _cost_and_slo, 5: _clock, 6: _timeline, 7: _evidence, 8: _gaps, 15: _reach,
    16: _runbook, 17: _actions, 20: _unknowns,
}  # fmt: skip


def _failures(paper: Paper, truth: Truth | None) -> Iterator[str]:
    anchors = set(_ANCHOR.findall(paper.body))
    if dangling := {cite for _, cite in _CITE.findall(paper.body)} - anchors:
        yield f"cites rows that are not there: {', '.join(sorted(dangling))}"
    outside = re.sub(r"\]\([^)]*\)", "]", paper.text)
    if personal := _PERSONAL.search(outside):
        yield f"secret or personal data: {personal[0][:6]}…"
    own = _without_quotes(paper)
    if blame := _BLAME.search(own):
        yield f"blame: {blame[0]}"
    if truth is None:
        return
    if paper.front.get("severity") != truth.severity:
        yield f"severity {paper.front.get('severity')}, not {truth.severity}"
    for word in truth.never:
        if word in paper.text:
            yield f"says {word!r}"
    for title, at in truth.marks.items():
        found = paper.marks().get(title, (None, ""))[0]
        if (at is None) != (found is None) or (
            at and found and abs((at - found).total_seconds()) >= 60
        ):
            yield f"{title} is {found}, not {at}"


def _without_quotes(paper: Paper) -> str:
    """What Jackline itself says: sections that do not repeat the record."""
    return "\n".join(
        body
        for title, body in paper.sections.items()
        if "*recorded*" not in body and title != "Timeline"
    )
