"""Twilio's HTTP API over the access path."""

import re
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import Rejected

_API = Api(
    "Twilio",
    hint="Look at account_sid, api_key and auth_token of the target.",
    words=lambda problem: f"{problem['message']} (code {problem['code']})",
)
_SID = re.compile(r"AC[0-9a-fA-F]{32}")


async def create(connection: Connection, what: str, form: dict[str, str]) -> dict[str, Any]:
    """Makes a ``Messages`` or ``Calls`` entry."""
    return await _send(connection, "POST", f"{what}.json", data=form)


async def fetch(connection: Connection, what: str, sid: str) -> dict[str, Any]:
    """One entry as it is now."""
    return await _send(connection, "GET", f"{what}/{sid}.json")


async def listed(connection: Connection, what: str, **query: str) -> list[dict[str, Any]]:
    """The newest entries that match, at most a hundred."""
    answer = await _send(connection, "GET", f"{what}.json", params={**query, "PageSize": "100"})
    found: list[dict[str, Any]] = answer[what.lower()]
    return found


async def _send(
    connection: Connection,
    method: str,
    path: str,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> dict[str, Any]:
    settings = connection.settings
    account = settings.get("account_sid", "")
    if not _SID.fullmatch(account):
        raise Rejected("account_sid of the target must be AC and 32 hex digits.")
    login = (settings.get("api_key") or account, settings.get("auth_token", ""))
    url = f"/2010-04-01/Accounts/{account}/{path}"
    found: dict[str, Any] = await _API.json(connection, method, url, auth=login, **more)
    return found
