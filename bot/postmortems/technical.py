"""What happened technically: the trigger, hypotheses, what showed up in which order, factors.

Nothing is concluded from the order of rows: a trigger and a cause come from people, with their row.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.postmortems.case import Case
from bot.postmortems.findings import Finding, of_kind
from bot.postmortems.page import (
    Block,
    Bullets,
    Cite,
    Line,
    Section,
    Table,
    cell,
    cites,
    text_of,
    utc,
)
from bot.postmortems.rowclass import noted
from bot.postmortems.told import causes_told
from bot.timeline import Entry

_CAUSES = ("cause", "root cause", "factor", "contributing factor")
_DROPPED = re.compile(
    r"\b(?:ruled out|excluded|dismissed|dropped|discarded|refuted|was not it|without effect)\b",
    re.IGNORECASE,
)
_CONFIRMED = re.compile(
    r"\b(?:confirmed|proved|proven|turned out to be (?:right|true))\b", re.IGNORECASE
)
_SHOWN = 15  # symptoms in their order
_ALIKE = 0.5  # of the words
_CLASSES = (
    ("worsened", "Made it worse"), ("hid", "Made it hard to see"),
    ("delayed", "Made it last"), ("latent", "Was so before"),
)  # fmt: skip


def technical(case: Case, found: Sequence[Finding]) -> list[Section]:
    """Sections 5 and 6 of the structure."""
    title = "What happened technically"
    return [
        Section(title, "derived", tuple(_established(case))),
        _quoted(case, "Trigger", ("trigger",), "Not established: no person recorded a trigger."),
        _changes(case), _symptoms(case), _hypotheses(case),
        *_factors(case, found),
    ]  # fmt: skip


def _established(case: Case) -> Iterator[Block]:
    told = causes_told(case.rows, case.clock.diagnosed.seq)
    if told:
        yield text_of(
            "What was found, as it is told; no person has confirmed it in this document yet."
        )
        yield Bullets(tuple(("“", *case.say(row.text), "” ", Cite(row.seq)) for row in told))
    elif case.notes("trigger", *_CAUSES):
        yield text_of(
            "What people noted about the cause is quoted below; no person has confirmed it in this document yet."
        )
    else:
        yield text_of(
            "The cause is not established: the record shows what happened, and no person noted why."
        )


def _quoted(case: Case, title: str, prefixes: tuple[str, ...], empty: str) -> Section:
    found = case.notes(*prefixes)
    own = [row for row in case.of("trigger") if title == "Trigger"]
    if not found and not own:
        return Section(title, "to be written", empty=empty, level=3 if title == "Trigger" else 2)
    items = [
        (f"{case.cast.actor(row.actor)} noted: ", *case.say(text), " ", Cite(row.seq))
        for row, text in found
    ]
    items += [(*case.say(row.text), " ", Cite(row.seq)) for row in own]
    items.append(cell("These are quotations, not findings: confirm or drop each of them."))
    return Section(title, "recorded", (Bullets(tuple(items)),), level=3 if title == "Trigger" else 2)  # fmt: skip


def _changes(case: Case) -> Section:
    """What changed shortly before: candidates, and no more than that."""
    rows = [row for row in case.of("evidence_attached") if "change" in str(row.data.get("title", "")).lower()]  # fmt: skip
    items = tuple((*case.say(row.text), " ", Cite(row.seq)) for row in rows)
    why = "No change shortly before the incident was reported to Jackline."
    if case.told:
        why = "No row tells of another change before it."
    return Section("Changes before it", "recorded", (Bullets(items),) if items else (), empty=why, level=3)  # fmt: skip


def _symptoms(case: Case) -> Section:
    """Which alerts came first: what stands behind which is not in that order."""
    first: dict[str, list[Entry]] = {}
    shown = case.of("symptom") if case.told else case.classed("symptom", "detection")
    for row in shown:
        if row.kind != "incident_declared":
            name = str(row.data.get("name") or row.data.get("fingerprint") or row.seq)
            labels = row.data.get("labels")
            where = str(labels.get("service", "")) if isinstance(labels, dict) else ""
            first.setdefault(f"{name}\n{where}", []).append(row)
    groups = list(first.values())
    rows = tuple(_symptom(case, group) for group in groups[:_SHOWN])
    more = f" {len(groups) - _SHOWN} more came later." if len(groups) > _SHOWN else ""
    note = text_of(f"In the order of their arrival, which is no order of causes.{more}")
    why = "No symptom was recorded."
    head = ("UTC", "Symptom", "Times", "First row")
    return Section("Symptoms in order", "derived", (note, Table(head, rows)) if rows else (), empty=why, level=3)  # fmt: skip


def _symptom(case: Case, group: list[Entry]) -> tuple[Line, ...]:
    row = group[0]
    return (cell(utc(row.at, case.shape)), case.say(row.text), cell(str(len(group))), cell(Cite(row.seq)))  # fmt: skip


def _hypotheses(case: Case) -> Section:
    """What was thought, and what became of it, as people noted."""
    lines = [
        (case.say(each.text), cell(each.state), cites([each.row.seq, each.end.seq if each.end else None]))
        for each in thoughts(case)
    ]  # fmt: skip
    why = "No hypothesis was noted. A note that begins with hypothesis:, confirmed: or dropped: stands here."
    if case.told:
        why = "No row tells of a hypothesis."
    table = (Table(("Hypothesis", "State", "Rows"), tuple(lines)),) if lines else ()
    return Section("Hypotheses", "recorded", table, empty=why, level=3)


@dataclass(frozen=True)
class Thought:
    """A hypothesis; ``state`` is open, confirmed or dropped, as the row ``end`` says."""

    text: str
    state: str
    row: Entry
    end: Entry | None = None


def thoughts(case: Case) -> list[Thought]:
    """In their order; what was confirmed or dropped without having been noted before comes last."""
    ends, used, found = case.notes("confirmed", "dropped"), set(), []
    for row, text in case.notes("hypothesis"):
        later = (
            r
            for r, said in ends
            if r.seq not in used and r.seq > row.seq and _same(text, said, row.seq)
        )
        end = next(later, None)
        if end is not None:
            used.add(end.seq)
        found.append(Thought(text, noted(end)[0] if end else "open", row, end))
    rest = [Thought(text, noted(row)[0], row) for row, text in ends if row.seq not in used]
    told = [Thought(row.text, _became(row.text), row) for row in case.of("hypothesis")]
    return [*found, *rest, *told]


def _became(text: str) -> str:
    """What a told hypothesis became, by its own sentence."""
    if _DROPPED.search(text):
        return "dropped"
    return "confirmed" if _CONFIRMED.search(text) else "open"


def _same(thought: str, said: str, seq: int) -> bool:
    """Whether a later note is about that thought: it names its row, or says half of its words."""
    one, two = ({w for w in text.lower().split() if len(w) > 2} for text in (thought, said))  # noqa: PLR2004 - small words say nothing
    return f"#{seq}" in said or bool(one and two and len(one & two) / min(len(one), len(two)) >= _ALIKE)  # fmt: skip


def _factors(case: Case, found: Sequence[Finding]) -> list[Section]:
    """What people recorded, then conditions that the record shows, as candidates."""
    recorded = _quoted(case, "Contributing factors", _CAUSES, "Not established: no person recorded a factor.")  # fmt: skip
    items: list[Line] = []
    for made, words in _CLASSES:
        shown = [each for each in of_kind(found, made) if not each.key.startswith("noted-")]
        items += [(f"{words}: ", *case.say(e.what), " ", *cites(e.rows[:6])) for e in shown]
    why = "The record shows no condition that hid, delayed or worsened it."
    note = cell("Candidates only: conditions that are on the record. Keep, change or drop each of them.")  # fmt: skip
    blocks = (Bullets((*items, note)),) if items else ()
    return [recorded, Section("Candidate factors", "proposed", blocks, empty=why, level=3)]
