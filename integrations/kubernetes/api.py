"""The API server over the access path."""

from collections.abc import Sequence
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api, an_object
from bot.errors import Rejected


def _words(status: Any) -> str:  # noqa: ANN401 - any JSON
    """The message of a Status object, with its causes."""
    causes = (status.get("details") or {}).get("causes") or []
    return "; ".join(str(s) for s in (status["message"], *(c.get("message") for c in causes)) if s)


_CHANGED = "If it was changed meanwhile, plan again."
_API = Api(
    "The API server",
    hint="Look at the token of the target, and at what it may do.",
    hints={409: _CHANGED, 422: _CHANGED},
    words=_words,
)


async def get(connection: Connection, path: str, **query: str) -> dict[str, Any]:
    """One object, or a list of them."""
    found = an_object(await _API.call(connection, "GET", path, params=query))
    if found is None:
        raise Rejected(f"{path} gave no JSON object.", hint="Is this a Kubernetes API server?")
    return found


async def patch(connection: Connection, path: str, operations: Sequence[dict[str, Any]]) -> None:
    """A JSON patch: all of it, or, where one of its tests fails, nothing."""
    headers = {"Content-Type": "application/json-patch+json"}
    await _API.call(connection, "PATCH", path, headers=headers, json=list(operations))
