"""Deployments of the last hours, by GitHub's API."""

import asyncio
from datetime import datetime
from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_LISTED = 30  # deployments of an answer, the newest first
_LOOKED_AT = 5  # of these: each costs one more request
_HEADERS = {"Accept": "application/vnd.github+json", "X-GitHub-Api-Version": "2022-11-28"}


class Deployments:
    """What was deployed of a repository, with its latest status."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the newest first."""
        repository = question.about["repository"]
        path = f"/repos/{quote(repository, safe='/')}/deployments"
        params = {"per_page": str(_LISTED)}
        if environment := question.about.get("environment"):
            params["environment"] = environment
        listed = await ask(connection, "GitHub", path, params, headers=_HEADERS)
        try:
            recent = [one for one in listed if _since(one["created_at"], question.changes_since)]
            looked_at = recent[:_LOOKED_AT]
            paths = (f"{path}/{int(one['id'])}/statuses" for one in looked_at)
            states = await asyncio.gather(*(_latest(connection, each) for each in paths))
            found = [
                _finding(repository, one, state)
                for one, state in zip(looked_at, states, strict=True)
            ]
        except (KeyError, TypeError, AttributeError, ValueError) as error:
            raise shaped("GitHub", error) from error
        title, more = f"Deployments of {repository}", len(recent) > _LOOKED_AT
        return [Findings(kind="changes", title=title, items=found, more=more)]


async def _latest(connection: Connection, path: str) -> dict[str, Any]:
    """The latest status; empty while there is none."""
    answer = await ask(connection, "GitHub", path, {"per_page": "1"}, headers=_HEADERS)
    return dict(answer[0]) if answer else {}


def _finding(repository: str, one: dict[str, Any], status: dict[str, Any]) -> Finding:
    commit, where = str(one["sha"]), str(one["environment"])
    by = f", by {one['creator']['login']}" if one.get("creator") else ""
    state = status.get("state", "no status yet")
    ref = "" if one.get("ref") in (None, commit) else f" of {one['ref']}"
    return Finding(
        text=f"{repository}: deployment{ref} to {where}: {state} ({commit[:7]}){by}",
        at=instant(status.get("created_at")) or instant(one["created_at"]),
        link=str(status.get("log_url") or status.get("target_url") or ""),
        key=f"deploy:{repository}:{where}:{commit}",
    )


def _since(text: Any, since: datetime) -> bool:  # noqa: ANN401 - of an answer
    at = instant(text)
    return at is not None and at >= since
