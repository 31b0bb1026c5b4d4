"""P4 as it is told: content of any kind that is saved, published or picked up, everywhere and untried."""

from datetime import timedelta

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says, statements, states
from bot.postmortems.patterns.telling import lockout, meant
from bot.postmortems.patterns.telling import words_published as published
from bot.postmortems.patterns.telling import words_reach as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View

_SOON = timedelta(minutes=30)
_EXPLAINS = ("detection", "hypothesis", "symptom")


@once
def contents(view: View) -> list[Row]:
    """Content that somebody or something ships before anything was noticed."""
    if (
        not view.retold
        or not _broke_anything(view)
        or came_as_meant(view)
        or hurt_few(view)
        or any(lex.HARMLESS.search(row.text) or _halted(row) for row in view.rows)
    ):
        return []
    return [
        row
        for row in dict.fromkeys((*view.leads, *view.triggers))
        if row.told and (_ships(row) or (_put_out(row) and _hurt_somebody(view)))
    ]


def _ships(row: Row) -> bool:
    text = without_selectors(row.text)
    shipping, content = (lex.SHIP, words.SHIP_MORE), (lex.CONTENT, words.CONTENT_MORE)
    if any(says(text, ship, what) for ship in shipping for what in content):
        return True
    to_all = (words.WIDE, words.UNTRIED, lex.EVERYWHERE)
    return row.kind == "trigger" and any(
        states(text, each, what) for each in to_all for what in content
    )


def _put_out(row: Row) -> bool:
    """Figures or texts that are put out, to all of those who take them up."""
    if not (published.PUT_OUT.maybe(row.text) and published.MATTER.maybe(row.text)):
        return False
    parts = statements(without_selectors(row.text))
    out = any(says(part, published.PUT_OUT, published.MATTER) for part in parts)
    to_all = (published.TO_ALL, lex.EVERYWHERE, words.WIDE)
    everybody = any(states(row.text, each) for each in to_all)
    return out and everybody and not published.ONE_PLACE.search(row.text)


def without_selectors(text: str) -> str:
    """A list of hosts says what something is done to, and a queue holds work: neither is content."""
    return words.NO_CONTENT.sub(" ", text)


def came_as_meant(view: View) -> bool:
    """Whether what happened is what was announced."""
    return bool(meant.as_meant(view))


@once
def not_staged(view: View) -> list[Row]:
    """In the row that ships it, or in one that explains it afterwards."""
    shipped = contents(view)
    if not shipped:
        return []
    beside = [
        row
        for row in (*view.triggers, *view.leads)
        if says(row.text, lex.SHIP) or says(row.text, words.SHIP_MORE)
    ]
    explained = [*view.responding(*_EXPLAINS), *view.asides]
    wide = [
        row
        for row in (*shipped, *beside)
        if words.WIDE.search(row.text) or words.UNTRIED.search(row.text)
    ]
    untried = [
        row
        for row in explained
        if row.told and states(row.text, words.UNTRIED) and _of_content(row)
    ]
    taken = [row for row in shipped if _put_out(row)]
    rings = [row for row in (*view.rows[: view.impact], *explained) if row.told and states(row.text, published.NO_RINGS)]  # fmt: skip
    return [row for row in dict.fromkeys((*wide, *untried, *taken, *rings)) if not _held(row)]


def _broke_anything(view: View) -> bool:
    rows = view.responding("symptom", "detection")
    breaks = (words.BREAKS, published.IN_CIRCLES)
    return any(row.told and says(row.text, each) for row in rows for each in breaks)


def _hurt_somebody(view: View) -> bool:
    """A symptom is told: a slip in a text that somebody spots has broken nothing."""
    return any(row.told for row in view.responding("symptom"))


def _of_content(row: Row) -> bool:
    return bool(lex.CONTENT.search(row.text) or words.CONTENT_MORE.search(row.text))


def _halted(row: Row) -> bool:
    return row.kind in ("detection", "action") and says(row.text, words.HALTED)


def _held(row: Row) -> bool:
    return (says(row.text, lex.STAGED) or says(row.text, words.A_FEW)) and not (
        lex.UNSTAGED.search(row.text) or words.UNTRIED.search(row.text)
    )


@once
def hurt_few(view: View) -> list[Row]:
    """All that is told of harm is a handful."""
    rows = [row for row in view.responding("symptom") if row.told] if view.retold else []
    return rows[:1] if rows and all(words.HANDFUL.search(row.text) for row in rows) else []


@once
def broke(view: View) -> list[Row]:
    """Many places fail within half an hour."""
    start = view.clock.impact_start.at
    if not contents(view):
        return []
    rows = [
        r
        for r in view.during("symptom", "detection")
        if r.told and (start is None or r.at <= start + _SOON)
    ]
    return [
        r
        for r in rows
        if says(r.text, words.WIDE, lex.BROKEN)
        or _in_circles_everywhere(r)
        or words.NOT_ONE.search(r.text)
        or words.MANY_HURT.search(r.text)
    ]


def _in_circles_everywhere(row: Row) -> bool:
    wide = (words.WIDE, published.TO_ALL, lex.EVERYWHERE)
    return any(states(row.text, published.IN_CIRCLES, each) for each in wide)


@once
def taken_back(view: View) -> list[Row]:
    """The former content is put back."""
    if not contents(view):
        return []
    rows = [row for row in view.responding("action", "decision") if row.told]
    back = (words.TAKEN_BACK, published.FORMER_BACK)
    return [row for row in rows if any(says(row.text, each) for each in back)]


@once
def behind_it(view: View) -> list[Row]:
    """The way to take it back stood on what it broke."""
    return [*lockout.shut_out(view), *lockout.stood_on_it(view)] if contents(view) else []
