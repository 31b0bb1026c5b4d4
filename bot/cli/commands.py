"""Commands of the terminal. Answers go to stdout, everything else to stderr."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
import uvloop
from rich.markup import escape
from rich.table import Table

from bot import log, registry, settings
from bot.app import Jackline
from bot.catalog import Person
from bot.catalog.coverage import warnings
from bot.chat.console import Passwords, signin_link
from bot.chat.terminal.command import Identity, OfBag, Signer, guarded, pairs
from bot.chat.terminal.command import plan as plan_of_bag
from bot.chat.terminal.command import run as run_from_bag
from bot.chat.terminal.plan import plan_table
from bot.cli import proof as _proof  # noqa: F401 - adds its commands
from bot.cli import questions as _questions  # noqa: F401 - adds its commands
from bot.cli import silences as _silences  # noqa: F401 - adds its commands
from bot.cli import simulate as _simulate  # noqa: F401 - adds its commands
from bot.cli.access import access_app
from bot.cli.alerts import alerts_app
from bot.cli.bag import bag_app
from bot.cli.customers import publish, published
from bot.cli.doctor import diagnose
from bot.cli.learning import incidents_digest, incidents_figures, incidents_similar
from bot.cli.oncall import ack, oncall
from bot.cli.papers import export, search
from bot.cli.papers import publish as publish_paper
from bot.cli.parts import (
    LARGEST,
    AsJson,
    database,
    from_record,
    out,
    with_parts,
    without_database,
)
from bot.cli.regroup import join, merge, split, unmerge
from bot.cli.replay import postmortem_replay
from bot.cli.sarif import sarif
from bot.cli.slack import slack_app
from bot.cli.style import lint
from bot.errors import BadInput, NotFound
from bot.incidents.shown import incident_json
from bot.located import BadFile, Problem
from bot.postmortems.template_check import check_templates
from bot.practice.demo import play
from bot.runbooks.inputs import resolve_inputs
from bot.runbooks.library import Library
from bot.runbooks.schema import json_schema
from bot.store import now
from bot.web.api import verified, whole_incident

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Incident response that still works in the outage it is for.")  # fmt: skip
incidents_app = typer.Typer(no_args_is_help=True, help="Incidents and their timelines.")
audit_app = typer.Typer(no_args_is_help=True, help="Proof that nobody touched the record.")
postmortem_app = typer.Typer(no_args_is_help=True, help="Drafted postmortems.")
for name, group in (
    ("access", access_app),
    ("incidents", incidents_app),
    ("alerts", alerts_app),
    ("audit", audit_app),
    ("postmortem", postmortem_app),
    ("bag", bag_app),
    ("slack", slack_app),
):
    app.add_typer(group, name=name)
Number = Annotated[int, typer.Argument(min=1, max=LARGEST)]


def main() -> None:
    """The entry point: our errors become one line on stderr and exit code 2 or 1."""
    guarded(lambda: app(prog_name="jackline"))


@app.command()
def serve() -> None:
    """Run Jackline: webhooks, checks, chat, console and the run engine."""
    loaded = settings.load()
    log.configure(loaded.log_level)
    uvloop.run(_served(loaded))


async def _served(loaded: settings.Settings) -> None:
    parts = Jackline(loaded)
    try:
        with database():
            await parts.store.migrate()
        await parts.serve()
    finally:
        await parts.close()


@app.command()
def demo(
    script: Annotated[bool, typer.Option("--script", help="Play it to the end, alone.")] = False,
    port: Annotated[
        int, typer.Option(min=0, max=65_535, help="Port of the console; 0 picks a free one.")
    ] = 0,
    keep: Annotated[Path, typer.Option(help="Where the postmortem is left.")] = Path("data/demo"),
) -> None:
    """Break a small practice platform for real and repair it with Jackline. Needs no account."""
    raise SystemExit(play(script=script, port=port, keep=keep))


@app.command()
def check(
    folder: Annotated[
        Path | None, typer.Argument(help="Folder of runbooks.", readable=False)
    ] = None,
    as_json: AsJson = False,
    as_sarif: Annotated[bool, typer.Option("--sarif", help="Print SARIF, for code hosts.")] = False,
) -> None:
    """Check all runbooks and the catalog beside them; every problem as file:line:column: message."""
    from_settings = folder or settings.load().runbooks_dir
    if not from_settings.is_dir():
        raise BadInput(f"{from_settings} is not a folder.", hint="Usage: jackline check FOLDER")
    if not os.access(from_settings, os.R_OK | os.X_OK):  # a glob would find nothing and be silent
        raise BadInput(f"{from_settings} cannot be read.", hint="Look at the folder's permissions.")
    log.configure("critical")  # the library logs each problem, and we are about to print it
    problems, doubts, count = _checked(from_settings)
    if as_sarif:
        out.print_json(json.dumps(sarif(problems, doubts)))
    elif as_json:
        found = {"problems": _rows(problems), "warnings": _rows(doubts)}
        out.print_json(json.dumps({"runbooks": count, **found}))
    else:
        for problem in problems:
            out.print(str(problem), markup=False)
        for doubt in doubts:
            out.print(f"{doubt.place}: warning: {doubt.message}", markup=False)
        out.print(f"{count} runbooks, {len(problems)} problems", markup=False)
    raise SystemExit(1 if problems else 0)


def _rows(problems: list[Problem]) -> list[dict[str, Any]]:
    return [
        {"path": p.path, "line": p.line, "column": p.column, "message": p.message} for p in problems
    ]


def _checked(folder: Path) -> tuple[list[Problem], list[Problem], int]:
    """Errors, warnings, and how many runbooks there are."""
    count = len(list(folder.glob("*.md")))
    try:
        library = Library(folder, registry.load())
        doubts = warnings(folder / "catalog", library.catalog, now())
    except BadFile as error:  # the catalog's, and without it no runbook can be judged
        return [error.problem], [], count
    problems = [p for found in library.problems.values() for p in found]
    return [*problems, *check_templates(folder / "postmortems")], doubts, count


@app.command()
def schema(
    part: Annotated[str, typer.Argument(help="front or step")],
) -> None:
    """Print the JSON Schema of a runbook's front matter or of its steps, for editors."""
    if part not in ("front", "step"):
        raise BadInput(f"{part!r} is neither front nor step.", hint="Usage: jackline schema step")
    found = json_schema("front" if part == "front" else "step", registry.load())
    out.print_json(json.dumps(found))


@app.command()
def plan(
    runbook: Annotated[str, typer.Argument(help="The runbook's id.")],
    inputs: Annotated[list[str] | None, typer.Argument(help="name=value …")] = None,
    bag: OfBag = None,
    identity: Identity = None,
    signer: Signer = "",
    as_json: AsJson = False,
) -> None:
    """Show what a run would do, step by step, before → after. Changes nothing."""
    if bag is not None:
        plan_of_bag(runbook, inputs, bag, identity, signer, as_json)
        return
    given = pairs(inputs or [])

    async def work(parts: Jackline) -> dict[str, Any]:
        found = parts.library.get(runbook)
        earlier = await parts.engine.journal.durations(found.id)
        resolved = resolve_inputs(found.front.inputs, given, parts.library.catalog)
        return {**await parts.planner.plan(found, resolved), "earlier": earlier}

    made = with_parts(work)
    if as_json:
        out.print_json(json.dumps(made))
        return
    out.print(plan_table(made))


app.command("run")(run_from_bag)
app.command()(oncall)
app.command()(search)
incidents_app.command("figures")(incidents_figures)
incidents_app.command("digest")(incidents_digest)
incidents_app.command("similar")(incidents_similar)
postmortem_app.command("export")(export)
postmortem_app.command("publish")(publish_paper)
app.command()(ack)


@incidents_app.command("list")
def incidents_list(
    everything: Annotated[bool, typer.Option("--all", help="Ended ones too.")] = False,
    as_json: AsJson = False,
) -> None:
    """The open incidents, newest first."""

    async def work(parts: Jackline) -> list[dict[str, Any]]:
        async with parts.store.read() as session:
            found = await parts.incidents.listed(session, everything=everything)
            return [incident_json(i) for i in found]

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps(found))
        return
    table = Table("#", "severity", "status", "title", "declared")
    for i in found:
        cells = str(i["id"]), i["severity"], _standing(i), i["title"], i["declared_at"][:19]
        table.add_row(*map(escape, cells))
    out.print(table)


@incidents_app.command("show")
def incidents_show(number: Number, as_json: AsJson = False) -> None:
    """One incident with its timeline."""

    async def work(parts: Jackline) -> dict[str, Any]:
        async with parts.store.read() as session:
            return await whole_incident(session, number)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps(found))
        return
    out.print(f"#{number} {found['severity']} {_standing(found)}: {found['title']}", markup=False)
    for row in found["timeline"]:
        out.print(
            f"{row['seq']:>4}  {row['at'][:19]}  {row['kind']:<20} {row['actor']:<18} {row['text']}",
            markup=False,
        )


def _standing(incident: dict[str, Any]) -> str:
    into = incident["merged_into"]
    return f"merged into #{into}" if into else str(incident["status"])


for verb in (merge, unmerge, split, join, publish, published):
    incidents_app.command()(verb)


@audit_app.command("verify")
def audit_verify(
    incident: Annotated[
        int | None, typer.Option(min=1, max=LARGEST, help="One incident only.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Find edited, deleted, reordered or cut-off timeline rows. Exit code 1 if there are any."""

    async def work(parts: Jackline) -> list[dict[str, Any]]:
        async with parts.store.read() as session:
            found = await verified(session, parts.ledger, incident)
        return [{"incident": p.incident_id, "seq": p.seq, "problem": p.problem} for p in found]

    problems = from_record(work)
    if as_json:
        out.print_json(json.dumps({"ok": not problems, "problems": problems}))
    else:
        for p in problems:
            out.print(f"incident {p['incident']}, row {p['seq']}: {p['problem']}", markup=False)
        out.print(
            "The record is whole." if not problems else f"{len(problems)} problems", markup=False
        )
    raise SystemExit(1 if problems else 0)


@postmortem_app.command("show")
def postmortem_show(
    number: Number,
    html: Annotated[bool, typer.Option("--html", help="HTML instead of Markdown.")] = False,
) -> None:
    """Print an incident's drafted postmortem."""

    async def work(parts: Jackline) -> str:
        async with parts.store.read() as session:
            found = await parts.postmortems.get(session, number)
            return found.html if html else found.markdown

    sys.stdout.write(from_record(work))


postmortem_app.command()(lint)
postmortem_app.command("replay")(postmortem_replay)


@app.command()
def signin(
    person: Annotated[str, typer.Argument(help="A person's id in the catalog.")],
    reset: Annotated[
        bool,
        typer.Option(
            "--reset",
            help="Take the person's console password and code away instead, and end their sessions.",
        ),
    ] = False,
) -> None:
    """Print a link that signs a person in to the console once. Needs no SSO, Slack or database."""
    if reset:
        out.print(from_record(lambda parts: _taken_away(parts, person)), markup=False)
    else:
        out.print(without_database(lambda parts: _link(parts, person)), markup=False)


@app.command()
def signout(
    person: Annotated[str, typer.Argument(help="A person's id in the catalog.")],
) -> None:
    """End all console sessions of a person at once. Their password and code stay good."""
    out.print(from_record(lambda parts: _signed_out(parts, person)), markup=False)


def _link(parts: Jackline, person: str) -> str:
    host, port = parts.settings.listen
    host = f"[{host}]" if ":" in host else host
    base = parts.settings.console.public_url or f"http://{host}:{port}"
    return signin_link(parts.session_key, _person(parts, person).id, base)


async def _taken_away(parts: Jackline, person: str) -> str:
    if not await _passwords(parts).remove(_person(parts, person)):
        raise NotFound(f"{person} has no password for the console.")
    return f"The password and code of {person} are gone, and their sessions have ended."


async def _signed_out(parts: Jackline, person: str) -> str:
    await _passwords(parts).end_sessions(_person(parts, person))
    return f"All console sessions of {person} have ended. Their password and code stay good."


def _passwords(parts: Jackline) -> Passwords:
    return Passwords(parts.store, parts.ledger, parts.session_key, lambda: parts.library.catalog)


def _person(parts: Jackline, person: str) -> Person:
    found = parts.library.catalog.person(person)
    if found is None:
        known = ", ".join(p.id for p in parts.library.catalog.people) or "nobody"
        raise NotFound(f"There is no person {person!r} in the catalog.", hint=f"Known: {known}.")
    return found


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Check that Jackline could start and work here, and say what to do where it could not."""
    log.configure("critical")  # what is logged is in the results, and stdout is for those
    results = asyncio.run(diagnose())
    if as_json:
        rows = [{"check": r.name, "ok": r.ok, "detail": r.detail} for r in results]
        out.print_json(json.dumps(rows))
    else:
        for result in results:
            out.print(f"{'✓' if result.ok else '✗'} {result.name}: {result.detail}", markup=False)
    raise SystemExit(0 if all(r.ok for r in results) else 1)
