"""Looks at the backups of a stanza, and restores one to see whether it is one."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.errors import Rejected, Retryable, TargetError, Unknown

from . import stamp
from .backups import Backup, age, backups, chosen, facts
from .params import BackupParams, DrillParams
from .scratch import Scratch, cleared
from .site import Host, Site

_ROOM = 1.2  # times the backup's size that must be free: WAL comes on top


class _Repository:
    """What every verb here shares."""

    def target(self, params: BackupParams) -> str:
        return f"pgbackrest/{params.repository}"

    async def _listed(self, host: Host, site: Site) -> tuple[str, list[Backup]]:
        argv = [*site.pgbackrest, "--output=json", "info"]
        said = await host.must("pgBackRest cannot tell its backups", argv)
        return backups(said, site.stanza)


class Info(_Repository):
    """The newest backup: how old, how large, whether whole, and whether one was proven lately."""

    name: ClassVar[str] = "pgbackrest.info"
    effect: ClassVar[Effect] = Effect.READ
    reverts: ClassVar[bool] = False
    Params: ClassVar[type[BackupParams]] = BackupParams

    async def preview(self, params: BackupParams, connection: Connection) -> Preview:
        """Looking changes nothing."""
        return Preview()

    async def apply(self, params: BackupParams, connection: Connection) -> dict[str, Any]:
        site = Site.of(connection)
        host, now = Host(connection, site.as_user), time.time()
        try:
            said, listed = await self._listed(host, site)
            proven = await stamp.read(host, site, params.repository, now)
        except Unknown as error:
            raise Retryable(error.message) from error
        return facts(said, listed, now) | proven

    async def verify(self, params: BackupParams, connection: Connection) -> bool | None:
        """There is nothing that could have failed to take effect."""
        return True

    def undo(self, params: BackupParams, state: Mapping[str, Any]) -> Call | None:
        return None


class RestoreDrill(_Repository):
    """Restores a backup beside everything else, counts its rows, and removes it again."""

    name: ClassVar[str] = "pgbackrest.restore_drill"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[DrillParams]] = DrillParams

    async def preview(self, params: DrillParams, connection: Connection) -> Preview:
        """Which backup, and whether the scratch folder's disk has room for it."""
        site = Site.of(connection)
        host = Host(connection, site.as_user)
        try:
            backup = chosen((await self._listed(host, site))[1], params.backup, params.before)
            free = await _free(host, site)
        except Unknown as error:
            raise Retryable(error.message) from error
        if free < backup.size * _ROOM:
            raise Rejected(
                f"{backup.label} needs {backup.size * _ROOM / 1e6:.0f} MB in {site.scratch}, "
                f"where {free / 1e6:.0f} MB are free."
            )
        change = Change(
            target=self.target(params),
            what=f"scratch instance in {site.scratch}",
            before=f"none; {backup.label} would be restored, {backup.size / 1e6:.0f} MB",
            after=f"none; restored, rows of {', '.join(params.tables)} counted, removed again",
        )
        return Preview(changes=[change], state={"label": backup.label, "free": free})

    async def apply(self, params: DrillParams, connection: Connection) -> dict[str, Any]:
        """Clears before and after, whatever happens between."""
        site = Site.of(connection)
        host = Host(connection, site.as_user)
        scratch = Scratch(host, site, params.repository)
        await scratch.clear()
        backup = chosen((await self._listed(host, site))[1], params.backup, params.before)
        try:
            out = await _drilled(params, backup, scratch)
        except Rejected as error:
            await cleared(scratch)
            await _forgotten(host, site, params.repository)
            raise Rejected(f"The drill failed: {error.message}", hint=error.hint) from error
        except BaseException:
            await cleared(scratch)
            raise
        await scratch.clear()
        note = {"label": out["label"], "at": time.time(), "counts": out["counts"]}
        await stamp.leave(host, site, params.repository, note)
        return out

    async def verify(self, params: DrillParams, connection: Connection) -> bool | None:
        """Something left over: it did not come to its end. Else only its own answer tells."""
        site = Site.of(connection)
        scratch = Scratch(Host(connection, site.as_user), site, params.repository)
        return False if await scratch.left() else None

    def undo(self, params: DrillParams, state: Mapping[str, Any]) -> Call | None:
        """Nothing is left that could be taken back."""
        return None


async def _drilled(params: DrillParams, backup: Backup, scratch: Scratch) -> dict[str, Any]:
    begun = time.monotonic()
    await scratch.restore(backup, params)
    size = await scratch.size()
    await scratch.start(params, backup)
    counts, newest = await scratch.counted(params)
    for table, least in params.tables.items():
        if counts[table] < least:
            found = f"has {counts[table]} rows" if counts[table] else "is empty"
            raise Rejected(f"{table} {found}, and should have {least} at least.")
    await scratch.checked(params)
    seconds = round(time.monotonic() - begun, 1)
    return {
        "label": backup.label, "type": backup.kind, "size": size, "seconds": seconds,
        "counts": counts, "amcheck": params.amcheck, **_written(newest),
    }  # fmt: skip


def _written(newest: float | None) -> dict[str, Any]:
    """When the newest row was written: what was written later would have been lost."""
    if newest is None:
        return {}
    when = datetime.fromtimestamp(newest, UTC).isoformat(timespec="seconds")
    seconds = age(newest, time.time())
    return {"newest_at": when} | ({} if seconds is None else {"newest_age_seconds": seconds})


async def _free(host: Host, site: Site) -> int:
    argv = ["df", "-B1", "--output=avail", site.scratch]
    return int((await host.must("the scratch folder cannot be read", argv)).split()[-1])


async def _forgotten(host: Host, site: Site, repository: str) -> None:
    """The drill's own error is what matters; where this fails, it is said all the same."""
    try:
        await stamp.take_away(host, site, repository)
    except TargetError as error:
        raise Rejected(f"The drill failed, and {error.message}") from error
