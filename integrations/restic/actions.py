"""Looks at the snapshots of a repository, and restores one to see whether it is a backup."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from bot.contract import Call, Change, Connection, Effect, Preview
from bot.contract.drill import DrillFolder, Host
from bot.contract.looking import Looking
from bot.errors import Rejected, Retryable, Unknown

from .drill import Drill
from .params import DrillParams, SnapshotParams
from .site import Site
from .snapshots import Snapshot, chosen, facts, snapshots

_LISTING = 120  # seconds for what only reads the repository's index


class _Repository:
    """What every verb here shares."""

    def target(self, params: SnapshotParams) -> str:
        return f"restic/{params.repository}"

    def _place(self, params: SnapshotParams, host: Host, site: Site) -> DrillFolder:
        return DrillFolder(host, site.scratch, f"restic-{params.repository}")


class Snapshots(Looking, _Repository):
    """The newest snapshot: how old, of what, and whether one was proven lately."""

    name: ClassVar[str] = "restic.snapshots"
    Params: ClassVar[type[SnapshotParams]] = SnapshotParams

    async def apply(self, params: SnapshotParams, connection: Connection) -> dict[str, Any]:
        site = Site.of(connection)
        host, now = Host(connection, site.as_user), time.time()
        try:
            listed = await _listed(host, site)
            proven = await self._place(params, host, site).proven(now)
        except Unknown as error:
            raise Retryable(error.message) from error
        return facts(listed, now) | proven


class RestoreDrill(_Repository):
    """Reads the repository, restores a snapshot beside everything else, and looks into it."""

    name: ClassVar[str] = "restic.restore_drill"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[DrillParams]] = DrillParams

    async def preview(self, params: DrillParams, connection: Connection) -> Preview:
        """Which snapshot, and whether the scratch folder's disk has room for it."""
        site = Site.of(connection)
        host = Host(connection, site.as_user)
        try:
            snapshot = chosen(await _listed(host, site, params.snapshot))
            size = await _size(host, site, snapshot)
            free = await self._place(params, host, site).room(snapshot.label, size)
        except Unknown as error:
            raise Retryable(error.message) from error
        counted = f", rows of {', '.join(params.dump.tables)} counted" if params.dump else ""
        change = Change(
            target=self.target(params),
            what=f"scratch folder in {site.scratch}",
            before=f"none; {snapshot.label} would be restored, {size / 1e6:.0f} MB",
            after=f"none; restored, {len(params.files)} files looked at{counted}, removed again",
        )
        return Preview(changes=[change], state={"label": snapshot.label, "free": free})

    async def apply(self, params: DrillParams, connection: Connection) -> dict[str, Any]:
        """Clears before and after, whatever happens between."""
        site = Site.of(connection)
        host = Host(connection, site.as_user)
        place = self._place(params, host, site)
        await place.clear()
        snapshot = chosen(await _listed(host, site, params.snapshot))
        drill = Drill(place, site)
        return await place.prove(lambda: drill.done(params, snapshot), drill.postgres.stop)

    async def verify(self, params: DrillParams, connection: Connection) -> bool | None:
        """Something left over: it did not come to its end. Else only its own answer tells."""
        site = Site.of(connection)
        place = self._place(params, Host(connection, site.as_user), site)
        return False if await place.left() else None

    def undo(self, params: DrillParams, state: Mapping[str, Any]) -> Call | None:
        """Nothing is left that could be taken back."""
        return None


async def _listed(host: Host, site: Site, snapshot: str = "newest") -> list[Snapshot]:
    which = ["--latest=1", *site.only] if snapshot == "newest" else [snapshot]
    argv = [*site.restic, "--json", "snapshots", *which]
    said = await host.must("restic cannot tell its snapshots", argv, limit=_LISTING)
    return snapshots(said)


async def _size(host: Host, site: Site, snapshot: Snapshot) -> int:
    argv = [*site.restic, "--json", "stats", "--mode=restore-size", snapshot.id]
    said = await host.must("restic cannot tell the snapshot's size", argv, limit=_LISTING)
    try:
        return int(json.loads(said)["total_size"])
    except (ValueError, KeyError, TypeError) as error:
        raise Rejected("restic's answer about the size cannot be read.") from error
