"""P6, the untested recovery: something is destroyed, and the copies are missing, old or slow."""

import re
from collections.abc import Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import clauses, says
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import copies as telling
from bot.postmortems.patterns.view import View

_NAMES = ("backupfailed", "backupmissing", "backupage", "lastsuccessfulbackup", "replicationstopped", "backupstale")  # fmt: skip
_ACTIONS = ("delete", "drop", "truncate", "wipe", "destroy", "purge")


def destructions(view: View) -> list[Row]:
    """Triggers that destroy data, whoever or whatever does; else what is told right behind them."""
    rows = view.saying(view.triggers, lex.DESTROY, lex.DATA)
    at_once = [row for row in view.during("symptom") if view.place[row.seq] < view.detected]
    return rows or (view.saying(at_once, lex.DESTROY, lex.DATA) if view.triggers else [])


@signal(
    "copies.destroyed",
    "runbook_step",
    "a step or an event destroyed data",
    "here no data was destroyed",
)
def destroyed(view: View) -> Sequence[Row]:
    rows = destructions(view)
    return [*rows, *telling.destroyed(view), *view.steps(*_ACTIONS)]


@signal(
    "copies.then-gone",
    "sequence_rule",
    "data was gone after what came before",
    "here what came before destroyed it itself",
)
def then_gone(view: View) -> Sequence[Row]:
    """The act, and what it destroyed, where that is told only behind it."""
    rows = [*destructions(view), *telling.destroyed(view)]
    after = bool(rows) and all(row.kind == "symptom" for row in rows)
    return [view.triggers[-1], rows[0]] if after and view.triggers else []


@signal(
    "copies.wrong-target",
    "structural",
    "it was made on something else than was meant",
    "here the target was the one that was meant",
)
def wrong_target(view: View) -> Sequence[Row]:
    found = (row for row in destructions(view) if lex.WRONG_TARGET.search(row.text))
    return [*found, *telling.wrong_target(view)]


@signal(
    "copies.not-usable",
    "structural",
    "recovery copies were missing, empty, old or destroyed",
    "here the recovery copies could be used",
)
def not_usable(view: View) -> Sequence[Row]:
    rows = view.during("symptom", "detection", "action", "access")
    bad = (row for row in rows if row.told and bad_copies(row.text))
    return [*bad, *telling.not_usable(view)]


def bad_copies(text: str) -> int:
    """How many clauses say of a recovery copy that it was not to be had."""
    return sum(
        bool((lex.COPIES.search(part) and lex.BAD_COPY.search(part)) or lex.NO_COPY.search(part))
        for part in clauses(text)
    )


@signal(
    "copies.failed-restore-step",
    "runbook_step",
    "a step that restores failed or took far longer than stated",
    "here no restore failed",
)
def failed_restore(view: View) -> Sequence[Row]:
    steps = [row for row in view.raw("step_failed", "drill_failed") if re.search(r"restore|backup", str(row.data.get("action") or row.data.get("step") or ""), re.IGNORECASE)]  # fmt: skip
    told = view.responding("action", "symptom", "recovery")
    failed = view.saying(told, lex.RESTORE_FAILS)
    return [
        *steps,
        *view.saying(told, lex.RESTORE, lex.SLOW),
        *failed,
        *_slow_copy(view),
        *telling.drags_on(view),
    ]


def _slow_copy(view: View) -> list[Row]:
    """Said in two clauses: a restore, and how long that took."""
    rows = [row for row in view.responding("action") if row.told]
    return [r for r in rows if lex.RESTORE.search(r.text) or re.match(r"(?i)copy\b", r.text) if says(r.text, lex.SLOW)]  # fmt: skip


@signal(
    "copies.data-lost",
    "structural",
    "data was lost for good, or only an old copy was left",
    "here no data was lost",
)
def data_lost(view: View) -> Sequence[Row]:
    old = view.saying(view.during("symptom", "decision", "detection", "recovery"), lex.OLD)
    return [*old, *telling.lost_for_good(view)]


@signal(
    "copies.never-tried",
    "structural",
    "the recovery had been tried by nobody, or was nobody's task",
    "here nobody says that the recovery was untried",
)
def never_tried(view: View) -> Sequence[Row]:
    return telling.nobodys(view)


@signal(
    "copies.nobody-told",
    "alert_absence",
    "that the copies were bad had reached nobody",
    "here an alert had said so",
)
def nobody_told(view: View) -> Sequence[Row]:
    rows = [row for row in view.during("symptom", "detection", "action") if row.told]
    return [row for row in rows if lex.UNDELIVERED.search(row.text) and re.search(r"back-?up|dump|snapshot|copies", row.text, re.IGNORECASE)]  # fmt: skip


@signal(
    "copies.alerts",
    "alert_label",
    "alerts spoke of backups or of replication that had stopped",
    "here no alert spoke of backups or replication",
)
def alerts(view: View) -> Sequence[Row]:
    named = view.named(_NAMES)
    first = next(iter(destructions(view)), None)
    told = view.before(first, "detection") if first else []
    return [*named, *(row for row in told if row.told and re.search(r"replicat\w+", row.text, re.IGNORECASE))]  # fmt: skip


@signal(
    "copies.denied",
    "access_path_failure",
    "the place of the copies refused access when they were needed",
    "here the copies could be reached",
)
def denied(view: View) -> Sequence[Row]:
    words = re.compile(r"denied|permission|credential|forbidden", re.IGNORECASE)
    return [row for row in view.saying(view.responding("action", "access", "symptom", "detection"), lex.COPIES) if words.search(row.text)]  # fmt: skip


@signal(
    "copies.lesser-before",
    "sequence_rule",
    "it happened while people mended something smaller",
    "here nothing smaller was being mended",
)
def lesser_before(view: View) -> Sequence[Row]:
    first = next(iter(destructions(view)), None)
    if first is None:
        return []
    earlier = view.before(first, "symptom", "detection")
    repairs = [row for row in view.before(first, "action") if earlier and view.place[row.seq] > view.place[earlier[0].seq]]  # fmt: skip
    return [earlier[-1], repairs[-1], first] if repairs else []


@signal(
    "copies.noticed-at-once",
    "sequence_rule",
    "who did it saw it at once",
    "here it was not seen at once",
)
def noticed_at_once(view: View) -> Sequence[Row]:
    return [row for row in destructions(view) if says(row.text, lex.NOTICED)]


@signal("copies.undone", "negative", "the deletion was taken back, or the restore met its goal")
def undone(view: View) -> Sequence[Row]:
    quick = re.compile(r"(?:soft[- ]delete|undelete|recycle bin|trash|undo)|restor\w+ .{0,30}(?:within|in) (?:\d+|a few) minutes|(?:no|without) (?:any )?data loss|within (?:the )?(?:rto|rpo|objective)|nothing (?:was|is) lost", re.IGNORECASE)  # fmt: skip
    return [row for row in view.responding("action", "recovery", "decision") if row.told and quick.search(row.text)][:1] or telling.practised(view)  # fmt: skip


SIGNALS = (
    destroyed, then_gone, wrong_target, not_usable, failed_restore, data_lost, never_tried, nobody_told, alerts, denied,
    lesser_before, noticed_at_once, undone,
)  # fmt: skip
