"""Limited capacity: a few workers, a short queue, and an honest refusal when it is full.

This is what makes overload real: work above `workers / seconds` a second first waits, then is
refused. The work itself is waiting, not computing, so that the figures hold on a busy machine.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass


class Overloaded(Exception):
    """The queue is full; the caller answers 503."""


@dataclass(frozen=True, slots=True)
class Size:
    """What a service can do: `workers` at a time, `seconds` each, `queue` more may wait."""

    workers: int
    seconds: float
    queue: int

    @property
    def per_second(self) -> float:
        return self.workers / self.seconds


SIZES = {
    "payments-primary": Size(workers=5, seconds=0.05, queue=30),  # 100/s
    "payments-standby": Size(workers=3, seconds=0.05, queue=30),  # 60/s: enough for the core
    "pricing": Size(workers=4, seconds=0.02, queue=30),
    "social": Size(workers=8, seconds=0.01, queue=40),
}


class Gate:
    """Lets `workers` requests in at a time and keeps each for the service time."""

    def __init__(self, size: Size) -> None:
        self._size = size
        self._workers = asyncio.Semaphore(size.workers)
        self._waiting = 0

    @contextlib.asynccontextmanager
    async def work(self) -> AsyncIterator[None]:
        """The body counts towards the service time; what is left of it is slept."""
        if self._waiting >= self._size.queue:
            raise Overloaded
        self._waiting += 1
        try:
            await self._workers.acquire()
        finally:
            self._waiting -= 1
        began = time.monotonic()
        try:
            yield
            await asyncio.sleep(max(0.0, self._size.seconds - (time.monotonic() - began)))
        finally:
            self._workers.release()
