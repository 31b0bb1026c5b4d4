"""Block Kit's rules for messages and views, as Slack's server applies them.

The Python SDK's models check few of these, so a block one character too long is first noticed in
production, in the message that mattered. Here it is noticed in the test, with a JSON pointer.
"""

from collections.abc import Callable
from typing import Any

from .elements import ELEMENTS, check_element
from .errors import SlackError
from .rules import ID, Found, Json, need_keys, only_keys, string, text

Check = Callable[[Found, str, Json], None]

MESSAGE_BLOCKS = 50
VIEW_BLOCKS = 100
ATTACHMENTS = 100
MARKDOWN = 12_000

_SELECTS = {
    f"{kind}_select" for kind in ("static", "external", "users", "conversations", "channels")
}
_MULTI = {f"multi_{kind}" for kind in _SELECTS}
_CHOICES = {"checkboxes", "radio_buttons", "datepicker", "timepicker"} | _SELECTS | _MULTI
IN_SECTION = _CHOICES | {"button", "image", "overflow", "workflow_button"}
IN_ACTIONS = _CHOICES | {
    "button",
    "datetimepicker",
    "overflow",
    "workflow_button",
    "rich_text_input",
}
IN_INPUT = _CHOICES | {
    "datetimepicker",
    "email_text_input",
    "file_input",
    "number_input",
    "plain_text_input",
    "rich_text_input",
    "url_text_input",
}
# newer blocks, taken without a look inside: their limits are not known well enough to enforce
UNCHECKED = {
    "alert",
    "call",
    "card",
    "carousel",
    "data_table",
    "data_visualization",
    "plan",
    "task_card",
}


def _section(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "text", "fields", "accessory", "expand")
    if "text" not in block and "fields" not in block:
        found.add(at, "missing required field: text or fields")
    if "text" in block:
        text(found, f"{at}/text", block["text"], 3000)
    if "fields" in block:
        fields = _sized(found, f"{at}/fields", block["fields"], 10)
        for index, field in enumerate(fields):
            text(found, f"{at}/fields/{index}", field, 2000)
    if "accessory" in block:
        check_element(found, f"{at}/accessory", block["accessory"], IN_SECTION)


def _header(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "text", "level")
    if need_keys(found, at, block, "text"):
        text(found, f"{at}/text", block["text"], 150, plain=True)


def _divider(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block)


def _image(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "image_url", "slack_file", "alt_text", "title")
    need_keys(found, at, block, "alt_text")
    if "image_url" not in block and "slack_file" not in block:
        found.add(at, "missing required field: image_url or slack_file")
    string(found, f"{at}/image_url", block.get("image_url"), 3000)
    string(found, f"{at}/alt_text", block.get("alt_text"), 2000)
    if block.get("title") is not None:
        text(found, f"{at}/title", block["title"], 2000, plain=True)


def _actions(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "elements")
    if need_keys(found, at, block, "elements"):
        for index, element in enumerate(_sized(found, f"{at}/elements", block["elements"], 25)):
            check_element(found, f"{at}/elements/{index}", element, IN_ACTIONS)


def _context(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "elements")
    if not need_keys(found, at, block, "elements"):
        return
    for index, element in enumerate(_sized(found, f"{at}/elements", block["elements"], 10)):
        here = f"{at}/elements/{index}"
        if isinstance(element, dict) and element.get("type") == "image":
            check_element(found, here, element, {"image"})
        else:
            text(found, here, element, 3000)


def _input(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "label", "element", "dispatch_action", "hint", "optional")
    if not need_keys(found, at, block, "label", "element"):
        return
    text(found, f"{at}/label", block["label"], 2000, plain=True)
    if block.get("hint") is not None:
        text(found, f"{at}/hint", block["hint"], 2000, plain=True)
    check_element(found, f"{at}/element", block["element"], IN_INPUT)


def _rich_text(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "elements")
    if not need_keys(found, at, block, "elements"):
        return
    kinds = {f"rich_text_{k}" for k in ("section", "list", "preformatted", "quote")}
    for index, element in enumerate(block["elements"]):
        kind = element.get("type") if isinstance(element, dict) else None
        if kind not in kinds:
            found.add(f"{at}/elements/{index}", f"unsupported type: {kind}")


def _markdown(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "text")
    if need_keys(found, at, block, "text"):
        string(found, f"{at}/text", block["text"], MARKDOWN, least=1)


def _table(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "rows", "column_settings")
    if not need_keys(found, at, block, "rows"):
        return
    for index, row in enumerate(_sized(found, f"{at}/rows", block["rows"], 100)):
        cells = _sized(found, f"{at}/rows/{index}", row, 20)
        for column, cell in enumerate(cells):
            kind = cell.get("type") if isinstance(cell, dict) else None
            if kind not in {"raw_text", "rich_text", "raw_number"}:
                found.add(f"{at}/rows/{index}/{column}", f"unsupported type: {kind}")


def _video(found: Found, at: str, block: Json) -> None:
    need_keys(found, at, block, "alt_text", "title", "thumbnail_url", "video_url")


def _context_actions(found: Found, at: str, block: Json) -> None:
    only_keys(found, at, block, "elements")
    if need_keys(found, at, block, "elements"):
        for index, element in enumerate(_sized(found, f"{at}/elements", block["elements"], 5)):
            allowed = {"feedback_buttons", "icon_button"}
            check_element(found, f"{at}/elements/{index}", element, allowed)


BLOCKS: dict[str, Check] = {
    "section": _section,
    "header": _header,
    "divider": _divider,
    "image": _image,
    "actions": _actions,
    "context": _context,
    "input": _input,
    "rich_text": _rich_text,
    "markdown": _markdown,
    "table": _table,
    "video": _video,
    "context_actions": _context_actions,
}
_ONLY_IN_MESSAGES = {"markdown", "table", "context_actions"}


def _sized(found: Found, at: str, value: Any, top: int) -> list[Any]:
    if not isinstance(value, list):
        found.add(at, "must be an array")
        return []
    if not value:
        found.add(at, "no fewer than 1 items allowed")
    if len(value) > top:
        found.add(at, f"no more than {top} items allowed")
    return value


def _check(found: Found, at: str, blocks: Any, *, surface: str, top: int) -> None:
    if not isinstance(blocks, list):
        found.add(at, "must be an array")
        return
    if len(blocks) > top:
        found.add(at, f"no more than {top} items allowed")
    seen: set[str] = set()
    for index, block in enumerate(blocks):
        here = f"{at}/{index}"
        kind = block.get("type") if isinstance(block, dict) else None
        if not isinstance(block, dict) or kind not in {*BLOCKS, *UNCHECKED}:
            found.add(here, f"unsupported type: {kind}")
            continue
        if kind in _ONLY_IN_MESSAGES and surface != "message":
            found.add(here, f"unsupported type: {kind}")
        if kind in BLOCKS:
            BLOCKS[kind](found, here, block)
        _check_block_id(found, here, block, seen)
        _check_action_ids(found, here, block)
    if sum(isinstance(b, dict) and b.get("type") == "table" for b in blocks) > 1:
        found.add(at, "only one table allowed")


def _check_block_id(found: Found, at: str, block: Json, seen: set[str]) -> None:
    ident = block.get("block_id")
    if ident is None:
        return
    string(found, f"{at}/block_id", ident, ID)
    if ident in seen:
        found.add(f"{at}/block_id", f"`block_id` {ident!r} already exists")
    seen.add(ident)


def _check_action_ids(found: Found, at: str, block: Json) -> None:
    seen: set[str] = set()
    for where, element in elements_of(block):
        ident = element.get("action_id")
        if ident is not None and ident in seen:
            found.add(f"{at}/{where}/action_id", f"`action_id` {ident!r} already exists")
        seen.add(ident or "")


def elements_of(block: Json) -> list[tuple[str, Json]]:
    """The parts of a block that a person can act on, with where they stand."""
    found: list[tuple[str, Any]] = []
    if block.get("type") in {"actions", "context_actions"} and isinstance(
        block.get("elements"), list
    ):
        found += [(f"elements/{i}", e) for i, e in enumerate(block["elements"])]
    found += [(key, block[key]) for key in ("accessory", "element") if key in block]
    return [(w, e) for w, e in found if isinstance(e, dict) and e.get("type") in ELEMENTS]


def check_message(blocks: Any, attachments: Any) -> None:
    found = Found()
    _check(found, "/blocks", blocks, surface="message", top=MESSAGE_BLOCKS)
    markdown = (
        [b for b in blocks if isinstance(b, dict) and b.get("type") == "markdown"]
        if isinstance(blocks, list)
        else []
    )
    if sum(len(str(b.get("text", ""))) for b in markdown) > MARKDOWN:
        found.add("/blocks", f"markdown blocks must be less than {MARKDOWN + 1} characters in all")
    for index, attachment in enumerate(attachments):
        if isinstance(attachment, dict) and "blocks" in attachment:
            at = f"/attachments/{index}/blocks"
            _check(found, at, attachment["blocks"], surface="message", top=MESSAGE_BLOCKS)
    if found.messages:
        raise SlackError("invalid_blocks", *found.messages, errors=found.messages)


def check_view(view: Any) -> None:
    """Slack answers a bad view with `invalid_arguments`, unlike a bad message."""
    found = Found()
    if not isinstance(view, dict):
        raise SlackError("invalid_arguments", "view is not an object [json-pointer:/view]")
    kind = view.get("type")
    if kind not in {"modal", "home"}:
        found.add("/view/type", f"unsupported type: {kind}")
    need_keys(found, "/view", view, "blocks", *(["title"] if kind == "modal" else []))
    known = ("callback_id", "external_id", "private_metadata", "clear_on_close", "notify_on_close")
    only_keys(found, "/view", view, "blocks", "title", "submit", "close", "submit_disabled", *known)
    for key in ("title", "submit", "close"):
        if view.get(key) is not None:
            text(found, f"/view/{key}", view[key], 24, plain=True)
    string(found, "/view/private_metadata", view.get("private_metadata"), 3000)
    for key in ("callback_id", "external_id"):
        string(found, f"/view/{key}", view.get(key), ID)
    blocks = view.get("blocks", [])
    _check(found, "/view/blocks", blocks, surface="view", top=VIEW_BLOCKS)
    inputs = isinstance(blocks, list) and any(
        isinstance(b, dict) and b.get("type") == "input" for b in blocks
    )
    if kind == "modal" and inputs and not view.get("submit"):
        found.add("/view", "missing required field: submit")
    if found.messages:
        raise SlackError("invalid_arguments", *found.messages)
