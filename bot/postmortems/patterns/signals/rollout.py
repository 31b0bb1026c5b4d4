"""P4, the global rollout of configuration: content that reaches everything at once and breaks it."""

from collections.abc import Sequence
from itertools import pairwise

from bot.postmortems.patterns import lexicon as lex
from bot.postmortems.patterns.rows import Row
from bot.postmortems.patterns.sentence import says, statements, states
from bot.postmortems.patterns.signal import signal
from bot.postmortems.patterns.telling import rollout as telling
from bot.postmortems.patterns.view import View, within

_CONTENT_TYPES = frozenset({"config", "rule", "flag", "policy", "content", "feature", "dns", "routing", "certificate"})  # fmt: skip
_OFF = (
    "disable",
    "turn_off",
    "switch_off",
    "rollback",
    "roll_back",
    "revert",
    "kill",
    "flag",
    "undo",
)
_FEW, _TEN = 5.0, 10.0


def contents(view: View) -> list[Row]:
    """Triggers in which configuration, rules or other content is shipped."""
    rows = [row for row in view.triggers if row.told]
    if telling.came_as_meant(view):
        return []
    shipped = (r for r in rows if _ships(telling.without_selectors(r.text)))
    return list(dict.fromkeys([*telling.contents(view), *shipped]))


def _ships(text: str) -> bool:
    return states(text, lex.SHIP, lex.CONTENT) or _then_shipped(text)


def _then_shipped(text: str) -> bool:
    """Content is changed in one statement, and shipped in the next: "…; while it is being spread, …"."""
    parts = statements(text)
    return any(states(one, lex.ALTER, lex.CONTENT) and states(two, lex.SHIP) for one, two in pairwise(parts))  # fmt: skip


@signal(
    "rollout.content-shipped",
    "structural",
    "configuration, a rule or other content was shipped just before",
    "here no configuration or content was shipped before",
)
def content_shipped(view: View) -> Sequence[Row]:
    return contents(view)


@signal(
    "rollout.not-staged",
    "structural",
    "it went everywhere at once, without stages",
    "here it went out in stages",
)
def not_staged(view: View) -> Sequence[Row]:
    """The row that ships it says so, or the one beside it: "It goes to every site at once"."""
    shipped = contents(view)
    beside = view.saying(view.triggers, lex.SHIP) if shipped else []
    wide = (r for r in dict.fromkeys([*shipped, *beside]) if _wide(r) and not _held(r))
    return [*wide, *telling.not_staged(view)]


def _wide(row: Row) -> bool:
    wide = (lex.EVERYWHERE, lex.TO_EVERYBODY, lex.UNSTAGED)
    return any(words.search(row.text) for words in wide)


def _held(row: Row) -> bool:
    part = says(row.text, lex.STAGED) or says(row.text, lex.PART_OF, lex.TO_EVERYBODY)
    return part and not lex.UNSTAGED.search(row.text)


@signal(
    "rollout.broke-everywhere",
    "structural",
    "it broke in all places within minutes",
    "here one place broke, not all",
)
def broke_everywhere(view: View) -> Sequence[Row]:
    rows = [row for row in view.early("symptom", "detection") if row.told]
    wide = (row for row in rows if lex.EVERYWHERE.search(row.text) or lex.MANY_PLACES.search(row.text))  # fmt: skip
    broken = (row for row in wide if row.kind == "symptom" or lex.BROKEN.search(row.text))
    return [*broken, *telling.broke(view)]


@signal(
    "rollout.all-regions-alert",
    "alert_label",
    "the same alert fired for several regions or for all instances at once",
    "here alerts did not fire in all places at once",
)
def all_regions(view: View) -> Sequence[Row]:
    alerts = view.raw("alert_received")
    first = [row for row in alerts if within(alerts[0], row, 2)] if alerts else []
    regions = {row.labels.get("region") or row.labels.get("zone") for row in first} - {None}
    wide = [row for row in first if row.labels.get("scope") in ("global", "all-regions")]
    changes = [row for row in first if row.labels.get("change") in _CONTENT_TYPES]
    return wide or changes or (first if len(regions) > 2 else [])  # noqa: PLR2004 - two may be one pair


@signal(
    "rollout.switched-off",
    "runbook_step",
    "it was mended by switching the content or the feature off",
    "here nothing was switched off or taken back",
)
def switched_off(view: View) -> Sequence[Row]:
    told = view.saying(view.responding("action", "decision"), lex.SWITCH_OFF)
    return [*told, *telling.taken_back(view), *view.steps(*_OFF)]


@signal(
    "rollout.tools-behind-product",
    "access_path_failure",
    "the tools for taking it back were behind what had failed, or their credentials had lapsed",
    "here the tools for taking it back were at hand",
)
def tools_behind(view: View) -> Sequence[Row]:
    rows = view.responding("symptom", "action", "access", "detection")
    ways = ("identity", "admin tools", "build and configuration tools", "remote access", "vpn")
    found = (row for way in ways for row in view.failing(rows, way))
    return list(dict.fromkeys([*found, *telling.behind_it(view)]))


@signal(
    "rollout.change-then-impact",
    "sequence_rule",
    "the impact followed the change within five minutes",
    "here the impact did not follow a change within minutes",
)
def change_then_impact(view: View) -> Sequence[Row]:
    for act in dict.fromkeys(
        [*contents(view), *(r for r in telling.not_staged(view) if r.kind == "trigger")]
    ):
        if symptom := view.impact_after(act, _FEW):
            return [act, symptom]
    return []


@signal(
    "rollout.off-then-well",
    "sequence_rule",
    "it was well within ten minutes of being switched off",
    "here it was not well within minutes of being taken back",
)
def off_then_well(view: View) -> Sequence[Row]:
    for act in switched_off.see(view):
        well = next((r for r in view.after(act, "recovery") if within(act, r, _TEN)), None)
        if act.kind in ("action", "step") and well:
            return [act, well]
    return []


@signal(
    "rollout.attack-dropped",
    "sequence_rule",
    "an attack was considered and ruled out",
    "here nobody had to rule out an attack",
)
def attack_dropped(view: View) -> Sequence[Row]:
    rows = view.responding("symptom", "detection", "action", "hypothesis")
    raised = [row for row in rows if row.told and lex.ATTACK.search(row.text)]
    if not raised:
        return []
    other = view.saying(view.after(raised[0], "detection", "action"), lex.FOUND_OUT)
    return raised if len(raised) > 1 else [*raised, *other[:1]] if other else []


@signal("rollout.caught-in-stages", "negative", "a staged rollout caught it while it was small")
def caught(view: View) -> Sequence[Row]:
    rows = view.during("trigger", "symptom", "detection", "action")
    staged = [row for row in view.saying(rows, lex.STAGED) if not lex.UNSTAGED.search(row.text)]
    return [row for row in staged if not lex.UNHEEDED.search(row.text)][:1]


@signal(
    "rollout.nobody-hurt", "negative", "nobody or hardly anybody was affected, by what was recorded"
)
def nobody_hurt(view: View) -> Sequence[Row]:
    rows = [row for row in view.during("detection", "action", "decision", "recovery") if row.told]
    return [row for row in rows if lex.HARMLESS.search(row.text)][:1] or telling.hurt_few(view)


SIGNALS = (
    content_shipped, not_staged, broke_everywhere, all_regions, switched_off, tools_behind,
    change_then_impact, off_then_well, attack_dropped, caught, nobody_hurt,
)  # fmt: skip
