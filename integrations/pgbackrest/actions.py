"""Looks at the backups of a stanza, and restores one to see whether it is one."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.drill import DrillFolder, Host, age
from bot.contract.looking import Looking
from bot.errors import Rejected, Retryable, Unknown

from .backups import Backup, backups, chosen, facts
from .params import BackupParams, DrillParams
from .scratch import Scratch
from .site import Site


class _Repository:
    """What every verb here shares."""

    def target(self, params: BackupParams) -> str:
        return f"pgbackrest/{params.repository}"

    def _place(self, params: BackupParams, host: Host, site: Site) -> DrillFolder:
        return DrillFolder(host, site.scratch, params.repository)

    async def _listed(self, host: Host, site: Site) -> tuple[str, list[Backup]]:
        argv = [*site.pgbackrest, "--output=json", "info"]
        said = await host.must("pgBackRest cannot tell its backups", argv)
        return backups(said, site.stanza)


class Info(Looking, _Repository):
    """The newest backup: how old, how large, whether whole, and whether one was proven lately."""

    name: ClassVar[str] = "pgbackrest.info"
    Params: ClassVar[type[BackupParams]] = BackupParams

    async def apply(self, params: BackupParams, connection: Connection) -> dict[str, Any]:
        site = Site.of(connection)
        host, now = Host(connection, site.as_user), time.time()
        try:
            said, listed = await self._listed(host, site)
            proven = await self._place(params, host, site).proven(now)
        except Unknown as error:
            raise Retryable(error.message) from error
        return facts(said, listed, now) | proven


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
            free = await self._place(params, host, site).room(backup.label, backup.size)
        except Unknown as error:
            raise Retryable(error.message) from error
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
        place = self._place(params, host, site)
        await place.clear()
        backup = chosen((await self._listed(host, site))[1], params.backup, params.before)
        scratch = Scratch(place, site)
        return await place.prove(lambda: _drilled(params, backup, scratch), scratch.stop)

    async def verify(self, params: DrillParams, connection: Connection) -> bool | None:
        """Something left over: it did not come to its end. Else only its own answer tells."""
        site = Site.of(connection)
        place = self._place(params, Host(connection, site.as_user), site)
        return False if await place.left() else None

    def undo(self, params: DrillParams, state: Mapping[str, Any]) -> Call | None:
        """Nothing is left that could be taken back."""
        return None


async def _drilled(params: DrillParams, backup: Backup, scratch: Scratch) -> dict[str, Any]:
    begun = time.monotonic()
    await scratch.restore(backup, params)
    size = await scratch.place.size(scratch.folder)
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
