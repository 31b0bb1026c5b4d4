"""What pgBackRest says of its backups, and which of them a drill restores. Pure."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.contract.drill import age
from bot.errors import Rejected


@dataclass(frozen=True)
class Backup:
    """One backup that pgBackRest lists: it lists only those that it finished."""

    label: str
    kind: str
    stopped: float
    size: int
    stored: int
    repository: int
    error: bool | None
    wal: tuple[str, str] | None
    archived: tuple[str, str] | None

    @property
    def complete(self) -> bool | None:
        """Whether the archive holds its WAL from the first to the last segment; None: no word."""
        if self.wal is None or self.archived is None:
            return None
        return self.archived[0] <= self.wal[0] and self.wal[1] <= self.archived[1]


def backups(text: str, stanza: str) -> tuple[str, list[Backup]]:
    """The stanza's status in words, and its backups, oldest first. Raises `Rejected`."""
    try:
        (found,) = [each for each in json.loads(text) if each["name"] == stanza]
        said = str(found["status"]["message"])
        archives = {_database(each): _span(each, "min", "max") for each in found["archive"]}
        listed = [_backup(each, archives) for each in found["backup"]]
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected(
            f"pgBackRest's list of stanza {stanza} cannot be read: {type(error).__name__}.",
            hint="It may be longer than 256 KiB: let pgBackRest expire old backups.",
        ) from None
    return said, sorted(listed, key=lambda backup: backup.stopped)


def chosen(listed: list[Backup], label: str, before: float | None) -> Backup:
    """The one of that label, else the newest that was finished ``before``. Raises `Rejected`."""
    if label != "newest":
        named = [backup for backup in listed if backup.label == label]
        if not named:
            known = ", ".join(backup.label for backup in listed[-5:]) or "none"
            raise Rejected(f"There is no backup {label}.", hint=f"The newest are: {known}.")
        return named[0]
    fitting = [b for b in listed if before is None or b.stopped <= before]
    if not fitting:
        when = "" if before is None else " that was finished before that time"
        raise Rejected(f"There is no backup{when}.")
    return fitting[-1]


def facts(said: str, listed: list[Backup], now: float) -> dict[str, Any]:
    """What expressions see. What nobody can tell is left out, so that it is unknown to them."""
    if not listed:
        return {"found": False, "status": said, "backups": 0}
    newest = listed[-1]
    wal = newest.archived or (None, None)
    known = {
        "label": newest.label,
        "type": newest.kind,
        "age_seconds": age(newest.stopped, now),
        "size": newest.size,
        "repository_size": newest.stored,
        "error": newest.error,
        "complete": newest.complete,
        "wal_min": wal[0],
        "wal_max": wal[1],
    }
    told = {key: value for key, value in known.items() if value is not None}
    return {"found": True, "status": said, "backups": len(listed), **told}


def _backup(row: Mapping[str, Any], archives: Mapping[str, tuple[str, str] | None]) -> Backup:
    error = row.get("error")
    return Backup(
        label=str(row["label"]),
        kind=str(row["type"]),
        stopped=float(row["timestamp"]["stop"]),
        size=int(row["info"]["size"]),
        stored=int(row["info"]["repository"]["size"]),
        repository=int(row["database"]["repo-key"]),
        error=error if isinstance(error, bool) else None,
        wal=_span(row["archive"], "start", "stop"),
        archived=archives.get(_database(row)),
    )


def _database(row: Mapping[str, Any]) -> str:
    return f"{row['database']['repo-key']}/{row['database']['id']}"


def _span(row: Mapping[str, Any], first: str, last: str) -> tuple[str, str] | None:
    return (row[first], row[last]) if row.get(first) and row.get(last) else None
