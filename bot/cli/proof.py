"""``jackline access status`` and ``drill``: which ways in are proven, and what a drill shows."""

import json
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.access import CredentialState, PathProof, credentials
from bot.access.graph import named
from bot.access.proof import age_words
from bot.app import Jackline
from bot.cli.access import Down, access_app
from bot.cli.parts import AsJson, from_record, out, with_parts
from bot.errors import BadInput
from bot.runbooks.drill import KIND, Drill, drill
from bot.runbooks.whatif import WhatIf
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
        out.print(_matrix(found))
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
def drill_(down: Down = "", as_json: AsJson = False) -> None:
    """Take something to be down and try every way that is left; exits 1 if one does not work."""
    if not down:
        raise BadInput("Say what is down.", hint="For example: --down dns:corp,slack")

    async def work(parts: Jackline) -> Drill:
        library = parts.library
        question = WhatIf(library.runbooks, library.catalog, library.registry)
        failed = named(question.graph, down)
        done = await drill(question, parts.prober, library.runbooks.values(), failed)
        text = f"Access drill with {', '.join(failed)} down: {done.score:.0%} of the runbooks run"
        async with parts.store.write() as session:
            await parts.ledger.append(session, 0, KIND, "jackline", text, data=done.as_dict())
        return done

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


def _matrix(found: list[PathProof]) -> Table:
    paths = list(dict.fromkeys(each.path for each in found))
    table = Table("target", *map(escape, paths))
    for target in dict.fromkeys(each.target for each in found):
        cells = {each.path: _cell(each) for each in found if each.target == target}
        table.add_row(escape(target), *(cells.get(path, "") for path in paths))
    return table


def _cell(proof: PathProof) -> str:
    if proof.standing != "proven":
        return f"{_SIGN[proof.standing]} {proof.standing}"
    age = f"{age_words(proof.age or 0)} ago"
    return f"✓ {proof.ms or 0:.0f} ms, {age} ({proof.depth})"
