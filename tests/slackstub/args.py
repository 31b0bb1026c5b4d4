"""Arguments as Slack takes them: from the query, a form, JSON or multipart, all merged.

The clients differ: Python puts much into the query and sends some reads by GET, Node sends forms
with JSON inside strings. A stub that reads one way only passes for one of them.
"""

import json
from typing import Any

from aiohttp import web

from .errors import SlackError

Json = dict[str, Any]


class Args:
    """One call's arguments, with the conversions that every method needs."""

    def __init__(self, values: Json) -> None:
        self.values = values

    def text(self, name: str, default: str = "") -> str:
        value = self.values.get(name)
        return default if value is None else str(value)

    def need(self, name: str, code: str = "") -> str:
        value = self.text(name)
        if not value:
            if code:
                raise SlackError(code)
            raise SlackError("invalid_arguments", f"missing required field: {name}")
        return value

    def flag(self, name: str, default: bool = False) -> bool:
        value = self.values.get(name)
        return default if value is None else str(value).lower() in {"1", "true"}

    def number(
        self, name: str, default: int, *, top: int = 1000, code: str = "invalid_limit"
    ) -> int:
        try:
            value = int(self.text(name) or default)
        except ValueError:
            raise SlackError(code) from None
        if value < 0:
            raise SlackError(code)
        return min(value or default, top)

    def listed(self, name: str) -> list[str]:
        value = self.values.get(name) or []
        parts = value if isinstance(value, list) else str(value).split(",")
        return [str(p).strip() for p in parts if str(p).strip()]

    def json(self, name: str, code: str) -> Any:
        """A structure that may have come as itself or as JSON in a string."""
        value = self.values.get(name)
        if not isinstance(value, str):
            return value
        if not value.strip():
            return None
        try:
            return json.loads(value)
        except ValueError:
            raise SlackError(code, f"not valid JSON: {name}") from None


async def read_args(request: web.Request) -> Json:
    values: Json = dict(request.query)
    if not request.can_read_body:
        return values
    kind = request.content_type
    if kind == "application/json":
        try:
            body = await request.json()
        except ValueError:
            raise SlackError("invalid_json") from None
        if not isinstance(body, dict):
            raise SlackError("json_not_object")
        values |= body
    elif kind in {"application/x-www-form-urlencoded", "multipart/form-data"}:
        form = await request.post()
        values |= {
            k: v if isinstance(v, str) else v.file.read() if hasattr(v, "file") else v
            for k, v in form.items()
        }
    return values
