"""P5, the lockout: what failed carries the ways to mend it, and getting in is the outage."""

from collections.abc import Mapping, Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says, states
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import lockout as telling
from bot.postmortems.patterns.view import View

_NAMES = ("servfail", "dnsdown", "bgp", "vpndown", "idpdown", "ssodown", "bastion", "jumphost", "networkgone", "unreachable", "routeswithdrawn")  # fmt: skip
_SHARE = 0.3  # of the time to mitigate: from here on, getting in was the critical path
_MOST = 0.5
_QUICK = 5.0


def failed_ways(view: View) -> Mapping[str, list[Row]]:
    """Way in → the rows that say that it failed."""
    rows = view.responding("symptom", "action", "decision", "access", "detection")
    found: dict[str, list[Row]] = {}
    for way in lex.WAYS_IN:
        if seen := [row for row in view.failing(rows, way) if not telling.theirs(row)]:
            found[way] = seen
    slow = view.saying(rows, lex.WAYS_IN["physical access"], lex.HINDERED)
    if slow:
        found.setdefault("physical access", []).extend(slow)
    if unseen := telling.out_of_sight(view):
        found["sight and control"] = unseen
    known = set(_rows(found))
    for row in telling.shut_out(view):
        if row not in known:
            found[f"row {row.seq}"] = [row]
    for row in view.raw("access_failed"):
        found.setdefault(f"path {row.data.get('path') or 'unnamed'}", []).append(row)
    return found


def _on_site(view: View) -> list[Row]:
    told = view.saying(view.responding("action", "decision", "recovery"), lex.ON_SITE)
    told = [row for row in told if telling.before_the_end(view, row)]
    return list(dict.fromkeys([*told, *telling.went_there(view)]))


def _rows(found: Mapping[str, list[Row]]) -> list[Row]:
    return list(dict.fromkeys(row for rows in found.values() for row in rows))


@signal(
    "lockout.ways-failed",
    "access_path_failure",
    "ways in to mend it failed",
    "here no way in failed",
)
def ways_failed(view: View) -> Sequence[Row]:
    return _rows(failed_ways(view))


@signal(
    "lockout.several-ways",
    "structural",
    "two or more kinds of access failed together",
    "here one way in failed, not several",
)
def several_ways(view: View) -> Sequence[Row]:
    found = failed_ways(view)
    rows = _rows(found)
    one = len(rows) == 1 and not telling.lists(rows[0])  # "login to the bastion" is one way
    return rows if len(found) > 1 and not one else []


@signal(
    "lockout.stood-on-it",
    "structural",
    "what was needed to mend it stood on what had failed",
    "here the tools for mending it stood on something else",
)
def stood_on_it(view: View) -> Sequence[Row]:
    rows = view.responding("symptom", "action", "access", "detection")
    told = (row for row in rows if row.told and states(row.text, lex.CIRCULAR) and _about_mending(row))  # fmt: skip
    return [*told, *telling.stood_on_it(view), *telling.own_house(view)]


def _about_mending(row: Row) -> bool:
    return bool(lex.MENDING.search(row.text)) or any(
        w.search(row.text) for w in lex.WAYS_IN.values()
    )


@signal(
    "lockout.critical-path",
    "structural",
    "getting in took up a third or more of the time to mitigate",
    "here getting in was not what took the time",
)
def critical_path(view: View) -> Sequence[Row]:
    """By the clock where it can be told; without one, where people had to go there."""
    rows = [*ways_failed.see(view), *stood_on_it.see(view)]
    if not rows:
        return []
    total = view.minutes(view.clock.impact_start, view.clock.mitigated)
    first = next((row for row in rows if row.known), None)
    worked = _worked(view, rows)
    if first and worked and worked.known and total:
        took = (worked.at - first.at).total_seconds() / 60
        return [first, worked] if took >= _SHARE * total else []
    told = (_on_site, _mended_first, _one_by_one, _took_long, _known_long_before)
    way = next((found for look in told if (found := look(view))), [])
    return [rows[0], *way[:1]] if way else telling.took_the_time(view)


def _mended_first(view: View) -> list[Row]:
    """People first had to have a way in again."""
    rows = view.saying(view.responding("decision", "action"), lex.REGAIN)
    return [row for row in rows if any(says(row.text, way) for way in lex.WAYS_IN.values())]


def _one_by_one(view: View) -> list[Row]:
    """Machines were mended each for itself, since they could not be reached together."""
    return view.saying(view.responding("action", "decision"), lex.ONE_BY_ONE)


def _took_long(view: View) -> list[Row]:
    """Somebody says that getting at the machines took long."""
    return view.saying(view.responding("symptom", "action", "access"), lex.GET_AT, lex.SLOW)


def _known_long_before(view: View) -> list[Row]:
    """What had failed was known for most of the time in which it was not mended."""
    known = next((r for r in view.responding("detection") if r.known and says(r.text, lex.FOUND_OUT)), None)  # fmt: skip
    began = next((row.at for row in view.triggers if row.known), None)
    start, end = view.clock.impact_start.at or began, view.clock.mitigated.at
    if known is None or start is None or end is None or known.at >= end:
        return []
    return [known] if end - known.at > _MOST * (end - start) else []


def _worked(view: View, rows: Sequence[Row]) -> Row | None:
    """The first step that got through after the last failure."""
    last = max(view.place[row.seq] for row in rows)
    later = (row for row in view.rows[last + 1 :] if row.raw in ("step_succeeded", "bag_merged"))
    return next(later, None)


@signal(
    "lockout.on-site", "runbook_step", "somebody had to go there", "here nobody had to go anywhere"
)
def on_site(view: View) -> Sequence[Row]:
    return _on_site(view)


@signal(
    "lockout.bag-used",
    "runbook_step",
    "it was mended from a terminal outside, with the go-bag or broken glass",
    "here the usual tools were enough",
)
def bag_used(view: View) -> Sequence[Row]:
    return view.raw("bag_merged", "glass_broken")


@signal(
    "lockout.names-and-routes-gone",
    "alert_label",
    "names, routes or sign-in were gone together",
    "here names and routes stayed",
)
def names_gone(view: View) -> Sequence[Row]:
    named = view.named(_NAMES)
    told = view.responding("symptom", "detection")
    return [*named, *(row for row in told if row.told and lex.NAMES_GONE.search(row.text))]


@signal(
    "lockout.network-change-then-gone",
    "sequence_rule",
    "a change to network or identity was followed by a total loss within minutes",
    "here no change to network or identity came before",
)
def network_change(view: View) -> Sequence[Row]:
    for act in view.saying(view.triggers, lex.NETWORK):
        if symptom := view.impact_after(act, _QUICK):
            return [act, symptom]
    return []


@signal(
    "lockout.dispatch-then-fix",
    "sequence_rule",
    "people were sent before it could be mended",
    "here nobody was sent",
)
def dispatch_then_fix(view: View) -> Sequence[Row]:
    sent = [row for row in _on_site(view) if row.kind in ("decision", "action")]
    fixed = view.after(sent[0], "action", "recovery") if sent else []
    return [sent[0], fixed[0]] if fixed else []


@signal(
    "lockout.graded-return",
    "sequence_rule",
    "it was switched on again step by step",
    "here it came back at once",
)
def graded_return(view: View) -> Sequence[Row]:
    return view.saying(view.responding("decision", "action", "recovery"), lex.GRADED)


@signal(
    "lockout.chat-moved",
    "structural",
    "those who mended it had to talk elsewhere",
    "here people could talk where they always do",
)
def chat_moved(view: View) -> Sequence[Row]:
    if view.retold and not (ways_failed.see(view) or stood_on_it.see(view)):
        return []  # "bookings by phone" is how customers talk
    rows = view.responding("action", "decision", "access", "symptom")
    moved = (row for row in rows if row.told and lex.MOVED_CHAT.search(row.text))
    return [*moved, *telling.talked_elsewhere(view)]


@signal("lockout.got-in-quickly", "negative", "access worked within five minutes of the first try")
def got_in(view: View) -> Sequence[Row]:
    rows = ways_failed.see(view)
    first = rows[0] if rows else None
    if first is None:
        return []
    done = next((r for r in view.raw("step_succeeded") if view.place[r.seq] > view.place[first.seq]), None)  # fmt: skip
    soon = done and first.known and (done.at - first.at).total_seconds() <= _QUICK * 60
    decided = view.saying(view.responding("decision"), lex.SWITCH_OFF)
    acted = [row for d in decided for row in view.after(d, "action") if row.known and d.known and (row.at - d.at).total_seconds() <= _QUICK * 60 and says(row.text, lex.SWITCH_OFF)]  # fmt: skip
    return [done] if done and soon else acted[:1] or telling.got_in(view)


SIGNALS = (
    ways_failed, several_ways, stood_on_it, critical_path, on_site, bag_used, names_gone, network_change,
    dispatch_then_fix, graded_return, chat_moved, got_in,
)  # fmt: skip
