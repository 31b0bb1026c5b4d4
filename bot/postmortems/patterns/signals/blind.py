"""P1, the blind incident: no telemetry answers, people outside notice first, a restart without a diagnosis."""

from collections.abc import Sequence
from datetime import timedelta

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.found import tells_what_was_found
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.said import gives_no_answer
from bot.postmortems.patterns.sentence import says
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import blind as telling
from bot.postmortems.patterns.view import View

_DEAD_MAN = ("watchdog", "deadman", "targetdown", "absentmetric", "nodata", "absent", "scrape")
_LOOKING = ("prometheus", "grafana", "loki", "elastic", "kibana", "datadog", "cloudwatch", "sentry", "dashboard", "metrics", "logs", "traces")  # fmt: skip

_LATE, _AT_ONCE = timedelta(minutes=10), timedelta(minutes=5)


def _noticed(view: View) -> list[Row]:
    return view.responding("detection")


@signal(
    "blind.customers-first",
    "alert_absence",
    "customers or support noticed it, before any machine did",
    "here a machine or a member of staff noticed first",
)
def customers_first(view: View) -> Sequence[Row]:
    rows = _noticed(view)
    return rows[:1] if rows and rows[0].noticed == "customer" else []


@signal(
    "blind.telemetry-silent",
    "alert_absence",
    "monitoring was silent, empty or gone while users were hurt",
    "here telemetry was there to look at",
)
def telemetry_silent(view: View) -> Sequence[Row]:
    rows = [r for r in view.responding("symptom", "detection", "action", "hypothesis") if r.told]
    return [*(row for row in rows if gives_no_answer(row.text)), *telling.silent(view)]


@signal(
    "blind.dead-man-alert",
    "alert_label",
    "an alert said that data or targets were missing",
    "here no alert said that monitoring itself was missing",
)
def dead_man(view: View) -> Sequence[Row]:
    return view.named(_DEAD_MAN)


@signal(
    "blind.looked-in-vain",
    "runbook_step",
    "a step that looks at metrics, logs or traces failed or had no answer",
    "here no step of looking failed",
)
def looked_in_vain(view: View) -> Sequence[Row]:
    return [row for row in view.raw("step_failed", "step_skipped", "access_failed") if _looks(row)]


def _looks(row: Row) -> bool:
    about = " ".join(str(row.data.get(key) or "") for key in ("action", "target", "step")).lower()
    return any(word in about for word in _LOOKING)


@signal(
    "blind.telemetry-stood-on-it",
    "structural",
    "what people look at stood on what had failed",
    "here telemetry stood on something else",
)
def stood_on_it(view: View) -> Sequence[Row]:
    return telling.leaned(view)


@signal(
    "blind.worked-blind",
    "structural",
    "people worked without knowing what had failed",
    "here what failed became known while people worked on it",
)
def worked_blind(view: View) -> Sequence[Row]:
    told = view.saying(view.responding("action", "symptom", "decision"), lex.BLIND)
    blind = [row for row in told if row.kind != "symptom" or not says(row.text, lex.CUSTOMERS)]
    guesses = list(view.of("hypothesis"))
    blind = [*blind, *telling.felt_their_way(view)]
    return [*blind, *(guesses if len(guesses) >= 3 and not _diagnosed(view) else [])]  # noqa: PLR2004 - as the catalogue says


def _diagnosed(view: View) -> list[Row]:
    rows = view.responding("detection", "action", "decision")
    return [row for row in rows if row.told and tells_what_was_found(row.text)]


@signal(
    "blind.restart-without-diagnosis",
    "runbook_step",
    "all was restarted, and it recovered before anybody had found out what had failed",
    "here it did not recover by an undiagnosed restart",
)
def restart_without_diagnosis(view: View) -> Sequence[Row]:
    restarts = view.saying(
        view.responding("action", "decision", "recovery"), lex.RESTART, lex.WHOLE
    )
    restarts = sorted({*restarts, *telling.restarted_all(view)}, key=lambda r: view.place[r.seq])
    restarts = [
        row for row in restarts if view.place[row.seq] <= view.ended
    ]  # what is restarted when users are well mended nothing
    first = restarts[0] if restarts else None
    known = [*_diagnosed(view), *(r for r in view.asides if tells_what_was_found(r.text))]
    if first is None or any(view.place[row.seq] < view.place[first.seq] for row in known):
        return []
    well = [row for row in view.of("recovery") if view.place[row.seq] >= view.place[first.seq]]
    return [first, *well[-1:]] if well else []


@signal(
    "blind.late-machine",
    "sequence_rule",
    "no machine signalled within ten minutes of the impact, nor did staff stand beside it",
    "here a machine signalled within minutes",
)
def late_machine(view: View) -> Sequence[Row]:
    rows, start = _noticed(view), view.clock.impact_start
    machine = next((row for row in rows if row.noticed == "machine"), None)
    people = [row for row in rows if row.noticed in ("customer", "staff")]
    if start.at is None or not people or (machine and not machine.known):
        return []
    if machine and machine.at - start.at <= _LATE:
        return []
    first = people[0]
    if first.noticed == "staff" and first.known and first.at - start.at <= _AT_ONCE:
        return []  # who stood beside it needed no machine
    began = view.row(start)
    return [*([began] if began else []), people[0]]


@signal("blind.machine-first", "negative", "a machine's alert was the first to notice")
def machine_first(view: View) -> Sequence[Row]:
    rows = _noticed(view)
    first = rows[:1] if rows and rows[0].noticed == "machine" else []
    return [] if telling.explains_it(view) else first


@signal(
    "blind.cause-before-mitigation", "negative", "what had failed was known before it was mended"
)
def cause_first(view: View) -> Sequence[Row]:
    found = [row for row in _diagnosed(view) if view.place[row.seq] < view.ended][:1]
    return [] if telling.explains_it(view) else found


@signal("blind.nothing-was-down", "negative", "data or telemetry went, and no service was down")
def nothing_was_down(view: View) -> Sequence[Row]:
    return telling.nothing_was_down(view)


SIGNALS = (
    customers_first, telemetry_silent, dead_man, looked_in_vain, stood_on_it, worked_blind,
    restart_without_diagnosis, late_machine, machine_first, cause_first,
    nothing_was_down,
)  # fmt: skip
