"""How often Slack may be called: its limits are kept before it has to say so, and what it says is heeded.

Slack counts the calls of a method in a workspace, and posts for each channel. A call that is refused
counts too, and so does one that another process makes: what Slack answers is therefore remembered.
When a method is short, what belongs to the most severe incidents goes first: the less severe ones
leave some calls free for them, and never overtake one that waits.
"""

import asyncio
import math
from collections import defaultdict, deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import col, select

from bot.chat.slack.calls import slack_errors
from bot.chat.slack.methods import METHODS, POST, Method
from bot.delivery import Delivery
from bot.errors import Retryable
from bot.incidents import Incident

# of the incident that a delivery belongs to, for the worker that picks what goes first
SEVERITY = (
    select(col(Incident.severity))
    .where(col(Incident.id) == col(Delivery.incident_id))
    .scalar_subquery()
)
CRITICAL = ("sev1", "sev2")
ORDINARY = "sev3"
_KEPT_FREE = 5  # one call in so many is kept for critical incidents
# Posts at once in a channel. Slack promises one a second and takes short bursts, without a number;
# a refusal costs more than the wait would. Where everybody's lines meet, fewer.
BURST, SHARED_BURST = 3, 2
_POST_EVERY = 1 / 57  # of a minute: a post in a channel after that
_DISTANCE, _WHILE = 1 / 50, 1.0  # minutes between calls after a refusal, and for how long
_FORGOTTEN = 1 / 6  # minutes after which one that was told to come again is not waited for
_Key = tuple[str, str]  # method, and channel where Slack counts for each


@dataclass
class _Used:
    """What was called in the last minute, and who was told to come again."""

    ended: deque[float] = field(default_factory=deque)
    under_way: int = 0
    posts: float = math.inf  # how many may go at once
    since: float = 0.0
    waiting: dict[int, tuple[str, float]] = field(default_factory=dict)  # until when it is expected

    def before(self, severity: str, job: int, moment: float) -> int:
        """How many that wait go before this one."""
        self.waiting = {j: w for j, w in self.waiting.items() if w[1] > moment and j != job}
        mine = (severity, job or math.inf)
        return sum((other, j) < mine for j, (other, _) in self.waiting.items())


class Limits:
    """One for all calls of one token: Slack counts for each workspace.

    ``minute`` is how long Slack's minute lasts, in seconds.
    """

    def __init__(self, minute: float = 60.0) -> None:
        self.minute = minute
        self._used: dict[_Key, _Used] = defaultdict(_Used)
        self._next: dict[_Key, float] = {}  # refused: when the next call may be made
        self._slow: dict[_Key, float] = {}  # until when calls keep their distance

    @asynccontextmanager
    async def calling(
        self,
        method: str,
        *,
        once: bool,
        channel: str = "",
        severity: str = ORDINARY,
        job: int = 0,
        burst: int = BURST,
    ) -> AsyncIterator[None]:
        """As `slack_errors`, around one call. ``channel``: where Slack counts for each channel.

        ``job`` is who comes again after `Retryable`, which is raised where the call is not made yet.
        """
        key, moment = (method, channel), asyncio.get_running_loop().time()
        used = self._used[key]
        if (left := self._wait(key, moment, severity, job, burst)) > 0:
            if job:
                used.waiting[job] = (severity, moment + left + _FORGOTTEN * self.minute)
            raise Retryable(f"Slack limits {method}.", retry_after=left)
        used.under_way += 1
        try:
            async with slack_errors(method, once=once):
                yield
        except Retryable as error:
            if error.retry_after:
                self._next[key] = moment + error.retry_after
                self._slow[key] = moment + _WHILE * self.minute
            raise
        finally:
            used.under_way -= 1
            # Slack counted it between its beginning and now: the later moment is the safe one.
            used.since = asyncio.get_running_loop().time()
            used.ended.append(used.since)

    def _wait(self, key: _Key, moment: float, severity: str, job: int, burst: int) -> float:
        """Seconds until the call may be made; 0: now, and then it counts."""
        used = self._used[key]
        before = used.before(severity, job, moment)
        left = self._next.get(key, 0.0) - moment
        if left <= 0:
            if key[0] == POST:
                left = self._until_post(key, moment, before, burst)
            else:
                left = self._until_free(key, moment, severity, before)
        if left <= 0 and self._slow.get(key, 0.0) > moment:
            self._next[key] = moment + _DISTANCE * self.minute
        return left

    def _until_post(self, key: _Key, moment: float, before: int, burst: int) -> float:
        used, every = self._used[key], _POST_EVERY * self.minute
        used.ended.clear()
        if not used.under_way:  # until its answer is there, nobody knows when Slack counted it
            used.posts = min(float(burst), used.posts + (moment - used.since) / every)
        used.since = moment
        if used.posts >= before + 1:
            used.posts -= 1
            return 0.0
        return (before + 1 - used.posts) * every

    def _until_free(self, key: _Key, moment: float, severity: str, before: int) -> float:
        used, top = self._used[key], METHODS.get(key[0], Method()).per_minute
        while used.ended and used.ended[0] <= moment - self.minute:
            used.ended.popleft()
        if not top:
            used.ended.clear()
            return 0.0
        kept_free = 0 if severity in CRITICAL else top // _KEPT_FREE
        lacking = len(used.ended) + used.under_way + before + kept_free + 1 - top
        if lacking <= 0:
            return 0.0
        oldest = used.ended[min(lacking, len(used.ended)) - 1] if used.ended else moment
        return max(oldest + self.minute - moment, 0.02 * self.minute)


class Spoken(Protocol):
    """How one workspace is called."""

    @property
    def client(self) -> AsyncWebClient:
        """With its token."""

    @property
    def limits(self) -> Limits:
        """How often it may be called."""


# By the workspace's name, as in a request. Raises `AuthFailed` where Jackline is not installed.
At = Callable[[str], Spoken]
