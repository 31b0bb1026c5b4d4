"""Who did what Slack tells of. Pure."""

from typing import Any


def who(body: dict[str, Any]) -> dict[str, str]:
    """Who did it, whatever kind of request it is: workspace, enterprise (of Enterprise Grid), user.

    Where the app is installed for a whole enterprise, the workspace may be missing.
    """
    person, event = body.get("user"), body.get("event") or {}
    person = person if isinstance(person, dict) else {}
    enterprise = body.get("enterprise_id") or (body.get("enterprise") or {}).get("id") or ""
    team = body.get("team_id") or (body.get("team") or {}).get("id") or person.get("team_id")
    user = body.get("user_id") or person.get("id") or event.get("user") or ""
    return {"team": team or enterprise, "enterprise": enterprise, "user": user}
