"""``jackline slack``: what Slack must be told of the app, and where it is installed."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
import yaml
from rich.markup import escape
from rich.table import Table

from bot import settings
from bot.app import Jackline
from bot.chat.slack.installations import Installations
from bot.chat.slack.manifest import manifest
from bot.chat.slack.oauth import back_to
from bot.chat.slack.tables import SlackInstallation
from bot.cli.parts import AsJson, from_record, out
from bot.errors import BadInput

slack_app = typer.Typer(no_args_is_help=True, help="The app in Slack.")


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
    made = manifest(http, _back())
    text = (
        json.dumps(made, indent=2)
        if as_json
        else yaml.safe_dump(made, sort_keys=False, allow_unicode=True, width=1000).rstrip()
    )
    sys.stdout.write(f"{text}\n")


@slack_app.command()
def workspaces(as_json: AsJson = False) -> None:
    """List the workspaces that Jackline was installed in besides the bot token's, and by whom."""

    async def work(parts: Jackline) -> Sequence[SlackInstallation]:
        return await Installations(parts.store, parts.session_key).rows()

    rows = from_record(work)
    if as_json:
        out.print_json(json.dumps([_json(row) for row in rows]))
        return
    table = Table("workspace", "installed", "by", "removed")
    for row in rows:
        removed = f"{row.removed_at:%Y-%m-%d %H:%M} UTC" if row.removed_at else ""
        installed = f"{row.installed_at:%Y-%m-%d %H:%M} UTC"
        table.add_row(*map(escape, (row.name, installed, row.installed_by, removed)))
    out.print(table if rows else "Jackline speaks in the workspace of its bot token alone.")


def _json(row: SlackInstallation) -> dict[str, Any]:
    return row.model_dump(mode="json", exclude={"token"})


def _back() -> str:
    """Nothing where that is not set up, or the settings cannot be read: the manifest comes first."""
    try:
        loaded = settings.load()
    except BadInput:
        return ""
    return back_to(loaded) if loaded.slack.installable else ""
