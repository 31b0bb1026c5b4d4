"""Facets F1 to F8: properties that cut across the patterns, each with the rows that show it. Pure."""

from collections.abc import Callable, Mapping, Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.said import TOOLS
from bot.postmortems.patterns.sentence import cue, says, statements, supposed
from bot.postmortems.patterns.view import View

_LOST = cue(r"lost\b", r"unavailab\w+", r"down\b", r"unreachable\b", r"gone\b", r"impaired\b", r"depend\w*")  # fmt: skip

_UPDATES = cue(r"updates?\b", r"inform\w*", r"tell(?:s|ing)?\b", r"told\b", r"announc\w+", r"post(?:s|ed|ing)?\b", r"publish\w*", r"notices?\b")  # fmt: skip
_FOR_ANOTHER_END = cue(r"so (?:that )?(?:they|all|each|every\w*|it) (?:\w+ )?(?:point|read|load|use|pick|get|have|see|take|know|connect|switch)\w*", r"to (?:pick up|apply|load|read|activate) (?:the|an?|its|their) (?:new|old|changed|corrected|fixed|right)\b")  # fmt: skip
_DECIDES = cue(r"fails? (?:the|this|that|its|a) (?:check|build|test|step|stage|release|gate|comparison|run|job)s?\b", r"(?:rejects?|blocks?|stops?|halts?) (?:the|this|that|its|a) (?:release|rollout|change|deploy\w*|merge|stage)\b")  # fmt: skip
_RESPONDERS_OWN = cue(r"our (?:own )?(?:\w+ )?(?:tool\w*|consoles?|systems?|vpn|sso|logins?|pipelines?|repositor\w+)\b", r"internal\b", r"admin\w*", r"control (?:plane|panel)s?\b", r"operations?\b", r"consoles?\b", r"management\b", r"deploy\w*", r"tooling\b")  # fmt: skip
_THEIRS = cue(r"(?:customers?|users?|clients?|traders?|players?|readers?|subscribers?|visitors?|buyers?|shoppers?|students?|patients?|passengers?|merchants?|services|clerks?) (?:\w+ ){0,3}(?:cannot|can ?not|could not|unable|see|fail\w*|lose|lost)\b")  # fmt: skip
_FULL = cue(
    r"(?:disks?|volumes?|partitions?|file ?systems?|storage|log|table ?spaces?|queues?|pools?|quotas?|mailbox\w*|drives?|inodes?|arrays?|buffers?|heaps?) (?:\w+ ){0,5}(?:is |are |was |were |runs |ran |becomes |became |gets |got |goes )?(?:\w+ )?(?:full|filled|fills|exhausted|used up|overflow\w*)\b", r"(?:disks?|volumes?|partitions?|file ?systems?|storage|table ?spaces?|space) .{0,25}(?:reach\w*|hits?|at) (?:its |the )?(?:100|limit|maximum|capacity)\b",
    r"(?:insufficient|no|not enough|out of|lack of|short of) (?:free |more )?(?:disk|storage|log|table|swap) ?(?:space)?\b", r"out of (?:\w+ )?(?:space|handles|descriptors|ids|connections|threads|inodes|ports|addresses|licen[cs]es|sockets)\b", r"too many open files\b",
    r"(?:limits?|maximum|ceiling|cap)\b(?: of (?:the |our |its )?[\w,.-]+(?: \w+){0,2})? (?:\w+ )?(?:is|was|are|were|being|been|had been) (?:\w+ )?(?:used up|reached|hit|exceeded|exhausted|passed)\b", r"(?:reach|hit|exceed)\w* (?:its|their|the|an?|our) (?:\w+ ){0,3}(?:limit|quota|maximum|ceiling|cap)s?\b",
    r"(?:connection|thread|worker|session|address|ip|port) (?:pool|table|limit)s? (?:\w+ )?(?:is|was|are|were) (?:\w+ )?(?:exhausted|used up|full)\b", r"(?:certificate|licen[cs]e|domain)s?\b.{0,50}\b(?:expir\w+|end (?:of its|date)|ran out|runs out|lapsed|lapses)\b",
)  # fmt: skip
_OTHERS = cue(
    r"acquir(?:er|ing bank)(?:'s)?\b", r"(?:payment|card) (?:processor|scheme|network|provider|gateway of)\b", r"(?:our |the )?(?:supplier|partner|reseller|registrar|telco|hoster|host(?:ing|er) company|clearing house|exchange|cdn|dns host|saas|idp vendor)(?:'s)?\b", r"(?:subsea|submarine|undersea) cables?\b", r"(?:power|electric\w*|gas|water|rail) (?:company|grid|network|operator)\b", r"(?:their|the other|a foreign|another company's) (?:host|network|platform|api|service|data cent\w+)\b", r"(?:public )?cloud (?:zone|region)\b",
)  # fmt: skip
_TOLD_THEM = cue(r"(?:to|with|by|from|inform\w*|tell\w*|told|call(?:s|ed)?|ask(?:s|ed)?|notif\w+|warn\w*|ticket (?:with|at)|contact\w*|alarm to|escalat\w+)(?: (?:the|our|an?|its|their|that|this|hardware|software|cloud|card))*\s*$")  # fmt: skip
_THEIR_PART = cue(r"(?:vendor|provider|supplier|upstream|third[- ]party|partner)(?:'s)? (?:\w+ )?(?:patch|update|firmware|release|bug|tool|library|driver|software|module|engineer|technician|courier|card|policy|console|probes?|monitor\w*)s?\b")  # fmt: skip


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
        if (row.kind != "symptom" and _gradually(row.text)) or lex.HERD.search(row.text)
        or (lex.RESTART.search(row.text) and lex.LONG_RESTART.search(row.text))
    ]  # fmt: skip


def _gradually(text: str) -> bool:
    """Coming back in steps; a restart in waves for another end ("so that they read the list") is none."""
    return says(text, lex.GRADED) and not _FOR_ANOTHER_END.search(text)


def comms_depend(view: View) -> list[Row]:
    """F2: customers cannot be told over the usual way."""
    rows = _responding(view)
    by_detour = [row for row in view.saying(rows, lex.INSTEAD) if _is_detour(row)]
    return [*_held(view, rows), *by_detour]


def _is_detour(row: Row) -> bool:
    """Told by us, and not beside a page of ours that works; what users write there is no update of ours."""
    ours = row.kind == "communication" or (row.kind in ("action", "decision") and says(row.text, _UPDATES))  # fmt: skip
    works = lex.STATUS_PAGE.search(row.text) and not lex.HELD_BACK.search(row.text)
    return ours and not works


def _held(view: View, rows: Sequence[Row]) -> list[Row]:
    told = view.saying(rows, lex.PUBLISHING, lex.HELD_BACK)
    two = [r for r in rows if says(r.text, lex.PUBLISHING) and r.kind == "action" and cue(r"delay\w*").search(r.text)]  # fmt: skip
    return list(dict.fromkeys([*(row for row in told if row.kind != "recovery"), *two]))


def tools_share_fate(view: View) -> list[Row]:
    """F3: tools for seeing or mending went with what failed."""
    rows = _responding(view, "symptom", "action", "access", "detection")
    ways = [row for way in TOOLS for row in view.failing(rows, way) if _is_ours(row)]
    sight = [
        r
        for r in view.saying(rows, lex.TELEMETRY, _LOST)
        if not lex.STATUS_PAGE.search(r.text) and not lex.SIGHT.search(r.text)
    ]
    return list(dict.fromkeys([*ways, *sight]))


def _is_ours(row: Row) -> bool:
    """Whether the tool is that of responders: users who cannot log in miss the product.

    What a tool decides about others ("the pipeline fails the check") is its work.
    """
    if _DECIDES.search(row.text):
        return False
    if row.kind in ("symptom", "detection"):
        return bool(lex.PEOPLE.search(row.text) or _RESPONDERS_OWN.search(row.text))
    return not says(row.text, _THEIRS)


def limit_reached(view: View) -> list[Row]:
    """F4: a limit that was always there was reached."""
    rows = [row for row in view.during("trigger", "symptom", "detection", "action", "hypothesis") if row.told]  # fmt: skip
    return [row for row in rows if says(row.text, lex.LIMIT) or says(row.text, _FULL)]


def sustained(view: View) -> list[Row]:
    """F5: something kept it going after what set it off was gone."""
    return view.saying(_responding(view, "symptom", "detection", "action"), lex.SUSTAINED)


def upstream(view: View) -> list[Row]:
    """F6: it began at somebody else's: they are what fails, not whom we told, nor whose part it is."""
    triggers = [row for row in view.triggers if _is_theirs(row.text)]
    early = [row for row in view.early("symptom", "detection") if _is_theirs(row.text, failing=True)]  # fmt: skip
    return [*triggers, *early]


def _is_theirs(text: str, *, failing: bool = False) -> bool:
    """Whether a sentence is about what happened at a third party's."""
    for part in statements(text):
        found = next((m for m in (lex.UPSTREAM.search(part), _OTHERS.search(part)) if m), None)
        if found is None or _TOLD_THEM.search(part[: found.start()]) or supposed(part):
            continue
        if _THEIR_PART.search(part[found.start() :]):
            continue
        if not failing or lex.BROKEN.search(part) or lex.FAIL.search(part):
            return True
    return False


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
