"""Where something of Slack's is: a channel's or a user's id means nothing without its workspace. Pure.

A workspace is named by its id; one of those of an enterprise that has the app for all of them by
both, ``E0123:T0456``. The workspace of the settings' bot token is the empty name.
"""

from collections.abc import Mapping
from typing import Any


def installation(workspace: str) -> str:
    """What its token is kept under."""
    return workspace.partition(":")[0]


def team_in(workspace: str) -> str:
    """Which of an enterprise's workspaces; empty where the app is installed in one."""
    return workspace.partition(":")[2]


def channel_link(bound: Mapping[str, Any], here: str) -> str:
    """The way to a channel for who reads in the workspace ``here``."""
    there, channel = str(bound.get("workspace", "")), str(bound["channel"])
    if there == installation(here):
        return f"<#{channel}|{bound['name']}>"
    if there:
        return f"<https://app.slack.com/client/{there}/{channel}|#{bound['name']}>"
    return f"#{bound['name']} in another workspace"


def address(workspace: str, channel: str, ts: str) -> str:
    """A message's address in Slack."""
    if not workspace:
        return f"https://slack.com/archives/{channel}/p{ts.replace('.', '')}"
    team = team_in(workspace) or workspace
    return f"https://slack.com/app_redirect?team={team}&channel={channel}&message_ts={ts}"
