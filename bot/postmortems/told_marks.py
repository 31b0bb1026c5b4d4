"""The marks of an outage that is told in sentences, each from a row with a clock time. Pure.

The rules, in short:
impact start  the first symptom from the first trigger on; a trigger with an exact time that itself
              says what was lost counts as one
detected      the organisation's own first detection; what outsiders saw is another figure
mitigated     the action that recovery followed within minutes, else the first full recovery
resolved      the last recovery that users felt; what is switched on again later is another figure
A row whose time is not known proves the order of things, never a moment.
"""

from collections.abc import Callable, Iterator, Sequence
from datetime import datetime, timedelta

from bot.postmortems.mark import Clock, Mark, unknown
from bot.postmortems.moments import is_about, is_known
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.said import OUTSIDE, noticed_by, tells_what_was_found
from bot.postmortems.patterns.sentence import Cue, cue, says
from bot.timeline import Entry

SOON = timedelta(minutes=5)  # an action and a recovery this near belong together
_LOST = cue(r"cuts?\b", r"los(?:es|t|s)\b", r"go(?:es)? down\b", r"went down\b", r"unreachable\b", r"fails?\b", r"failed\b", r"unavailab\w+", r"crash\w*", r"stops? (?:serv|answer|work)\w*", r"offline\b",
    r"(?:is|are|was|were|gets?) (?:\w+ )?(?:deleted|removed|wiped|destroyed|dropped)\b")  # fmt: skip
_ACK = cue(r"acknowledg\w+", r"joins?\b", r"joined\b", r"triag\w+", r"picks? up\b", r"responds?\b", r"takes? (?:command|the page|over as)")  # fmt: skip
_DECLARED = cue(r"declar\w+ (?:an? |the )?(?:\w+ )?(?:incident|outage|emergency|sev)", r"open(?:s|ed)? an? (?:\w+ )?incident\b", r"incident (?:is |was )?(?:declared|opened)\b", r"incident (?:response )?(?:process|procedure|channel) (?:is |was )?(?:started|invoked|opened)")  # fmt: skip
_CLOSED = cue(r"incident (?:is |was )?(?:formally )?closed\b", r"closes? the incident\b")


class Story:
    """The rows with what several marks ask of them."""

    def __init__(self, rows: Sequence[Entry]) -> None:
        self.rows = rows
        self.place = {row.seq: index for index, row in enumerate(rows)}
        self.first = next((i for i, row in enumerate(rows) if row.kind == "trigger"), 0)
        self.start = self._impact_start()
        self.recoveries = [
            row for row in self.after_start("recovery") if not only_about_status(row)
        ]

    def after_start(self, *kinds: str) -> Iterator[Entry]:
        """Rows of some kinds from the impact on, in order."""
        begin = self.place[self.start.seq] if self.start.seq is not None else self.first
        yield from (row for row in self.rows[begin:] if row.kind in kinds)

    def _impact_start(self) -> Mark:
        title = "Impact start"
        rows = self.rows[self.first :]
        symptoms = [row for row in rows if row.kind == "symptom"]
        lost = [r for r in rows if r.kind == "trigger" and _exact(r) and says(r.text, _LOST)]
        candidates = [*symptoms[:1], *lost]
        found = min((r for r in candidates if is_known(r.at)), key=_when, default=None)
        if found is not None and found.kind == "symptom":
            return Mark(title, found.at, found.seq, f"{_about(found)}first symptom that is told")
        if found is not None:
            return Mark(title, found.at, found.seq, "the trigger, which says what was lost")
        if symptoms:
            return unknown(title, f"row {symptoms[0].seq} tells of it, without a clock time")
        return unknown(title, "no row tells of a symptom")


def told_clock(rows: Sequence[Entry]) -> Clock:
    """The marks; ``rows`` are in order."""
    story = Story(rows)
    mitigated, _ = mitigation(story)
    return Clock(
        impact_start=story.start,
        detected=_detected(story),
        declared=_said(story, "Declared", _DECLARED, "declares the incident"),
        acknowledged=_said(story, "Acknowledged", _ACK, "tells of a person who took it up"),
        diagnosed=_diagnosed(story),
        mitigated=mitigated,
        resolved=_resolved(story),
        closed=_said(story, "Closed", _CLOSED, "closes the incident"),
    )


def only_about_status(row: Entry) -> bool:
    """Whether a recovery is that of what customers are told, not of what they use."""
    return bool(lex.STATUS_PAGE.search(row.text)) and says(row.text, lex.STATUS_PAGE, _UPDATED)


_UPDATED = cue(r"(?:updat|publish|post)\w*", r"(?:available|reachable|works?)\b")


def is_partial(row: Entry) -> bool:
    """Whether a recovery says that something is still missing."""
    return bool(lex.PARTLY.search(row.text))


def mitigation(story: Story) -> tuple[Mark, Entry | None]:
    """The mark, and the action that brought it about, if one did within minutes."""
    title = "Mitigated"
    timed = [row for row in story.recoveries if is_known(row.at)]
    if not timed:
        why = "without a clock time" if story.recoveries else "no row tells of a recovery"
        seq = f"row {story.recoveries[0].seq} tells of it, " if story.recoveries else ""
        return unknown(title, f"{seq}{why}"), None
    first = timed[0]
    actions = [
        row for row in story.after_start("action")
        if is_known(row.at) and story.place[row.seq] < story.place[first.seq]
    ]  # fmt: skip
    if actions and first.at - actions[-1].at <= SOON:
        by = actions[-1]
        minutes = (first.at - by.at) / timedelta(minutes=1)
        said = f"action that recovery followed within {minutes:.0f} min (row {first.seq})"
        return Mark(title, by.at, by.seq, said), by
    full = next((row for row in timed if not is_partial(row)), None)
    if full is None:
        last, said = timed[-1], "last recovery; each is told as partial"
        return Mark(title, last.at, last.seq, f"{_about(last)}{said}"), None
    return Mark(title, full.at, full.seq, f"{_about(full)}first recovery not told as partial"), None


def switched_on_again(story: Story) -> Entry | None:
    """The recovery that only puts back what was switched off, after users were well again."""
    well = False
    for row in story.recoveries:
        if well and is_known(row.at) and says(row.text, lex.SWITCH_ON):
            return row
        well = well or not is_partial(row)
    return None


def _resolved(story: Story) -> Mark:
    title, later = "Resolved", switched_on_again(story)
    rows = [row for row in story.recoveries if row is not later]
    timed = [row for row in rows if is_known(row.at)]
    if not timed:
        told = f"row {rows[-1].seq} tells of it, without a clock time" if rows else ""
        return unknown(title, told or "no row tells of a recovery")
    last = timed[-1]
    after = [row for row in story.rows if story.place[row.seq] > story.place[last.seq]]
    again = next((r for r in after if r.kind == "symptom" and is_known(r.at)), None)
    if again is not None:
        return unknown(title, f"row {again.seq} tells of a symptom after the last recovery")
    untimed = [row for row in rows if not is_known(row.at) and row in after]
    if untimed and is_partial(last):
        return unknown(title, f"row {untimed[-1].seq} tells of it, without a clock time")
    note = f"; {len(untimed)} later row(s) have no clock time" if untimed else ""
    return Mark(title, last.at, last.seq, f"{_about(last)}last recovery that users felt{note}")


def _detected(story: Story) -> Mark:
    """A person who sees at once what their own act did has detected it, whatever comes later."""
    title = "Detected"
    for row in story.rows[story.first :]:
        if row.kind == "trigger" and is_known(row.at) and says(row.text, lex.NOTICED):
            said = f"{_about(row)}noticed at once by whoever did it"
            return Mark(title, row.at, row.seq, said, "staff")
    rows = [row for row in story.rows[story.first :] if row.kind == "detection"]
    own = [row for row in rows if row.actor != OUTSIDE]
    if own and is_known(own[0].at):
        source = noticed_by(own[0].text)
        return Mark(
            title, own[0].at, own[0].seq, f"{_about(own[0])}first detection that is told", source
        )
    if own:
        source = noticed_by(own[0].text)
        return unknown(title, f"row {own[0].seq} tells of it, without a clock time", source)
    if rows:
        return unknown(
            title, f"only outsiders' detection is told (row {rows[0].seq})", "third-party"
        )
    return unknown(title, "no row tells of a detection")


def _diagnosed(story: Story) -> Mark:
    seen = story.place.get(_detected(story).seq or 0, -1)
    rows = [
        row for row in story.after_start("detection", "action", "decision", "hypothesis")
        if row.actor != OUTSIDE and story.place[row.seq] != seen
    ]  # fmt: skip
    return _first(
        rows, "Diagnosed", lambda row: tells_what_was_found(row.text), "tells what was found"
    )


def _said(story: Story, title: str, words: Cue, what: str) -> Mark:
    rows = [
        row for row in story.after_start("detection", "action", "decision", "communication", "note")
        if row.actor != OUTSIDE
    ]  # fmt: skip
    return _first(rows, title, lambda row: says(row.text, words), what)


def _first(rows: Sequence[Entry], title: str, wanted: Callable[[Entry], bool], what: str) -> Mark:
    row = next((row for row in rows if wanted(row)), None)
    if row is None:
        return unknown(title, f"no row {what}")
    if not is_known(row.at):
        return unknown(title, f"row {row.seq} {what}, without a clock time")
    return Mark(title, row.at, row.seq, f"{_about(row)}first row that {what}")


def _exact(row: Entry) -> bool:
    return is_known(row.at) and not is_about(row.at)


def _about(row: Entry) -> str:
    return "approximate; " if is_about(row.at) else ""


def _when(row: Entry) -> tuple[datetime, bool, int]:
    return (row.at, row.kind != "symptom", row.seq)
