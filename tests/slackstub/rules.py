"""The small checks that blocks and elements share, and the list in which they leave findings."""

from typing import Any

Json = dict[str, Any]

ID = 255


class Found:
    """Every fault of one payload, each with the pointer to it; Slack too names more than the first."""

    def __init__(self) -> None:
        self.messages: list[str] = []

    def add(self, at: str, what: str) -> None:
        self.messages.append(f"{what} [json-pointer:{at}]")


def string(found: Found, at: str, value: Any, top: int, *, least: int = 0) -> None:
    if value is None:
        return
    if not isinstance(value, str):
        found.add(at, "must provide a string")
    elif len(value) > top:
        found.add(at, f"must be less than {top + 1} characters")
    elif len(value) < least:
        found.add(at, f"must be more than {least - 1} characters")


def need_keys(found: Found, at: str, value: Json, *names: str) -> bool:
    missing = [n for n in names if value.get(n) is None]
    for name in missing:
        found.add(at, f"missing required field: {name}")
    return not missing


def only_keys(found: Found, at: str, value: Json, *names: str) -> None:
    for name in value.keys() - {"type", "block_id", *names}:
        found.add(at, f"invalid additional property: {name}")


def text(found: Found, at: str, value: Any, top: int, *, plain: bool = False) -> None:
    """A text object: the shape behind most of what people read, and most of what is too long."""
    if not isinstance(value, dict):
        found.add(at, "must provide an object")
        return
    kind = value.get("type")
    if kind not in ({"plain_text"} if plain else {"plain_text", "mrkdwn"}):
        found.add(f"{at}/type", f"unsupported type: {kind}")
        return
    only = ("text", "emoji") if kind == "plain_text" else ("text", "verbatim")
    for name in value.keys() - {"type", *only}:
        found.add(at, f"invalid additional property: {name}")
    if need_keys(found, at, value, "text"):
        string(found, f"{at}/text", value["text"], top, least=1)
