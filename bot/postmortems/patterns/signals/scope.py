"""P2, the blast radius of an operator's command: a permitted act that reaches far more than was meant."""

from collections.abc import Sequence

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import BEFORE, Row
from bot.postmortems.patterns.sentence import says
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import scope as telling
from bot.postmortems.patterns.view import View, within

_VERBS = ("drain", "remove", "scale", "terminate", "delete", "evict", "migrate", "shutdown", "stop", "reboot")  # fmt: skip
_TOOLS = ("admin tools", "build and configuration tools", "remote access")
_FEW = 5.0  # minutes


def operators(view: View) -> list[Row]:
    """Triggers that a person set off with a command; what runs by itself is none."""
    return [row for row in view.triggers if row.told and _by_a_person(row)]


def _by_a_person(row: Row) -> bool:
    """A command, or somebody who takes something away; whoever it was, it did not run by itself."""
    if says(row.text, lex.UNATTENDED):
        return False
    acts = says(row.text, lex.PEOPLE) and (
        says(row.text, lex.TAKE_AWAY) or says(row.text, lex.MOVE)
    )
    return acts or says(row.text, lex.COMMAND) or says(row.text, lex.ACCIDENT)


def _too_far(row: Row) -> bool:
    return row.told and says(row.text, lex.TOO_FAR)


@signal(
    "scope.operators-command",
    "structural",
    "a person's command or procedure came just before",
    "here no person's command came just before",
)
def operators_command(view: View) -> Sequence[Row]:
    return [*operators(view), *telling.acts(view)]


@signal(
    "scope.went-too-far",
    "structural",
    "it reached more than was meant",
    "here the change reached what it was meant to reach",
)
def went_too_far(view: View) -> Sequence[Row]:
    if telling.stayed_small(view):
        return []
    acts = operators(view)
    near = [row for act in acts for row in (act, *_same_minutes(view, act))]
    far = (row for row in near if _too_far(row))
    return list(dict.fromkeys([*far, *telling.too_far(view)]))


def _same_minutes(view: View, act: Row) -> list[Row]:
    """By the clock; of symptoms without one, those that are told before anybody noticed."""
    rows = view.after(act, "symptom")
    return [r for r in rows if within(act, r, _FEW) or (not r.known and view.place[r.seq] < view.detected)]  # fmt: skip


@signal(
    "scope.takes-capacity-away",
    "runbook_step",
    "a step that takes capacity away was made just before",
    "here no step that takes capacity away came before",
)
def takes_away(view: View) -> Sequence[Row]:
    told = [row for row in operators(view) if says(row.text, lex.TAKE_AWAY) or says(row.text, lex.CAPACITY, lex.FAIL)]  # fmt: skip
    start = view.clock.impact_start.at
    steps = [row for row in view.steps(*_VERBS) if start and start - BEFORE <= row.at <= start]
    return [*told, *telling.taken_away(view), *steps]


@signal(
    "scope.several-at-once",
    "structural",
    "several services or subsystems failed in the same minutes",
    "here one service failed",
)
def several_at_once(view: View) -> Sequence[Row]:
    if not view.triggers:
        return []
    rows = [row for act in view.triggers for row in _same_minutes(view, act)]
    return list(dict.fromkeys(row for row in rows if _several(row)))


def _several(row: Row) -> bool:
    """Said of others that fail too, or as a list of what fails."""
    return row.told and (says(row.text, lex.DEPENDENTS) or bool(lex.LISTED.search(row.text)))


@signal(
    "scope.many-alerts",
    "alert_label",
    "alerts of several services or many targets came within five minutes",
    "here alerts did not come from several services at once",
)
def many_alerts(view: View) -> Sequence[Row]:
    alerts = view.raw("alert_received")
    first = [row for row in alerts if within(alerts[0], row, _FEW)] if alerts else []
    services = {row.labels.get("service") or row.labels.get("job") for row in first} - {None}
    return first if len(services) > 2 else []  # noqa: PLR2004 - two may be one and what stands on it


@signal(
    "scope.status-depends",
    "access_path_failure",
    "the status page, a console or a tool could not be used, since it stood on what had failed",
    "here the status page and the tools stood on something else",
)
def status_depends(view: View) -> Sequence[Row]:
    told = view.saying(view.responding("symptom", "access"), lex.STATUS_PAGE, lex.HELD_BACK)
    rows = view.responding("symptom", "access", "action")
    return [*told, *(row for way in _TOOLS for row in view.failing(rows, way))]


@signal(
    "scope.change-then-impact",
    "sequence_rule",
    "the impact followed the command within five minutes",
    "here the impact did not follow a command within minutes",
)
def change_then_impact(view: View) -> Sequence[Row]:
    return _followed(view, operators(view))


def _followed(view: View, acts: Sequence[Row]) -> list[Row]:
    for act in acts:
        if symptom := view.impact_after(act, _FEW):
            return [act, symptom]
    return []


@signal(
    "scope.then-harm",
    "sequence_rule",
    "harm followed an act of which it is told that it reached more than was meant",
    "here no act is told to have reached more than was meant",
)
def then_harm(view: View) -> Sequence[Row]:
    return telling.then_harm(view)


@signal(
    "scope.ordered-recovery",
    "sequence_rule",
    "it came back in parts, one waiting for the other",
    "here it came back in one piece",
)
def ordered_recovery(view: View) -> Sequence[Row]:
    rows = view.responding("recovery")
    waiting = view.saying(rows, lex.ORDERED)
    partial = [row for row in rows if row.told and lex.PARTLY.search(row.text)]
    return [*partial[:1], *waiting[:1]] if waiting and partial else []


@signal(
    "scope.unrehearsed-restart",
    "runbook_step",
    "a full restart took longer than anybody expected",
    "here no long restart was needed",
)
def unrehearsed_restart(view: View) -> Sequence[Row]:
    rows = view.responding("action", "symptom")
    return [row for row in view.saying(rows, lex.LONG_RESTART) if says(row.text, lex.BRING_UP)]


@signal("scope.ran-by-itself", "negative", "what came before was an automatic deployment")
def ran_by_itself(view: View) -> Sequence[Row]:
    ran = view.saying(view.triggers, lex.UNATTENDED)
    return [] if operators(view) else ran


@signal("scope.one-wrong-target", "negative", "what came before destroyed data on one wrong target")
def one_wrong_target(view: View) -> Sequence[Row]:
    one = [row for row in view.saying(view.triggers, lex.DESTROY, lex.DATA) if says(row.text, lex.WRONG_TARGET)]  # fmt: skip
    return [*one, *telling.destroyed_for_good(view)]


SIGNALS = (
    operators_command, went_too_far, takes_away, several_at_once, many_alerts, status_depends,
    change_then_impact, then_harm, ordered_recovery, unrehearsed_restart, ran_by_itself, one_wrong_target,
)  # fmt: skip
