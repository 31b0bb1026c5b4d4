"""What the last probes say of a path to a target, and credentials that run out. Pure."""

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Any, Literal

from bot.access.tables import PathState
from bot.catalog import Catalog

_DAY, _HOUR = 86_400, 3600
Standing = Literal["proven", "failing", "stale", "never"]


@dataclass(frozen=True)
class PathProof:
    """One path to one target: whether it may be counted on.

    ``proven``: a probe got through within the time that a proof holds. ``stale``: the last one that
    did is older; ``never``: none ever did. ``age`` is of the last proof, in seconds.
    """

    target: str
    path: str
    standing: Standing
    depth: str
    age: float | None
    ms: float | None
    error: str

    @property
    def words(self) -> str:
        """Why it is not counted on, or that it is."""
        if self.standing == "failing":
            return f"failed: {self.error}"
        if self.standing == "stale":
            return f"was proven {age_words(self.age or 0)} ago"
        return "was never proven" if self.standing == "never" else "is proven"

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        return asdict(self)


@dataclass(frozen=True)
class CredentialState:
    """One credential of the catalog: ``fine``, ``expiring`` within the longest outage, ``expired``."""

    name: str
    standing: Literal["fine", "expiring", "expired", "unknown"]
    expires: datetime | None
    emergency: bool
    owner: str

    def as_dict(self) -> dict[str, Any]:
        """For JSON."""
        expires = self.expires.isoformat() if self.expires else None
        return {**asdict(self), "expires": expires}


def age_words(seconds: float) -> str:
    """``3 days``, ``5 hours`` or ``2 min``."""
    if seconds >= 2 * _DAY:
        return f"{seconds / _DAY:.0f} days"
    return f"{seconds / _HOUR:.0f} hours" if seconds >= 2 * _HOUR else f"{seconds / 60:.0f} min"


def pairs(catalog: Catalog) -> list[tuple[str, str]]:
    """Every target with each of its paths."""
    return [(target.name, path) for target in catalog.targets for path in target.via]


def proofs(
    catalog: Catalog, states: Iterable[PathState], at: datetime, holds: timedelta
) -> list[PathProof]:
    """One for each target and path of the catalog, in its order."""
    known = {(s.target, s.path): s for s in states}
    return [_proof(target, path, known.get((target, path)), at, holds)
            for target, path in pairs(catalog)]  # fmt: skip


def _proof(
    target: str, path: str, state: PathState | None, at: datetime, holds: timedelta
) -> PathProof:
    if state is None:
        return PathProof(target, path, "never", "", None, None, "not probed yet")
    age = (at - state.proven_at).total_seconds() if state.proven_at else None
    standing: Standing = "proven"
    if state.ok is False:
        standing = "failing"
    elif age is None:
        standing = "never"
    elif age > holds.total_seconds():
        standing = "stale"
    return PathProof(target, path, standing, state.depth, age, state.ms, state.error)


def credentials(catalog: Catalog, at: datetime, longest_outage: timedelta) -> list[CredentialState]:
    """Those that would run out in the longest outage that is planned for are ``expiring``."""
    found = []
    for each in catalog.credentials:
        standing: Literal["fine", "expiring", "expired", "unknown"] = "fine"
        if each.expires is None:
            standing = "unknown" if each.emergency else "fine"
        elif each.expires <= at:
            standing = "expired"
        elif each.expires <= at + longest_outage:
            standing = "expiring"
        found.append(CredentialState(each.name, standing, each.expires, each.emergency, each.owner))
    return found
