"""``jackline postmortem replay``: a published outage as a draft. Needs no database."""

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table

from bot import log, settings
from bot.cli.parts import AsJson, out
from bot.errors import BadInput
from bot.postmortems.casefile import read_outage
from bot.postmortems.page import span
from bot.postmortems.replay import Replayed, file_stem, replay, write

_USAGE = "Usage: jackline postmortem replay FILE [--out FOLDER] [--json]"


def postmortem_replay(
    file: Annotated[Path, typer.Argument(help="An outage as YAML: title and timeline.")],
    into: Annotated[
        Path | None,
        typer.Option("--out", help="Folder for Markdown and HTML; default: DATA_DIR/replays."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Draft the postmortem of an outage from its timeline, and say which known outage it resembles."""
    log.configure("error")
    if not file.is_file():
        raise BadInput(f"{file} is not a file.", hint=_USAGE)
    outage = read_outage(file)
    folder = into or settings.load().data_dir / "replays"
    if folder.exists() and not folder.is_dir():
        raise BadInput(f"{folder} is not a folder.", hint=_USAGE)
    made = replay(outage)
    try:
        path = write(made, folder, file_stem(outage, file))
    except OSError as error:
        raise BadInput(f"{folder} cannot be written: {error.strerror}.", hint=_USAGE) from None
    if as_json:
        out.print_json(json.dumps(made.as_json(path.absolute())))
        return
    _show(made)
    out.print(f"Draft: {path.absolute()}", markup=False)


def _show(made: Replayed) -> None:
    table = Table("mark", "UTC", "row", "how it was found")
    for name, mark in made.as_json(Path())["marks"].items():
        table.add_row(name, mark["at"] or "unknown", str(mark["row"] or ""), mark["basis"])
    out.print(table)
    for name, minutes in made.durations.items():
        if minutes is not None:
            out.print(f"{name.removesuffix('_min')}: {span(minutes)}", markup=False)
    found = made.resemblance
    if found.abstained:
        out.print("No known pattern.")
    for match in found.matches:
        rows = ", ".join(str(row.seq) for row in match.rows)
        out.print(f"May resemble {match.pattern.id}: score {match.score} ({found.strength(match)}), rows {rows}", markup=False)  # fmt: skip
