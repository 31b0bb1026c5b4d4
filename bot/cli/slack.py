"""``jackline slack``: what Slack must be told of the app."""

import json
import sys
from typing import Annotated

import typer
import yaml

from bot.chat.slack.manifest import manifest
from bot.cli.parts import AsJson
from bot.errors import BadInput

slack_app = typer.Typer(no_args_is_help=True, help="The app in Slack.")


@slack_app.callback()
def _group() -> None:
    """A group of commands, also while there is one."""


@slack_app.command("manifest")
def print_manifest(
    http: Annotated[
        str, typer.Option(help="Jackline's address as Slack reaches it; without it, Socket Mode.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Print the app's manifest: at api.slack.com/apps, Create New App, From a manifest."""
    if http and not http.startswith("https://"):
        raise BadInput(
            f"{http!r} is not an https address.",
            hint="Example: --http https://jackline.example.com",
        )
    made = manifest(http)
    text = (
        json.dumps(made, indent=2)
        if as_json
        else yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=1000).rstrip()
    )
    sys.stdout.write(f"{text}\n")
