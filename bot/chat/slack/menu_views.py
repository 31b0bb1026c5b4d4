"""What a bare ``/incident`` opens in an incident's channel: the menu, and a form for each step. Pure.

Every choice is a command that could have been typed; what is submitted is read back as that.
"""

import shlex
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.catalog import AUDIENCES, Catalog
from bot.chat import limits
from bot.chat.blocks import Block, actions, button, context, cut, escape, section
from bot.chat.slack.views import severity_options
from bot.chat.update_form import spelled
from bot.errors import BadInput
from bot.incidents import ACTIVE, Incident
from bot.incidents.roles import ROLES
from bot.incidents.rules import following
from bot.incidents.tasks import TEXT_LIMIT
from bot.incidents.times import parse_time

# one tap, and it is done: the command that each stands for
AT_ONCE = {
    "menu_lead": "lead", "menu_resolve": "resolve", "menu_close": "close", "menu_reopen": "reopen",
}  # fmt: skip
STEPS = {
    "menu_task": "Add a task", "menu_status": "Status", "menu_severity": "Severity",
    "menu_role": "Give a role", "menu_run": "Run a runbook", "menu_page": "Page somebody",
}  # fmt: skip
CALLBACK = "menu"
UPDATE = "menu_update"  # its form is the one that `/incident update` opens
MENU_CLICKS = (*AT_ONCE, *STEPS, UPDATE)
_WHY = 300
_TOLD = {
    "internal": "Write an update",
    "executives": "Tell executives",
    "customers": "Tell customers",
}


def menu_view(
    channel: str, incident: Incident, catalog: Catalog, runbooks: Mapping[str, str]
) -> Block:
    """What fits the incident's state. ``runbooks``: id → title."""
    title = escape(cut(incident.title, 150))
    blocks = [section(
        f"*#{incident.number}* {incident.severity.upper()} · {escape(incident.standing)} · {title}"
    )]  # fmt: skip
    if incident.merged_into is None:
        blocks += _rows(incident, catalog, runbooks)
    blocks.append(context("`/incident declare TITLE` opens another; `/incident help` lists all."))
    return _modal("Incident", blocks, CALLBACK, channel)


def _rows(incident: Incident, catalog: Catalog, runbooks: Mapping[str, str]) -> list[Block]:
    number, going = str(incident.number), incident.status in ACTIVE
    first, more = [], []
    if going and not incident.commander:
        first.append(button("Take command", "menu_lead", number, style="primary"))
    elif going:
        more.append(button("Take command", "menu_lead", number))
    if incident.status == "resolved":
        confirm = f"Close incident {number}? Nothing is left to do then."
        first.append(button("Close", "menu_close", number, style="primary", confirm=confirm))
    first.append(_updates(catalog))
    second = [button(STEPS[step], step, number) for step in offered(incident, catalog, runbooks)]
    if going:
        confirm = f"Resolve incident {number}? Its postmortem is drafted then."
        more.append(button("Resolve", "menu_resolve", number, style="danger", confirm=confirm))
    else:
        more.append(button("Reopen", "menu_reopen", number))
    return [actions(*first), actions(*second), actions(*more)]


def offered(incident: Incident, catalog: Catalog, runbooks: Mapping[str, str]) -> list[str]:
    """The steps that lead somewhere now; a menu may have been open for long."""
    going, merged = incident.status in ACTIVE, incident.merged_into is not None
    fits = {
        "menu_status": following(incident.status), "menu_severity": going, "menu_run": runbooks,
        "menu_page": going and catalog.people,
    }  # fmt: skip
    return [step for step in STEPS if fits.get(step, True) and not merged]


def _updates(catalog: Catalog) -> Block:
    """A button; where others are told as well, a choice of whom."""
    told = [each for each in AUDIENCES if each == "internal" or catalog.audience(each)]
    if len(told) == 1:
        return button(_TOLD["internal"], UPDATE, "internal")
    options = [_option(_TOLD[each], each) for each in told]
    return {
        "type": "static_select", "action_id": UPDATE, "options": options,
        "placeholder": _plain("Write an update"),
    }  # fmt: skip


def step_view(
    step: str, channel: str, incident: Incident, catalog: Catalog, runbooks: Mapping[str, str]
) -> Block:
    """The form of a step; submitted, it comes back to `typed`."""
    match step:
        case "menu_task":
            fields = [
                _input("text", "What is to be done?", _text(max_length=TEXT_LIMIT)),
                _input("who", "Who does it?", _user(), optional=True),
                _input(
                    "by",
                    "By when?",
                    _text(placeholder="in 30m, at 14:30, tomorrow 9:00"),
                    optional=True,
                ),
            ]
        case "menu_status":
            options = [_option(s.capitalize(), s) for s in following(incident.status)]
            fields = [_input("choice", f"It is {incident.status}. What now?", _select(options))]
        case "menu_severity":
            fields = [_input("choice", "How bad is it?", _select(severity_options()))]
        case "menu_role":
            options = [_option(title.capitalize(), role) for role, title in ROLES.items()]
            fields = [_input("choice", "Role", _select(options)), _input("who", "Who?", _user())]
        case "menu_run":
            options = [_option(title, each) for each, title in runbooks.items()]
            fields = [
                _input("choice", "Which runbook?", _select(options[: limits.OPTIONS])),
                _input("inputs", "Inputs", _text(placeholder="name=value …"), optional=True),
            ]
        case _:
            fields = [
                _input("choice", "Whom?", {**_select([]), **_pages(catalog)}),
                _input("why", "Why?", _text(max_length=_WHY), optional=True),
            ]
    if step == "menu_run":
        fields.append(context("The plan is shown first; another person approves it."))
    made = _modal(STEPS[step], fields, CALLBACK, f"{step}|{channel}")
    return made | {"submit": _plain("Do it")}


def read_menu(view: Mapping[str, Any]) -> tuple[str, str, dict[str, str]]:
    """(step, channel, what was filled in) of a form that was submitted."""
    step, _, channel = view["private_metadata"].partition("|")
    found = {}
    for block, elements in view["state"]["values"].items():
        given = elements["value"]
        chosen = (given.get("selected_option") or {}).get("value")
        found[block] = (given.get("value") or given.get("selected_user") or chosen or "").strip()
    return step, channel, found


def wrong_step(given: Mapping[str, str], at: datetime, timezone: str) -> dict[str, str]:
    """What is wrong with a field, in words for beside it."""
    try:
        if by := given.get("by"):
            parse_time(spelled(by), at, timezone)
    except BadInput as error:
        return {"by": str(error)}
    return {}


def typed(step: str, given: Mapping[str, str]) -> tuple[str, str]:
    """The command that a form stands for: its name and what follows."""
    who = f"<@{given['who']}>" if given.get("who") else ""
    choice = given.get("choice", "")
    match step:
        case "menu_task":
            by = f"by {spelled(given['by'])}" if given.get("by") else ""
            return "incident", " ".join(filter(None, ("task", given["text"], who, by)))
        case "menu_role":
            return "incident", f"role {choice} {who}"
        case "menu_run":
            return "runbook", f"run {choice} {given.get('inputs', '')}".strip()
        case "menu_page":
            why = shlex.quote(given["why"]) if given.get("why") else ""
            return "incident", f"page {choice} {why}".strip()
    return "incident", f"{STEPS[step].lower()} {choice}"


def told_view(command: str) -> Block:
    """In the place of the menu, once a command is stored; a modal cannot be closed by a button."""
    words = f"`/incident {command}` is being done. What came of it is said in the channel."
    return _modal("Incident", [section(words)], CALLBACK, "")


def _pages(catalog: Catalog) -> Block:
    """Whom `/incident page` takes."""
    paged = [s for s in catalog.services if any(not e.services or s.id in e.services for e in catalog.escalations)]  # fmt: skip
    groups: list[tuple[str, Sequence[tuple[str, str]]]] = [
        ("Escalations", [(e.id, e.name) for e in catalog.escalations]),
        ("On call", [(s.id, s.name) for s in catalog.schedules]),
        ("For a service", [(s.id, s.title) for s in paged]),
        ("People", [(p.id, p.name) for p in catalog.people]),
    ]
    found = [
        {"label": _plain(label), "options": [_option(n, i) for i, n in all_[: limits.OPTIONS]]}
        for label, all_ in groups
        if all_
    ]
    return {"option_groups": found}


def _modal(title: str, blocks: list[Block], callback: str, metadata: str) -> Block:
    return {
        "type": "modal", "callback_id": callback, "private_metadata": metadata,
        "title": _plain(title), "close": _plain("Close"), "blocks": blocks,
    }  # fmt: skip


def _input(block: str, label: str, element: Block, *, optional: bool = False) -> Block:
    return {
        "type": "input", "block_id": block, "label": _plain(label), "optional": optional,
        "element": {**element, "action_id": "value"},
    }  # fmt: skip


def _text(*, max_length: int = limits.TYPED, placeholder: str = "") -> Block:
    shown = {"placeholder": _plain(placeholder)} if placeholder else {}
    return {"type": "plain_text_input", "max_length": max_length, **shown}


def _user() -> Block:
    return {"type": "users_select"}


def _select(options: list[Block]) -> Block:
    return {"type": "static_select"} | ({"options": options} if options else {})


def _option(text: str, value: str) -> Block:
    return {"text": _plain(cut(text, limits.OPTION)), "value": value}


def _plain(text: str) -> Block:
    return {"type": "plain_text", "text": text}
