"""The workspaces that Jackline speaks in: that of the settings' bot token, and those it was installed in.

To the outbox they are one surface; each delivery goes by the token, the limits and the standing of
its own workspace, so that none holds up another.
"""

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlmodel import col, select

from bot.chat.places import installation
from bot.chat.slack.installations import Installations, Installed
from bot.chat.slack.surface import SlackSurface
from bot.delivery import Delivery, Job
from bot.errors import AuthFailed, Unavailable
from bot.incidents import Incident
from bot.log import get

log = get("slack")
# of the incident that a delivery belongs to, for the worker
WORKSPACE = (
    select(col(Incident.workspace))
    .where(col(Incident.id) == col(Delivery.incident_id))
    .scalar_subquery()
)
Build = Callable[[Installed], SlackSurface]


class Workspaces:
    """Implements ``bot.delivery.Surface``. ``own`` is that of the settings' bot token.

    ``several``: whether others can be installed; where not, ``own`` takes all that arrives.
    """

    name = "slack"

    def __init__(
        self,
        own: SlackSurface,
        installations: Installations | None = None,
        build: Build | None = None,
        *,
        several: bool = False,
    ) -> None:
        self.own = own
        self.several = several
        self._installations = installations
        self._build = build
        self._others: dict[str, SlackSurface] = {}
        self._tokens: dict[str, str] = {}
        self._gone: list[SlackSurface] = []
        self._turn = asyncio.Lock()

    @property
    def down_since(self) -> datetime | None:
        """Slack is one service: where it answers nobody, it does not answer our own workspace."""
        return self.own.down_since

    def at(self, workspace: str) -> SlackSurface:
        """How it is spoken in a workspace. Raises `AuthFailed` where Jackline is not installed."""
        key = installation(workspace)
        if not key or key in self.own.keys:
            return self.own
        if key not in self._others:
            self.own.standing.of(key, key).not_installed()
            raise AuthFailed(f"Jackline is not installed in workspace {key}.")
        return self._others[key]

    async def find_team(self, team: str, enterprise: str) -> str | None:
        """The name of the workspace that a request is from; None where Jackline is not installed.

        Raises `TargetError` where nobody knows yet which workspace our own token is of.
        """
        if not self.several and not self._others:
            return ""
        found = self._named(team, enterprise)
        if found is None:
            await self.own.me()
            await self.refresh()
            found = self._named(team, enterprise)
        return found if self.several else found or ""

    def _named(self, team: str, enterprise: str) -> str | None:
        """By the workspace first: of an enterprise several may have the app, each for itself."""
        if team in self.own.keys:
            return ""
        if team in self._others:
            return team
        if enterprise in self.own.keys or (not team and enterprise in self.own.places):
            return ""
        if enterprise in self._others:
            return f"{enterprise}:{team}" if team else enterprise
        return None

    async def refresh(self) -> None:
        """As the database has them now: another replica may have installed or removed one."""
        if self._installations is None or self._build is None:
            return
        async with self._turn:
            rows = await self._installations.rows()
            present = {row.key: row for row in rows if row.removed_at is None}
            for key in self._others.keys() - present.keys():
                self._drop(key)
            for key, row in present.items():
                if self._tokens.get(key) == row.token:
                    continue
                try:
                    made = self._build(self._installations.installed(row))
                except Unavailable as error:
                    self.own.standing.of(key, row.name).unreadable(str(error))
                    continue
                self._drop(key)
                self._others[key], self._tokens[key] = made, row.token
                made.standing.token_works()

    def _drop(self, key: str) -> None:
        self._tokens.pop(key, None)
        gone = self._others.pop(key, None)
        if gone is not None:
            self._gone.append(gone)  # something may just be said by it: it is closed at the end

    async def removed(self, workspace: str, at: datetime) -> None:
        """Slack says that the app was taken out there, or its token revoked, at that time."""
        key = installation(workspace)
        if not key:
            self.own.standing.uninstalled()
        elif self._installations is not None and await self._installations.remove(key, at):
            await self.refresh()
            self.own.standing.of(key, key).not_installed()

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Does one job, in its workspace. Raises the errors of ``bot.errors.TargetError``."""
        surface, job = await self._of(job)
        return await surface.deliver(job)

    async def find(self, job: Job) -> dict[str, Any] | None:
        """What became of a job that was begun before; None if it was not done."""
        surface, job = await self._of(job)
        return await surface.find(job)

    async def _of(self, job: Job) -> tuple[SlackSurface, Job]:
        """What an update is for has its own workspace, whichever its incident's is."""
        workspace = job.workspace
        if job.op == "digest" and (channel := str(job.payload.get("channel", ""))):
            workspace, _, channel = channel.rpartition(":")
            job = replace(job, payload={**job.payload, "channel": channel}, workspace=workspace)
        key = installation(workspace)
        if key and key not in self._others:
            await self.own.me()
            if key not in self.own.keys:
                await self.refresh()
        try:
            return self.at(workspace), job
        except AuthFailed as error:
            if job.op == "open_channel":
                await self.own.no_channel(job, str(error))
            raise

    async def watch(self) -> None:
        """Notices when Slack comes back (or goes), and who installs Jackline elsewhere."""
        while True:
            await self.look()
            await asyncio.sleep(10)

    async def look(self) -> None:
        """One look at each of them; what goes wrong is theirs alone."""
        try:
            await self.refresh()
        except (SQLAlchemyError, OSError) as error:
            log.warning("workspaces_not_read", error=str(error))
        await asyncio.gather(*(each.look() for each in self.all()))

    def all(self) -> Sequence[SlackSurface]:
        """Our own first."""
        return [self.own, *self._others.values()]

    async def close(self) -> None:
        """Lets connections go."""
        for each in (*self.all(), *self._gone):
            await each.close()
