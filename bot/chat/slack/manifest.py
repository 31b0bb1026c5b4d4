"""The app's manifest, as Slack takes it: from what the code calls and listens to. Pure.

`bot.chat.slack.app` registers what stands here, and tests hold both against each other.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from bot.chat.slack.methods import METHODS


@dataclass(frozen=True)
class Event:
    """One kind of event: the names under which a bot subscribes to it, and the scopes for that."""

    subscriptions: tuple[str, ...]
    scopes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Slash:
    """A slash command; ``name`` is whose verbs it has."""

    name: str
    description: str
    usage: str


COMMANDS: dict[str, Slash] = {
    "/incident": Slash(
        "incident", "Declare and handle incidents", "declare | list | status | help"
    ),
    "/inc": Slash("incident", "The same as /incident", "declare | list | status | help"),
    "/runbook": Slash("runbook", "Plan and run runbooks", "list | plan | run | help"),
    "/access": Slash(
        "access", "Which ways in are proven and what still runs", "status | whatif | drills | help"
    ),
}
HAPPENED = ("archive", "unarchive", "deleted", "rename")  # to a channel
EVENTS: dict[str, Event] = {
    "app_home_opened": Event(("app_home_opened",)),
    "app_mention": Event(("app_mention",), ("app_mentions:read",)),
    "app_uninstalled": Event(("app_uninstalled",)),
    **{
        f"{kind}_{what}": Event((f"{kind}_{what}",), (f"{kind}s:read",))
        for kind in ("channel", "group")  # a group is a private channel
        for what in HAPPENED
    },
    "member_joined_channel": Event(("member_joined_channel",), ("channels:read", "groups:read")),
    "message": Event(
        ("message.channels", "message.groups"), ("channels:history", "groups:history")
    ),
    "reaction_added": Event(("reaction_added",), ("reactions:read",)),
    "tokens_revoked": Event(("tokens_revoked",)),
}

# message shortcuts by their callback id: in the menu of a message, also in threads
SHORTCUTS: dict[str, tuple[str, str]] = {
    "declare_from_message": ("Declare an incident", "Opens the form with the message's first line"),
    "add_to_timeline": ("Add to timeline", "Puts the message on the incident's timeline"),
}


def wanted_scopes() -> list[str]:
    """What the bot's token must be allowed."""
    found = {"commands"}
    for method in METHODS.values():
        found.update(method.scopes)
    for event in EVENTS.values():
        found.update(event.scopes)
    return sorted(found)


def missing_scopes(granted: str | None) -> list[str]:
    """Of what the header ``x-oauth-scopes`` says; nothing where there is no such header."""
    if granted is None:
        return []
    have: Collection[str] = {scope.strip() for scope in granted.split(",")}
    return [scope for scope in wanted_scopes() if scope not in have]


def manifest(url: str = "", back: str = "") -> dict[str, Any]:
    """For Socket Mode, or with ``url``, Jackline's address as Slack reaches it, for HTTP.

    ``back`` is where people come back to who install it in a further workspace.
    """
    address = {"url": f"{url.rstrip('/')}/slack/events"} if url else {}
    to = {"request_url": address["url"]} if url else {}
    return {
        "display_information": {
            "name": "Jackline",
            "description": "Incident response that still works in the outage it is for",
            "background_color": "#1d2733",
        },
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
            "bot_user": {"display_name": "jackline", "always_online": True},
            "shortcuts": [
                {"name": name, "type": "message", "callback_id": callback, "description": about}
                for callback, (name, about) in SHORTCUTS.items()
            ],
            "slash_commands": [
                {"command": command, "description": about.description, "should_escape": True,
                 "usage_hint": about.usage, **address}
                for command, about in COMMANDS.items()
            ],
        },
        "oauth_config": {
            **({"redirect_urls": [back]} if back else {}), "scopes": {"bot": wanted_scopes()},
        },
        "settings": {
            "event_subscriptions": {
                "bot_events": sorted(s for e in EVENTS.values() for s in e.subscriptions), **to,
            },
            "interactivity": {"is_enabled": True, **to},
            "org_deploy_enabled": False,
            "socket_mode_enabled": not url,
            "token_rotation_enabled": False,
        },
    }  # fmt: skip
