"""Puts a postmortem on a page of Confluence Cloud, and brings the page up to date.

A title is there once in a space, and ours never changes: by it the page is found again, so that a lost
answer or a crash makes no second one. The version's message carries what it was made from.
"""

import hashlib
import re
from typing import Any

import httpx

from bot.contract import Connection, Paper, Published
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_PAGES = "/wiki/api/v2/pages"
_NUMBER = re.compile(r"[0-9]{1,20}")


class Confluence:
    """One space, and a page there under which the others stand."""

    async def put_paper(self, paper: Paper, connection: Connection) -> Published:
        """Makes the page, or a new version of it; the same again makes none."""
        title = f"{connection.settings.get('prefix', 'Postmortem')} {paper.id.upper()}"
        message = f"Jackline {hashlib.sha256(paper.body.encode()).hexdigest()[:16]}"
        body = {"representation": "storage", "value": paper.body}
        found = await _page(connection, title)
        if found is None:
            page = {"spaceId": _number(connection, "space_id"), "status": "current", "title": title, "body": body}  # fmt: skip
            if connection.settings.get("parent_id"):
                page["parentId"] = _number(connection, "parent_id")
            return _published(connection, await _send(connection, "POST", _PAGES, page))
        version = found.get("version") or {}
        if version.get("message") == message:
            return _published(connection, found)
        page = {
            "id": str(found["id"]), "status": "current", "title": title, "body": body,
            "version": {"number": int(version.get("number", 0)) + 1, "message": message},
        }  # fmt: skip
        return _published(
            connection, await _send(connection, "PUT", f"{_PAGES}/{found['id']}", page)
        )


async def _page(connection: Connection, title: str) -> dict[str, Any] | None:
    asked = httpx.QueryParams({"space-id": _number(connection, "space_id"), "title": title, "status": "current", "limit": 5})  # fmt: skip
    answer = await _send(connection, "GET", f"{_PAGES}?{asked}")
    listed = answer.get("results") if isinstance(answer, dict) else None
    if not isinstance(listed, list):
        raise Retryable("Confluence's answer is no list of pages.")
    pages = [each for each in listed if isinstance(each, dict) and each.get("title") == title]
    if pages and not _NUMBER.fullmatch(str(pages[0].get("id", ""))):
        raise Retryable("Confluence's answer is no page.")
    return pages[0] if pages else None


async def _send(
    connection: Connection, method: str, path: str, body: dict[str, Any] | None = None
) -> Any:  # noqa: ANN401 - the vendor's own data
    login = httpx.BasicAuth(connection.settings.get("user", ""), connection.settings.get("token", ""))  # fmt: skip
    read = method == "GET"
    try:
        answer = await connection.http.request(method, path, json=body, auth=login)
    except _NEVER_LEFT as error:
        raise NotSent(f"Confluence was not reached: {error}.") from error
    except httpx.RequestError as error:
        said = f"Confluence did not answer: {type(error).__name__}."
        raise (Retryable if read else Unknown)(said) from error
    if not answer.is_success:
        raise _refusal(answer, read=read)
    try:
        return answer.json()
    except ValueError as error:
        said = "Confluence's answer is no JSON: a proxy may have answered instead."
        raise (Retryable if read else Unknown)(said) from error


def _refusal(answer: httpx.Response, *, read: bool) -> TargetError:
    said = f"Confluence answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(
            said, hint="Look at user and token of the target, and the space's rights."
        )
    if answer.status_code == httpx.codes.TOO_MANY_REQUESTS:
        pause = answer.headers.get("Retry-After", "")
        return Retryable(said, retry_after=float(pause) if pause.isdigit() else 5.0)
    if answer.status_code == httpx.codes.CONFLICT:
        return Retryable(said)  # somebody saved the page meanwhile: it is read anew
    if answer.is_server_error:
        return Retryable(said) if read else Unknown(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        return "; ".join(str(each.get("title")) for each in answer.json()["errors"])[:300]
    except (ValueError, KeyError, TypeError, AttributeError):
        return " ".join(answer.text[:200].split())


def _number(connection: Connection, name: str) -> str:
    found = connection.settings.get(name, "")
    if not _NUMBER.fullmatch(found):
        raise Rejected(f"{name} of the target must be the number that Confluence gives it.")
    return found


def _published(connection: Connection, page: Any) -> Published:  # noqa: ANN401 - an answer
    number = str(page.get("id", "")) if isinstance(page, dict) else ""
    if not _NUMBER.fullmatch(number):
        raise Unknown("Confluence's answer is no page.")
    links = page.get("_links") or {}
    base = f"{connection.http.base_url}".rstrip("/") + "/wiki"
    url = f"{base}{links['webui']}" if str(links.get("webui", "")).startswith("/") else ""
    return Published(reference=number, url=url[:500], state=str(page.get("status") or "")[:100])
