"""Redfish over the access path, and what its failures mean."""

from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_LATER = frozenset({429, 503})
_SERVICE = "/redfish/"


async def fetch(connection: Connection, link: str) -> dict[str, Any]:
    """The resource at a link that the BMC gave."""
    return (await fetch_whole(connection, link))[0]


async def fetch_whole(connection: Connection, link: str) -> tuple[dict[str, Any], str]:
    """The resource and its entity tag, if it has one."""
    answer = await send(connection, "GET", link)
    try:
        found = answer.json()
    except ValueError:
        found = None
    if not isinstance(found, dict):
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
    reading = method == "GET"
    try:
        answer = await connection.http.request(method, link, auth=_login(connection), **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"The BMC was not reached: {error}", hint=_hint(error)) from error
    except httpx.RequestError as error:
        said = f"The BMC did not answer: {type(error).__name__}."
        raise (Retryable(said) if reading else Unknown(said)) from error
    if answer.is_success:
        return answer
    raise _refusal(answer, reading=reading)


def at(thing: Any, *names: str | int) -> Any:  # noqa: ANN401 - any JSON
    """What lies there, or None: half of Redfish is optional."""
    for name in names:
        try:
            thing = thing[name]
        except (KeyError, IndexError, TypeError):
            return None
    return thing


def linked(thing: Any, *names: str | int) -> str:  # noqa: ANN401 - any JSON
    """The link that lies there, or nothing."""
    return str(at(thing, *names, "@odata.id") or "")


def _login(connection: Connection) -> httpx.BasicAuth | None:
    settings = connection.settings
    if "username" not in settings:
        return None
    return httpx.BasicAuth(settings["username"], settings.get("password", ""))


def _hint(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "Trust the authority that signed the BMC's certificate, by SSL_CERT_FILE."
    return ""


def _refusal(answer: httpx.Response, *, reading: bool) -> TargetError:
    code = answer.status_code
    said = f"The BMC answered {code}: {_words(answer)}"
    if code in {401, 403}:
        return AuthFailed(said, hint="Look at the target's username and password.")
    if code in _LATER:
        return Retryable(said, retry_after=_seconds(answer.headers.get("Retry-After", "")))
    if code in {500, 502, 504}:
        return Retryable(said) if reading else Unknown(said)
    return Rejected(said)


def _seconds(text: str) -> float | None:
    return float(text) if text.isdigit() else None


def _words(answer: httpx.Response) -> str:
    """The message, and those of its extended information, which say more."""
    try:
        problem = answer.json()["error"]
    except (ValueError, KeyError, TypeError):
        return answer.text[:200].strip() or "no words"
    more = at(problem, "@Message.ExtendedInfo")
    listed = [at(each, "Message") for each in more] if isinstance(more, list) else []
    said = [str(words) for words in (*listed, at(problem, "message")) if words]
    return " ".join(dict.fromkeys(said))[:400] or "no words"
