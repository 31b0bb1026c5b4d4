"""Alerts about the ways in: a path that fails or was not proven for long, a credential that ends,
a go-bag that is old.

They come from Jackline itself and go the way of every alert: into the intake, by the catalog's
rules, resolved when all is well again.
"""

from collections.abc import Callable
from datetime import datetime, timedelta

from sqlalchemy import update
from sqlmodel import col, select

from bot.access.proof import CredentialState, PathProof, credentials, proofs
from bot.access.tables import PackedBag, PathState
from bot.alerts.intake import Intake
from bot.catalog import Catalog
from bot.contract import Alert
from bot.store import Store, now

SOURCE = "access"
_PATIENCE = timedelta(minutes=2)  # a path that fails for less is no news
_NAMES = {"failing": "AccessPathFailing", "stale": "AccessPathNotProven",
          "never": "AccessPathNotProven"}  # fmt: skip


class AccessAlerts:
    """``report`` says what has changed since the last time."""

    def __init__(
        self, store: Store, intake: Intake, catalog: Callable[[], Catalog], *, holds: timedelta,
        longest_outage: timedelta, bag_age: timedelta = timedelta(days=30),
    ) -> None:  # fmt: skip
        self.store = store
        self.intake = intake
        self.catalog = catalog
        self.holds = holds
        self.longest_outage = longest_outage
        self.bag_age = bag_age

    async def report(self) -> None:
        """Accepts an alert for each path whose standing has changed, and for ending credentials."""
        catalog, at = self.catalog(), now()
        async with self.store.read() as session:
            states = list((await session.execute(select(PathState))).scalars())
        known = {(s.target, s.path): s for s in states}
        for proof in proofs(catalog, states, at, self.holds):
            state = known.get((proof.target, proof.path))
            if state is not None:
                await self._path(state, proof, at)
        ending = [c for c in credentials(catalog, at, self.longest_outage) if c.expires]
        await self.intake.accept(
            [_credential(c, c.expires - self.longest_outage) for c in ending
             if c.standing in ("expiring", "expired") and c.expires]
        )  # fmt: skip
        await self._bags(at)

    async def _bags(self, at: datetime) -> None:
        """The newest one is too old, or a newer one has ended that. Without any, nothing is said."""
        query = select(PackedBag).order_by(col(PackedBag.packed_at).desc())
        async with self.store.read() as session:
            found = list((await session.execute(query)).scalars())
        if not found:
            return
        newest, *older = found
        since = newest.packed_at + self.bag_age
        changed: list[tuple[PackedBag, datetime | None]] = []
        if (since <= at) != (newest.alert_since is not None):
            changed.append((newest, since if since <= at else None))
        changed += [(bag, None) for bag in older if bag.alert_since]
        for bag, starts in changed:
            fires = starts or bag.alert_since or at
            await self.intake.accept([_old_bag(bag, fires, None if starts else at)])
            async with self.store.write(silent=True) as session:
                mine = update(PackedBag).where(col(PackedBag.id) == bag.id)
                await session.execute(mine.values(alert_since=starts))

    async def _path(self, state: PathState, proof: PathProof, at: datetime) -> None:
        since = _bad_since(state, proof, self.holds)
        bad = since is not None and at - since >= _PATIENCE
        if bad == (state.alert_since is not None):
            return
        starts = state.alert_since or since or at
        await self.intake.accept([_alert(proof, starts, None if bad else at)])
        mine = (col(PathState.target) == state.target, col(PathState.path) == state.path)
        async with self.store.write(silent=True) as session:
            done = update(PathState).where(*mine).values(alert_since=starts if bad else None)
            await session.execute(done)


def _bad_since(state: PathState, proof: PathProof, holds: timedelta) -> datetime | None:
    match proof.standing:
        case "failing":
            return state.bad_since
        case "stale" if state.proven_at is not None:
            return state.proven_at + holds
        case "never" if state.checked_at is not None:
            return state.first_seen
    return None


def _alert(proof: PathProof, starts: datetime, ends: datetime | None) -> Alert:
    where = f"{proof.path} to {proof.target}"
    said = (
        f"The access path {where} works again" if ends else f"The access path {where} {proof.words}"
    )
    return Alert(
        source=SOURCE, fingerprint=f"{proof.target} {proof.path}"[:128],
        status="resolved" if ends else "firing",
        name=_NAMES.get(proof.standing, "AccessPathFailing"),
        labels={"alertname": "AccessPath", "target": proof.target, "path": proof.path,
                "severity": "warning"},
        annotations={"summary": said}, starts_at=starts, ends_at=ends,
    )  # fmt: skip


def _old_bag(bag: PackedBag, starts: datetime, ends: datetime | None) -> Alert:
    said = f"The newest go-bag is of {bag.packed_at:%Y-%m-%d}: pack another one"
    return Alert(
        source=SOURCE, fingerprint=f"bag {bag.id}"[:128],
        status="resolved" if ends else "firing", name="GoBagOld",
        labels={"alertname": "GoBagOld", "severity": "warning"},
        annotations={"summary": "A new go-bag was packed" if ends else said},
        starts_at=starts, ends_at=ends,
    )  # fmt: skip


def _credential(state: CredentialState, starts: datetime) -> Alert:
    """The same start each time: what is stored already is left as it is."""
    ended = "has expired" if state.standing == "expired" else "expires soon"
    until = f"{state.expires:%Y-%m-%d %H:%M} UTC"
    return Alert(
        source=SOURCE, fingerprint=f"credential {state.name} {until}"[:128], status="firing",
        name="CredentialExpiring",
        labels={"alertname": "CredentialExpiring", "credential": state.name,
                "severity": "error" if state.emergency else "warning"},
        annotations={"summary": f"The credential {state.name} {ended}: {until}"},
        starts_at=starts,
    )  # fmt: skip
