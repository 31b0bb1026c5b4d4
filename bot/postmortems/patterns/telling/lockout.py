"""P5 as it is told: rows about access that did not work, what was needed stood on what had failed, and people went there."""

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says, states
from bot.postmortems.patterns.telling import leaning
from bot.postmortems.patterns.telling import words_access as words
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View, within

_SHARE = 0.3  # of the time to mitigate
_MOST = 0.6
_SUBJECT = 3  # words
_QUICK = 5.0  # minutes


@once
def shut_out(view: View) -> list[Row]:
    """Rows about access, whatever they name, that say that it did not work."""
    if not view.retold:
        return []
    rows = [row for row in view.responding("access") if row.told and not theirs(row)]
    return [
        row
        for row in rows
        if says(row.text, lex.FAIL) or states(row.text, words.NO_WAY_IN) or _stands(view, row)
    ]


def theirs(row: Row) -> bool:
    """Said of customers or of services, which log in as well, or of one person's own lapse: no way in for those who mend."""
    subject = " ".join(row.text.split()[:_SUBJECT])
    told = bool(row.data.get("told"))
    whose = lex.USERS.search(subject) or words.SERVICES.search(subject)
    return told and bool(whose or words.OWN_LAPSE.search(row.text))


def _stands(view: View, row: Row) -> bool:
    return leaning.leans_on_failed(view, row, words.KEYS)


def lists(row: Row) -> bool:
    """Whether a told row can be about several ways; of other rows each is about one."""
    return bool(words.LISTS.search(row.text)) or not row.data.get("told")


@once
def out_of_sight(view: View) -> list[Row]:
    """Those who mend it neither see nor steer it any more, or the way in is full of what went wrong."""
    if not view.retold:
        return []
    rows = [row for row in view.responding("symptom", "detection", "access") if row.told]
    lost = (words.LOST_SIGHT, words.CHOKED)
    return [row for row in rows if any(states(row.text, each) for each in lost) and not theirs(row)]


@once
def own_house(view: View) -> list[Row]:
    """Where something shuts people out: their own systems had gone with what they sell."""
    if not shut_out(view):
        return []
    rows = [row for row in view.responding("symptom", "access", "detection") if row.told]
    return [row for row in rows if states(row.text, words.OWN_HOUSE)]


@once
def got_in(view: View) -> list[Row]:
    """Another way worked within minutes."""
    failed = shut_out(view)
    rows = [row for row in view.responding("access") if row.told and row not in failed]
    worked = [row for row in rows if says(row.text, words.WORKED)]
    return [row for row in worked if failed and within(failed[0], row, _QUICK)][:1]


@once
def stood_on_it(view: View) -> list[Row]:
    """What is needed to get in or to mend stood on what had failed."""
    if not view.retold:
        return []
    rows = [*view.responding("access", "symptom", "action", "hypothesis"), *view.asides]
    return [
        row
        for row in rows
        if row.told and _stands(view, row) and (row.kind == "access" or _about_mending(row))
    ]


def _about_mending(row: Row) -> bool:
    mending = lex.MENDING.search(row.text) or lex.PEOPLE.search(row.text)
    return bool(mending) and not lex.USERS.search(row.text)


@once
def went_there(view: View) -> list[Row]:
    """People had to go, where something shut them out."""
    if not shut_out(view):
        return []
    rows = view.responding("action", "decision", "access", "recovery")
    return [
        row
        for row in rows
        if row.told and before_the_end(view, row) and says(row.text, words.WENT_THERE)
    ]


def before_the_end(view: View, row: Row) -> bool:
    """What people decide when all is well again is an improvement; of a live record all counts."""
    return not view.retold or view.place[row.seq] <= view.ended


@once
def talked_elsewhere(view: View) -> list[Row]:
    """Chat or phones were gone as well."""
    if not view.retold:
        return []
    rows = view.responding("action", "decision", "access", "symptom", "communication")
    moved = [row for row in rows if row.told and states(row.text, words.TALK_ELSEWHERE)]
    ours = (row for row in moved if row.kind != "symptom" or lex.PEOPLE.search(row.text))
    return [row for row in ours if not lex.USERS.search(row.text)]


@once
def took_the_time(view: View) -> list[Row]:
    """From the first row that shut people out to what was done after the last, by the clock."""
    rows = [row for row in shut_out(view) if row.known]
    total = view.minutes(view.clock.impact_start, view.clock.mitigated)
    later = view.after(rows[-1], "action", "recovery", "access") if rows else []
    through = next((row for row in later if row.known), None)
    if not total or through is None:
        return []
    took = (through.at - rows[0].at).total_seconds() / 60
    if took >= _SHARE * total:
        return [rows[0], through]
    ended = view.clock.mitigated.at  # what they did next was not yet the way in
    most = ended is not None and (ended - rows[0].at).total_seconds() / 60 >= _MOST * total
    end = view.row(view.clock.mitigated)
    waited = most and len(rows) > 1 and not got_in(view)
    return [rows[0], rows[-1], *([end] if end else [])] if waited else []
