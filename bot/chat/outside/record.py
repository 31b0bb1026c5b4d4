"""What came of a notice, in the incident's timeline: once each, whatever is tried again."""

from datetime import datetime
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.outside.words import addressee
from bot.contract import Receipt
from bot.delivery import Binding, Delivery, Job
from bot.delivery.notices import OUTSIDE
from bot.incidents import Incidents
from bot.store import Store


class Record:
    """Writes ``notice_delivered``, ``notice_confirmed`` and ``notice_failed``; of pages ``page_…``."""

    def __init__(self, store: Store, incidents: Incidents) -> None:
        self.store = store
        self.incidents = incidents

    async def ended(self, job: Job) -> bool:
        """Whether a delivery's outcome is on record, though the outbox may not know it."""
        async with self.store.read() as session:
            return await session.get(Binding, (OUTSIDE, _ended(job))) is not None

    async def took(
        self, job: Job, notifier: str, receipt: Receipt, path: str, ask_at: datetime | None
    ) -> None:
        """The medium has it, or says that nobody got it. ``ask_at``: when to ask what became of it."""
        to = addressee(job.payload["to"])
        lost = receipt.confirmed is False
        data = {
            "notifier": notifier, "to": to, "path": path, "confirmed": receipt.confirmed,
            "reference": receipt.reference, "final": lost, **_about(job),
        }  # fmt: skip
        verb = "did not reach" if lost else "reached" if receipt.confirmed else "went to"
        text = f"The {_what(job)} {verb} {to} by {notifier} over {path}: {receipt.detail}"
        async with self.store.write() as session:
            kind = f"{_what(job)}_{'failed' if lost else 'delivered'}"
            if await self._once(session, job, _ended(job), kind, text, data) and ask_at:
                session.add(_question(job, notifier, receipt, ask_at))

    async def failed(self, job: Job, notifier: str, reason: str, *, final: bool) -> None:
        """It has not gone out. The first failure is recorded, and the one that ends it."""
        to = addressee(job.payload["to"])
        more = "" if final else " It is tried again."
        text = f"The {_what(job)} to {to} by {notifier} failed: {reason}{more}"
        data = {"notifier": notifier, "to": to, "error": reason, "final": final, **_about(job)}
        key = _ended(job) if final else f"failed:{job.id}"
        async with self.store.write() as session:
            await self._once(session, job, key, f"{_what(job)}_failed", text, data)

    async def confirmed(self, job: Job, notifier: str, arrived: bool | None) -> None:
        """What the medium said when it was asked; nothing where it never knew."""
        to = addressee(job.payload["to"])
        data = {"notifier": notifier, "to": to, "confirmed": arrived, "final": True,
                "reference": job.payload["receipt"]["reference"], **_about(job)}  # fmt: skip
        if arrived is None:
            return
        text = f"The {_what(job)} {'reached' if arrived else 'did not reach'} {to} by {notifier}"
        kind = f"{_what(job)}_{'confirmed' if arrived else 'failed'}"
        async with self.store.write() as session:
            await self._once(session, job, _ended(job), kind, text, data)

    async def _once(
        self, session: AsyncSession, job: Job, key: str, kind: str, text: str, data: dict[str, Any]
    ) -> bool:
        """The row and its mark in one commit; whether it was not there before."""
        if await session.get(Binding, (OUTSIDE, key)) is not None:
            return False
        session.add(Binding(surface=OUTSIDE, key=key, value={"kind": kind}))
        await self.incidents.ledger.append(
            session, job.incident_id, kind, "jackline", text, data=data
        )
        return True


def _what(job: Job) -> str:
    return "page" if "page" in job.payload else "notice"


def _about(job: Job) -> dict[str, Any]:
    """Which page at which step, or up to where a notice tells."""
    return {name: job.payload[name] for name in ("upto", "page", "step") if name in job.payload}


def _ended(job: Job) -> str:
    return f"ended:{job.id}"


def _question(job: Job, notifier: str, receipt: Receipt, at: datetime) -> Delivery:
    payload = {"notifier": notifier, "to": job.payload["to"], "receipt": receipt.model_dump(),
               **_about(job)}  # fmt: skip
    return Delivery(
        surface=OUTSIDE, lane=f"confirm:{job.id}", op="confirm", incident_id=job.incident_id,
        payload=payload, next_at=at,
    )  # fmt: skip
