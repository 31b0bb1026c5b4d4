"""Facets F1 to F8: properties that cut across the patterns, each with the rows that show it. Pure."""

from collections.abc import Callable, Mapping, Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.said import TOOLS
from bot.postmortems.patterns.sentence import cue, says
from bot.postmortems.patterns.view import View

_LOST = cue(r"lost\b", r"unavailab\w+", r"down\b", r"unreachable\b", r"gone\b", r"impaired\b", r"depend\w*")  # fmt: skip


def _responding(view: View, *kinds: str) -> list[Row]:
    kinds = kinds or (
        "symptom",
        "detection",
        "action",
        "decision",
        "recovery",
        "communication",
        "access",
    )
    return [row for row in view.responding(*kinds) if row.told]


def slow_restart(view: View) -> list[Row]:
    """F1: coming back is slow, or must be slowed down."""
    rows = _responding(view, "symptom", "action", "decision", "recovery")
    return [
        row for row in rows
        if (row.kind != "symptom" and says(row.text, lex.GRADED)) or lex.HERD.search(row.text)
        or (lex.RESTART.search(row.text) and lex.LONG_RESTART.search(row.text))
    ]  # fmt: skip


def comms_depend(view: View) -> list[Row]:
    """F2: customers cannot be told over the usual way."""
    rows = _responding(view)
    by_detour = [row for row in view.saying(rows, lex.INSTEAD) if row.kind != "detection"]
    return [*_held(view, rows), *by_detour]


def _held(view: View, rows: Sequence[Row]) -> list[Row]:
    told = view.saying(rows, lex.PUBLISHING, lex.HELD_BACK)
    two = [r for r in rows if says(r.text, lex.PUBLISHING) and r.kind == "action" and cue(r"delay\w*").search(r.text)]  # fmt: skip
    return list(dict.fromkeys([*(row for row in told if row.kind != "recovery"), *two]))


def tools_share_fate(view: View) -> list[Row]:
    """F3: tools for seeing or mending went with what failed."""
    rows = _responding(view, "symptom", "action", "access", "detection")
    ways = [row for way in TOOLS for row in view.failing(rows, way)]
    sight = [
        r
        for r in view.saying(rows, lex.TELEMETRY, _LOST)
        if not lex.STATUS_PAGE.search(r.text) and not lex.SIGHT.search(r.text)
    ]
    return list(dict.fromkeys([*ways, *sight]))


def limit_reached(view: View) -> list[Row]:
    """F4: a limit that was always there was reached."""
    rows = [row for row in view.during("trigger", "symptom", "detection", "action") if row.told]
    return [row for row in rows if says(row.text, lex.LIMIT)]


def sustained(view: View) -> list[Row]:
    """F5: something kept it going after what set it off was gone."""
    return view.saying(_responding(view, "symptom", "detection", "action"), lex.SUSTAINED)


def upstream(view: View) -> list[Row]:
    """F6: it began at somebody else's."""
    return view.saying([*view.triggers, *view.early("symptom", "detection")], lex.UPSTREAM)


def repeated(view: View) -> list[Row]:
    """F7: it had been here before."""
    return view.saying([row for row in view.during() if row.told], lex.REPEATED)


def interfered(view: View) -> list[Row]:
    """F8: responders were in each other's way."""
    return view.saying(_responding(view), lex.INTERFERED)


FACETS: Mapping[str, Callable[[View], list[Row]]] = {
    "F1": slow_restart, "F2": comms_depend, "F3": tools_share_fate, "F4": limit_reached,
    "F5": sustained, "F6": upstream, "F7": repeated, "F8": interfered,
}  # fmt: skip
