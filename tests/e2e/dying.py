"""Stories that are played to their end while the process is killed at one commit after another.

The person who drives one does what a person would: sends again what was not acknowledged, and
presses again what did not react.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable
from pathlib import Path
from typing import Any

import httpx

from tests.e2e.harness import Bot
from tests.slackstub import HumanError, SlackStub

STRIDE = 16  # commits between two deaths of a play: a step, with all that Slack is told of it


class Driver:
    """Plays the story to its end, however often the process dies."""

    def __init__(self, slack: SlackStub, bot: Bot, at: int = 0, side: str = "after") -> None:
        self.slack = slack
        self.bot = bot
        self.commits = 0  # of those that died
        self.died_at: list[int] = []
        self._count = bot.folder / "count"
        self._later = STRIDE + (side == "before")
        self._before = side == "before"
        bot.env |= {"CRASH_AT": str(at), "CRASH_SIDE": side, "CRASH_COUNT": str(self._count)}

    async def alive(self) -> None:
        """Starts the process if there is none; one that died dies again `STRIDE` commits later."""
        process = self.bot.process
        if process is not None and process.returncode is None:
            return
        if process is not None:
            self.commits += self._counted()
            self.died_at.append(self.commits + self._before)
            self.bot.env |= {"CRASH_AT": str(self._later), "CRASH_AGAIN": "1"}
        await self.bot.launch()

    def _counted(self) -> int:
        return int(self._count.read_text())

    @property
    def total(self) -> int:
        """The commits of all its processes."""
        return self.commits + self._counted()

    async def step(self, look: Any, act: Any) -> Any:
        """Acts until what was wanted is there."""
        for _ in range(600):
            await self.alive()
            try:
                if found := await look():
                    return found
                await act()
            except (httpx.HTTPError, HumanError, AssertionError, LookupError):
                pass
            await asyncio.sleep(0.05)
        raise AssertionError(f"the story got stuck\n{self.bot.log()}")

    async def get(self, path: str) -> Any:
        """One GET of the API, which may find the process dead."""

        async def nothing() -> None:
            return

        return await self.step(lambda: self.bot.api(path), nothing)

    async def incident(self) -> dict[str, Any]:
        """The incident, or nothing yet.

        Not always number 1: PostgreSQL does not hand out again what a killed process had drawn.
        """
        for listed in await self.bot.api("/incidents"):
            return await self.bot.incident(listed["id"])
        return {}

    async def has(self, kind: str) -> bool:
        return kind in {row["kind"] for row in (await self.incident()).get("timeline", [])}

    def channel(self) -> str:
        """The incident's channel; LookupError until it is there."""
        for channel in self.slack.state()["channels"].values():
            if channel["name"].startswith("inc-"):
                return str(channel["id"])
        raise LookupError("no channel yet")

    async def delivered(self) -> bool:
        text = (await self.bot.http.get("/metrics")).text
        return "jackline_outbox_unsent 0.0" in text


# Plays once in a folder over a database, dying first at that commit, on that side of it.
Play = Callable[[Path, int, str, str], Awaitable[Driver]]


async def killed_at_each(
    play: Play, firsts: Iterable[int], fresh: Callable[[str], str], folder: Path, least: int,
    *, calm: bool = True,
) -> None:  # fmt: skip
    """SIGKILL at the commits FIRST, FIRST + STRIDE, …, to the story's end, on each side of them.

    The story is played once without a death (``calm``), then once for each of ``firsts`` and each side.
    With all of 1 to `STRIDE` no commit is left out. ``least``: of commits that each play must have.
    """
    if calm:
        whole = await play(folder / "calm", 0, "after", fresh("calm"))
        assert whole.died_at == []
        assert whole.total > least, "the flow has more boundaries than that"
    for first in firsts:
        for side in ("before", "after"):
            name = f"{side}-{first}"
            driver = await play(folder / name, first, side, fresh(name))
            assert driver.total > least, (name, driver.total)
            # Killed before a commit, it may die of one that nobody makes again.
            wanted = list(range(first, driver.total + 1 + (side == "before"), STRIDE))
            # The last may come after the story's end, when nobody looks any more.
            assert driver.died_at in (wanted, wanted[:-1]), (name, driver.died_at, driver.total)
