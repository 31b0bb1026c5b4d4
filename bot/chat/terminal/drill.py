"""The drill of a go-bag at the terminal: each way as it is tried, then the tables and the receipt."""

import socket
from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bot.access.bag_drills import Receipt
from bot.access.probe import AT_ONCE, LIMIT, Seen
from bot.catalog import Person
from bot.chat.terminal.room import BagRoom
from bot.runbooks.bag_drill import BagDrill, Way, drill_bag
from bot.runbooks.whatif import answer_json, ways
from bot.store import now


async def held(room: BagRoom, person: Person, console: Console) -> tuple[BagDrill, Receipt]:
    """Tries every way from this host with the sealed credentials; says each as it is found."""

    def told(count: int, of: int, way: Way, seen: Seen) -> None:
        target, path = way
        line = f"{count}/{of}  {_cell(seen)}  {path} to {target}"
        console.print(line if seen.ok else f"{line}: {seen.error}", markup=False)

    console.print(
        f"Every path to every target is tried, {AT_ONCE} at a time; one that does not answer "
        f"takes {LIMIT:.0f} s."
    )
    found = await drill_bag(room.library, room.dialer, told)
    receipt = Receipt(
        bag=room.bag.manifest.id, person=person.id, host=socket.gethostname(), at=now(),
        score=round(found.score, 3), not_proven=found.not_proven, failed=found.failed,
    )  # fmt: skip
    return found, receipt.sealed(room.payload.sealed.journal_key)


def matrix(cells: Mapping[Way, str]) -> Table:
    """A row for each target, a column for each path.

    Why one fails stands elsewhere: on a narrow terminal it would leave no room for the rest.
    """
    paths = list(dict.fromkeys(path for _, path in cells))
    table = Table("target", *map(escape, paths))
    for target in dict.fromkeys(target for target, _ in cells):
        table.add_row(escape(target), *(escape(cells.get((target, path), "")) for path in paths))
    return table


def runbooks(found: BagDrill) -> Table:
    """Whether each would run from here, and over which path, or why not."""
    table = Table("runbook", "runs from here", "over which path, or why not")
    for answer in found.answers:
        runs = "yes" if answer.runs else "no"
        words = "in part" if answer.partly else runs
        table.add_row(*map(escape, (answer.runbook.id, words, "\n".join(ways(answer)))))
    for name, why in found.broken.items():
        table.add_row(*map(escape, (name, "no", why)))
    return table


def cells(found: BagDrill) -> dict[Way, str]:
    """What the matrix shows of each way."""
    return {way: _cell(seen) for way, seen in found.seen.items()}


def result(found: BagDrill, receipt: Receipt) -> dict[str, Any]:
    """The whole drill, for scripts: the receipt, every way, every runbook."""
    return {
        **receipt.model_dump(mode="json"),
        "paths": [
            {"target": target, "path": path, "ok": seen.ok, "depth": seen.depth,
             "ms": round(seen.ms, 1), "error": seen.error}
            for (target, path), seen in found.seen.items()
        ],
        "runbooks": [answer_json(answer) for answer in found.answers]
        + [{"id": name, "runs": False, "error": why} for name, why in found.broken.items()],
    }  # fmt: skip


def _cell(seen: Seen) -> str:
    return f"✓ {seen.ms:.0f} ms ({seen.depth})" if seen.ok else "✗"
