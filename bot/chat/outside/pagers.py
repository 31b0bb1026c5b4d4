"""Pages that another pager has taken on: what became of them there, and telling it what did here.

Any replica may look at any time: an acknowledgement is taken over once, and what is told the pager
is queued once, under the incident's lock.
"""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import or_
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.access import Dialer
from bot.catalog import Notifier as Entered
from bot.chat.outside.paged import thread_of
from bot.chat.outside.paths import first
from bot.contract import Duty, Pager, Standing
from bot.delivery import Binding, Delivery
from bot.delivery.notices import OUTSIDE
from bot.errors import JacklineError, Rejected
from bot.log import get
from bot.paging.flow import WAITS, Paging
from bot.paging.tables import Page
from bot.registry import Registry
from bot.store import Store, now

log = get("pagers")
ASK = 8.0  # seconds for one question over all paths
_LATE = timedelta(days=1)  # a page that ended before is not told any more
_TOLD = {"acknowledged": "page_ack", "ended": "page_resolve"}


@dataclass(frozen=True)
class _Sent:
    """A page that a pager has; it was sent to it at ``to``."""

    page: int
    state: str
    by: str
    thread: str
    entry: Entered
    to: str


class PagerWatch:
    """One per process."""

    def __init__(self, store: Store, paging: Paging, registry: Registry, dialer: Dialer) -> None:
        self.store = store
        self.paging = paging
        self.registry = registry
        self.dialer = dialer

    async def look(self) -> bool:
        """Takes over what was acknowledged there, and queues what is to be told there."""
        pagers = [entry for entry in self.paging.catalog.notifiers if self._of(entry)]
        if not pagers:
            return False
        async with self.store.read() as session:
            found = await self._sent(session, {entry.id: entry for entry in pagers})
        silent: set[str] = set()  # targets that do not answer are asked again at the next look
        for sent in found:
            if sent.state in WAITS:
                if sent.entry.target not in silent:
                    await self._take_over(sent, silent)
            elif sent.state == "ended" or sent.by != _actor(sent.entry):
                await self._tell(sent)
        return False

    async def duties(self) -> list[tuple[str, list[Duty]]]:
        """By notifier, who is on call there; without those that cannot say it now."""
        by_target = {e.target: e for e in self.paging.catalog.notifiers if self._of(e)}
        answers = await asyncio.gather(*(self._duties(each) for each in by_target.values()))
        return [answer for answer in answers if answer[1]]

    def _of(self, entry: Entered) -> Pager | None:
        found = self.registry.notifiers.get(entry.integration)
        return found if isinstance(found, Pager) else None

    async def _sent(self, session: AsyncSession, pagers: dict[str, Entered]) -> list[_Sent]:
        """Every page that a pager has and that may still change, each address once."""
        recent = or_(col(Page.state) != "ended", col(Page.ended_at) > now() - _LATE)
        pages = {p.number: p for p in (await session.execute(select(Page).where(recent))).scalars()}
        query = select(Delivery).where(
            Delivery.surface == OUTSIDE, Delivery.op == "page", Delivery.state == "sent",
            col(Delivery.incident_id).in_({p.incident_id for p in pages.values()}),
        )  # fmt: skip
        found: dict[str, _Sent] = {}
        for row in (await session.execute(query)).scalars():
            page, entry = pages.get(row.payload["page"]), pagers.get(row.payload["notifier"])
            if page is None or entry is None or row.lane in found:
                continue
            if await session.get(Binding, (OUTSIDE, f"ended:{row.id}")) is None:
                continue  # it was not needed any more when its turn came
            found[row.lane] = _Sent(
                page.number, page.state, page.acknowledged_by, thread_of(page), entry,
                row.payload["to"],
            )  # fmt: skip
        return list(found.values())

    async def _take_over(self, sent: _Sent, silent: set[str]) -> None:
        standing = await self._asked(sent, silent)
        if standing is None or standing.state == "open":
            return
        who = f" by {standing.by}" if standing.by else ""
        verb = "acknowledged" if standing.state == "acknowledged" else "ended"
        async with self.store.write() as session:
            page = await self.paging.locked(session, sent.page)
            if page.state in WAITS:
                await self.paging.acknowledge(
                    session, sent.page, _actor(sent.entry), how=f"there: {verb}{who}"
                )

    async def _asked(self, sent: _Sent, silent: set[str]) -> Standing | None:
        pager = self._of(sent.entry)
        if pager is None:
            return None
        try:
            async with asyncio.timeout(ASK):
                answer, _ = await first(
                    self.dialer, sent.entry.target,
                    lambda there: pager.standing(sent.thread, sent.to, there), ASK,
                )  # fmt: skip
                return answer
        except Rejected as error:  # of this page alone
            log.warning("pager_not_asked", notifier=sent.entry.id, error=str(error))
        except (JacklineError, TimeoutError) as error:
            silent.add(sent.entry.target)
            log.warning("pager_not_asked", notifier=sent.entry.id, error=str(error))
        except Exception:  # a stranger's fault; it must not cost the other pagers
            log.exception("pager_broke", notifier=sent.entry.id)
        return None

    async def _tell(self, sent: _Sent) -> None:
        """Queues it behind what was sent there before, once."""
        op = _TOLD[sent.state]
        lane = f"page:{sent.page}:{sent.entry.id}:{sent.to}"
        known = select(Delivery.id).where(
            Delivery.surface == OUTSIDE, Delivery.lane == lane, Delivery.op == op
        )
        async with self.store.read() as session:
            if (await session.execute(known)).first():
                return
        async with self.store.write() as session:
            page = await self.paging.locked(session, sent.page)
            if (await session.execute(known)).first():
                return
            payload = {"notifier": sent.entry.id, "to": sent.to, "thread": sent.thread}
            session.add(Delivery(surface=OUTSIDE, lane=lane, op=op, incident_id=page.incident_id,
                                 payload=payload))  # fmt: skip

    async def _duties(self, entry: Entered) -> tuple[str, list[Duty]]:
        pager = self._of(entry)
        found: list[Duty] = []
        try:
            async with asyncio.timeout(ASK):
                if pager is not None:
                    found, _ = await first(self.dialer, entry.target, pager.on_call, ASK)
        except (JacklineError, TimeoutError) as error:
            log.warning("pager_not_asked", notifier=entry.id, error=str(error))
        except Exception:  # a stranger's fault; the other pagers still answer
            log.exception("pager_broke", notifier=entry.id)
        return entry.id, found


def _actor(entry: Entered) -> str:
    return f"source:{entry.id}"
