"""Accepts alerts: on disk before they are acknowledged."""

from pathlib import Path
from typing import Any

from bot.alerts.rules import is_urgent
from bot.alerts.tables import StoredAlert
from bot.contract import Alert
from bot.store import Batch, Spool, Store, now

_TIMES = ("starts_at", "ends_at", "received_at")


class Intake:
    """``accept`` returns only after the commit; ``run`` is the writer.

    ``spool`` is the folder where alerts are kept while the database is away.
    """

    def __init__(self, store: Store, spool: Path | None = None) -> None:
        table = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
        aside = Spool(spool, "alerts", _TIMES) if spool is not None else None
        self._batch = Batch(store, table, "alerts", spool=aside)

    async def accept(self, alerts: list[Alert]) -> None:
        """Stores the alerts. Raises `Unavailable` when that cannot be promised now.

        In a flood of one source there is room for the others, and always some for what is grave.
        """
        if alerts:
            urgent = any(is_urgent(alert.labels) for alert in alerts)
            rows = [_row(alert) for alert in alerts]
            await self._batch.accept(rows, sender=alerts[0].source, urgent=urgent)

    async def run(self) -> None:
        """Writes until cancelled; what is waiting then is refused, never lost silently."""
        await self._batch.run()


def _row(alert: Alert) -> dict[str, Any]:
    return {
        "source": alert.source,
        "fingerprint": alert.fingerprint,
        "status": alert.status,
        "starts_at": alert.starts_at,
        "ends_at": alert.ends_at,
        "name": alert.name,
        "labels": alert.labels,
        "annotations": alert.annotations,
        "link": alert.link,
        "received_at": now(),
        "state": "new",
        "decision": {},
    }
