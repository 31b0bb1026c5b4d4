"""Alerts about the ways in: a path that fails or was not proven for long, a credential that ends,
a go-bag that is old or that nobody drills, a scheduled drill that did not go well.

They come from Jackline itself and go the way of every alert: into the intake, by the catalog's
rules, resolved when all is well again. What fires now is known from the alerts accepted before.
"""

from collections.abc import Callable, Iterable, Iterator
from datetime import datetime, timedelta

from sqlmodel import select

from bot.access.bag_drills import BagStanding, bag_standing
from bot.access.drills import DrillStanding, standings
from bot.access.proof import PathProof, credentials, pairs, proofs
from bot.access.tables import PackedBag, PathState
from bot.alerts.intake import Intake
from bot.alerts.own import report
from bot.alerts.tables import StoredAlert
from bot.catalog import Catalog
from bot.contract import Alert
from bot.store import Store, now

SOURCE = "access"
_PATIENCE = timedelta(minutes=2)  # a path that fails for less is no news


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
        """Accepts an alert for all that is wrong and was not, and the end of what is no longer."""
        catalog, at = self.catalog(), now()
        async with self.store.read() as session:
            states = list((await session.execute(select(PathState))).scalars())
            bag = await bag_standing(session)
            drills = await standings(session, catalog, at)
        wrong = [*self._paths(catalog, states, at), *self._credentials(catalog, at)]
        wrong += self._bags(bag, at) if bag else ()
        wrong += [_drill(each, each.last.due_at) for each in drills if each.last and each.wrong]
        await report(self.store, self.intake, SOURCE, wrong, lambda row: _ended(row, catalog, at))

    def _paths(
        self, catalog: Catalog, states: Iterable[PathState], at: datetime
    ) -> Iterator[Alert]:
        known = {(s.target, s.path): s for s in states}
        for proof in proofs(catalog, known.values(), at, self.holds):
            state = known.get((proof.target, proof.path))
            since = _bad_since(state, proof, self.holds) if state else None
            if since is not None and at - since >= _PATIENCE:
                yield _path(proof, since)

    def _credentials(self, catalog: Catalog, at: datetime) -> Iterator[Alert]:
        for each in credentials(catalog, at, self.longest_outage):
            if each.expires is None or each.standing not in ("expiring", "expired"):
                continue
            ended = "has expired" if each.standing == "expired" else "expires soon"
            until = f"{each.expires:%Y-%m-%d %H:%M} UTC"
            yield Alert(
                source=SOURCE, fingerprint=f"credential {each.name} {until}"[:128],
                status="firing", name="CredentialExpiring",
                labels={"alertname": "CredentialExpiring", "credential": each.name,
                        "severity": "error" if each.emergency else "warning"},
                annotations={"summary": f"The credential {each.name} {ended}: {until}"},
                starts_at=each.expires - self.longest_outage,
            )  # fmt: skip

    def _bags(self, bag: BagStanding, at: datetime) -> Iterator[Alert]:
        old, due = bag.newest.packed_at + self.bag_age, bag.drill_due(self.bag_age)
        if old <= at:
            yield _old_bag(bag.newest, old)
        if due <= at:
            yield _not_drilled(bag, due, at)


def _bad_since(state: PathState, proof: PathProof, holds: timedelta) -> datetime | None:
    match proof.standing:
        case "failing":
            return state.bad_since
        case "stale" if state.proven_at is not None:
            return state.proven_at + holds
        case "never" if state.checked_at is not None:
            return state.first_seen
    return None


def _path(proof: PathProof, starts: datetime) -> Alert:
    said = f"The access path {proof.path} to {proof.target} {proof.words}"
    return Alert(
        source=SOURCE, fingerprint=f"{proof.target} {proof.path}"[:128], status="firing",
        name="AccessPathFailing" if proof.standing == "failing" else "AccessPathNotProven",
        labels={"alertname": "AccessPath", "target": proof.target, "path": proof.path,
                "severity": "warning"},
        annotations={"summary": said}, starts_at=starts,
    )  # fmt: skip


def _old_bag(bag: PackedBag, starts: datetime) -> Alert:
    said = f"The newest go-bag is of {bag.packed_at:%Y-%m-%d}: pack another one"
    return Alert(
        source=SOURCE, fingerprint=f"bag {bag.id}"[:128], status="firing", name="GoBagOld",
        labels={"alertname": "GoBagOld", "severity": "warning"},
        annotations={"summary": said}, starts_at=starts,
    )  # fmt: skip


def _not_drilled(bag: BagStanding, starts: datetime, at: datetime) -> Alert:
    said = f"The go-bag must be opened and drilled, `python3 FILE bag drill`: {bag.words(at)}"
    return Alert(
        source=SOURCE, fingerprint="bag drill", status="firing", name="GoBagNotDrilled",
        labels={"alertname": "GoBagNotDrilled", "severity": "warning"},
        annotations={"summary": said}, starts_at=starts,
    )  # fmt: skip


def _drill(standing: DrillStanding, starts: datetime) -> Alert:
    entry = standing.drill
    labels = {"alertname": "AccessDrillFailed", "drill": entry.name, "severity": "warning"}
    return Alert(
        source=SOURCE, fingerprint=f"drill {entry.name}", status="firing",
        name="AccessDrillFailed", labels=labels | ({"owner": entry.owner} if entry.owner else {}),
        annotations={"summary": f"The access drill {entry.name}: {standing.wrong}"},
        starts_at=starts,
    )  # fmt: skip


def _ended(row: StoredAlert, catalog: Catalog, at: datetime) -> Alert:
    match row.name:
        case "GoBagOld":
            said = "A new go-bag was packed"
        case "GoBagNotDrilled":
            said = "A go-bag was opened and drilled"
        case "CredentialExpiring":
            said = f"The credential {row.labels['credential']} was renewed"
        case "AccessDrillFailed":
            name = row.labels["drill"]
            said = f"The access drill {name} "
            said += "went well" if catalog.drill(name) else "is not in the catalog any more"
        case _:
            target, path = row.labels["target"], row.labels["path"]
            there = (target, path) in pairs(catalog)
            said = f"The access path {path} to {target} "
            said += "works again" if there else "is not in the catalog any more"
    return Alert(
        source=SOURCE, fingerprint=row.fingerprint, status="resolved", name=row.name,
        labels=row.labels, annotations={"summary": said}, starts_at=row.starts_at, ends_at=at,
    )  # fmt: skip
