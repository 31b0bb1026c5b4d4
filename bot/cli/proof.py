"""``jackline access status``, ``drill`` and ``drills``: which ways in are proven, what drills show."""

import json
import sys
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.access import CredentialState, PathProof, credentials
from bot.access.bag_drills import BagStanding
from bot.access.calendar import calendar
from bot.access.drills import DrillStanding
from bot.access.proof import age_words
from bot.app import Jackline
from bot.chat.terminal.drill import matrix
from bot.cli.access import Down, access_app, library
from bot.cli.parts import AsJson, from_record, out, with_parts
from bot.errors import BadInput, NotFound
from bot.located import near
from bot.runbooks.drill import Drill
from bot.store import now

_SIGN = {"proven": "✓", "failing": "✗", "stale": "⌛", "never": "?"}


@access_app.command()
def status(
    probe: Annotated[bool, typer.Option("--probe", help="Probe every path now, first.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show which access paths to which targets are proven; exits 1 if one is not."""

    async def work(parts: Jackline) -> tuple[list[PathProof], list[CredentialState]]:
        found = await (parts.prober.probe_all() if probe else parts.prober.status())
        return found, credentials(parts.library.catalog, now(), parts.longest_outage)

    found, ending = (with_parts if probe else from_record)(work)
    if as_json:
        rows = {
            "paths": [each.as_dict() for each in found],
            "credentials": [each.as_dict() for each in ending],
        }
        out.print_json(json.dumps(rows))
    else:
        out.print(matrix({(each.target, each.path): _cell(each) for each in found}))
        for each in found:
            if each.standing != "proven":
                out.print(f"{each.path} to {each.target} {each.words}", markup=False)
        for state in ending:
            if state.standing in ("expiring", "expired"):
                out.print(
                    f"credential {state.name} {state.standing}: {state.expires}", markup=False
                )
    bad = [c for c in ending if c.standing in ("expiring", "expired")]
    raise SystemExit(1 if bad or any(each.standing != "proven" for each in found) else 0)


@access_app.command(name="drill")
def drill_(
    name: Annotated[str, typer.Argument(help="A drill of the catalog, instead of --down.")] = "",
    down: Down = "",
    as_json: AsJson = False,
) -> None:
    """Take something to be down and try every way that is left; exits 1 if one does not work."""
    if not name and not down:
        hint = "For example: --down dns:corp,slack, or the name of a drill of the catalog."
        raise BadInput("Say what is down.", hint=hint)
    if name and down:
        raise BadInput(f"The drill {name} says what is down.", hint="Leave out one of the two.")

    async def work(parts: Jackline) -> Drill:
        known = [each.name for each in parts.library.catalog.drills]
        if name and name not in known:
            raise NotFound(
                f"There is no drill {name!r}{near(name, known) or '.'}",
                hint=f"Known: {', '.join(known) or 'none'}.",
            )
        return await parts.drills.hold(name or down, "jackline")

    done = with_parts(work)
    if as_json:
        out.print_json(json.dumps(done.as_dict()))
    else:
        table = Table("runbook", "should run", "proven", "what does not work")
        for each in done.runbooks:
            proven = "yes" if each.proven else "no"
            should = "yes" if each.should_run else "no"
            table.add_row(*map(escape, (each.runbook, should, proven, "\n".join(each.failed))))
        out.print(table)
        out.print(f"Score: {done.score:.0%}", markup=False)
    raise SystemExit(1 if any(each.failed for each in done.runbooks) else 0)


@access_app.command()
def drills(
    ics: Annotated[bool, typer.Option("--ics", help="Print the next ones as iCalendar.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the drills of the catalog: when each is due next, and how the last one went."""
    if ics:
        sys.stdout.write(calendar(library().catalog.drills, now()))
        return

    async def work(parts: Jackline) -> tuple[Sequence[DrillStanding], BagStanding | None]:
        return await parts.drills.standings(), await parts.drills.bag()

    found, bag = from_record(work)
    if as_json:
        out.print_json(json.dumps([each.as_dict() for each in found]))
        return
    table = Table("drill", "down", "next", "last held", "score", "change")
    for each in found:
        table.add_row(*map(escape, each.cells()))
    out.print(table)
    for each in found:
        if each.wrong:
            out.print(f"{each.drill.name}: {each.wrong}", markup=False)
    if bag is not None:
        out.print(f"go-bag: {bag.words(now())}", markup=False)


def _cell(proof: PathProof) -> str:
    if proof.standing != "proven":
        return f"{_SIGN[proof.standing]} {proof.standing}"
    age = f"{age_words(proof.age or 0)} ago"
    return f"✓ {proof.ms or 0:.0f} ms, {age} ({proof.depth})"
