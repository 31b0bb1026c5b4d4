"""P1 as it is told: what one looks at was silent, or stood on what had failed, and people felt their way."""

import re

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import clauses, hit, states, supposed
from bot.postmortems.patterns.telling import copies, leaning
from bot.postmortems.patterns.telling import words_seeing as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View

_KINDS = ("symptom", "detection", "action", "decision", "hypothesis", "access")
_LOGGING_IN = re.compile(r"\blog(?:s|ged|ging)? ?(?:in|on|out|off)(?:to)?\b", re.IGNORECASE)
_TELLS = re.compile(r"\b(?:shows?|showed|reports?|reported|sees?|saw|says?|said|pages?|paged|alert(?:s|ed)? (?:on|about|for|of|that)|fires?|fired|triggers?|catch\w*|detect\w*|notic\w+|for|about|that|of|on)\b|:", re.IGNORECASE)  # fmt: skip
_NOTHING = re.compile(r"nothing|flat|empty|blank|no[- ]?data|stale|green|last|old|n/a|everything|all|it|gr[ea]y|froze|stuck|dark|st(?:and|ood)", re.IGNORECASE)  # fmt: skip
_APART = 60  # characters between what one looks at and what it gave


@once
def _rows(view: View) -> list[Row]:
    rows = [*view.responding(*_KINDS), *view.asides] if view.retold else []
    told = [row for row in rows if row.told and not row.text.endswith("?")]
    return [row for row in told if not lex.STATUS_PAGE.search(row.text)]


@once
def gone(view: View) -> list[Row]:
    """What one looks at gave nothing."""
    return [
        row
        for row in _rows(view)
        if any(_gives_nothing(row, part) for part in clauses(row.text)) or _stands_still(row)
    ]


def _stands_still(row: Row) -> bool:
    """What one looks at is named in the row, and in the same sentence or the next that it does not move."""
    named = words.LOOKED_AT.search(_LOGGING_IN.sub(" ", row.text))
    return bool(named) and row.kind != "detection" and states(row.text, words.STANDING)


def _gives_nothing(row: Row, part: str) -> bool:
    part = _LOGGING_IN.sub(" ", part)
    if supposed(part) or not hit(part, words.SILENT):
        return False
    for what in words.LOOKED_AT.finditer(part):
        after = words.SILENT.search(part[what.end() :])
        if after is None or after.start() > _APART:
            continue
        told = (
            bool(_TELLS.search(part[what.end() : what.end() + after.start()]))
            or row.kind == "detection"
        )
        if not told or _NOTHING.match(after.group()):
            return True
    return False


@once
def leaned(view: View) -> list[Row]:
    """What one looks at needed what had failed."""
    return [row for row in _rows(view) if leaning.leans_on_failed(view, row, words.LOOKED_AT)]


@once
def restarted_all(view: View) -> list[Row]:
    """A list of all that is started again, which commas part."""
    if not view.retold:
        return []
    rows = [row for row in view.responding("action", "decision", "recovery") if row.told]
    return [row for row in rows if states(row.text, lex.RESTART, lex.WHOLE)]


@once
def felt_their_way(view: View) -> list[Row]:
    """Only beside a row that says why they could not see."""
    rows = [row for row in _rows(view) if states(row.text, words.GUESSED)]
    why = [*gone(view), *leaned(view), *_none_came(view)]
    return rows if any(row not in rows for row in why) or (why and len(rows) > 1) else []


@once
def _none_came(view: View) -> list[Row]:
    return [row for row in _rows(view) if states(row.text, words.NONE_CAME)]


@once
def silent(view: View) -> list[Row]:
    """With "no alert came" only where people could not see either: an alert that nobody had made is common."""
    seen = gone(view)
    guessed = [row for row in _rows(view) if states(row.text, words.GUESSED)]
    return list(
        dict.fromkeys([*seen, *(_none_came(view) if seen or guessed or leaned(view) else [])])
    )


def explains_it(view: View) -> bool:
    """Whether what was lost explains that a machine came first, or that the cause was found in the end."""
    return bool((gone(view) or leaned(view)) and felt_their_way(view))


@once
def nothing_was_down(view: View) -> list[Row]:
    """Data disappeared, or what one looks at was all that went."""
    if not view.retold:
        return []
    symptoms = [row for row in view.of("symptom") if row.told]
    seen = gone(view)
    only_sight = symptoms[:1] if symptoms and all(row in seen for row in symptoms) else []
    return copies.destroyed(view)[:1] or only_sight
