"""Block Kit's interactive elements: what each may carry, and its limits."""

from collections.abc import Callable
from typing import Any

from .rules import ID, Found, Json, need_keys, string, text

Check = Callable[[Found, str, Json], None]

_COMMON = {"type", "action_id", "confirm", "focus_on_load", "placeholder", "accessibility_label"}


def _only(found: Found, at: str, element: Json, *names: str) -> None:
    for name in element.keys() - _COMMON - set(names):
        found.add(at, f"invalid additional property: {name}")


def _confirm(found: Found, at: str, value: Any) -> None:
    if not isinstance(value, dict):
        found.add(at, "must provide an object")
        return
    if need_keys(found, at, value, "title", "text", "confirm", "deny"):
        text(found, f"{at}/title", value["title"], 100, plain=True)
        text(found, f"{at}/text", value["text"], 300)
        text(found, f"{at}/confirm", value["confirm"], 30, plain=True)
        text(found, f"{at}/deny", value["deny"], 30, plain=True)


def check_option(found: Found, at: str, option: Any, *, plain: bool) -> None:
    if not isinstance(option, dict):
        found.add(at, "must provide an object")
        return
    for name in option.keys() - {"text", "value", "description", "url"}:
        found.add(at, f"invalid additional property: {name}")
    need = ("text",) if "url" in option else ("text", "value")
    if not need_keys(found, at, option, *need):
        return
    text(found, f"{at}/text", option["text"], 75, plain=plain)
    string(found, f"{at}/value", option.get("value"), 150, least=1)
    if option.get("description") is not None:
        text(found, f"{at}/description", option["description"], 75, plain=plain)


def check_options(found: Found, at: str, options: Any, top: int, *, plain: bool = True) -> None:
    if not isinstance(options, list) or not options:
        found.add(at, "no fewer than 1 items allowed")
        return
    if len(options) > top:
        found.add(at, f"no more than {top} items allowed")
    for index, option in enumerate(options):
        check_option(found, f"{at}/{index}", option, plain=plain)


def _button(found: Found, at: str, element: Json) -> None:
    _only(found, at, element, "text", "url", "value", "style")
    if need_keys(found, at, element, "text"):
        text(found, f"{at}/text", element["text"], 75, plain=True)
    string(found, f"{at}/value", element.get("value"), 2000)
    string(found, f"{at}/url", element.get("url"), 3000)
    string(found, f"{at}/accessibility_label", element.get("accessibility_label"), 75)
    if element.get("style") not in {None, "primary", "danger"}:
        found.add(f"{at}/style", "must be one of primary, danger")


def _static(found: Found, at: str, element: Json, extra: tuple[str, ...]) -> None:
    _only(found, at, element, "options", "option_groups", *extra)
    if ("options" in element) == ("option_groups" in element):
        found.add(at, "must have exactly one of options, option_groups")
    if "options" in element:
        check_options(found, f"{at}/options", element["options"], 100)
    groups = element.get("option_groups") or []
    if len(groups) > 100:
        found.add(f"{at}/option_groups", "no more than 100 items allowed")
    for index, group in enumerate(groups):
        here = f"{at}/option_groups/{index}"
        if need_keys(found, here, group, "label", "options"):
            text(found, f"{here}/label", group["label"], 75, plain=True)
            check_options(found, f"{here}/options", group["options"], 100)


def _static_select(found: Found, at: str, element: Json) -> None:
    _static(found, at, element, ("initial_option",))
    initial, known = element.get("initial_option"), options_of(element)
    if initial is not None and initial not in known:
        found.add(f"{at}/initial_option", "must be one of the options")


def _multi_static(found: Found, at: str, element: Json) -> None:
    _static(found, at, element, ("initial_options", "max_selected_items"))
    for index, initial in enumerate(element.get("initial_options") or []):
        if initial not in options_of(element):
            found.add(f"{at}/initial_options/{index}", "must be one of the options")


def _choices(initial: str) -> Check:
    def check(found: Found, at: str, element: Json) -> None:
        _only(found, at, element, "options", initial)
        if need_keys(found, at, element, "options"):
            check_options(found, f"{at}/options", element["options"], 10, plain=False)

    return check


def _overflow(found: Found, at: str, element: Json) -> None:
    _only(found, at, element, "options")
    if need_keys(found, at, element, "options"):
        check_options(found, f"{at}/options", element["options"], 5)


def _image(found: Found, at: str, element: Json) -> None:
    _only(found, at, element, "image_url", "slack_file", "alt_text")
    need_keys(found, at, element, "alt_text")
    if "image_url" not in element and "slack_file" not in element:
        found.add(at, "missing required field: image_url or slack_file")


def _plain_text_input(found: Found, at: str, element: Json) -> None:
    names = ("multiline", "min_length", "max_length", "dispatch_action_config", "initial_value")
    _only(found, at, element, *names)
    for name, top in (("min_length", 3000), ("max_length", 3000)):
        value = element.get(name)
        if value is not None and not 0 <= value <= top:
            found.add(f"{at}/{name}", f"must be between 0 and {top}")
    string(found, f"{at}/initial_value", element.get("initial_value"), 3000)


def _number_input(found: Found, at: str, element: Json) -> None:
    names = ("min_value", "max_value", "initial_value", "dispatch_action_config")
    _only(found, at, element, "is_decimal_allowed", *names)
    need_keys(found, at, element, "is_decimal_allowed")


def _takes(*names: str) -> Check:
    def check(found: Found, at: str, element: Json) -> None:
        _only(found, at, element, *names)

    return check


def _unchecked(found: Found, at: str, element: Json) -> None:
    """An element whose limits are not known well enough to enforce."""


_PEOPLE = ("initial_user",)
_FILTERED = (
    "initial_conversation",
    "default_to_current_conversation",
    "filter",
    "response_url_enabled",
)
_MULTI_FILTERED = (
    "initial_conversations",
    "default_to_current_conversation",
    "filter",
    "max_selected_items",
)
_TYPED = ("initial_value", "dispatch_action_config")

ELEMENTS: dict[str, Check] = {
    "button": _button,
    "checkboxes": _choices("initial_options"),
    "radio_buttons": _choices("initial_option"),
    "overflow": _overflow,
    "image": _image,
    "datepicker": _takes("initial_date"),
    "timepicker": _takes("initial_time", "timezone"),
    "datetimepicker": _takes("initial_date_time"),
    "plain_text_input": _plain_text_input,
    "rich_text_input": _takes(*_TYPED),
    "email_text_input": _takes(*_TYPED),
    "url_text_input": _takes(*_TYPED),
    "number_input": _number_input,
    "file_input": _takes("filetypes", "max_files"),
    "static_select": _static_select,
    "external_select": _takes("initial_option", "min_query_length"),
    "users_select": _takes(*_PEOPLE),
    "conversations_select": _takes(*_FILTERED),
    "channels_select": _takes("initial_channel", "response_url_enabled"),
    "multi_static_select": _multi_static,
    "multi_external_select": _takes("initial_options", "min_query_length", "max_selected_items"),
    "multi_users_select": _takes("initial_users", "max_selected_items"),
    "multi_conversations_select": _takes(*_MULTI_FILTERED),
    "multi_channels_select": _takes("initial_channels", "max_selected_items"),
    "workflow_button": _unchecked,
    "feedback_buttons": _unchecked,
    "icon_button": _unchecked,
}


def options_of(element: Json) -> list[Json]:
    """All options of a select or choice, whether they stand in groups or not."""
    grouped = [o for g in element.get("option_groups") or [] for o in g.get("options", [])]
    return [*(element.get("options") or []), *grouped]


def check_element(found: Found, at: str, element: Any, allowed: set[str]) -> None:
    kind = element.get("type") if isinstance(element, dict) else None
    if not isinstance(element, dict) or kind not in allowed or kind not in ELEMENTS:
        found.add(at, f"unsupported type: {kind}")
        return
    ELEMENTS[kind](found, at, element)
    string(found, f"{at}/action_id", element.get("action_id"), ID)
    if element.get("confirm") is not None:
        _confirm(found, f"{at}/confirm", element["confirm"])
    if element.get("placeholder") is not None:
        text(found, f"{at}/placeholder", element["placeholder"], 150, plain=True)
