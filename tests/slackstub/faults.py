"""What can go wrong with a call, on purpose; the log of calls; and Slack's limits of rate."""

import time
from collections import defaultdict, deque
from dataclasses import asdict, dataclass
from typing import Any

from .settings import Settings

Json = dict[str, Any]

KINDS = ("error", "ratelimited", "http_500", "drop_before", "drop_after", "hang")
PER_MINUTE = {1: 1, 2: 20, 3: 50, 4: 100}


@dataclass
class Fault:
    """The next `times` calls of a method (after `skip` good ones) fail in this way.

    `drop_after` is the nasty one: Slack did the work, and the caller cannot know that it did.
    """

    method: str
    kind: str
    times: int = 1
    error: str = "fatal_error"
    retry_after: int = 1
    skip: int = 0


@dataclass
class Call:
    """One Web API call, with monotonic times, as the app made it."""

    method: str
    args: Json
    started: float
    ended: float | None = None
    status: int | None = None
    error: str | None = None
    fault: str | None = None

    @property
    def ok(self) -> bool:
        return self.status == 200 and self.error is None

    def as_json(self) -> Json:
        return asdict(self) | {"ok": self.ok}


class CallLog:
    """Every call in the order in which it began."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.in_flight = 0
        self.max_in_flight = 0

    def begin(self, method: str, args: Json) -> Call:
        call = Call(method, args, time.monotonic())
        self.calls.append(call)
        self.in_flight += 1
        self.max_in_flight = max(self.max_in_flight, self.in_flight)
        return call

    def end(self, call: Call, status: int, error: str | None) -> None:
        call.ended, call.status, call.error = time.monotonic(), status, error
        self.in_flight -= 1


class FaultList:
    def __init__(self) -> None:
        self.faults: list[Fault] = []

    def add(self, fault: Fault) -> None:
        if fault.kind not in KINDS:
            raise ValueError(f"unknown kind of fault {fault.kind!r}, have {KINDS}")
        self.faults.append(fault)

    def take(self, method: str) -> Fault | None:
        for fault in self.faults:
            if fault.method not in {method, "*"}:
                continue
            if fault.skip:
                fault.skip -= 1
                return None
            fault.times -= 1
            if fault.times <= 0:
                self.faults.remove(fault)
            return fault
        return None


class RateLimiter:
    """Slack's tiers: so many calls of a method in a minute; posts counted per channel instead."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._seen: dict[str, deque[float]] = defaultdict(deque)
        self._tokens: dict[str, tuple[float, float]] = {}

    def wait(self, method: str, tier: int, channel: str) -> float:
        """Seconds to wait before the call would be let through; 0 counts it and lets it through."""
        if not self.settings.rate_limits:
            return 0.0
        if method == "chat.postMessage":
            return self._post(channel)
        now, window = time.monotonic(), self.settings.rate_window
        seen = self._seen[method]
        while seen and now - seen[0] >= window:
            seen.popleft()
        if len(seen) >= PER_MINUTE.get(tier, 10**9):
            return window - (now - seen[0])
        seen.append(now)
        return 0.0

    def _post(self, channel: str) -> float:
        now, every = time.monotonic(), self.settings.post_interval
        tokens, at = self._tokens.get(channel, (float(self.settings.post_burst), now))
        tokens = min(float(self.settings.post_burst), tokens + (now - at) / every)
        if tokens < 1:
            self._tokens[channel] = (tokens, now)
            return (1 - tokens) * every
        self._tokens[channel] = (tokens - 1, now)
        return 0.0
