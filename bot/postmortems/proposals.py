"""Candidate actions from findings: type, owner's role, due date, ticket, when it is done. Pure.

All of them are proposals. Nobody has agreed to any: a person takes one up, changes it, or drops it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from bot.postmortems.case import Action, Case
from bot.postmortems.findings import Finding, Type, findings
from bot.postmortems.moments import has_date
from bot.postmortems.page import Line, Section, Table, cell, cites, text_of, utc

DUE_DAYS = {"sev1": 14, "sev2": 30, "sev3": 60, "sev4": 90}
MOST = 10
NO_TICKET = "none yet"
HEAD = ("Action", "Type", "Owner role", "Due", "Ticket", "Done when (measurable)", "From finding")


@dataclass(frozen=True)
class Proposal:
    """One candidate."""

    text: str
    type: Type
    owner: str
    due: str
    done: str
    finding: Finding


def proposals(case: Case, found: Sequence[Finding] | None = None) -> list[Proposal]:
    """One for each finding that asks for something, those that weigh most first, not too many.

    However long the list of findings, it has one that prevents and one that detects or recovers,
    where a finding asks for that.
    """
    able = [each for each in (findings(case) if found is None else found) if each.do and each.rows]
    first = [
        next((f for f in able if f.type in types), None)
        for types in (("prevent",), ("detect", "recover"))
    ]
    kept = [*filter(None, first), *(f for f in able if f not in first)][:MOST]
    order = {id(each): index for index, each in enumerate(able)}
    return [_proposal(case, each) for each in sorted(kept, key=lambda f: order[id(f)])]


def _proposal(case: Case, finding: Finding) -> Proposal:
    owner = finding.owner or _owner(case, finding)
    return Proposal(finding.do, finding.type, owner, due(case), finding.done, finding)


def due(case: Case) -> str:
    """By the severity's rule, counted from the resolution, or from the last row before there is one."""
    end = case.clock.resolved.at or (case.rows[-1].at if case.rows else case.facts.declared_at)
    days = DUE_DAYS.get(case.facts.severity, 90)
    return utc(end + timedelta(days=days), "%Y-%m-%d") if has_date(end) else f"after {days} days"


def _owner(case: Case, finding: Finding) -> str:
    """The team of the first affected service; of what is about telling people, who does that."""
    if finding.key in ("promise", "untold"):
        return "communications lead"
    for each in case.impact.services:
        service = case.catalog.service(each.service)
        if service and service.owner:
            return f"owner of {each.title} ({case.cast.plain(service.owner)})"
    return f"owner of {case.impact.services[0].title}" if case.impact.services else "incident commander"  # fmt: skip


def actions(case: Case, found: Sequence[Finding]) -> Section:
    """The table: what is open already, then the proposals."""
    rows = [_open(case, each) for each in case.around.actions if each.incident == case.facts.id]
    rows += [_row(case, each) for each in proposals(case, found)]
    days = DUE_DAYS.get(case.facts.severity, 90)
    rule = (
        "since no severity is told" if case.told else f"the rule for {case.facts.severity.upper()}"
    )
    how = "" if case.told else " /incident followup makes one a follow-up with an owner."
    intro = text_of(
        f"Proposed from the findings that are cited; nobody has agreed to any of them yet. Due: "
        f"{days} days after the resolution, {rule}.{how}"
    )
    why = "Empty: no finding of the record asks for an action."
    return Section("Action items", "proposed", (intro, Table(HEAD, tuple(rows))) if rows else (), empty=why)  # fmt: skip


def _row(case: Case, each: Proposal) -> tuple[Line, ...]:
    return (
        case.say(each.text),
        cell(each.type),
        case.say(each.owner),
        cell(each.due),
        cell(NO_TICKET),
        case.say(each.done),
        (*case.say(each.finding.what), " ", *cites(each.finding.rows[:6])),
    )


def _open(case: Case, task: Action) -> tuple[Line, ...]:
    """What a person has written down during the incident: theirs, not proposed."""
    asked = [row for row in case.of("task_added") if task.name == _name(row.data)]
    seqs = cites(row.seq for row in asked)
    return (
        case.say(task.text),
        cell("to be written"),
        cell(case.cast.actor(f"person:{task.owner}") if task.owner else "to be named"),
        cell(utc(task.due_at, "%Y-%m-%d") if task.due_at else "not set"),
        cell(f"{task.name} of #{task.incident}"),
        cell("to be written"),
        ("written down by a person ", *seqs) if seqs else cell("written down by a person"),
    )


def _name(data: dict[str, object]) -> str:
    return f"{'follow-up' if data.get('after') else 'task'} {data.get('task')}"
