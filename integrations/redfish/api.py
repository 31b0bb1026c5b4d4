"""Redfish over the access path."""

from typing import Any

import httpx

from bot.contract import Connection
from bot.contract.http import Api, an_object
from bot.errors import Rejected

_SERVICE = "/redfish/"


def at(thing: Any, *names: str | int) -> Any:  # noqa: ANN401 - any JSON
    """What lies there, or None: half of Redfish is optional."""
    for name in names:
        try:
            thing = thing[name]
        except (KeyError, IndexError, TypeError):
            return None
    return thing


def _words(body: Any) -> str:  # noqa: ANN401 - any JSON
    """The message, and those of its extended information, which say more."""
    more = at(body, "error", "@Message.ExtendedInfo")
    listed = [at(each, "Message") for each in more] if isinstance(more, list) else []
    said = [str(words) for words in (*listed, at(body, "error", "message")) if words]
    return " ".join(dict.fromkeys(said))


_API = Api(
    "The BMC",
    hint="Look at the target's username and password.",
    words=_words,
    broken={500, 502, 504},
)


async def fetch(connection: Connection, link: str) -> dict[str, Any]:
    """The resource at a link that the BMC gave."""
    return (await fetch_whole(connection, link))[0]


async def fetch_whole(connection: Connection, link: str) -> tuple[dict[str, Any], str]:
    """The resource and its entity tag, if it has one."""
    answer = await send(connection, "GET", link)
    found = an_object(answer)
    if found is None:
        raise Rejected(f"What answers at {link} is no Redfish.", hint="Look at the target's url.")
    return found, answer.headers.get("ETag", "")


async def send(
    connection: Connection,
    method: str,
    link: str,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> httpx.Response:
    """One request to the BMC itself: a link that leads elsewhere would take the password along."""
    if not link.startswith(_SERVICE):
        raise Rejected(f"The BMC gave a link that leads elsewhere: {link[:100]!r}.")
    return await _API.call(connection, method, link, auth=_login(connection), **more)


def linked(thing: Any, *names: str | int) -> str:  # noqa: ANN401 - any JSON
    """The link that lies there, or nothing."""
    return str(at(thing, *names, "@odata.id") or "")


def _login(connection: Connection) -> httpx.BasicAuth | None:
    settings = connection.settings
    if "username" not in settings:
        return None
    return httpx.BasicAuth(settings["username"], settings.get("password", ""))
