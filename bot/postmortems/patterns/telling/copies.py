"""P6 as it is told: data went, on something it was not meant for, and no copy of it was any good."""

import re

from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import clauses, says, states, supposed
from bot.postmortems.patterns.telling import leaning, meant
from bot.postmortems.patterns.telling import words_copies as words
from bot.postmortems.patterns.telling import words_hollow as hollow
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View, within

_BEHIND, _BEFORE = 80, 14  # characters
_SOON = 60  # minutes: no loss after a day of restoring is no recovery that worked
_KINDS = ("symptom", "detection", "action", "access", "hypothesis", "decision")


@once
def destroyed(view: View) -> list[Row]:
    """An act or an event that destroys stored data, or what is told of it before anybody noticed."""
    if not view.retold:
        return []
    acts = [row for row in (*view.leads, *view.triggers) if row.told and _destroys(row)]
    at_once = [
        row for row in view.during("symptom") if view.place[row.seq] <= view.detected and row.told
    ]
    gone = [row for row in _seen_first(view) if _is_gone(row)] if _slipped(view) else []
    return list(dict.fromkeys([*acts, *(row for row in at_once if _destroys(row)), *gone]))


def _destroys(row: Row) -> bool:
    text = words.NO_DATA.sub(" ", row.text)
    kept = (words.STORED, hollow.KEPT_ALSO)
    return any(says(text, how, what) for how in (words.DESTROYS, hollow.CLEARS) for what in kept)


def _seen_first(view: View) -> list[Row]:
    rows = view.during("symptom", "detection")
    return [row for row in rows if view.place[row.seq] <= view.detected and row.told]


def _is_gone(row: Row) -> bool:
    """Of what is kept, somebody sees that it is not there."""
    if row.kind == "symptom" and says(row.text, words.GONE, words.STORED):
        return True
    kept = (words.STORED, hollow.KEPT_ALSO)
    return any(states(row.text, hollow.SHRANK, what) for what in kept)


def _slipped(view: View) -> bool:
    """Somebody took one thing for another, and acted."""
    acts = (*view.leads, *view.triggers)
    return any(says(r.text, words.SLIP) or states(r.text, hollow.MISTOOK) for r in acts)


@once
def wrong_target(view: View) -> list[Row]:
    """The act says so."""
    if not destroyed(view):
        return []
    rows = [*view.leads, *view.triggers, *view.responding("hypothesis", "detection"), *view.asides]
    return [
        row
        for row in dict.fromkeys(rows)
        if row.told and (states(row.text, words.MEANT_OTHER) or states(row.text, hollow.MISTOOK))
    ]


@once
def not_usable(view: View) -> list[Row]:
    """Told where data was destroyed: a copy that was missing, empty, old, or gone with it."""
    if not destroyed(view):
        return []
    rows = [row for row in (*_behind(view, *_KINDS), *view.asides) if row.told]
    return [
        row
        for row in rows
        if any(_no_good(part) for part in clauses(row.text))
        or _with_it(view, row)
        or _is_hollow(row)
    ]


def _is_hollow(row: Row) -> bool:
    """A copy is named in the row, and what is in it in the same sentence or the next."""
    named = words.SPARE.search(row.text) and not words.ELSEWHERE.search(row.text)
    return bool(named) and states(row.text, hollow.HOLLOW)


def _behind(view: View, *kinds: str) -> list[Row]:
    """From the impact on, or from the destruction, whose first effect may be told late."""
    gone = destroyed(view)[:1]
    after = view.after(gone[0], *kinds) if gone else []
    return list(dict.fromkeys([*view.responding(*kinds), *after]))


def _with_it(view: View, row: Row) -> bool:
    """The copy stood on what was destroyed."""
    return row.kind in ("symptom", "said") and leaning.leans_on_failed(view, row, words.KEPT)


def _no_good(part: str) -> bool:
    if supposed(part) or words.ELSEWHERE.search(part):
        return False
    found = words.SPARE.finditer(part)
    return bool(words.NONE_THERE.search(part)) or any(_said_of(part, copy) for copy in found)


def _said_of(part: str, copy: re.Match[str]) -> bool:
    """Behind it or right before: "is removed after the copy was checked" is said of something else."""
    behind = part[copy.start() : copy.end() + _BEHIND]
    before = part[max(0, copy.start() - _BEFORE) : copy.start()]
    return bool(words.NO_GOOD.search(behind) or words.NO_GOOD.search(before))


@once
def drags_on(view: View) -> list[Row]:
    """A restore that is slow, or does not work."""
    if not destroyed(view):
        return []
    rows = [*_behind(view, "action", "symptom"), *view.asides]
    slow = [row for row in rows if row.told and states(row.text, words.RESTORES, words.DRAGS_ON)]
    return list(dict.fromkeys([*slow, *_forecasts(view)]))


def _forecasts(view: View) -> list[Row]:
    """In the row that begins to load a copy, or behind it: how long that will be."""
    begun = [row for row in _behind(view, "action") if row.told and says(row.text, hollow.LOADS)]
    rows = [*begun, *(view.after(begun[0], "symptom", "action") if begun else [])]
    return [row for row in rows if row.told and states(row.text, hollow.FORECAST)]


@once
def nobodys(view: View) -> list[Row]:
    """The recovery had been tried by nobody, or was nobody's task."""
    if not destroyed(view):
        return []
    rows = [*_behind(view, *_KINDS), *view.asides]
    return [row for row in rows if row.told and states(row.text, hollow.NOBODYS)]


@once
def lost_for_good(view: View) -> list[Row]:
    """Some of it never came back."""
    if not destroyed(view):
        return []
    rows = [*view.during("symptom", "detection", "decision", "action", "recovery"), *view.asides]
    return [row for row in rows if row.told and states(row.text, words.GONE_FOR_GOOD)]


def nothing_lost(view: View) -> bool:
    """Said of the end of it, however long it took."""
    rows = [*view.responding("recovery", "action", "symptom"), *view.asides]
    return any(row.told and words.NO_LOSS.search(row.text) for row in rows)


@once
def practised(view: View) -> list[Row]:
    """The recovery went as it had been practised, or nothing was lost."""
    if not view.retold:
        return []
    if tests := [row for row in destroyed(view) if says(row.text, words.ONLY_TEST)]:
        return tests[:1]
    if planned := meant.as_meant(view):
        return planned[:1]
    if soon_back := _back_soon(view):
        return soon_back
    rows = [*view.responding("action", "recovery", "decision"), *view.asides]
    took = view.minutes(view.clock.impact_start, view.clock.mitigated)
    soon = took is not None and took <= _SOON
    return [
        r
        for r in rows
        if r.told and (words.PRACTISED.search(r.text) or (soon and words.NO_LOSS.search(r.text)))
    ][:1]


def _back_soon(view: View) -> list[Row]:
    """All of it was there again within the hour, by the clock, and nothing is told to be lost."""
    gone = next((row for row in destroyed(view) if row.known), None)
    if gone is None or lost_for_good(view):
        return []
    back = [row for row in view.after(gone, "recovery") if row.told and within(gone, row, _SOON)]
    return [
        r for r in back if says(r.text, hollow.BACK_AGAIN) and not hollow.NOT_ALL.search(r.text)
    ][:1]
