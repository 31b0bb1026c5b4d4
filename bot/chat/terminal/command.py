"""``run``, ``plan`` and ``bag`` for the terminal: of `jackline`, and alone inside the go-bag.

Exit codes: 0 done, 1 it failed or is not over, 2 wrong use or bad input.
"""

import asyncio
import json
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any, NoReturn

import typer
from sqlalchemy.exc import SQLAlchemyError

from bot import log
from bot.access.bag_drills import Receipt
from bot.access.bags import Bag, read_bag, same_fingerprint
from bot.chat.printing import Printer, harmless
from bot.chat.terminal import drill as drills
from bot.chat.terminal import show
from bot.chat.terminal.asker import Asker
from bot.chat.terminal.desk import Desk
from bot.chat.terminal.opening import identity_file, opened, requester
from bot.chat.terminal.plan import plan_table
from bot.chat.terminal.room import BagRoom
from bot.errors import BadInput, JacklineError, Untrusted
from bot.runbooks import Run
from bot.runbooks.bag_drill import BagDrill
from bot.runbooks.inputs import resolve_inputs

WIDTH = None if sys.stdout.isatty() else 1000
app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False,
                  help="Jackline from the go-bag: runs runbooks with nothing but this file.")  # fmt: skip
bag_app = typer.Typer(no_args_is_help=True, help="The go-bag: runbooks for when the bot is gone.")

AsJson = Annotated[bool, typer.Option("--json", help="Print the answer as JSON.")]
Inputs = Annotated[list[str] | None, typer.Argument(help="name=value …")]
Name = Annotated[str, typer.Argument(help="The runbook's id.")]
OfBag = Annotated[
    Path | None, typer.Option("--bag", help="The go-bag; inside one, itself if left out.")
]
File = Annotated[Path | None, typer.Argument(help="The go-bag; inside one, itself if left out.")]
Identity = Annotated[
    Path | None,
    typer.Option(help="Your age key file; JACKLINE_AGE_IDENTITY if left out."),
]
Signer = Annotated[
    str, typer.Option(help="The fingerprint that was printed at packing, to be insisted on.")
]
As = Annotated[str, typer.Option("--as", help="Your id in the catalog.")]


def main() -> None:
    """The go-bag's own door."""
    log.configure("error")
    guarded(lambda: app(prog_name=Path(sys.argv[0]).name))


def guarded(work: Callable[[], object]) -> None:
    """Our errors become one line on stderr and exit code 2 or 1."""
    try:
        work()
    except BadInput as error:
        _fail(str(error), 2)
    except JacklineError as error:
        _fail(str(error), 1)
    except (SQLAlchemyError, OSError) as error:  # the disk is full: not the statement, nor a trace
        reason = str(getattr(error, "orig", None) or error) or type(error).__name__
        _fail(reason.splitlines()[0], 1)


def _fail(reason: str, code: int) -> NoReturn:
    """In it may stand what a target or a file said."""
    sys.stderr.write(f"jackline: {harmless(reason)}\n")
    sys.exit(code)


def pairs(words: list[str]) -> dict[str, str]:
    """``name=value`` words as a mapping. Raises `BadInput`."""
    found = {}
    for word in words:
        name, equals, value = word.partition("=")
        if not equals:
            raise BadInput(f"{word!r} is not name=value.", hint="For example: percent=100")
        found[name] = value
    return found


def this_bag(given: Path | None) -> Path:
    """The bag given, else the one that this program was started from. Raises `BadInput`."""
    if given is not None:
        return given
    if not zipfile.is_zipfile(sys.argv[0]):
        raise BadInput("Say which go-bag.", hint="`jackline bag pack` makes one.")
    return Path(sys.argv[0])


@app.command()
def run(
    runbook: Name,
    inputs: Inputs = None,
    bag: OfBag = None,
    identity: Identity = None,
    signer: Signer = "",
    journal: Annotated[
        Path, typer.Option(help="Folder of the record; the same again goes on with the run.")
    ] = Path("jackline-journal"),
    person: As = "",
    code: Annotated[
        list[str] | None, typer.Option(help="An approver's code; again for a further one.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask whether to run it.")] = False,
    answer: Annotated[
        list[str] | None,
        typer.Option(help="STEP=done|cannot|retry|skip|undo|stop|happened|not, for scripts."),
    ] = None,
    undo: Annotated[
        bool, typer.Option("--undo", help="Take the last run of this runbook back instead.")
    ] = False,
    override_freeze: Annotated[str, typer.Option(help="Why it must run in a change freeze.")] = "",
    break_glass: Annotated[
        str, typer.Option(help="Why it must run without approval; a commander's last resort.")
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Run a runbook from the go-bag: plan, approval by code, journal. Needs no server."""
    log.configure("error")
    console = Printer(stderr=as_json, soft_wrap=True, highlight=False, width=WIDTH)
    asker = Asker(console, yes=yes, codes=code or [], answers=pairs(answer or []))

    async def work(room: BagRoom, key: Path) -> tuple[Run, dict[str, Any]]:
        who = room.person(await requester(person, key, room.library.catalog, asker))
        found = room.library.get(runbook)
        desk = Desk(room, who, asker, console, freeze=override_freeze, glass=break_glass)
        if undo:
            done = await desk.take_back((await room.last(found)).number)
        else:
            done = await desk.drive((await room.begin(found, pairs(inputs or []), who)).number)
            if done.started_at and done.state in ("failed", "aborted") and asker.interactive:
                console.print(show.ended(done), markup=False)
                if await asker.ask("Take back what was done?", ("no", "yes")) == "yes":
                    done = await desk.take_back(done.number)
        return done, await show.result(room, done)

    done, result = asyncio.run(_in_room(this_bag(bag), identity, signer, journal, asker, work))
    console.print(f"{show.ended(done)}\nThe record is in {journal}.", markup=False)
    if as_json:
        sys.stdout.write(json.dumps(result, indent=2) + "\n")
    good = done.state == "succeeded" or (done.state == "aborted" and undo and not done.error)
    raise SystemExit(0 if good else 1)


@app.command()
def plan(
    runbook: Name,
    inputs: Inputs = None,
    bag: OfBag = None,
    identity: Identity = None,
    signer: Signer = "",
    as_json: AsJson = False,
) -> None:
    """Show what a run would do, step by step, before → after. Changes nothing."""
    log.configure("error")
    console = Printer(stderr=as_json, soft_wrap=True, highlight=False, width=WIDTH)
    asker = Asker(console)

    async def work(room: BagRoom, key: Path) -> dict[str, Any]:
        del key
        found = room.library.get(runbook)
        given = resolve_inputs(found.front.inputs, pairs(inputs or []), room.library.catalog)
        return {**await room.planner.plan(found, given), "earlier": {}}

    with TemporaryDirectory(prefix="jackline-") as nothing:
        made = asyncio.run(_in_room(this_bag(bag), identity, signer, Path(nothing), asker, work))
    if as_json:
        sys.stdout.write(json.dumps(made, indent=2) + "\n")
    else:
        console.print(plan_table(made))


async def _in_room(
    path: Path, identity: Path | None, signer: str, journal: Path, asker: Asker, work: Any,  # noqa: ANN401 - a coroutine function of (room, key file)
) -> Any:  # noqa: ANN401 - what the work gives  # fmt: skip
    """Opens the bag into a private folder that is gone afterwards, and its journal."""
    key = identity_file(identity)
    bag, payload = await opened(path, key, signer, asker)
    asker.console.print(show.heading(bag), markup=False)
    with TemporaryDirectory(prefix="jackline-") as folder:  # made with mode 0700
        room = BagRoom(bag, payload, payload.write(Path(folder), "runbooks"), journal)
        try:
            await room.open()
            return await work(room, key)
        finally:
            await room.store.close()


@bag_app.command()
def verify(bag: File = None, signer: Signer = "", as_json: AsJson = False) -> None:
    """Check that not one byte of a go-bag was changed, and by whom it was signed."""
    found = read_bag(this_bag(bag))
    if signer and not same_fingerprint(signer, found.fingerprint):
        raise Untrusted(f"{found.path} was signed by {found.fingerprint}, not by {signer}.")
    _print(found, as_json, {"ok": True, "signer_known": bool(signer)})


@bag_app.command("list")
def list_(
    bag: File = None, identity: Identity = None, signer: Signer = "", as_json: AsJson = False
) -> None:
    """Show what is in a go-bag and how old it is; with --identity by name. Never a secret."""
    path = this_bag(bag)
    names: dict[str, Any] = {}
    found = read_bag(path)
    if identity is not None:
        asker = Asker(Printer(stderr=True))
        found, payload = asyncio.run(opened(path, identity, signer, asker))
        names = show.names(payload)
    _print(found, as_json, names)


@bag_app.command()
def read(
    to: Annotated[Path, typer.Option("--to", help="Folder for the pages.")],
    bag: File = None,
    identity: Identity = None,
    signer: Signer = "",
) -> None:
    """Write a go-bag's runbooks, contacts and bridge numbers as HTML pages. No secrets."""
    console = Printer(soft_wrap=True, highlight=False, width=WIDTH)
    work = opened(this_bag(bag), identity_file(identity), signer, Asker(console))
    _, payload = asyncio.run(work)
    to.mkdir(mode=0o700, parents=True, exist_ok=True)
    console.print(f"Open {payload.write(to, 'html') / 'index.html'}", markup=False)


@bag_app.command()
def drill(
    bag: File = None,
    identity: Identity = None,
    signer: Signer = "",
    person: As = "",
    receipt: Annotated[Path | None, typer.Option(help="The file to write the receipt to.")] = None,
    as_json: AsJson = False,
) -> None:
    """Try every access path from this host with what a go-bag holds; exits 1 if no runbook would run."""
    log.configure("error")
    console = Printer(stderr=as_json, soft_wrap=True, highlight=False, width=WIDTH)
    asker = Asker(console)

    async def work(room: BagRoom, key: Path) -> tuple[BagDrill, Receipt]:
        who = room.person(await requester(person, key, room.library.catalog, asker))
        return await drills.held(room, who, console)

    with TemporaryDirectory(prefix="jackline-") as nothing:
        found, made = asyncio.run(
            _in_room(this_bag(bag), identity, signer, Path(nothing), asker, work)
        )
    console.print(drills.matrix(drills.cells(found)), drills.runbooks(found))
    console.print(f"Score: {made.score:.0%} of the runbooks would run from here.", markup=False)
    file = receipt or Path(f"jackline-drill-{made.bag}-{made.at:%Y%m%d-%H%M%S}.json")
    made.write(file)
    console.print(f"Where Jackline runs: `jackline bag drilled {file}`", markup=False)
    if as_json:
        rows = {**drills.result(found, made), "receipt": str(file)}
        sys.stdout.write(json.dumps(rows, indent=2) + "\n")
    raise SystemExit(0 if found.score else 1)


def _print(bag: Bag, as_json: bool, more: dict[str, Any]) -> None:
    if as_json:
        sys.stdout.write(json.dumps({**show.facts(bag), **more}, indent=2) + "\n")
        return
    for name, value in {**show.facts(bag), **more}.items():
        said = ", ".join(map(str, value)) if isinstance(value, list) else value
        sys.stdout.write(f"{name.replace('_', ' ')}: {harmless(str(said))}\n")


app.add_typer(bag_app, name="bag")
