"""``jackline access``: ways in, and what they stand on. Reads files alone, no database."""

import json
import sys
from collections.abc import Iterable
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot import log, registry, settings
from bot.access.cuts import Cuts
from bot.access.graph import PARTS, VITAL, graph_of, named, shown
from bot.access.picture import picture
from bot.cli.parts import AsJson, out
from bot.errors import BadInput
from bot.runbooks.library import Library
from bot.runbooks.model import Runbook
from bot.runbooks.whatif import WhatIf, answer_json, ways

access_app = typer.Typer(no_args_is_help=True, help="Ways in, and what they stand on.")
_SHOWN = 12  # sets of failures of one runbook in a table; JSON has them all
Down = Annotated[str, typer.Option("--down", help="What is down, such as dns:corp,slack.")]


@access_app.command()
def whatif(
    runbook: Annotated[str, typer.Argument(help="One runbook; all if left out.")] = "",
    down: Down = "",
    cuts: Annotated[bool, typer.Option("--cuts", help="What would leave a runbook dead.")] = False,
    most: Annotated[int, typer.Option(min=1, max=5, help="Failures in one set.")] = 3,
    as_json: AsJson = False,
) -> None:
    """Say which runbooks still run with something down and over which path, or what kills them."""
    if bool(down) == cuts:
        raise BadInput("Say either --down or --cuts.", hint="For example: --down dns:corp,slack")
    found = library()
    asked = [found.get(runbook)] if runbook else list(found.runbooks.values())
    question = WhatIf(found.runbooks, found.catalog, found.registry)
    if cuts:
        _print_cuts({r.id: question.cuts(r, most) for r in asked}, most, as_json=as_json)
    else:
        _print_down(question, named(question.graph, down), asked, as_json=as_json)
    if not as_json:
        _print_unsaid(question)


@access_app.command()
def graph(down: Down = "") -> None:
    """Print what stands on what as a picture (SVG); what falls with `--down` is red."""
    catalog = library().catalog
    sys.stdout.write(picture(catalog, named(graph_of(catalog), down) if down else ()))


def library() -> Library:
    """The runbooks and the catalog of the settings, without a database."""
    log.configure("critical")  # `jackline check` is there to say what is wrong with the files
    return Library(settings.load().runbooks_dir, registry.load())


def _print_down(
    question: WhatIf, failed: list[str], asked: Iterable[Runbook], *, as_json: bool
) -> None:
    answers = [question.down(each, failed) for each in asked]
    own = question.own(failed)
    if as_json:
        rows: dict[str, Any] = {
            "down": failed,
            "falls": sorted(question.graph.down(failed).because),
            "jackline": {part: {"vital": part in VITAL, "chain": c} for part, c in own.items()},
            "runbooks": [answer_json(answer) for answer in answers],
        }
        out.print_json(json.dumps(rows))
        return
    table = Table("runbook", "runs", "over which path, or why not")
    for answer in answers:
        runs = "yes" if answer.runs else "no"
        words = "in part" if answer.partly else runs
        table.add_row(*map(escape, (answer.runbook.id, words, "\n".join(ways(answer)))))
    out.print(table)
    for part, chain in own.items():
        so = ": run from the go-bag" if part in VITAL else ""
        out.print(f"{PARTS[part]} is down too{so}: {shown(chain)}", markup=False)


def _print_cuts(found: dict[str, Cuts], most: int, *, as_json: bool) -> None:
    if as_json:
        rows = [
            {"id": name, "cuts": [sorted(c) for c in cuts.sets], "complete": cuts.whole}
            for name, cuts in found.items()
        ]
        out.print_json(json.dumps({"most": most, "runbooks": rows}))
        return
    table = Table("runbook", f"dead when all of a line are down (sets of {most} at most)")
    for name, cuts in found.items():
        table.add_row(*map(escape, (name, "\n".join(_sets(cuts)))))
    out.print(table)


def _sets(cuts: Cuts) -> Iterable[str]:
    """One set a line; the runbook's own targets, which kill it of course, in one line at the end."""
    own = [next(iter(c)) for c in cuts.sets if len(c) == 1 and next(iter(c)).startswith("target:")]
    others = [c for c in cuts.sets if not (len(c) == 1 and next(iter(c)) in own)]
    yield from (" + ".join(sorted(cut)) for cut in others[:_SHOWN])
    if len(others) > _SHOWN:
        yield f"… and {len(others) - _SHOWN} more: see --json"
    if own:
        yield f"or one target itself: {', '.join(n.removeprefix('target:') for n in own)}"
    if not cuts.sets:
        yield "nothing that the catalog knows of"
    if not cuts.whole:
        yield "the search was cut off: there may be more"


def _print_unsaid(question: WhatIf) -> None:
    paths = sorted({path.removeprefix("path:") for path, _ in question.graph.assumed})
    if paths:
        said = "do not say what they stand on, so they count as standing on every network and name"
        out.print(f"Paths that {said} server: {', '.join(paths)}", markup=False)
