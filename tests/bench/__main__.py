"""``make bench``: every figure with its floor or peer from the same run on the same machine."""

import asyncio
import sys
from collections.abc import Callable

from rich.console import Console
from rich.table import Table

from tests.bench.access import access
from tests.bench.calling import calling
from tests.bench.check import check
from tests.bench.drafts import drafts
from tests.bench.exports import exports
from tests.bench.intake import intake
from tests.bench.loops import loops
from tests.bench.process import cold_start
from tests.bench.search import search
from tests.bench.slack import BURST, LATENCY, burst, declare_to_ready
from tests.bench.steps import http_steps, steps
from tests.bench.storm import storm
from tests.bench.table import Row

BENCHES: dict[str, Callable[[], list[Row]]] = {
    "declare": lambda: asyncio.run(declare_to_ready()),
    "burst": lambda: asyncio.run(burst()),
    "start": cold_start,
    "intake": lambda: asyncio.run(intake()),
    "calling": lambda: asyncio.run(calling()),
    "storm": lambda: asyncio.run(storm()),
    "check": check,
    "loops": loops,
    "steps": steps,
    "http": http_steps,
    "access": access,
    "drafts": lambda: asyncio.run(drafts()),
    "exports": exports,
    "search": lambda: asyncio.run(search()),
}


def main() -> None:
    """Runs the benches named on the command line, or all."""
    chosen = sys.argv[1:] or list(BENCHES)
    if unknown := [name for name in chosen if name not in BENCHES]:
        raise SystemExit(f"There is no bench {unknown[0]!r}. Known: {', '.join(BENCHES)}.")
    console = Console(width=None if sys.stdout.isatty() else 120)
    table = Table(title=f"Slack at {LATENCY * 1000:.0f} ms a call, bursts of {BURST}")
    for column in ("", "Jackline", "unit", "aim", "beside", "", "ratio"):
        table.add_column(column)
    try:
        for name in chosen:
            with console.status(f"measuring {name}"):
                for row in BENCHES[name]():
                    figures = (f"{row.ours:.3g}", row.unit, row.aim, f"{row.other:.3g}")
                    table.add_row(row.what, *figures, row.other_name, f"{row.ratio:.2f}x")
    finally:  # what was measured before one broke is shown all the same
        console.print(table)


if __name__ == "__main__":
    main()
