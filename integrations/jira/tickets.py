"""Action items as issues of a Jira project, Cloud or Data Center, by version 2 of its REST API.

Jira knows no repeat by itself: our marker is a label of the issue. Its search lags behind what was
made, so an issue that is not found soon after it was sent counts as not known, not as not there.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

import httpx

from bot.contract import Connection, Filed, Ticket
from bot.contract.evidence import shaped
from bot.contract.http import Api
from bot.errors import Rejected, Retryable, Unknown

_PROJECT = re.compile(r"[A-Z][A-Z0-9_]{1,20}")
_KEY = re.compile(r"[A-Z][A-Z0-9_]{1,20}-[0-9]{1,10}")
_LAG = timedelta(minutes=2)  # until the search surely has what was made
_FIELDS = "status"


def _words(body: Any) -> str:  # noqa: ANN401 - any JSON
    """What Jira says of the whole, and of fields."""
    of_fields = [f"{name}: {said}" for name, said in (body.get("errors") or {}).items()]
    return "; ".join([*map(str, body.get("errorMessages") or []), *of_fields])


_API = Api("Jira", hint="Look at token and email of the target.", words=_words, busy={429})


class Issues:
    """Issues of the project that the catalog names."""

    async def create(self, ticket: Ticket, connection: Connection) -> Filed:
        """Summary, description, label, due date; all else is the project's default."""
        fields: dict[str, Any] = {
            "project": {"key": _project(ticket.about)},
            "issuetype": {"name": ticket.about.get("issue_type") or "Task"},
            "summary": ticket.title,
            "description": f"{ticket.text}\n\nKept by Jackline as {ticket.marker}.",
            "labels": ["jackline", ticket.marker],
        }
        if ticket.due:
            fields["duedate"] = ticket.due.isoformat()
        headers = _headers(connection)
        made = await _API.json(
            connection, "POST", "/rest/api/2/issue", json={"fields": fields}, headers=headers
        )
        try:
            key = _checked(str(made["key"]))
        except (KeyError, TypeError, Rejected) as error:
            raise Unknown("Jira's answer is no issue.") from error
        return Filed(reference=key, url=_page(connection, key))

    async def sought(self, ticket: Ticket, connection: Connection) -> Filed | None:
        """By its label, in its project."""
        query = f'project = "{_project(ticket.about)}" AND labels = "{ticket.marker}"'
        params = {"jql": query, "fields": _FIELDS, "maxResults": "2"}
        found = await _search(connection, params)
        try:
            if issues := found["issues"]:
                return _filed(connection, issues[0])
        except (AttributeError, KeyError, TypeError) as error:
            raise shaped("Jira", error) from error
        if datetime.now(UTC) - ticket.sent_at < _LAG:
            raise Retryable("Jira's search may not show it yet.", retry_after=15.0)
        return None

    async def state(
        self, reference: str, about: Mapping[str, str], connection: Connection
    ) -> Filed | None:
        """Done is what stands in a status of the category “done”, whatever it is called."""
        del about
        path = f"/rest/api/2/issue/{quote(_checked(reference))}"
        headers = _headers(connection)
        found = await _API.json(
            connection, "GET", path, lacking=True, params={"fields": _FIELDS}, headers=headers
        )
        if found is None:
            return None
        try:
            return _filed(connection, found)
        except (AttributeError, KeyError, TypeError) as error:
            raise shaped("Jira", error) from error


async def _search(connection: Connection, params: Mapping[str, str]) -> Any:  # noqa: ANN401 - the vendor's own data
    """Cloud has the one address, Data Center the other."""
    headers = _headers(connection)
    for path in ("/rest/api/2/search/jql", "/rest/api/2/search"):
        found = await _API.json(
            connection, "GET", path, lacking=True, params=params, headers=headers
        )
        if found is not None:
            return found
    raise Rejected("Jira has no search at this address.", hint="Look at the url of the target.")


def _headers(connection: Connection) -> dict[str, str]:
    """Cloud: e-mail address and API token; Data Center: a personal access token alone."""
    email, token = (connection.settings.get(name, "") for name in ("email", "token"))
    if not email:
        return {"Authorization": f"Bearer {token}"}
    request = next(httpx.BasicAuth(email, token).auth_flow(httpx.Request("GET", "https://jira")))
    return {"Authorization": request.headers["Authorization"]}


def _project(about: Mapping[str, str]) -> str:
    project = about.get("project", "")
    if not _PROJECT.fullmatch(project):
        raise Rejected(f"project: {project[:40]!r} is not the key of a project, such as OPS.")
    return project


def _checked(key: str) -> str:
    if not _KEY.fullmatch(key):
        raise Rejected(f"{key[:40]!r} is no issue of Jira.")
    return key


def _page(connection: Connection, key: str) -> str:
    return str(connection.http.base_url.join(f"/browse/{key}"))


def _filed(connection: Connection, issue: dict[str, Any]) -> Filed:
    status = issue["fields"]["status"]
    key = _checked(str(issue["key"]))
    return Filed(
        reference=key, url=_page(connection, key), state=str(status["name"])[:100],
        done=status["statusCategory"]["key"] == "done",
    )  # fmt: skip
