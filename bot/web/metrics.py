"""What Jackline says about itself, for Prometheus."""

import math
from collections.abc import Callable

from prometheus_client import CollectorRegistry, Counter, Gauge, generate_latest
from sqlalchemy import func
from sqlmodel import col, select

from bot.access.tables import PackedBag
from bot.alerts import StoredAlert, oldest_waiting
from bot.alerts.tables import Arrival
from bot.delivery import Delivery
from bot.incidents import ACTIVE, Incident
from bot.paging.tables import Page
from bot.runbooks import Run
from bot.store import Store, now


class Metrics:
    """Counters of this process, and gauges read from the database when asked for."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.registry = CollectorRegistry()
        self.accepted = Counter(
            "jackline_alerts_accepted", "Alerts stored before they were acknowledged.",
            ["source"], registry=self.registry,
        )  # fmt: skip
        self.refused = Counter(
            "jackline_requests_refused", "Webhook requests refused, by reason.",
            ["source", "reason"], registry=self.registry,
        )  # fmt: skip
        self._open = self._gauge(
            "jackline_incidents_open", "Incidents that are not over; drills are not counted."
        )
        self._waiting = self._gauge("jackline_alerts_waiting", "Alerts stored and not yet routed.")
        self._oldest_alert = self._gauge(
            "jackline_alerts_oldest_seconds", "Age of the oldest alert stored and not yet routed."
        )
        self._aside = self._gauge(
            "jackline_alerts_set_aside", "Alerts accepted that cannot be routed."
        )
        self._unsent = self._gauge("jackline_outbox_unsent", "Deliveries not yet made.")
        self._oldest = self._gauge(
            "jackline_outbox_oldest_seconds", "Age of the oldest delivery not yet made."
        )
        self._unknown = self._gauge(
            "jackline_runs_unknown", "Runs that stand at an unknown outcome."
        )
        self._pages = Gauge(
            "jackline_pages", "Pages of incidents that are not over, by state; unanswered: nobody came.",
            ["state"], registry=self.registry,
        )  # fmt: skip
        self._bag = self._gauge(
            "jackline_bag_age_seconds", "Age of the newest go-bag; NaN while none was packed."
        )

    def show(self, name: str, text: str, read: Callable[[], float]) -> None:
        """A gauge of this process, read when asked for."""
        self._gauge(name, text).set_function(read)

    async def render(self) -> bytes:
        """The exposition text."""
        unsent = col(Delivery.state).in_(("pending", "sending"))
        async with self.store.read() as session:

            async def count(query: object) -> float:
                return float((await session.execute(query)).scalar() or 0)  # type: ignore[call-overload]  # any SELECT of one number

            self._open.set(
                await count(
                    select(func.count(col(Incident.id))).where(
                        col(Incident.status).in_(ACTIVE), ~col(Incident.drill)
                    )
                )
            )
            new = select(func.count(col(StoredAlert.id))).where(StoredAlert.state == "new")
            arrived = select(func.sum(Arrival.size)).where(Arrival.refused == "")
            aside = select(func.sum(Arrival.size)).where(Arrival.refused != "")
            self._waiting.set(await count(new) + await count(arrived))
            waiting_since = await oldest_waiting(session)
            unrouted = select(func.count(col(StoredAlert.id))).where(StoredAlert.state == "aside")
            self._aside.set(await count(aside) + await count(unrouted))
            self._unsent.set(await count(select(func.count(col(Delivery.id))).where(unsent)))
            self._unknown.set(
                await count(select(func.count(col(Run.id))).where(Run.state == "unknown"))
            )
            oldest = (
                await session.execute(select(func.min(Delivery.created_at)).where(unsent))
            ).scalar()
            pages = select(Page.state, func.count(col(Page.id))).group_by(Page.state)
            counted = {row[0]: row[1] for row in (await session.execute(pages)).all()}
            packed = (await session.execute(select(func.max(PackedBag.packed_at)))).scalar()
        for state in ("open", "acknowledged", "unanswered"):
            self._pages.labels(state).set(counted.get(state, 0))
        self._bag.set((now() - packed).total_seconds() if packed else math.nan)
        for gauge, since in ((self._oldest, oldest), (self._oldest_alert, waiting_since)):
            gauge.set((now() - since).total_seconds() if since else 0)
        return generate_latest(self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, registry=self.registry)
