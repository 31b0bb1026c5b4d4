"""The texts and the elements inside blocks, brought within Block Kit's limits. Pure.

A text is shortened. What identifies something (a button's value, an option's, an address) is never
shortened, for then it would do something else: the element goes.
"""

from typing import Any

from bot.chat import limits
from bot.chat.blocks import Block, clip, cut

Notes = list[str]

_SELECTS = tuple(
    f"{several}{kind}_select"
    for several in ("", "multi_")
    for kind in ("static", "users", "conversations", "channels")
)
_OPTIONS = {
    "static_select": limits.OPTIONS, "multi_static_select": limits.OPTIONS,
    "checkboxes": limits.CHOICES, "radio_buttons": limits.CHOICES, "overflow": limits.OVERFLOW,
}  # fmt: skip
_CHOICES = (*_SELECTS, "checkboxes", "radio_buttons", "datepicker", "timepicker")
IN_SECTION = (*_CHOICES, "button", "image", "overflow")
IN_ACTIONS = (*_CHOICES, "button", "datetimepicker", "overflow")
IN_INPUT = (*_CHOICES, "datetimepicker", "plain_text_input", "number_input", "email_text_input",
            "url_text_input")  # fmt: skip


def text_object(
    value: Any,  # noqa: ANN401 - it may be anything, that is the point
    top: int,
    notes: Notes,
    at: str,
    *,
    plain: bool = False,
) -> Block | None:
    """A text object of at most ``top`` characters; None where there is nothing to read."""
    if not isinstance(value, dict) or value.get("type") not in ("plain_text", "mrkdwn"):
        return None
    text = str(value.get("text") or "")
    if not text.strip():
        return None
    is_plain = plain or value["type"] == "plain_text"
    if len(text) > top:
        notes.append(f"{at}: shortened from {len(text)} to {top} characters")
        text = cut(text, top) if is_plain else clip(text, top)
    more = ("emoji",) if is_plain else ("verbatim",)
    kept = {key: value[key] for key in more if key in value}
    return {"type": "plain_text" if is_plain else "mrkdwn", "text": text, **kept}


def element(value: Any, allowed: tuple[str, ...], notes: Notes, at: str) -> Block | None:  # noqa: ANN401 - as above
    """An element within its limits; None where it cannot be shown or would not do what it says."""
    if not isinstance(value, dict) or value.get("type") not in allowed:
        notes.append(f"{at}: left out, it cannot stand there")
        return None
    made = dict(value)
    fits = (
        len(str(value.get("action_id") or "")) <= limits.ID
        and len(str(value.get("value") or "")) <= limits.VALUE
        and len(str(value.get("url") or value.get("image_url") or "")) <= limits.URL
        and _own(made, notes, at)
    )
    if not fits:
        notes.append(f"{at}: {value['type']} left out")
        return None
    if value.get("confirm"):
        made["confirm"] = _confirm(value["confirm"], notes, f"{at}/confirm")
    if value.get("placeholder"):
        made["placeholder"] = text_object(
            value["placeholder"], limits.PLACEHOLDER, notes, f"{at}/placeholder", plain=True
        )
    return {key: each for key, each in made.items() if each is not None}


def _own(made: Block, notes: Notes, at: str) -> bool:
    """What its kind asks for; False where that cannot be met."""
    kind = made["type"]
    if kind == "button":
        made["text"] = text_object(made.get("text"), limits.BUTTON, notes, f"{at}/text", plain=True)
        if made.get("style") not in ("primary", "danger"):
            made["style"] = None
        return made["text"] is not None
    if kind == "image":
        made["alt_text"] = cut(str(made.get("alt_text") or "picture"), limits.LABEL)
        return bool(made.get("image_url") or made.get("slack_file"))
    if kind == "plain_text_input":
        for key in ("min_length", "max_length"):
            made[key] = min(made[key], limits.TYPED) if made.get(key) is not None else None
        if made.get("initial_value"):
            top = made["max_length"] or limits.TYPED
            made["initial_value"] = cut(str(made["initial_value"]), top)
        return True
    return kind not in _OPTIONS or "option_groups" in made or _with_options(made, notes, at)


def _with_options(made: Block, notes: Notes, at: str) -> bool:
    top, given = _OPTIONS[made["type"]], made.get("options") or []
    plain = made["type"] not in ("checkboxes", "radio_buttons")
    options = [
        option
        for n, each in enumerate(given)
        if (option := _option(each, notes, f"{at}/options/{n}", plain=plain))
    ][:top]
    if len(given) > len(options):
        notes.append(f"{at}/options: {len(given) - len(options)} left out")
    values = {option["value"] for option in options}
    made["options"] = options
    for key in ("initial_option", "initial_options"):
        if made.get(key):
            chosen = made[key] if isinstance(made[key], list) else [made[key]]
            kept = [
                o for o in options if o["value"] in {str(c.get("value")) for c in chosen} & values
            ]
            made[key] = (kept if key == "initial_options" else kept[0]) if kept else None
    return bool(options)


def _option(option: Any, notes: Notes, at: str, *, plain: bool) -> Block | None:  # noqa: ANN401 - as above
    if (
        not isinstance(option, dict)
        or not 0 < len(str(option.get("value") or "")) <= limits.OPTION_VALUE
    ):
        return None
    text = text_object(option.get("text"), limits.OPTION, notes, f"{at}/text", plain=plain)
    more = option.get("description")
    if more:
        more = text_object(more, limits.OPTION, notes, f"{at}/description", plain=plain)
    made = {**option, "text": text, "value": str(option["value"]), "description": more}
    return {key: each for key, each in made.items() if each is not None} if text else None


def _confirm(value: Any, notes: Notes, at: str) -> Block:  # noqa: ANN401 - as above
    """Always a question: a button that asked before it acted must not act without."""
    given = value if isinstance(value, dict) else {}
    sizes = {
        "title": (limits.CONFIRM_TITLE, "Are you sure?", True),
        "text": (limits.CONFIRM_TEXT, "This cannot be taken back.", False),
        "confirm": (limits.CONFIRM_BUTTON, "Yes", True),
        "deny": (limits.CONFIRM_BUTTON, "No", True),
    }
    made: Block = {
        key: text_object(given.get(key), top, notes, f"{at}/{key}", plain=plain)
        or {"type": "plain_text", "text": instead}
        for key, (top, instead, plain) in sizes.items()
    }
    return made | ({"style": given["style"]} if given.get("style") in ("primary", "danger") else {})
