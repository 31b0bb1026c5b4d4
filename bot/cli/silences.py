"""``jackline alerts silence``, ``silences`` and ``unsilence``; and what holds a payload back."""

import json
import uuid
from typing import Annotated

import typer
from rich.markup import escape
from rich.table import Table

from bot.alerts.holding import Hold, fire_now, hold_of, labels_of, may_silence, wish
from bot.app import Jackline
from bot.catalog import Person, match_words
from bot.cli.alerts import alerts_app
from bot.cli.parts import LARGEST, AsJson, from_record, out
from bot.errors import NotFound
from bot.located import near

_USAGE = "Usage: jackline alerts silence LABEL=VALUE … --for 2h --reason WHY"
By = Annotated[str, typer.Option(help="A person's id in the catalog, for the record.")]


@alerts_app.command("silence")
def silence_(
    labels: Annotated[list[str], typer.Argument(help="LABEL=VALUE; * in a value is anything.")],
    lasts: Annotated[str, typer.Option("--for", help="How long, such as 2h; at most 7d.")],
    reason: Annotated[str, typer.Option(help="Why; it stands in the record.")],
    by: By = "",
    as_json: AsJson = False,
) -> None:
    """Hold matching alerts back for a while; what still fires then is routed."""
    asked = wish(labels_of(labels, _USAGE), lasts, reason, _USAGE)

    async def work(parts: Jackline) -> tuple[Hold, str]:
        _known(parts, by)
        async with parts.store.write() as session:
            silence = await parts.silences.set(session, asked, by, f"cli:{uuid.uuid4().hex}")
            found = await parts.silences.firing(session, silence)
        return hold_of(parts.library.catalog, silence), fire_now(*found)

    hold, covered = from_record(work)
    if as_json:
        out.print_json(json.dumps({**hold.as_dict(), "covers": covered}))
    else:
        until = f"{hold.until:%Y-%m-%d %H:%M} UTC"
        out.print(
            f"Silence {hold.number} is set until {until}: {match_words(hold.match)}. {covered}",
            markup=False,
        )


@alerts_app.command()
def silences(as_json: AsJson = False) -> None:
    """List the silences and maintenance windows that are on, and how many alerts each holds back."""

    async def work(parts: Jackline) -> list[tuple[Hold, int]]:
        async with parts.store.read() as session:
            return await parts.silences.listed(session)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([{**hold.as_dict(), "holds_back": n} for hold, n in found]))
        return
    table = Table("what", "alerts", "until", "by", "why", "holds back")
    for hold, held in found:
        until = f"{hold.until:%Y-%m-%d %H:%M} UTC"
        cells = hold.name, match_words(hold.match), until, hold.by, hold.reason, str(held)
        table.add_row(*map(escape, cells))
    out.print(table if found else "Nothing is silenced.")


@alerts_app.command()
def unsilence(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST)],
    by: By = "",
) -> None:
    """End a silence; what it held back and still fires is routed."""

    async def work(parts: Jackline) -> None:
        _known(parts, by)
        async with parts.store.write() as session:
            await parts.silences.end(session, number, by)

    from_record(work)
    out.print(f"Silence {number} is ended. What it held back and still fires is routed now.")


def _known(parts: Jackline, person_id: str) -> None:
    """Raises `NotFound` and `NotAllowed`."""
    if person := person_of(parts, person_id):
        may_silence(person)


def person_of(parts: Jackline, person_id: str) -> Person | None:
    """Nobody is the command line itself. Raises `NotFound`."""
    if not person_id:
        return None
    people = parts.library.catalog.people
    person = parts.library.catalog.person(person_id)
    if person is None:
        raise NotFound(
            f"There is no person {person_id!r} in the catalog{near(person_id, [p.id for p in people]) or '.'}"
        )
    return person
