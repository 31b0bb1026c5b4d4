"""P3, the harmful automatic failover: automation promotes what the applications cannot live with."""

import re
from collections.abc import Sequence
from datetime import timedelta

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says, states
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import failover as telling
from bot.postmortems.patterns.view import View

_NAMES = ("replicationlag", "replicationstopped", "splitbrain", "multipleprimaries", "leaderchanged", "quorumlost", "fencingfailed", "failover", "promoted")  # fmt: skip
_SHORT = re.compile(r"\b(\d+)[- ]?(seconds?|s|minutes?|min)\b", re.IGNORECASE)
_LONG_TAIL = 10
_QUICK = 5.0


def promotions(view: View) -> list[Row]:
    """Rows in which automation promotes or elects; what people planned is none."""
    rows = view.during("trigger", "symptom", "detection", "action")
    return [
        row for row in view.saying(rows, lex.PROMOTE)
        if not says(row.text, lex.PLANNED) and not lex.NO_FAILOVER.search(row.text) and not lex.SALES.search(row.text)
        and (says(row.text, lex.AUTOMATION) or (row.kind == "trigger" and not says(row.text, lex.PEOPLE)))
    ]  # fmt: skip


@signal(
    "failover.by-automation",
    "structural",
    "automation promoted or elected something",
    "here no automation changed who leads",
)
def by_automation(view: View) -> Sequence[Row]:
    return [*promotions(view), *(telling.decided(view) if telling.harm(view) else [])]


@signal(
    "failover.gave-up-the-healthy",
    "structural",
    "what automation gave up was alive, or what it chose was behind",
    "here what was given up had failed",
)
def gave_up_the_healthy(view: View) -> Sequence[Row]:
    return telling.was_well(view)


@signal(
    "failover.to-and-fro",
    "sequence_rule",
    "automation changed its mind, or both sides shot at each other",
    "here automation decided once",
)
def to_and_fro(view: View) -> Sequence[Row]:
    return telling.to_and_fro(view)


@signal(
    "failover.absent",
    "structural",
    "a failover that was due did not happen",
    "here no failover was missing",
)
def absent(view: View) -> Sequence[Row]:
    rows = view.during("trigger", "symptom", "detection", "action")
    said = (row for row in rows if row.told and lex.NO_FAILOVER.search(row.text))
    return list(dict.fromkeys([*said, *telling.not_taken_over(view)]))


@signal(
    "failover.diverged",
    "structural",
    "both sides held writes that the other had not",
    "here no writes diverged",
)
def diverged(view: View) -> Sequence[Row]:
    rows = view.during("symptom", "detection", "decision", "trigger")
    found = (row for row in rows if row.told and states(row.text, lex.DIVERGED))
    return [*found, *telling.two_truths(view)]


@signal(
    "failover.integrity-chosen",
    "structural",
    "people chose the data over a quicker return",
    "here nobody had to choose between data and speed",
)
def integrity_chosen(view: View) -> Sequence[Row]:
    rows = view.responding("decision", "action")
    told = (row for row in rows if row.told and states(row.text, lex.INTEGRITY))
    return [*told, *telling.chose(view)]


@signal(
    "failover.unexpected-topology",
    "runbook_step",
    "a look at the topology showed what nobody expected",
    "here the topology was as expected",
)
def unexpected_topology(view: View) -> Sequence[Row]:
    return view.saying(view.responding("detection", "action"), lex.TOPOLOGY, lex.UNEXPECTED)


@signal(
    "failover.paused-and-restored",
    "runbook_step",
    "writers were paused, or copies were restored to bring both sides together",
    "here nothing was paused or restored from a copy",
)
def paused(view: View) -> Sequence[Row]:
    rows = view.responding("action", "decision")
    stopped = view.saying(rows, lex.PAUSE, lex.WORKLOAD)
    restored = [row for row in view.saying(rows, lex.RESTORE) if re.search(r"back-?up|replica|cluster|sync", row.text, re.IGNORECASE)]  # fmt: skip
    rebuilt = view.saying(view.responding("symptom"), lex.REBUILT)
    reconciled = [
        row for row in rows if row.told and re.search(r"reconcil", row.text, re.IGNORECASE)
    ]
    return [
        *stopped,
        *restored,
        *rebuilt,
        *reconciled,
        *telling.mended(view),
        *view.steps("reseed", "rewind", "reinit", "pause", "rejoin"),
    ]


@signal(
    "failover.promoted-by-hand",
    "runbook_step",
    "people had to switch over by hand, or to take the old side out of the way",
    "here nobody had to switch over by hand",
)
def by_hand(view: View) -> Sequence[Row]:
    if not absent.see(view):
        return []
    rows = view.saying(view.responding("action", "decision", "recovery"), lex.PROMOTE)
    old = view.saying(view.responding("action", "decision"), lex.OUT_OF_THE_WAY, lex.OLD_SIDE)
    return [*(row for row in rows if says(row.text, lex.COMMAND)), *old, *telling.forced(view)]


@signal(
    "failover.own-channel-paused",
    "access_path_failure",
    "the mitigation had paused a channel that was needed to publish",
    "here no channel of our own was paused",
)
def own_channel(view: View) -> Sequence[Row]:
    return [
        row for row in view.saying(view.responding("action", "symptom", "communication"), lex.PUBLISHING)
        if re.search(r"paused|switched off|disabled", row.text, re.IGNORECASE) and lex.HELD_BACK.search(row.text)
    ]  # fmt: skip


@signal(
    "failover.alerts",
    "alert_label",
    "alerts spoke of replication, leaders or quorum",
    "here no alert spoke of replication or leaders",
)
def alerts(view: View) -> Sequence[Row]:
    return view.named(_NAMES)


@signal(
    "failover.blip-then-promotion",
    "sequence_rule",
    "a cut in the network or a stall was followed by a promotion, and errors went on",
    "here no cut in the network came before",
)
def blip(view: View) -> Sequence[Row]:
    cuts = [*view.saying(view.during("trigger", "symptom"), lex.PARTITION), *telling.stalls(view)]
    for promoted in by_automation.see(view):
        earlier = [row for row in cuts if view.place[row.seq] < view.place[promoted.seq]]
        later = view.after(promoted, "symptom", *(("detection",) if view.retold else ()))
        if earlier and later:
            return [earlier[0], promoted, later[0]]
    return []


@signal(
    "failover.second-wave",
    "sequence_rule",
    "it got worse again after it had recovered, or been mended",
    "here it did not get worse again",
)
def second_wave(view: View) -> Sequence[Row]:
    rows = view.responding("recovery")
    waves = view.after(rows[0], "symptom") if rows else []
    if waves:
        return waves[:1]
    mended = view.responding("action")
    back = view.saying(view.after(mended[0], "symptom"), lex.ONCE_MORE) if mended else []
    return back[:1]


@signal(
    "failover.long-tail",
    "structural",
    "recovery took more than ten times as long as the fault before it",
    "here recovery was not far longer than the fault before it",
)
def long_tail(view: View) -> Sequence[Row]:
    minutes = view.minutes(view.clock.impact_start, view.clock.resolved)
    end = view.row(view.clock.resolved)
    for row in view.triggers:
        short = _SHORT.search(row.text)
        if short and end and minutes is not None:
            unit = 60 if short.group(2).startswith(("m", "M")) else 1
            if minutes * 60 > _LONG_TAIL * int(short.group(1)) * unit:
                return [row, end]
    return []


@signal(
    "failover.worked", "negative", "the failover worked and ended the impact within five minutes"
)
def worked(view: View) -> Sequence[Row]:
    found = promotions(view) or view.saying(
        view.during("trigger", "action", "recovery"), lex.PROMOTE
    )
    minutes = view.minutes(view.clock.impact_start, view.clock.mitigated)
    quick = minutes is not None and timedelta(minutes=minutes) < timedelta(minutes=_QUICK)
    if found and quick and not second_wave.see(view):
        return found[:1]
    return telling.mended_itself(view)


SIGNALS = (
    by_automation, gave_up_the_healthy, to_and_fro, absent, diverged, integrity_chosen, unexpected_topology, paused, by_hand, own_channel,
    alerts, blip, second_wave, long_tail, worked,
)  # fmt: skip
