"""Prometheus' HTTP API over the access path."""

from collections.abc import Mapping
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api, an_object
from bot.errors import Rejected

_HINT = "Try the query in its own web page first."
_API = Api(
    "Prometheus",
    hints={400: _HINT, 422: _HINT},
    words=lambda body: body["error"],
    busy={429, 502, 503, 504},
    broken=(),
)


async def ask(connection: Connection, path: str, form: Mapping[str, str]) -> Any:  # noqa: ANN401 - the API's own data
    """The ``data`` of an answer. Asking again does no harm, so what is lost may be retried."""
    answer = await _API.call(connection, "POST", path, once=False, data=dict(form))
    body = an_object(answer) or {}
    if body.get("status") != "success":
        raise Rejected(f"Prometheus refused the query: {_API.said(answer)}", hint=_HINT)
    return body.get("data")
