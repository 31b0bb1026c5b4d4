"""``jackline incidents merge``, ``unmerge``, ``split`` and ``join``: shown, asked, done."""

import uuid
from collections.abc import Awaitable, Callable
from typing import Annotated

import typer
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from bot.chat.regroup import Proposal, Regroup, may_regroup
from bot.chat.regroup_words import labels
from bot.cli.parts import LARGEST, from_record, known_person, out
from bot.errors import BadInput

Number = Annotated[int, typer.Argument(min=1, max=LARGEST, help="The incident's number.")]
Labels = Annotated[
    list[str], typer.Argument(help="LABEL=VALUE; * in a value is anything; fingerprint too.")
]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
By = Annotated[str, typer.Option(help="A person's id in the catalog, for the record.")]
_Ask = Callable[[Regroup, AsyncSession, str], Awaitable[Proposal]]


def merge(
    number: Number,
    into: Annotated[int, typer.Argument(min=1, max=LARGEST, help="What it becomes a part of.")],
    yes: Yes = False,
    by: By = "",
) -> None:
    """Make an incident part of another: its alerts and people go along."""
    _regroup(lambda regroup, session, key: regroup.ask_merge(session, number, into, key), yes, by)


def unmerge(number: Number, yes: Yes = False, by: By = "") -> None:
    """Take a merge back, within 24 hours."""
    _regroup(lambda regroup, session, key: regroup.ask_unmerge(session, number, key), yes, by)


def split(number: Number, of: Labels, yes: Yes = False, by: By = "") -> None:
    """Make some of an incident's alerts an incident of their own."""
    match = labels(of, "Usage: jackline incidents split N LABEL=VALUE …")
    _regroup(lambda regroup, session, key: regroup.ask_split(session, number, match, key), yes, by)


def join(number: Number, of: Labels, yes: Yes = False, by: By = "") -> None:
    """Take firing alerts from elsewhere, or of no incident, into an incident."""
    match = labels(of, "Usage: jackline incidents join N LABEL=VALUE …")
    _regroup(lambda regroup, session, key: regroup.ask_join(session, number, match, key), yes, by)


def _regroup(ask: _Ask, yes: bool, by: str) -> None:
    """Two transactions: nobody may wait for a person who reads."""
    key = f"cli:{uuid.uuid4().hex}"

    async def asking(parts: Jackline) -> Proposal:
        if person := known_person(parts, by):
            may_regroup(person)
        async with parts.store.read() as session:
            return await ask(parts.commands.regroup, session, key)

    proposal = from_record(asking)
    out.print(proposal.text, markup=False)
    if not yes and not typer.confirm(f"{proposal.button}?"):
        raise BadInput("Nothing was changed.")

    async def doing(parts: Jackline) -> str:
        actor = f"person:{by}" if by else "source:cli"
        async with parts.store.write() as session:
            done = await parts.commands.regroup.do(
                session, proposal.action_id, proposal.value, actor
            )
        return done[0]

    out.print(from_record(doing), markup=False)
