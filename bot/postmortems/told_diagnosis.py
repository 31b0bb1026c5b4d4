"""When what had failed was found, of an outage that is told. Pure.

The surest kind of finding decides: what is called the cause before what people came upon, and that before a
hypothesis that is told without doubt and not taken back later. Of several the last before users were well.
"""

from collections.abc import Sequence

from bot.postmortems.mark import Mark, unknown
from bot.postmortems.moments import is_known
from bot.postmortems.patterns.found import FOUND, NAMED, STATED, finding, taken_back
from bot.postmortems.patterns.noticing import noticed_by
from bot.postmortems.patterns.said import OUTSIDE
from bot.postmortems.told_story import Story, about
from bot.postmortems.told_words import CONTACT
from bot.timeline import Entry

_BASIS = {
    NAMED: "row that tells what was found", FOUND: "row that tells what was found",
    STATED: "what was seen or supposed, told without doubt and not taken back later",
}  # fmt: skip
_ORDER = (NAMED, FOUND, STATED)
_SAID = ("note", "message", "chat")


def diagnosed(story: Story, detected: int | None, mitigated: Mark) -> Mark:
    """The mark, from a row with a clock time; what was only said later is the last resort."""
    rows = [
        row for row in story.after_start("detection", "action", "decision", "hypothesis", "communication", *_SAID)
        if row.actor != OUTSIDE and row.seq != detected
    ]  # fmt: skip
    found = [(row, level) for row in rows if (level := _level(story, row, detected))]
    back = taken_back(["" if row.kind == "symptom" else row.text for row in story.rows])
    found = [each for each in found if not back[story.place[each[0].seq]]]
    end = story.place.get(mitigated.seq or 0, len(story.rows))
    response = [each for each in found if each[0].kind not in _SAID]
    early = [each for each in response if story.place[each[0].seq] <= end]
    late = [each for each in response if each[0].kind != "communication"]
    for several in (early, late, found):
        if chosen := _surest(several):
            return chosen
    if found:
        return unknown(
            "Diagnosed", f"row {found[0][0].seq} tells what was found, without a clock time"
        )
    return unknown("Diagnosed", "no row tells what was found")


def _level(story: Story, row: Entry, detected: int | None) -> str:
    """What staff see once they are at work is a finding, where nothing in it doubts or denies that."""
    if row.kind != "detection" or detected is None:
        return finding(row.text, row.kind)
    later = story.place[row.seq] > story.place[detected] and noticed_by(row.text) == "staff"
    later = later and not CONTACT.search(row.text)
    return finding(row.text, "detection") or (finding(row.text, "hypothesis") if later else "")


def _surest(found: Sequence[tuple[Entry, str]]) -> Mark | None:
    for level in _ORDER:
        timed = [row for row, each in found if each == level and is_known(row.at)]
        if timed:
            row = timed[-1]
            return Mark("Diagnosed", row.at, row.seq, f"{about(row)}{_BASIS[level]}")
    return None
