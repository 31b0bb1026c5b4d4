"""How many notices a notifier may send in a minute."""

from collections import defaultdict, deque
from datetime import datetime, timedelta

MINUTE = timedelta(minutes=1)


class Pace:
    """Counts what this process began, and takes what the outbox knows of others into account."""

    def __init__(self) -> None:
        self._begun: dict[str, deque[datetime]] = defaultdict(deque)

    def take(self, notifier: str, per_minute: int, moment: datetime, sent: list[datetime]) -> float:
        """0 where one may go now, which is then counted; else the seconds to wait.

        ``sent`` are the last minute's according to the outbox, oldest first.
        """
        begun = self._begun[notifier]
        while begun and begun[0] <= moment - MINUTE:
            begun.popleft()
        fuller = max(list(begun), sent, key=len)
        if len(fuller) < per_minute:
            begun.append(moment)
            return 0.0
        frees = fuller[len(fuller) - per_minute] + MINUTE
        return max(0.5, (frees - moment).total_seconds())
