"""When a told outage was mitigated and resolved. Pure.

An act that ends what went on (a script is killed, a flag is put back) is no mitigation while users go without:
what counts is that users were well, by a recovery, or by an action that says itself that the errors ended.
"""

from datetime import timedelta

from bot.postmortems.mark import Mark, unknown
from bot.postmortems.moments import is_known
from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.sentence import says
from bot.postmortems.told_story import Story, about, is_harmless, is_partial
from bot.postmortems.told_words import HARM_ENDED
from bot.timeline import Entry

SOON = timedelta(minutes=5)  # an action and a recovery this near belong together
_TITLE = "Mitigated"


def mitigation(story: Story) -> tuple[Mark, Entry | None]:
    """The mark, and the action that brought it about, if one did within minutes."""
    timed = [row for row in story.recoveries if is_known(row.at)]
    if not timed:
        why = "without a clock time" if story.recoveries else "no row tells of a recovery"
        seq = f"row {story.recoveries[0].seq} tells of it, " if story.recoveries else ""
        return unknown(_TITLE, f"{seq}{why}"), None
    first = timed[0]
    actions = [
        row for row in story.after_start("action")
        if is_known(row.at) and story.place[row.seq] < story.place[first.seq]
    ]  # fmt: skip
    if actions and first.at - actions[-1].at <= SOON:
        by = actions[-1]
        minutes = (first.at - by.at) / timedelta(minutes=1)
        said = f"action that recovery followed within {minutes:.0f} min (row {first.seq})"
        return Mark(_TITLE, by.at, by.seq, said), by
    if actions and _ended_it(story, actions[-1]):
        by = actions[-1]
        said = f"{about(by)}action that says itself that the harm ended"
        return Mark(_TITLE, by.at, by.seq, said), by
    full = next((row for row in timed if not is_partial(row)), None)
    if full is None:
        last, said = timed[-1], "last recovery; each is told as partial"
        return Mark(_TITLE, last.at, last.seq, f"{about(last)}{said}"), None
    return Mark(_TITLE, full.at, full.seq, f"{about(full)}first recovery not told as partial"), None


def _ended_it(story: Story, row: Entry) -> bool:
    """Says that the errors ended, and no symptom came after."""
    later = story.rows[story.place[row.seq] + 1 :]
    again = any(each.kind == "symptom" and not is_harmless(each) for each in later)
    return says(row.text, HARM_ENDED) and not is_partial(row) and not again


def switched_on_again(story: Story) -> Entry | None:
    """The recovery that only puts back what was switched off, after users were well again."""
    well = False
    for row in story.recoveries:
        if well and is_known(row.at) and says(row.text, lex.SWITCH_ON):
            return row
        well = well or not is_partial(row)
    return None


def resolved(story: Story) -> Mark:
    """The last recovery that users felt, with no symptom after it that they felt."""
    title, later = "Resolved", switched_on_again(story)
    rows = [row for row in story.recoveries if row is not later]
    timed = [row for row in rows if is_known(row.at)]
    if not timed:
        told = f"row {rows[-1].seq} tells of it, without a clock time" if rows else ""
        return unknown(title, told or "no row tells of a recovery")
    last = timed[-1]
    after = story.rows[story.place[last.seq] + 1 :]
    again = next((r for r in after if r.kind == "symptom" and is_known(r.at) and not is_harmless(r)), None)  # fmt: skip
    if again is not None:
        return unknown(title, f"row {again.seq} tells of a symptom after the last recovery")
    untimed = [row for row in rows if not is_known(row.at) and row in after]
    if untimed and is_partial(last):
        return unknown(title, f"row {untimed[-1].seq} tells of it, without a clock time")
    note = f"; {len(untimed)} later row(s) have no clock time" if untimed else ""
    return Mark(title, last.at, last.seq, f"{about(last)}last recovery that users felt{note}")
