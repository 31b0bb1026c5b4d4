"""Flags that were changed in the last hours, by Unleash's event log."""

from typing import Any

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_LIMIT = 200
_TYPES = {
    "feature-environment-enabled": "on",
    "feature-environment-disabled": "off",
    "feature-strategy-add": "a strategy added",
    "feature-strategy-update": "a strategy changed",
    "feature-strategy-remove": "a strategy removed",
    "strategy-order-changed": "its strategies in another order",
    "feature-environment-variants-updated": "its variants changed",
    "feature-archived": "archived",
    "feature-revived": "revived",
    "feature-deleted": "deleted",
}


class Changes:
    """What an application may have noticed; who made it is what Unleash calls them."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list, the newest first."""
        project = question.about.get("project", "default")
        params = {
            "project": f"IS:{project}",
            "type": f"IS_ANY_OF:{','.join(_TYPES)}",
            "from": f"IS:{question.changes_since:%Y-%m-%d}",
            "limit": str(_LIMIT),
        }
        answer = await ask(connection, "Unleash", "/api/admin/search/events", params)
        wanted = question.about.get("environment")
        try:
            events = [
                e for e in answer["events"] if wanted in (None, e.get("environment") or wanted)
            ]
            found = [_finding(event, str(connection.http.base_url)) for event in events]
        except (KeyError, TypeError, AttributeError) as error:
            raise shaped("Unleash", error) from error
        recent = [f for f in found if f.at and f.at >= question.changes_since]
        more = len(answer["events"]) >= _LIMIT
        return [Findings(kind="changes", title=f"Flags of {project}", items=recent, more=more)]


def _finding(event: dict[str, Any], page: str) -> Finding:
    flag, environment = str(event["featureName"]), event.get("environment")
    where = f" in {environment}" if environment else ""
    link = f"{page.rstrip('/')}/projects/{event['project']}/features/{flag}"
    return Finding(
        text=f"flag {flag}: {_TYPES[event['type']]}{where}, by {event['createdBy']}",
        at=instant(event["createdAt"]),
        link=link,
        key=f"flag:{page}:{event['id']}",
    )
