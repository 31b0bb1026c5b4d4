"""Minutes between moments of a told outage, under the names by which case files give them. Pure.

``ttd_min``, ``tt_declare_min``, ``tt_diagnose_min``, ``ttm_min`` and ``ttr_min`` count from the impact
start and are always there, null where a mark is unknown; the others only where rows tell of both ends.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime

from bot.postmortems.mark import Clock, Mark, minutes_between
from bot.postmortems.moments import is_known
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.said import OUTSIDE
from bot.postmortems.patterns.sentence import Cue, cue, says
from bot.postmortems.told_recovery import mitigation, switched_on_again
from bot.postmortems.told_story import Story, is_partial
from bot.timeline import Entry

_PLAN = cue(r"(?:recovery |restore |restoration )?plan (?:is |was )?(?:agreed|made|chosen|set|drawn)\b", r"recovery plan\b", r"strategy (?:is |was )?(?:agreed|chosen)\b", r"agree\w* (?:on )?(?:a|the) plan\b")  # fmt: skip
_UNRESOLVED = cue(r"no (?:\w+ ){0,5}(?:can|could) be resolved\b", r"(?:cannot|can'?t|could not) be resolved\b", r"(?:names?|domains?) (?:\w+ )?stop\w* resolv\w+", r"(?:do|does|did) not resolve\b", r"dns (?:is |was )?(?:down|gone)\b", r"dns (?:fails|failed|stops|stopped)\b")  # fmt: skip
_RESOLVES = cue(r"resolv\w+ again\b", r"dns .{0,20}(?:works|back|restored|again)\b")
_RECONNECTED = cue(r"re-?connect\w*")
_TAKE = cue(r"(?:take|use|load|go back to)\b")
_CANNOT = cue(r"cannot\b", r"could not\b", r"unable\b", r"not (?:be )?(?:updat|publish)\w*")


def durations(rows: Sequence[Entry], clock: Clock) -> dict[str, float | None]:
    """Name → minutes, whole ones as whole numbers."""
    story = Story(rows)
    found: dict[str, float | None] = {
        "ttd_min": _detection(clock),
        "tt_declare_min": _from(clock.impact_start, clock.declared),
        "tt_diagnose_min": _from(clock.impact_start, clock.diagnosed),
        "ttm_min": _from(clock.impact_start, clock.mitigated),
        "ttr_min": _from(clock.impact_start, clock.resolved),
        "detection_to_acknowledged_min": _from(clock.detected, clock.acknowledged),
        "detection_to_declared_min": _from(clock.detected, clock.declared),
        "detection_to_diagnosed_min": _from(clock.detected, clock.diagnosed),
    }
    found.update(_special(story))
    return {name: None if value is None else _whole(value) for name, value in found.items()}


def _detection(clock: Clock) -> float | None:
    """Noticed before users were hurt is noticed at once."""
    minutes = minutes_between(clock.impact_start, clock.detected)
    return None if minutes is None else max(minutes, 0)


def _from(start: Mark, end: Mark) -> float | None:
    minutes = minutes_between(start, end)
    return None if minutes is None or minutes < 0 else minutes


def _whole(minutes: float) -> float:
    rounded = round(minutes, 2)
    return int(rounded) if rounded == int(rounded) else rounded


def _special(story: Story) -> Iterator[tuple[str, float]]:
    """What only some outages have."""
    start = story.start.at
    ends = (
        ("external_detection_min", _outside(story)),
        ("tt_strategy_min", _one(story.after_start("decision"), _PLAN)),
        ("tt_partial_min", _partial(story)),
        ("reconnect_min", _one(_not_users(story.recoveries), _RECONNECTED)),
        ("full_function_min", switched_on_again(story)),
    )
    for name, end in ends:
        yield from _span(name, start, end)
    yield from _decided(story)
    yield from _status_blind(story)
    names = _one(story.after_start("symptom"), _UNRESOLVED)
    yield from _span(
        "dns_outage_min", names.at if names else None, _one(story.recoveries, _RESOLVES)
    )
    yield from _lost(story)


def _span(name: str, start: datetime | None, end: Entry | None) -> Iterator[tuple[str, float]]:
    if start is not None and end is not None and is_known(end.at) and end.at >= start:
        yield name, (end.at - start).total_seconds() / 60


def _one(rows: Iterable[Entry], words: Cue) -> Entry | None:
    """The first row with a clock time that says it."""
    return next((r for r in rows if is_known(r.at) and says(r.text, words)), None)


def _not_users(rows: Iterable[Entry]) -> Iterator[Entry]:
    """Clients that reconnect are not the service that does."""
    yield from (r for r in rows if not says(r.text, lex.USERS, _RECONNECTED))


def _outside(story: Story) -> Entry | None:
    rows = story.after_start("detection", "symptom")
    return next((r for r in rows if r.kind == "detection" and r.actor == OUTSIDE and is_known(r.at)), None)  # fmt: skip


def _partial(story: Story) -> Entry | None:
    first = next((row for row in story.recoveries if is_known(row.at)), None)
    return first if first is not None and is_partial(first) else None


def _decided(story: Story) -> Iterator[tuple[str, float]]:
    """From the last decision before the action that helped to that action."""
    by = mitigation(story)[1]
    if by is None:
        return
    decisions = [
        row for row in story.after_start("decision")
        if is_known(row.at) and story.place[row.seq] < story.place[by.seq]
    ]  # fmt: skip
    if decisions:
        yield from _span("decision_to_execution_min", decisions[-1].at, by)


def _status_blind(story: Story) -> Iterator[tuple[str, float]]:
    """While customers could not be told on the status page."""
    rows = [
        r for r in story.rows if r.kind in ("symptom", "detection", "action") and is_known(r.at)
    ]
    blind = next((r for r in rows if says(r.text, lex.STATUS_PAGE, _CANNOT)), None)
    again = (r for r in story.after_start("recovery") if lex.STATUS_PAGE.search(r.text))
    end = next((r for r in again if is_known(r.at)), None)
    yield from _span("status_page_blind_min", blind.at if blind else None, end)


def _lost(story: Story) -> Iterator[tuple[str, float]]:
    """How much was lost: from the copy that was restored in the end to the destruction."""
    trigger = next(
        (r for r in story.rows if r.kind == "trigger" and says(r.text, lex.DESTROY, lex.DATA)), None
    )
    if trigger is None or story.start.at is None:
        return
    before = story.rows[: story.place[trigger.seq]]
    copies = [r for r in before if is_known(r.at) and says(r.text, lex.TAKE_COPY)]
    later = story.rows[story.place[trigger.seq] :]
    restored = any(_restores(r) for r in later)
    if copies and restored:
        yield "rpo_actual_min", (story.start.at - copies[-1].at).total_seconds() / 60


def _restores(row: Entry) -> bool:
    """Says that a copy is brought back, or decides to take one."""
    chosen = row.kind == "decision" and says(row.text, _TAKE, lex.COPIES)
    return chosen or says(row.text, lex.RESTORE, lex.COPIES)
