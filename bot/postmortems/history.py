"""Legal clocks, related incidents and earlier actions: what stands around this incident."""

from collections.abc import Iterator

from bot.incidents.clocks import LAWS, STOPPED, Duty, duties
from bot.postmortems.case import Action, Case
from bot.postmortems.marks import read_time
from bot.postmortems.page import (
    Block,
    Bullets,
    Cite,
    Line,
    Section,
    Table,
    cell,
    cites,
    span,
    text_of,
    utc,
)
from bot.timeline import Entry


class _Fact:
    """A fact of a clock, as its last row has it."""

    def __init__(self, row: Entry) -> None:
        self.row = row
        self.at = read_time(row.data.get("at")) or row.at
        self.by = row.actor


def notices(case: Case) -> Section:
    """Each law of the catalog: its facts, who decided, what was due and submitted when."""
    rows = case.of("clock_started", "clock_stopped", "clock_met")
    laws = [law.id for law in case.catalog.regulations]
    seen = [str(row.data.get("law")) for row in rows]
    named = [law for law in dict.fromkeys([*laws, *seen]) if law in LAWS]
    blocks: list[Block] = []
    if not named:
        why = text_of(
            "The catalog names no law whose clock could run (regulations), and no clock was started: "
            "no regulatory notice is recorded. A person decides whether one is due."
        )
        return Section("Regulatory and customer notices", "recorded", (why, *_customers(case)))
    facts = tuple(_fact_row(case, row) for row in rows)
    if facts:
        blocks.append(Table(("Row", "UTC", "Recorded", "By", "Why", "Reference"), facts))
    else:
        blocks.append(text_of("No fact from which a legal clock runs was recorded."))
    due = [line for law in named for line in _duties(case, law, rows)]
    blocks.append(Table(("Law and duty", "Due", "Submitted", "Rows"), tuple(due)))
    return Section("Regulatory and customer notices", "recorded", (*blocks, *_customers(case)))


def _fact_row(case: Case, row: Entry) -> tuple[Line, ...]:
    at = read_time(row.data.get("at"))
    return (
        cell(Cite(row.seq)), cell(utc(at or row.at)), case.say(row.text),
        cell(case.cast.actor(row.actor)), case.say(row.data.get("why") or "not said"),
        case.say(row.data.get("reference") or "not recorded"),
    )  # fmt: skip


def _duties(case: Case, law: str, rows: list[Entry]) -> Iterator[tuple[Line, ...]]:
    mine = [row for row in rows if row.data.get("law") == law]
    facts = {str(row.data.get("fact")): _Fact(row) for row in mine}
    if STOPPED in facts:
        yield (cell(LAWS[law].name), cell("found not to apply"), cell(""), cites([facts[STOPPED].row.seq]))  # fmt: skip
        return
    rule = case.catalog.regulation(law)
    if rule is None:
        yield (cell(LAWS[law].name), cell("no longer in the catalog"), cell("unknown"), cites(r.seq for r in mine))  # fmt: skip
        return
    for duty in duties(rule, facts):
        yield _duty(duty, facts)


def _duty(duty: Duty, facts: dict[str, _Fact]) -> tuple[Line, ...]:
    if duty.at is None:
        names = {**LAWS[duty.law].facts, **LAWS[duty.law].duties}
        return (cell(duty.title), cell(f"unknown: {names.get(duty.waits, duty.waits)} is not recorded"), cell(""), cell("none"))  # fmt: skip
    done = facts.get(duty.id)
    late = (done.at - duty.at).total_seconds() / 60 if done else 0
    word = "not recorded" if done is None else utc(done.at)
    word += f", {span(late)} late" if late > 0 else ", in time" if done else ""
    due = utc(duty.at) + (", if it is major" if duty.if_major else "")
    return (cell(duty.title), cell(due), cell(word), cites([done.row.seq if done else None]) or cell("none"))  # fmt: skip


def _customers(case: Case) -> Iterator[Block]:
    told = [r for r in case.of("communication_sent") if r.data.get("audience") == "customers"]
    told += case.of("customers_update_published", "customers_update_failed")
    if told:
        yield text_of(
            "Customers were told, with what came of it: ", *cites(row.seq for row in told), "."
        )
    else:
        yield text_of("No notice to customers is recorded.")


def related(case: Case) -> Section:
    """Earlier incidents that were like it, why and how they ended, and actions still open."""
    around = case.around
    found = [row for row in case.of("evidence_attached") if "similar" in str(row.data.get("title", "")).lower()]  # fmt: skip
    merged = case.of("incident_merged")
    blocks: list[Block] = []
    if around.related:
        rows = tuple(_related(case, index) for index in range(len(around.related)))
        blocks.append(Table(("Incident", "Declared", "Severity", "Title", "Declared to resolved", "Alike in", "How it ended"), rows))  # fmt: skip
    elif around.looked:
        blocks.append(text_of("No earlier incident is enough like this one to be named."))
    else:
        blocks.append(
            text_of("Past incidents were not looked up: this draft is drawn from the record alone.")
        )
    if found and around.looked:
        blocks.append(text_of("What was named when it opened: ", *cites(r.seq for r in found), "."))
        found = []
    blocks += [text_of(*case.say(row.text), " ", Cite(row.seq)) for row in (*found, *merged)]
    blocks += _earlier(case)
    return Section("Related incidents", "recorded", tuple(blocks))


def _related(case: Case, index: int) -> tuple[Line, ...]:
    each = case.around.related[index]
    return (
        cell(f"#{each.number}"), cell(utc(each.at, "%Y-%m-%d %H:%M")), cell(each.severity),
        case.say(each.title), cell(span(each.minutes)), case.say("; ".join(each.because)),
        case.say(each.ended),
    )  # fmt: skip


def _earlier(case: Case) -> Iterator[Block]:
    """What earlier incidents asked for and nobody has done."""
    earlier = [each for each in case.around.actions if each.incident != case.facts.id]
    if earlier:
        yield text_of("Open from earlier incidents:")
        yield Bullets(tuple(_action(case, each) for each in earlier))
    elif case.around.looked:
        yield text_of("No earlier action of such incidents or of these services is open.")


def _action(case: Case, each: Action) -> Line:
    owner = case.cast.actor(f"person:{each.owner}") if each.owner else "nobody"
    due = f", due {utc(each.due_at, '%Y-%m-%d')}" if each.due_at else ", without a date"
    return (f"#{each.incident} {each.name}: ", *case.say(each.text), f" ({owner}{due})")
