"""Accepts alerts: on disk before they are acknowledged."""

from typing import Any

from bot.alerts.tables import StoredAlert
from bot.contract import Alert
from bot.store import Batch, Store, now


class Intake:
    """``accept`` returns only after the commit; ``run`` is the writer."""

    def __init__(self, store: Store) -> None:
        table = StoredAlert.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
        self._batch = Batch(store, table, "alerts")

    async def accept(self, alerts: list[Alert]) -> None:
        """Stores the alerts. Raises `Unavailable` when that cannot be promised now."""
        await self._batch.accept([_row(alert) for alert in alerts])

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
