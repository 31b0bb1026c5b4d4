"""``jackline alerts simulate``: the last days' alerts through the present rules and through edited ones."""

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.markup import escape
from rich.table import Table

from bot.alerts.record import alerts_since, count_since, record_since
from bot.alerts.replay import Accepted, Replay, Simulated
from bot.alerts.simulation import APPROXIMATIONS, Comparison, compare, counted
from bot.app import Jackline
from bot.catalog import Catalog, catalog_files, load_catalog
from bot.chat.printing import Printer
from bot.cli.alerts import alerts_app
from bot.cli.parts import AsJson, from_record, out
from bot.errors import BadInput
from bot.settings import load
from bot.store import now

_USAGE = "Usage: jackline alerts simulate --days 7 --rules FOLDER or FILE.yaml"
_STEP = 10_000  # alerts between two words on the progress
_ROWS = 50  # differences that the table lists
_err = Printer(stderr=True, soft_wrap=True, highlight=False)


@dataclass(frozen=True)
class _Simulated:
    """Both replays, of so many alerts; ``recorded`` is how many incidents alerts really opened."""

    present: Replay
    edited: Replay | None
    alerts: int
    recorded: int


@alerts_app.command()
def simulate(
    days: Annotated[int, typer.Option(min=1, max=3650, help="How far back.")] = 7,
    rules: Annotated[
        Path | None,
        typer.Option(help="Edited rules: a folder as RUNBOOKS_DIR is, its catalog, or one file."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Replay stored alerts through the present rules and edited ones; show what differs. Reads only."""
    other = _edited(rules, load().runbooks_dir / "catalog") if rules is not None else None

    async def work(parts: Jackline) -> _Simulated:
        since = now() - timedelta(days=days)
        async with parts.store.read() as session:
            record = await record_since(session, since)
            alerts, recorded = await count_since(session, since)
            present = Replay(parts.library.catalog, record)
            edited = Replay(other, record) if other is not None else None
            both = [present, edited] if edited else [present]
            await _played(both, alerts_since(session, since), alerts)
        return _Simulated(present, edited, alerts, recorded)

    found = from_record(work)
    comparison = compare(found.present, found.edited) if found.edited else None
    if as_json:
        out.print_json(json.dumps(_as_dict(found, comparison, days)))
        return
    _show(found, comparison, days)


def _edited(path: Path, catalog: Path) -> Catalog:
    """The catalog with edited rules. Raises `BadInput` and `BadFile`, as `jackline check` says it."""
    if path.is_file():
        return load_catalog(catalog, instead=path)
    if not path.is_dir():
        raise BadInput(f"{path} is neither a folder nor a file.", hint=_USAGE)
    folder = path / "catalog" if (path / "catalog").is_dir() else path
    if not catalog_files(folder):
        raise BadInput(f"{folder} has no catalog: there is no *.yaml in it.", hint=_USAGE)
    return load_catalog(folder)


async def _played(replays: list[Replay], alerts: AsyncIterator[Accepted], total: int) -> None:
    count = 0
    async for alert in alerts:
        for replay in replays:
            replay.take(alert)
        count += 1
        if count % _STEP == 0:
            _err.print(f"{count:,} of {total:,} alerts replayed", markup=False)
    for replay in replays:
        replay.finish(now())


def _as_dict(found: _Simulated, comparison: Comparison | None, days: int) -> dict[str, Any]:
    return {
        "days": days, "alerts": found.alerts, "recorded_incidents": found.recorded,
        "present": counted(found.present),
        "edited": counted(found.edited) if found.edited else None,
        "moved": comparison.moved if comparison else None,
        "differences": [d.as_dict() for d in comparison.differences] if comparison else [],
        "approximations": APPROXIMATIONS,
    }  # fmt: skip


def _show(found: _Simulated, comparison: Comparison | None, days: int) -> None:
    span = "day" if days == 1 else f"{days} days"
    out.print(
        f"{found.alerts:,} alerts of the last {span}. In that time alerts opened "
        f"{found.recorded} incidents; the replay of the present rules opens {_words(found.present)}."
    )
    if comparison is None or found.edited is None:
        out.print("With --rules it shows what edited rules would have done.")
        return
    moved = comparison.moved
    out.print(f"Was {_words(found.present)}, would be {_words(found.edited)}.")
    out.print(
        f"Alerts that would be in another incident: {moved['to_another']:,}; in one, and were in "
        f"none: {moved['into_one']:,}; in none, and were in one: {moved['out_of_one']:,}."
    )
    if comparison.differences:
        out.print(_table(comparison))
    more = len(comparison.differences) - _ROWS
    if more > 0:
        out.print(f"And {more:,} more: --json lists all.")
    for line in APPROXIMATIONS:
        out.print(f"· {line}", markup=False)


def _words(replay: Replay) -> str:
    """``14 incidents (3 sev1, 11 sev2)``."""
    known = counted(replay)
    severities = [f"{count} {name}" for name, count in known["by_severity"].items() if count]
    listed = f" ({', '.join(severities)})" if severities else ""
    return f"{known['incidents']} incident{'' if known['incidents'] == 1 else 's'}{listed}"


def _table(comparison: Comparison) -> Table:
    table = Table("what", "opened by", "was", "would be", "why")
    for each in comparison.differences[:_ROWS]:
        opened = f"alert {each.alert.id} {each.alert.name}, {each.alert.received_at:%m-%d %H:%M}"
        cells = each.what, opened, _cell(each.present), _cell(each.edited), each.why
        table.add_row(*map(escape, cells))
    return table


def _cell(simulated: Simulated | None) -> str:
    if simulated is None:
        return "none"
    alerts = simulated.alerts
    return f"{simulated.severity} {simulated.open_key}, {alerts} alert{'' if alerts == 1 else 's'}"
