"""Statuspage's REST API over the access path."""

import re
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import Rejected

_ID = re.compile(r"[A-Za-z0-9]{1,40}")


def _words(body: Any) -> str:  # noqa: ANN401 - any JSON
    found = body["error"]
    return "; ".join(map(str, found)) if isinstance(found, list) else str(found)


_API = Api(
    "Statuspage",
    hint="Look at api_key of the target, and its role on the page.",
    words=_words,
    busy={420, 429},  # a token has one request a second
    pause=2.0,
)


async def send(
    connection: Connection, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:  # noqa: ANN401 - the vendor's own data
    """The answer's JSON; None where a GET finds nothing."""
    page, token = (connection.settings.get(name, "") for name in ("page_id", "api_key"))
    if not _ID.fullmatch(page):
        raise Rejected("page_id of the target must be the page's id, such as kctbh9vrtdwd.")
    return await _API.json(
        connection, method, f"/v1/pages/{page}{path}", lacking=method == "GET",
        headers={"Authorization": f"OAuth {token}"}, json=body,
    )  # fmt: skip


def is_id(reference: str) -> bool:
    """Whether Statuspage may have called something so."""
    return _ID.fullmatch(reference) is not None
