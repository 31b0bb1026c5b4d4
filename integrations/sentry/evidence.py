"""Error groups that are new or rising, by Sentry's API."""

from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_LIMIT = 100  # issues of an answer: Sentry's own limit
_RISING = {"escalating": "rising", "regressed": "came back"}


class Issues:
    """The issues of a project that had events in the window, and are new in it or rise."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the most frequent first."""
        path = f"/api/0/organizations/{quote(question.about['organization'], safe='')}/issues/"
        answer = await ask(connection, "Sentry", path, params(question))
        try:
            found = [f for issue in answer if (f := _finding(issue, question.since)) is not None]
        except (KeyError, TypeError, AttributeError) as error:
            raise shaped("Sentry", error) from error
        title = f"Errors that are new or rise in {question.about['project']}"
        return [Findings(kind="errors", title=title, items=found, more=len(answer) >= _LIMIT)]


def params(question: Question) -> dict[str, str]:
    """The request's query."""
    asked = {
        "project": question.about["project"],
        "start": question.since.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "end": question.until.isoformat(timespec="seconds").replace("+00:00", "Z"),
        "query": "is:unresolved",
        "sort": "freq",
        "limit": str(_LIMIT),
    }
    if environment := question.about.get("environment"):
        asked["environment"] = environment
    return asked


def _finding(issue: dict[str, Any], since: datetime) -> Finding | None:
    """None for one that is neither: it was there before, as often."""
    first = instant(issue.get("firstSeen"))
    how = "new" if first and first >= since else _RISING.get(str(issue.get("substatus")))
    if how is None:
        return None
    where = f" in {issue['culprit']}" if issue.get("culprit") else ""
    text = f"{how}: {issue['title']}{where}, {issue['count']} events, {issue['userCount']} users"
    link = str(issue.get("permalink") or "")
    return Finding(text=text, at=first, link=link, key=f"sentry:{issue['id']}")
