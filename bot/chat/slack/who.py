"""Who did what Slack tells of, and in which workspace. Pure."""

from collections.abc import Mapping
from typing import Any

WORKSPACE = "jackline_workspace"  # put there by us alone, once it is known: `bot.chat.slack.door`


def who(body: dict[str, Any]) -> dict[str, str]:
    """Who did it, whatever kind of request it is: workspace, enterprise (of Enterprise Grid), user.

    Where the app is installed for a whole enterprise, the workspace may be missing. ``workspace``
    is where it is answered; ``team`` is where the user is known.
    """
    person, event = body.get("user"), body.get("event") or {}
    person = person if isinstance(person, dict) else {}
    enterprise = body.get("enterprise_id") or (body.get("enterprise") or {}).get("id") or ""
    team = body.get("team_id") or (body.get("team") or {}).get("id") or person.get("team_id")
    user = body.get("user_id") or person.get("id") or event.get("user") or ""
    found = {"team": team or enterprise, "enterprise": enterprise, "user": user}
    return found | ({"workspace": body[WORKSPACE]} if body.get(WORKSPACE) else {})


def asked_in(asked: Mapping[str, Any]) -> str:
    """The workspace of a request; none is the one of the settings' bot token."""
    return str(asked.get("workspace", ""))
