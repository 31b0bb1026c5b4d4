"""What was announced and came as expected: a wide act that was meant so is no blast radius. Pure."""

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says
from bot.postmortems.patterns.telling import words_meant as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View


@once
def as_meant(view: View) -> list[Row]:
    """Who saw the effect says that it was expected; or it was announced, and that is said anywhere later."""
    if not view.retold or any(_slipped(row) for row in view.rows):
        return []
    seen = view.saying(view.responding("symptom", "detection"), words.AS_EXPECTED)
    announced = [row for row in view.rows[: view.impact] if _announces(row)]
    if seen or not announced:
        return seen
    later = [*view.responding("action", "recovery"), *view.asides]
    return [*announced[:1], *found] if (found := view.saying(later, words.AS_EXPECTED)) else []


def _announces(row: Row) -> bool:
    return row.kind in ("communication", "said", "action", "decision") and says(
        row.text, words.ANNOUNCED
    )


def _slipped(row: Row) -> bool:
    """Somebody says that it was not what was meant."""
    return row.told and (says(row.text, lex.ACCIDENT) or bool(words.NOT_AS_MEANT.search(row.text)))
