"""Accepts alerts: on disk before they are acknowledged."""

import asyncio
import time
from collections.abc import Sequence
from pathlib import Path

from bot.alerts.arrivals import packed
from bot.alerts.rules import is_urgent
from bot.alerts.tables import Arrival
from bot.contract import Alert
from bot.store import Batch, Spool, Store


class Intake:
    """``accept`` returns only after the commit; ``run`` is the writer.

    ``spool`` is the folder where alerts are kept while the database is away.
    """

    def __init__(self, store: Store, spool: Path | None = None) -> None:
        table = Arrival.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
        aside = Spool(spool, "alerts", ("received_at",)) if spool is not None else None
        # silent: only the router has anything to do about it, and that waits for ``came``
        self._batch = Batch(store, table, "alerts", silent=True, spool=aside)
        self._came = asyncio.Event()
        self.last_at = 0.0  # when something was accepted last, of `time.monotonic`

    async def accept(self, alerts: Sequence[Alert]) -> None:
        """Stores the alerts, all of one source. Raises `Unavailable` when that cannot be promised now.

        In a flood of one source there is room for the others, and always some for what is grave.
        """
        if not alerts:
            return
        urgent = any(is_urgent(alert.labels) for alert in alerts)
        await self._batch.accept(
            [packed(alerts)], sender=alerts[0].source, urgent=urgent, weight=len(alerts)
        )
        self.last_at = time.monotonic()
        self._came.set()

    async def run(self) -> None:
        """Writes until cancelled; what is waiting then is refused, never lost silently."""
        await self._batch.run()

    async def came(self, seconds: float) -> None:
        """Returns once something was accepted since the last call, or after ``seconds``."""
        try:
            async with asyncio.timeout(seconds):
                await self._came.wait()
        except TimeoutError:
            return
        self._came.clear()
