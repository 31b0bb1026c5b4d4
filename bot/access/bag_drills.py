"""Drills of go-bags: the receipt that one leaves, and how the bags stand on the serving side.

A receipt is sealed with the key of the bag's journals, so who cannot open the bag cannot make one
up. It holds names and reasons, no secret.
"""

import hmac
import os
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from pydantic import AwareDatetime, BaseModel, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.access.proof import age_words
from bot.access.tables import PackedBag
from bot.errors import BadInput, NotFound, Unavailable, Untrusted
from bot.store import now
from bot.timeline import Ledger, Timeline

KIND = "bag_drilled"
_CONTEXT = b"jackline go-bag drill 1\n"


class Receipt(BaseModel, extra="forbid", frozen=True):
    """One drill: by whom, on which host, how it ended. ``score`` is 0 to 1.

    ``not_proven`` are runbooks; ``failed`` are ways that did not work, in words.
    """

    bag: str
    person: str
    host: str
    at: AwareDatetime
    score: float = Field(ge=0, le=1)
    not_proven: list[str]
    failed: list[str]
    seal: str = ""

    def sealed(self, key: str) -> "Receipt":
        """With its seal."""
        return self.model_copy(update={"seal": self._seal(key)})

    def require_whole(self, key: str) -> None:
        """Raises `Untrusted` where the seal is not by that key, over exactly this."""
        if not hmac.compare_digest(self.seal.encode(), self._seal(key).encode()):
            raise Untrusted(
                f"The receipt was changed, or go-bag {self.bag} was not packed by this Jackline.",
                hint="Nothing was put on record.",
            )

    def _seal(self, key: str) -> str:
        said = self.model_dump_json(exclude={"seal"}).encode()
        return hmac.new(key.encode(), _CONTEXT + said, "sha256").hexdigest()

    def write(self, path: Path) -> None:
        """For its owner alone: it names hosts. Raises `Unavailable`."""
        try:
            handle = os.open(path, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, 0o600)
            with os.fdopen(handle, "w", encoding="utf-8") as file:
                file.write(self.model_dump_json(indent=2) + "\n")
        except OSError as error:
            raise Unavailable(
                f"Cannot write the receipt {path}: {error.strerror}.",
                hint="Give another file by --receipt, and drill again.",
            ) from error


def read_receipt(path: Path) -> Receipt:
    """Raises `BadInput` without a file, `Untrusted` for anything else than a receipt."""
    try:
        text = path.read_bytes()
    except OSError as error:
        raise BadInput(f"{path} cannot be read: {error.strerror}.") from error
    try:
        return Receipt.model_validate_json(text)
    except ValidationError:
        raise Untrusted(
            f"{path} is no receipt of a drill.", hint="`bag drill` says where it put it."
        ) from None


async def put_on_record(session: AsyncSession, ledger: Ledger, receipt: Receipt, key: str) -> bool:
    """Whether it was new. ``key`` is of the journals of the bag that the receipt names.

    Raises `Untrusted` for a receipt that the bag did not seal, `NotFound` for a bag of which only
    the key is known here.
    """
    receipt.require_whole(key)
    # locked, so that the same receipt handed in twice at once is on record once
    bag = await session.get(PackedBag, receipt.bag, with_for_update=True)
    if bag is None:
        raise NotFound(f"There is no go-bag {receipt.bag} among those that were packed here.")
    query = select(Timeline.data).where(Timeline.incident_id == 0, Timeline.kind == KIND)
    if any(data.get("seal") == receipt.seal for data in (await session.execute(query)).scalars()):
        return False
    # a clock on that host that is fast must not keep the alert silent for years
    at = min(receipt.at, now())
    if bag.drilled_at is None or at > bag.drilled_at:
        bag.drilled_at, bag.drilled_by, bag.score = at, receipt.person, receipt.score
    text = (
        f"Go-bag {receipt.bag} was drilled on {receipt.host} at "
        f"{receipt.at.astimezone(UTC):%Y-%m-%d %H:%M} UTC: "
        f"{receipt.score:.0%} of the runbooks would run from there"
    )
    data = receipt.model_dump(mode="json")
    await ledger.append(session, 0, KIND, f"person:{receipt.person}", text, data=data)
    return True


@dataclass(frozen=True)
class BagStanding:
    """``first`` is when the first bag was packed; ``last`` the bag that was drilled last, if any."""

    newest: PackedBag
    first: datetime
    last: PackedBag | None

    def drill_due(self, most: timedelta) -> datetime:
        """From when on a drill is wanting: ``most`` after the last one, or at once if it proved nothing.

        Before the first drill the time counts from the first bag: newer ones must not put it off.
        """
        if self.last is None or self.last.drilled_at is None:
            return self.first + most
        return self.last.drilled_at + (most if self.last.score else timedelta())

    def words(self, at: datetime) -> str:
        """How the last drill went."""
        if self.last is None or self.last.drilled_at is None:
            return "none was drilled yet"
        age = age_words((at - self.last.drilled_at).total_seconds())
        return (
            f"last drilled {age} ago by {self.last.drilled_by}: "
            f"{self.last.score or 0:.0%} of the runbooks would run"
        )


async def bag_standing(session: AsyncSession) -> BagStanding | None:
    """None while no bag was packed."""
    packed, drilled = col(PackedBag.packed_at), col(PackedBag.drilled_at)
    everything = select(PackedBag).limit(1)
    newest = (await session.execute(everything.order_by(packed.desc()))).scalar_one_or_none()
    if newest is None:
        return None
    first = (await session.execute(everything.order_by(packed))).scalar_one()
    done = everything.where(drilled.is_not(None)).order_by(drilled.desc())
    last = (await session.execute(done)).scalar_one_or_none()
    return BagStanding(newest, first.packed_at, last)
