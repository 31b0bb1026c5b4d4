"""P3 as it is told: automation gave up what was well, or chose what was not fit, and it did harm."""

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import clauses, cue, says, states, tells
from bot.postmortems.patterns.telling import leaning
from bot.postmortems.patterns.telling import words_automation as words
from bot.postmortems.patterns.telling import words_rivals as rivals
from bot.postmortems.patterns.telling.once import once
from bot.postmortems.patterns.view import View

_DECIDE_KINDS = ("trigger", "symptom", "action", "detection")
_TELL_KINDS = (*_DECIDE_KINDS, "hypothesis", "decision")
_MEMBER = cue(
    r"primar(?:y|ies)\b", r"masters?\b", r"leaders?\b", r"nodes?\b", r"workers?\b", r"servers?\b", r"hosts?\b", r"replicas?\b", r"secondar(?:y|ies)\b",
    r"slaves?\b", r"standbys?\b", r"members?\b", r"brokers?\b", r"controllers?\b", r"machines?\b", r"instances?\b", r"disks?\b", r"pods?\b", r"sides?\b", r"sites?\b", r"switch(?:es)?\b", r"partner\b", r"peers?\b", r"clusters?\b", r"cop(?:y|ies)\b", r"origins?\b", r"back-?ends?\b", r"upstreams?\b", r"targets?\b", r"it\b", r"they\b",
)  # fmt: skip
_BEGINNING = 4  # words: who acts


@once
def decided(view: View) -> list[Row]:
    """Automation declared, fenced, replaced or chose something, and somebody was hurt."""
    if not view.retold or any(row.told and lex.HARMLESS.search(row.text) for row in view.rows):
        return []
    rows = [row for row in view.during(*_DECIDE_KINDS) if row.told and _alone(row)]
    named = [
        row for row in rows if states(row.text, words.DECIDES, words.DECIDERS) or _in_command(row)
    ]
    passive = (
        [row for row in rows if says(row.text, lex.PROMOTE) and row.kind != "detection"]
        if named
        else []
    )
    return list(dict.fromkeys([*named, *passive]))


def _in_command(row: Row) -> bool:
    """A machine that draws its conclusion, or acts unasked: "B reckons that A has died"."""
    by = (rivals.MACHINE, words.DECIDERS, rivals.UNASKED)
    return rivals.TAKES_COMMAND.maybe(row.text) and any(
        states(row.text, rivals.TAKES_COMMAND, each) for each in by
    )


def _alone(row: Row) -> bool:
    """Not what people planned, and not what people do."""
    first = clauses(row.text)[0] if clauses(row.text) else row.text
    start = " ".join(first.split()[:_BEGINNING])
    people = lex.PEOPLE.search(start) and not words.DECIDERS.search(start)
    return not (people or lex.PLANNED.search(row.text) or lex.NO_FAILOVER.search(row.text))


@once
def _told(view: View) -> list[Row]:
    return (
        [row for row in (*view.during(*_TELL_KINDS), *view.asides) if row.told]
        if decided(view)
        else []
    )


@once
def was_well(view: View) -> list[Row]:
    """What it gave up was alive, or what it chose was behind."""
    return [
        row
        for row in _told(view)
        if row.kind != "decision"
        and (tells(row.text, words.WAS_WELL, _MEMBER) or _never_gone(view, row))
    ]


def _never_gone(view: View, row: Row) -> bool:
    """The side that was given up, by what it is or by its name; "it goes on" only where nothing had died."""
    if row.kind not in ("symptom", "detection", "said") or row in decided(view):
        return False
    still = states(row.text, rivals.STILL_THERE) or (
        states(row.text, rivals.GOES_ON) and bool(_cuts(view))
    )
    named = rivals.MACHINE.search(row.text) or leaning.names(row, decided(view)) if still else None
    return bool(named)


@once
def _cuts(view: View) -> list[Row]:
    """The two could not hear each other, and nothing else was wrong with either."""
    rows = [row for row in view.during("trigger", "symptom") if row.told]
    if any(rivals.NOT_DEATH.search(row.text) for row in view.triggers):
        return []
    return [row for row in rows if states(row.text, rivals.NO_TALK)]


@once
def two_truths(view: View) -> list[Row]:
    """Both sides took writes."""
    both = (words.TWO_TRUTHS, rivals.NOT_ALIKE)
    return [row for row in _told(view) if any(states(row.text, each) for each in both)]


@once
def to_and_fro(view: View) -> list[Row]:
    """It changed its mind, or the sides shot at each other."""
    return [
        row for row in _told(view) if row.kind != "decision" and states(row.text, words.TO_AND_FRO)
    ]


@once
def harm(view: View) -> list[Row]:
    """Any of these."""
    return [*was_well(view), *two_truths(view), *to_and_fro(view)]


@once
def mended(view: View) -> list[Row]:
    """Automation is switched off, the service is held, copies are built anew: after harm, people had to."""
    if not harm(view):
        return []
    rows = view.responding("action", "decision")
    off = [row for row in rows if row.told and states(row.text, words.SWITCHED_OFF, words.DECIDERS)]
    held = view.saying(rows, words.STOPPED_SERVICE)
    rebuilt = [
        r
        for r in view.responding("action", "symptom", "decision")
        if r.told and states(r.text, words.REBUILD)
    ]
    return [*off, *held, *rebuilt, *_sorted_out(view)]


def _sorted_out(view: View) -> list[Row]:
    """One side is put out of the way, work is held, lists are laid side by side."""
    rows = [row for row in view.responding("action", "decision") if row.told]
    ways = (lex.OUT_OF_THE_WAY, rivals.HELD, rivals.BROUGHT_TOGETHER)
    return [row for row in rows if any(states(row.text, each) for each in ways)]


@once
def chose(view: View) -> list[Row]:
    """To be sure was put before to be open."""
    if not (harm(view) or not_taken_over(view)):
        return []
    rows = [row for row in view.responding("decision") if row.told]
    return [row for row in rows if states(row.text, rivals.CHOOSES)]


@once
def stalls(view: View) -> list[Row]:
    """What automation took for a death: something late, slow or paused."""
    return [*view.saying(view.triggers, words.STALL), *_cuts(view)] if harm(view) else []


@once
def not_taken_over(view: View) -> list[Row]:
    """A failover that was due, and people did it in the end."""
    if not view.retold:
        return []
    rows = [row for row in view.during("trigger", "symptom", "detection", "hypothesis") if row.told]
    missing = [row for row in rows if states(row.text, words.NOT_TAKEN_OVER) or _due(row)]
    by_hand = view.saying(view.responding("action", "decision", "recovery"), lex.PROMOTE)
    return missing if missing and (by_hand or _forced(view)) else []


def _due(row: Row) -> bool:
    """It may be said in two sentences: "should have stepped in; nothing of the kind happened"."""
    return bool(rivals.DUE_BUT.search(row.text)) and not row.text.endswith("?")


@once
def forced(view: View) -> list[Row]:
    """What people made of the one that should have stepped in by itself."""
    return _forced(view) if not_taken_over(view) else []


def _forced(view: View) -> list[Row]:
    rows = [row for row in view.responding("action", "decision", "recovery") if row.told]
    hands = (lex.COMMAND, lex.PEOPLE)
    return [row for row in rows if any(states(row.text, rivals.FORCED, each) for each in hands)]


@once
def mended_itself(view: View) -> list[Row]:
    """After what automation did nobody had to do anything."""
    did = decided(view)[:1]
    if not did or view.after(did[0], "action", "decision", "access"):
        return []
    return view.after(did[0], "recovery")[:1]
