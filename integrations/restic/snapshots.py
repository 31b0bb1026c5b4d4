"""What restic says of its snapshots, and which of them a drill restores. Pure."""

import json
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.contract.drill import age
from bot.errors import Rejected


@dataclass(frozen=True)
class Snapshot:
    """One snapshot."""

    id: str
    label: str
    time: str
    at: float
    host: str
    paths: list[str]
    tags: list[str]


def snapshots(text: str) -> list[Snapshot]:
    """Oldest first. Raises `Rejected`."""
    try:
        listed = [_snapshot(row) for row in json.loads(text) or []]
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected(f"restic's list cannot be read: {type(error).__name__}.") from None
    return sorted(listed, key=lambda snapshot: snapshot.at)


def chosen(listed: list[Snapshot]) -> Snapshot:
    """The newest. Raises `Rejected`."""
    if not listed:
        raise Rejected("There is no such snapshot in the repository.")
    return listed[-1]


def facts(listed: list[Snapshot], now: float) -> dict[str, Any]:
    """What expressions see. What nobody can tell is left out, so that it is unknown to them."""
    if not listed:
        return {"found": False}
    newest = listed[-1]
    seconds = age(newest.at, now)
    return {
        "found": True,
        "label": newest.label,
        "time": newest.time,
        "host": newest.host,
        "paths": newest.paths,
        "tags": newest.tags,
    } | ({} if seconds is None else {"age_seconds": seconds})


def _snapshot(row: dict[str, Any]) -> Snapshot:
    return Snapshot(
        id=str(row["id"]),
        label=str(row["short_id"]),
        time=str(row["time"]),
        at=datetime.fromisoformat(row["time"]).timestamp(),
        host=str(row["hostname"]),
        paths=[str(path) for path in row["paths"]],
        tags=[str(tag) for tag in row.get("tags") or []],
    )
