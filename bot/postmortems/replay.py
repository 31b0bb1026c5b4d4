"""Drafts the postmortem of an outage that was published: `jackline postmortem replay`.

Only the timeline of the file is read, with its title and sources: what else such a file says about
cause and impact is the answer that a draft must not be drawn from.
"""

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.catalog import Catalog
from bot.catalog.severity import SeverityRule
from bot.postmortems.case import Facts
from bot.postmortems.casefile import Outage
from bot.postmortems.draft import draft
from bot.postmortems.durations import durations
from bot.postmortems.files import keep_drawn, write_whole
from bot.postmortems.mark import Clock, Mark, ordered
from bot.postmortems.marks import clock
from bot.postmortems.moments import NO_DATE, Moment, stamp
from bot.postmortems.page import Draft
from bot.postmortems.patterns.match import Resemblance, resemble
from bot.postmortems.render import html, markdown
from bot.postmortems.templating import FOLDER
from bot.postmortems.told import NOT_STATED, entries_of

UNKNOWN = "unknown"


class _NoCatalog(Catalog):
    """Of a published outage nobody knows services, people or severities: none of them asks for anything."""

    def severity(self, severity: str) -> SeverityRule:
        """Rules that ask for nothing; whose they are is not looked at."""
        del severity
        return SeverityRule(id="sev4")


@dataclass(frozen=True)
class Replayed:
    """What came of it."""

    outage: Outage
    clock: Clock
    durations: dict[str, float | None]
    resemblance: Resemblance
    draft: Draft

    def as_json(self, path: Path) -> dict[str, Any]:
        """For machines; ``path`` is where the Markdown lies."""
        found = self.resemblance
        return {
            "marks": {_name(mark): _mark(mark) for mark in self.clock.marks()},
            "durations_min": self.durations,
            "patterns": [
                {
                    "id": m.pattern.id, "score": m.score, "strength": found.strength(m),
                    "rows": [row.seq for row in m.rows],
                    "because": [
                        {"signal": s.signal.id, "class": s.signal.kind, "rows": [r.seq for r in s.rows]}
                        for s in m.seen
                    ],
                }
                for m in found.matches
            ],
            "facets": [{"id": f.text.id, "rows": [r.seq for r in f.rows]} for f in found.facets],
            "abstained": found.abstained,
            "draft": str(path),
        }  # fmt: skip


def replay(outage: Outage) -> Replayed:
    """Marks, durations, resemblance and draft; the same file always gives the same."""
    rows = ordered(entries_of(outage))
    found = clock(rows)
    like = resemble(rows, found)
    made = draft(_facts(outage, found), rows, _NoCatalog(), {}, like=like)
    return Replayed(outage, found, durations(rows, found), like, made)


def write(replayed: Replayed, folder: Path, name: str) -> Path:
    """Writes Markdown, HTML and the pictures beside them; where the Markdown lies."""
    made = replayed.draft
    path = folder / f"{name}.md"
    drawn = keep_drawn(folder / "evidence", made.plots)
    write_whole(path, markdown(made).replace(f"]({FOLDER}", "](evidence/"))
    write_whole(path.with_suffix(".html"), html(made, drawn))
    return path


def file_stem(outage: Outage, path: Path) -> str:
    """A name for the files: the outage's id, or what the file is called."""
    return outage.id or re.sub(r"[^A-Za-z0-9-]+", "-", path.stem).strip("-") or "outage"


def _facts(outage: Outage, found: Clock) -> Facts:
    """What an incident's own row would say, as far as the file tells it; no severity is guessed."""
    first = found.declared.at or Moment.of(NO_DATE, known=False, words=UNKNOWN)
    return Facts(
        id=0, title=outage.title, severity=UNKNOWN,
        status="resolved" if found.resolved.at else UNKNOWN, services=(), drill=False,
        declared_at=first, resolved_at=found.resolved.at, declared_by=NOT_STATED,
    )  # fmt: skip


def _name(mark: Mark) -> str:
    return mark.title.lower().replace(" ", "_")


def _mark(mark: Mark) -> dict[str, Any]:
    said = {"at": stamp(mark.at), "row": mark.seq, "basis": mark.basis}
    return {**said, "source": mark.source} if mark.source else said
