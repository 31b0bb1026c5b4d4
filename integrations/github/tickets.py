"""Action items as issues of a repository, by GitHub's API.

GitHub knows no repeat by itself: our marker stands in the issue's text, and what may have been made
before is looked for in the list of issues, which has it at once; the search has it only later.
"""

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from bot.contract import Connection, Filed, Ticket
from bot.contract.evidence import shaped
from bot.contract.http import Api, an_object
from bot.errors import Rejected, Unknown

_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}
_API = Api(
    "GitHub",
    hint="Look at the token of the target: it needs Issues, read and write.",
    words=lambda body: body["message"],
    busy={403, 429},  # beyond its limits GitHub answers either
)
_REPOSITORY = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{0,38}/[A-Za-z0-9._-]{1,100}")
_EARLIER = timedelta(minutes=10)  # their clock and ours
_GONE = {404, 410}  # never there, or deleted
_LISTED, _PAGES = 100, 10


class Issues:
    """Issues of the repository that the catalog names."""

    async def create(self, ticket: Ticket, connection: Connection) -> Filed:
        """Title and text; who is assigned and labelled is left to the repository."""
        due = f"\n\nDue: {ticket.due.isoformat()}" if ticket.due else ""
        issue = {"title": ticket.title, "body": f"{ticket.text}{due}\n\n{_mark(ticket)}"}
        path = _path(ticket.about)
        made = await _API.json(connection, "POST", path, json=issue, headers=_HEADERS)
        try:
            return _filed(made)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise Unknown("GitHub's answer is no issue.") from error

    async def sought(self, ticket: Ticket, connection: Connection) -> Filed | None:
        """Among the issues that were touched since it was first wanted."""
        since = (ticket.made_at - _EARLIER).strftime("%Y-%m-%dT%H:%M:%SZ")
        for page in range(1, _PAGES + 1):
            params = {"state": "all", "since": since, "sort": "created", "direction": "asc",
                      "per_page": str(_LISTED), "page": str(page)}  # fmt: skip
            path = _path(ticket.about)
            listed = await _API.json(connection, "GET", path, params=params, headers=_HEADERS)
            try:
                for issue in listed:
                    if _mark(ticket) in str(issue["body"] or "") and "pull_request" not in issue:
                        return _filed(issue)
            except (AttributeError, KeyError, TypeError, ValueError) as error:
                raise shaped("GitHub", error) from error
            if len(listed) < _LISTED:
                return None
        raise Rejected(
            f"{ticket.about['repository']} has more than {_LISTED * _PAGES} issues since {since}: "
            "whether ours is among them must be looked up by hand."
        )

    async def state(
        self, reference: str, about: Mapping[str, str], connection: Connection
    ) -> Filed | None:
        """Closed is done, also where it was closed as not planned: its state says so."""
        if not reference.isdecimal():
            raise Rejected(f"{reference[:40]!r} is no issue of GitHub.")
        path = f"{_path(about)}/{reference}"
        answer = await _API.call(connection, "GET", path, accept=_GONE, headers=_HEADERS)
        if answer.status_code in _GONE:
            return None
        found = an_object(answer)
        try:
            return _filed(found or {})
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise shaped("GitHub", error) from error


def _path(about: Mapping[str, str]) -> str:
    repository = about.get("repository", "")
    if not _REPOSITORY.fullmatch(repository) or repository.endswith(("/.", "/..")):
        raise Rejected(f"repository: {repository[:80]!r} is not of the form owner/name.")
    return f"/repos/{repository}/issues"


def _mark(ticket: Ticket) -> str:
    return f"Kept by Jackline as {ticket.marker}."


def _filed(issue: dict[str, Any]) -> Filed:
    reason = issue.get("state_reason")
    closed = issue["state"] == "closed"
    return Filed(
        reference=str(int(issue["number"])),
        url=str(issue["html_url"])[:500],
        state=f"closed, {str(reason).replace('_', ' ')}"[:100] if closed and reason else str(issue["state"]),
        done=closed,
    )  # fmt: skip
