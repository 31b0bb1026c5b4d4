"""Reads the settings from the environment; a wrong one is a `BadSetting` that names the variable."""

import difflib
import json
import os
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from bot.errors import BadSetting
from bot.settings.model import PREFIX, Settings
from bot.settings.shown import reference


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Reads the settings from ``environ`` (default: the process's own).

    Raises `BadSetting` that names the first wrong variable.
    """
    env = dict(os.environ if environ is None else environ)
    try:
        settings = Settings(**_nested(env))
    except ValidationError as error:
        first = error.errors()[0]
        # A list's element belongs to the variable that holds the list.
        loc = [str(part) for part in first["loc"] if not isinstance(part, int)]
        words = _words(first["type"], first["msg"], loc[-1])
        raise _bad(PREFIX + "__".join(loc).upper(), words) from None
    return _coherent(settings)


def _words(kind: str, message: str, name: str) -> str:
    """pydantic's finding in words for who sets environment variables; never the value."""
    match kind:
        case "extra_forbidden" | "model_type" | "dict_type":
            return "there is no such setting"
        case "string_pattern_mismatch":
            return "does not look right"
        case "list_type" | "string_type" if name == "secrets":
            return "is not a JSON list of strings"
    return message.removeprefix("Value error, ").replace("Input should be", "must be")


def _coherent(settings: Settings) -> Settings:
    slack = settings.slack
    if slack.bot_token and slack.bot_token.get_secret_value().startswith("xapp-"):
        raise _bad("JACKLINE_SLACK__BOT_TOKEN", "is an app-level token, not the bot token")
    if slack.app_token and not slack.app_token.get_secret_value().startswith("xapp-"):
        raise _bad("JACKLINE_SLACK__APP_TOKEN", "is not an app-level token")
    if bool(slack.client_id) != (slack.client_secret is not None):
        lacks = "CLIENT_SECRET" if slack.client_id else "CLIENT_ID"
        raise _bad(f"JACKLINE_SLACK__{lacks}", "client id and client secret belong together")
    if slack.installable and not slack.enabled:
        raise _bad("JACKLINE_SLACK__BOT_TOKEN", "further workspaces need the first one's bot token")
    if slack.installable and not settings.console.public_url:
        raise _bad("JACKLINE_CONSOLE__PUBLIC_URL", "Slack leads people back there: set it")
    if slack.enabled and slack.mode == "socket" and not slack.app_token:
        raise _bad("JACKLINE_SLACK__APP_TOKEN", "Socket Mode needs an app-level token")
    if slack.enabled and slack.mode == "http" and not slack.signing_secret:
        raise _bad("JACKLINE_SLACK__SIGNING_SECRET", "HTTP mode needs the signing secret")
    return settings


def _nested(env: Mapping[str, str]) -> dict[str, Any]:
    """Folds ``JACKLINE_A__B=…`` into ``{"a": {"b": …}}``.

    Done here and not by the library so that an unknown variable is an error with its name.
    A variable set to nothing counts as not set: an empty key would sign for everybody.
    """
    tree: dict[str, Any] = {}
    for name, raw in sorted(env.items()):
        if not name.startswith(PREFIX):
            continue
        path = name.removeprefix(PREFIX).lower().split("__")
        if path[0] not in Settings.model_fields:
            raise _bad(name, "there is no such setting")
        if not raw.strip():
            continue
        value: Any = raw
        if path[0] == "webhooks" and path[-1] == "secrets":
            try:
                value = json.loads(raw)
            except json.JSONDecodeError:
                raise _bad(name, "is not a JSON list of strings") from None
        node = tree
        for part in path[:-1]:
            node = node.setdefault(part, {})
            if not isinstance(node, dict):
                raise _bad(name, "there is no such setting")
        node[path[-1]] = value
    return tree


def _bad(name: str, problem: str) -> BadSetting:
    example = next((e for variable, _, e, _ in reference() if _matches(variable, name)), "")
    hint = f"Example: {name}={example}" if example else "See docs/reference.md for all settings."
    if not example:
        known = [variable for variable, *_ in reference()]
        close = difflib.get_close_matches(name.upper(), known, n=1, cutoff=0.8)
        hint = f"Did you mean {close[0]}?" if close else hint
    return BadSetting(f"{name}: {problem}.", hint=hint, field=name)


def _matches(pattern: str, name: str) -> bool:
    left, _, right = pattern.partition("<SOURCE>")
    inside = name.removeprefix(left).removesuffix(right)
    return name == pattern or (bool(right) and name == left + inside + right and bool(inside))
