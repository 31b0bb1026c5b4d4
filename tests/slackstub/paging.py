"""Slack's cursors: opaque to the caller, and empty on the last page."""

import base64
from collections.abc import Sequence
from typing import TypeVar

from .args import Args, Json
from .errors import SlackError

Item = TypeVar("Item")


def page(args: Args, items: Sequence[Item], default: int = 100) -> tuple[list[Item], Json]:
    limit = args.number("limit", default)
    start = 0
    if cursor := args.text("cursor"):
        try:
            start = int(base64.b64decode(cursor, validate=True).decode().removeprefix("next:"))
        except ValueError:
            raise SlackError("invalid_cursor") from None
    end = start + limit
    following = base64.b64encode(f"next:{end}".encode()).decode() if end < len(items) else ""
    return list(items[start:end]), {"response_metadata": {"next_cursor": following}}
