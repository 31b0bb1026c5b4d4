"""What a person fills in: the state of one element, as Slack's client would report it."""

from typing import Any

from .blocks import elements_of
from .elements import options_of
from .errors import HumanError
from .state import Json

_TEXTS = {"plain_text_input", "email_text_input", "url_text_input", "number_input"}
# element type -> (key of the value in the state, key of the initial value)
_PLAIN = {
    **dict.fromkeys(_TEXTS, ("value", "initial_value")),
    "rich_text_input": ("rich_text_value", "initial_value"),
    "datepicker": ("selected_date", "initial_date"),
    "timepicker": ("selected_time", "initial_time"),
    "datetimepicker": ("selected_date_time", "initial_date_time"),
    "users_select": ("selected_user", "initial_user"),
    "conversations_select": ("selected_conversation", "initial_conversation"),
    "channels_select": ("selected_channel", "initial_channel"),
    "multi_users_select": ("selected_users", "initial_users"),
    "multi_conversations_select": ("selected_conversations", "initial_conversations"),
    "multi_channels_select": ("selected_channels", "initial_channels"),
    "file_input": ("files", "initial_files"),
}
_ONE = {"static_select", "radio_buttons", "external_select", "overflow"}
_MANY = {"multi_static_select", "checkboxes", "multi_external_select"}


def _option(element: Json, given: Any) -> Json:
    if isinstance(given, dict):
        return given
    for option in options_of(element):
        if given in {option.get("value"), option["text"]["text"]}:
            return option
    if element["type"].endswith("external_select"):
        return {"text": {"type": "plain_text", "text": str(given)}, "value": str(given)}
    have = [o.get("value") for o in options_of(element)]
    raise HumanError(f"{element.get('action_id')} has no option {given!r}; it has {have}")


def element_state(element: Json, given: Any = None) -> Json:
    """The element's value: what was given, or what the app filled in beforehand."""
    kind = element["type"]
    if kind in _PLAIN:
        key, initial = _PLAIN[kind]
        value = element.get(initial) if given is None else given
        if kind in _TEXTS:
            value = None if value in {None, ""} else str(value)
        elif kind.startswith("multi_") or kind == "file_input":
            value = list(value or [])
        return {"type": kind, key: value}
    if kind in _ONE:
        chosen = element.get("initial_option") if given is None else _option(element, given)
        return {"type": kind, "selected_option": chosen}
    if kind in _MANY:
        many = given if isinstance(given, list) else [given]
        if given is None:
            chosen_all = element.get("initial_options") or []
        else:
            chosen_all = [_option(element, g) for g in many]
        return {"type": kind, "selected_options": chosen_all}
    return {"type": kind}


def is_empty(state: Json) -> bool:
    return not any(v not in (None, [], "") for k, v in state.items() if k != "type")


def action(block: Json, element: Json, given: Any, ts: str) -> Json:
    """One entry of `actions` in a click's payload."""
    body: Json = {"action_id": element["action_id"], "block_id": block["block_id"]}
    if element["type"] in {"button", "workflow_button"}:
        body |= {k: element[k] for k in ("text", "value", "style") if k in element}
        body["type"] = element["type"]
    else:
        body |= element_state(element, given)
    return body | {"action_ts": ts}


def find_element(blocks: list[Json], action_id: str, given: Any = None) -> tuple[Json, Json]:
    """The element that a person would press; of several alike, the one whose value was named."""
    found = [(b, e) for b in blocks for _, e in elements_of(b) if e.get("action_id") == action_id]
    if len(found) > 1 and given is not None:
        found = [(b, e) for b, e in found if given in {e.get("value"), b["block_id"]}] or found
    if not found:
        have = [e.get("action_id") for b in blocks for _, e in elements_of(b)]
        raise HumanError(
            f"there is nothing with action_id {action_id!r} to press; there are {have}"
        )
    return found[0]


def state_of(blocks: list[Json], values: Json | None = None) -> Json:
    """`state.values` of a message or view, with what a person filled in laid over what was there.

    A value is named by its block id or its action id; one that fits nothing is the test's mistake.
    """
    left = dict(values or {})
    state: Json = {}
    for block in blocks:
        for _, element in elements_of(block):
            kind = element["type"]
            if kind not in {*_PLAIN, *_ONE, *_MANY} - {"overflow"}:
                continue
            ident = element["action_id"]
            given = left.pop(block["block_id"], None) if block["type"] == "input" else None
            if isinstance(given, dict) and ident in given:
                given = given[ident]
            if given is None and ident in (values or {}):
                given = (values or {})[ident]
                left.pop(ident, None)
            state.setdefault(block["block_id"], {})[ident] = element_state(element, given)
    if left:
        raise HumanError(f"the form has no fields {sorted(left)}; it has {_names(blocks)}")
    return state


def _names(blocks: list[Json]) -> list[str]:
    return [f"{b['block_id']}/{e.get('action_id')}" for b in blocks for _, e in elements_of(b)]


def check_form(blocks: list[Json], state: Json) -> dict[str, str]:
    """What Slack's client itself complains of before it sends a form."""
    wrong = {}
    for block in blocks:
        if block["type"] != "input":
            continue
        element = block["element"]
        value = state[block["block_id"]][element["action_id"]]
        if is_empty(value):
            if not block.get("optional"):
                wrong[block["block_id"]] = "required"
        elif (text := value.get("value")) is not None and element["type"] in _TEXTS:
            if len(text) > element.get("max_length", 3000):
                wrong[block["block_id"]] = "too long"
            elif len(text) < element.get("min_length", 0):
                wrong[block["block_id"]] = "too short"
    return wrong
