"""P2 as it is told: somebody's act, and a selector that was not there, or many things that it was done to."""

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import Cue, says, states
from bot.postmortems.patterns.telling import copies, meant, rollout
from bot.postmortems.patterns.telling import words_reach as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View

_RUNS_OUT = Cue(r"r[ua]n(?:s|ning)? (?:out|full|dry|short|hot|away|into)\b")
_SUBJECT = 4  # words
_BRIEF = 5.0  # minutes
_SOON = ("symptom", "detection")
_EXPLAINS = ("symptom", "detection", "hypothesis", "action")


@once
def acts(view: View) -> list[Row]:
    """What a person set off before anything was noticed; neither content that is shipped, nor what ran by itself."""
    if not view.retold:
        return []
    shipped = {row.seq for row in rollout.contents(view)}
    rows = [
        row for row in (*view.leads, *view.triggers) if row.seq not in shipped or _by_a_tool(row)
    ]
    return [row for row in rows if _sets_off(row)]


def _by_a_tool(row: Row) -> bool:
    """With a tool for doing things to many, and the wrong ones: more a command than a rollout."""
    return says(row.text, words.TOOL) and _unbounded(row)


def _sets_off(row: Row) -> bool:
    theirs = lex.USERS.search(" ".join(row.text.split()[:_SUBJECT]))  # customers' own mistakes
    if (
        theirs
        or says(row.text, lex.UNATTENDED)
        or _RUNS_OUT.search(row.text)
        or lex.PLANNED.search(row.text)
    ):
        return False
    did = (lex.TAKE_AWAY, lex.MOVE, words.SETS_OFF)
    acted = says(row.text, lex.PEOPLE) and any(says(row.text, each) for each in did)
    released = says(row.text, words.RELEASE)  # "version 7, which has a wrong filter, is deployed"
    given = not released and states(row.text, words.NOT_GIVEN, words.SELECTOR)
    by_hand = (words.TOOL, words.HANDS, lex.ACCIDENT)
    return acted or given or any(says(row.text, each) for each in by_hand)


@once
def too_far(view: View) -> list[Row]:
    """Its selector was missing or wrong, all was chosen, or it was done to many."""
    done = acts(view)
    if not done:
        return []
    far = [row for row in done if says(row.text, lex.TOO_FAR)]
    said = [*view.leads, *view.triggers, *view.responding(*_EXPLAINS), *view.asides]
    return [
        *far,
        *(
            row
            for row in dict.fromkeys(said)
            if row.told and (_unbounded(row) or _done_to_many(view, row))
        ),
    ]


def _unbounded(row: Row) -> bool:
    return states(row.text, words.NOT_GIVEN, words.SELECTOR) or states(row.text, words.ALL_CHOSEN)


def _done_to_many(view: View, row: Row) -> bool:
    """Not that many suffered: that the act itself was done to many, before anybody mended anything."""
    if row.kind not in (*_SOON, "said") and row not in view.triggers:
        return False
    if row.kind in _SOON and view.place[row.seq] >= view.ended:
        return False
    return says(row.text, words.DONE_TO, words.EVERYTHING) and not lex.PLANNED.search(row.text)


@once
def then_harm(view: View) -> list[Row]:
    """An act that says itself how far it went, and the first that was seen of it."""
    for act in acts(view):
        seen = view.after(act, "symptom")
        if seen and (_unbounded(act) or says(act.text, lex.TOO_FAR)):
            return [act, seen[0]]
    return []


@once
def taken_away(view: View) -> list[Row]:
    """What the act does to things."""
    return [row for row in acts(view) if says(row.text, words.DONE_TO)]


@once
def stayed_small(view: View) -> list[Row]:
    """As it was meant, over within minutes, only in an environment for tests, or nobody was hurt."""
    done = acts(view)
    if not done:
        return []
    took = view.minutes(view.clock.impact_start, view.clock.mitigated)
    end = view.row(view.clock.mitigated)
    brief = [end] if end and took is not None and took <= _BRIEF else []
    harmless = [row for row in view.rows if row.told and lex.HARMLESS.search(row.text)]
    return (
        meant.as_meant(view)
        or brief
        or harmless[:1]
        or copies.practised(view)
        or rollout.hurt_few(view)
        or [
            row
            for row in view.responding("symptom", "action")
            if row.told and says(row.text, words.TEST_ONLY)
        ][:1]
    )


@once
def destroyed_for_good(view: View) -> list[Row]:
    """It destroyed data whose copies were no good: that is the other pattern."""
    gone = copies.destroyed(view) if view.retold and copies.not_usable(view) else []
    return gone[:1] if not copies.nothing_lost(view) else []
