"""The marks of an outage that is told in sentences, each from a row with a clock time. Pure.

The rules, in short:
impact start  the first symptom that users felt, from the first trigger on; a trigger with an exact time that
              itself says what was lost counts as one, and so does a detection that says what users met
detected      the organisation's own first detection, or the act by which people were at work before it; what
              outsiders saw is another figure
diagnosed     the last finding before users were well; see `told_diagnosis`
mitigated     the action that recovery followed within minutes, else the first full recovery
resolved      the last recovery that users felt; what is switched on again later is another figure
A row whose time is not known proves the order of things, never a moment.
"""

from collections.abc import Callable, Sequence

from bot.postmortems.mark import Clock, Mark, unknown
from bot.postmortems.moments import is_known
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.noticing import noticed_by
from bot.postmortems.patterns.said import OUTSIDE, fails_to_get_in
from bot.postmortems.patterns.sentence import clauses, hit, says, supposed
from bot.postmortems.told_diagnosis import diagnosed
from bot.postmortems.told_recovery import mitigation, resolved
from bot.postmortems.told_story import Story, about
from bot.postmortems.told_words import (
    A_PERSON,
    AT_WORK,
    CLOSED,
    DECLARED,
    MENDS,
    NOBODY,
    SOMEBODY_BEGINS,
    TAKEN_UP,
)  # fmt: skip
from bot.timeline import Entry


def told_clock(rows: Sequence[Entry]) -> Clock:
    """The marks; ``rows`` are in order."""
    story = Story(rows)
    mitigated, _ = mitigation(story)
    detected = _detected(story)
    return Clock(
        impact_start=story.start,
        detected=detected,
        declared=_first(_said_by(story), "Declared", _declares, "declares the incident"),
        acknowledged=_first(
            _said_by(story), "Acknowledged", _takes_up, "tells of a person who took it up"
        ),
        diagnosed=diagnosed(story, detected.seq, mitigated),
        mitigated=mitigated,
        resolved=resolved(story),
        closed=_closed(story),
    )


def _detected(story: Story) -> Mark:
    """A person who sees at once what their own act did has detected it, whatever comes later."""
    title = "Detected"
    for row in story.rows[story.first :]:
        if row.kind == "trigger" and is_known(row.at) and says(row.text, lex.NOTICED):
            said = f"{about(row)}noticed at once by whoever did it"
            return Mark(title, row.at, row.seq, said, "staff")
    rows = [row for row in story.rows[story.first :] if row.kind == "detection"]
    own = [row for row in rows if row.actor != OUTSIDE]
    if own and is_known(own[0].at):
        if earlier := _at_work(story, own[0]):
            said = f"{about(earlier)}people were at work on it by then, before any detection that is told (row {own[0].seq})"  # fmt: skip
            return Mark(title, earlier.at, earlier.seq, said, "staff")
        said = f"{about(own[0])}first detection that is told"
        return Mark(title, own[0].at, own[0].seq, said, noticed_by(own[0].text))
    if own:
        source = noticed_by(own[0].text)
        return unknown(title, f"row {own[0].seq} tells of it, without a clock time", source)
    if rows:
        return unknown(
            title, f"only outsiders' detection is told (row {rows[0].seq})", "third-party"
        )
    return unknown(title, "no row tells of a detection")


def _at_work(story: Story, detection: Entry) -> Entry | None:
    """The first row between impact and detection in which people already respond to it."""
    return next(
        (
            row for row in story.after_start("access", "action", "decision", "communication", "hypothesis")
            if story.place[row.seq] < story.place[detection.seq]
            and is_known(row.at) and row.at < detection.at and _responds(row)
        ), None,
    )  # fmt: skip


def _responds(row: Entry) -> bool:
    """What automation did is no response, nor is what only went on."""
    if row.actor in ("automation", "monitoring", "customers", OUTSIDE):
        return False
    if row.kind == "access":
        return bool(lex.PEOPLE.search(row.text)) or fails_to_get_in(row.text)
    if row.kind == "communication":
        return says(row.text, AT_WORK)
    if row.kind == "hypothesis":
        return True
    return says(row.text, MENDS) and (row.actor == "responders" or row.kind == "decision")


def _said_by(story: Story) -> list[Entry]:
    kinds = ("detection", "action", "decision", "communication", "note", "message", "chat")
    return [row for row in story.after_start(*kinds) if row.actor != OUTSIDE]


def _declares(row: Entry) -> bool:
    return any(hit(part, DECLARED) for part in _held(row))


def _takes_up(row: Entry) -> bool:
    """Says it by itself, or names a person who begins."""
    return any(
        hit(part, TAKEN_UP) or (hit(part, SOMEBODY_BEGINS) and A_PERSON.search(part))
        for part in _held(row)
    )


def _held(row: Entry) -> list[str]:
    """Its clauses without those that suppose, or say that nobody did."""
    return [part for part in clauses(row.text) if not supposed(part) and not NOBODY.search(part)]


def _closed(story: Story) -> Mark:
    """The last row that says so; nothing is closed before users were well."""
    title, why = "Closed", "no row closes the incident"
    if not story.recoveries:
        return unknown(title, why)
    begin = story.place[story.recoveries[0].seq]
    kinds = ("action", "decision", "communication", "recovery", "note", "message", "chat")
    rows = [row for row in story.rows[begin:] if row.kind in kinds and row.actor != OUTSIDE]
    return _first(rows[::-1], title, lambda row: says(row.text, CLOSED), "closes the incident")


def _first(
    rows: Sequence[Entry], title: str, wanted: Callable[[Entry], bool], what: str
) -> Mark:  # fmt: skip
    row = next((row for row in rows if wanted(row)), None)
    if row is None:
        return unknown(title, f"no row {what}")
    if not is_known(row.at):
        return unknown(title, f"row {row.seq} {what}, without a clock time")
    return Mark(title, row.at, row.seq, f"{about(row)}row that {what}")
