"""The app's manifest says what the code does: a call without its scope, a listener without its event."""

import ast
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from slack_sdk.web.async_client import AsyncWebClient

import bot.chat.slack
from bot.chat.slack.app import SlackIn, build_app
from bot.chat.slack.manifest import EVENTS, manifest, missing_scopes, wanted_scopes
from bot.chat.slack.methods import METHODS, POST
from tests.slackstub.faults import PER_MINUTE
from tests.slackstub.webapi import TIERS

SOURCES = sorted(Path(bot.chat.slack.__file__).parent.glob("*.py"))
# one method of the library that is two of Slack's; and the app-level token's own
UPLOAD = {"files.getUploadURLExternal", "files.completeUploadExternal"}
APP_LEVEL = {"apps.connections.open"}


def called() -> set[str]:
    """The methods of the Web API that the code calls, as the library names them."""
    found: set[str] = set()
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Attribute) or "_" not in node.attr:
                continue
            holder = node.value
            name = holder.attr if isinstance(holder, ast.Attribute) else getattr(holder, "id", "")
            if name in ("client", "web_client") and hasattr(AsyncWebClient, node.attr):
                found |= UPLOAD if node.attr == "files_upload_v2" else {dotted(node.attr)}
    return found


def dotted(name: str) -> str:
    """``chat_postMessage`` as Slack calls it."""
    return name.replace("_", ".")


def test_every_method_that_is_called_is_in_the_table() -> None:
    """With its scopes and its pace; and nothing is in it that is never called."""
    assert called() - APP_LEVEL == set(METHODS)


def test_the_pace_is_that_of_slacks_tiers() -> None:
    """As the stub has them, which was written from Slack's pages by somebody else."""
    tiers = {m: PER_MINUTE.get(TIERS[m], 0) for m in METHODS if m not in (POST, "auth.test")}
    assert {m: METHODS[m].per_minute for m in tiers} == tiers


def test_every_listener_has_its_event_and_every_event_a_listener() -> None:
    """Built from the manifest's own tables: what Slack is not asked for never arrives."""
    made = manifest()
    incoming = SlackIn(SimpleNamespace(), SimpleNamespace())  # type: ignore[arg-type]  # nothing is stored
    app = build_app("https://slack.test/api/", "", incoming)
    assert len(app._async_listeners) > len(EVENTS)
    subscribed = made["settings"]["event_subscriptions"]["bot_events"]
    assert subscribed == sorted(s for event in EVENTS.values() for s in event.subscriptions)
    assert {name.partition(".")[0] for name in subscribed} == set(EVENTS)
    assert made["settings"]["interactivity"]["is_enabled"] is True


def test_scopes() -> None:
    assert set(manifest()["oauth_config"]["scopes"]["bot"]) == set(wanted_scopes())
    assert {s for m in METHODS.values() for s in m.scopes} <= set(wanted_scopes())
    assert missing_scopes(None) == []
    assert missing_scopes(",".join(wanted_scopes())) == []
    assert missing_scopes(" chat:write, commands") == [
        s for s in wanted_scopes() if s not in ("chat:write", "commands")
    ]


def test_over_http_slack_is_told_where() -> None:
    made: dict[str, Any] = manifest("https://jackline.example.com/")
    address = "https://jackline.example.com/slack/events"
    assert made["settings"]["socket_mode_enabled"] is False
    assert made["settings"]["event_subscriptions"]["request_url"] == address
    assert made["settings"]["interactivity"]["request_url"] == address
    assert {c["url"] for c in made["features"]["slash_commands"]} == {address}


@pytest.mark.parametrize("key", ["name", "description"])
def test_it_is_within_what_slack_takes(key: str) -> None:
    """A name of 35 characters, a description of 140, a command's of 2000, a hint of 1000."""
    made = manifest()
    assert len(made["display_information"][key]) <= {"name": 35, "description": 140}[key]
    for command in made["features"]["slash_commands"]:
        assert len(command["description"]) <= 2000
        assert len(command["usage_hint"]) <= 1000
