"""The first evidence of an incident: error rate and latency as a picture, within seconds.

Each source fails on its own: what could not be had is said, and the rest is shown.
"""

import asyncio
import hashlib
from collections.abc import Callable
from datetime import datetime, timedelta
from pathlib import Path

from sqlmodel import col, select

from bot.access import Dialer
from bot.alerts.tables import CheckSample
from bot.catalog import Service
from bot.contract import Graph, Series
from bot.errors import JacklineError, NotFound, Unavailable
from bot.incidents import ACTIVE, Incident, Incidents
from bot.log import get
from bot.registry import Registry
from bot.store import Store, now

log = get("evidence")
WINDOW = timedelta(minutes=15)
DELAY = timedelta(seconds=2)  # a few more samples make a picture that shows something
LIMIT = 5.0  # seconds for all sources together


class EvidenceCollector:
    """Finds incidents that have no evidence yet, collects it, attaches it."""

    def __init__(
        self, store: Store, incidents: Incidents, registry: Registry, dialer: Dialer, folder: Path
    ) -> None:
        self.store = store
        self.incidents = incidents
        self.registry = registry
        self.dialer = dialer
        self.folder = folder

    async def collect_next(self) -> bool:
        """Collects for one incident; whether there was one."""
        async with self.store.read() as session:
            query = (
                select(Incident)
                .where(col(Incident.evidence_at).is_(None), col(Incident.status).in_(ACTIVE))
                .where(col(Incident.declared_at) < now() - DELAY)
                .limit(1)
            )
            incident = (await session.execute(query)).scalar_one_or_none()
        if incident is None:
            return False
        graphs, missing = await self._graphs(incident)
        file = ""
        try:
            file = await asyncio.to_thread(self._picture, incident, graphs) if graphs else ""
        except (ValueError, ArithmeticError, OSError) as error:
            log.exception("evidence_not_drawn", incident_id=incident.number)
            missing.append(f"The graphs could not be drawn: {type(error).__name__}.")
        await self._attach(incident.number, file, graphs, missing)
        return True

    async def _graphs(self, incident: Incident) -> tuple[list[Graph], list[str]]:
        catalog = self.incidents.catalog()
        services = [s for i in incident.services if (s := catalog.service(i))]
        until = now()
        since = until - WINDOW
        jobs = [self._from_checks(s, since) for s in services]
        jobs += [
            self._from_source(s, i, since, until) for s in services for i in range(len(s.evidence))
        ]
        graphs, missing = [], []
        for result in await asyncio.gather(*jobs, return_exceptions=True):
            if isinstance(result, JacklineError):
                missing.append(str(result))
            elif isinstance(result, BaseException):
                raise result
            else:
                graphs += result
        return graphs, missing

    async def _from_checks(self, service: Service, since: datetime) -> list[Graph]:
        names = [check.id for check in service.checks]
        async with self.store.read() as session:
            query = (
                select(CheckSample)
                .where(col(CheckSample.check_id).in_(names), col(CheckSample.at) > since)
                .order_by(col(CheckSample.id))
            )
            samples = list((await session.execute(query)).scalars())
        if not samples:
            return []
        return [
            Graph(
                title=f"{service.title}: failing requests",
                unit="%",
                series=_by_path(samples, "errors", lambda s: 100 * s.failed / s.requests),
            ),
            Graph(
                title=f"{service.title}: slowest answer",
                unit="ms",
                series=_by_path(samples, "latency", lambda s: s.worst_ms),
            ),
        ]

    async def _from_source(
        self, service: Service, index: int, since: datetime, until: datetime
    ) -> list[Graph]:
        wanted = service.evidence[index]
        source = self.registry.evidence.get(wanted.integration)
        if source is None:
            raise NotFound(f"There is no evidence source {wanted.integration!r}.")
        try:
            async with asyncio.timeout(LIMIT), self.dialer.connect(wanted.target) as connection:
                return await source.collect(service.id, wanted.queries, since, until, connection)
        except TimeoutError:
            raise Unavailable(f"{wanted.integration} took too long.") from None
        except JacklineError:
            raise
        except Exception as error:  # an integration's fault must not cost the other evidence
            log.exception("evidence_source_broke", integration=wanted.integration)
            raise Unavailable(f"{wanted.integration} broke: {type(error).__name__}.") from error

    def _picture(self, incident: Incident, graphs: list[Graph]) -> str:
        from bot.timeline.charts import draw  # noqa: PLC0415 - the go-bag has no matplotlib

        png = draw(graphs, [(incident.declared_at, "declared")])
        name = f"inc-{incident.number}-{hashlib.sha256(png).hexdigest()[:16]}.png"
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / name).write_bytes(png)
        return name

    async def _attach(
        self, number: int, file: str, graphs: list[Graph], missing: list[str]
    ) -> None:
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            if incident.evidence_at is not None or incident.merged_into is not None:
                return
            incident.evidence_at = now()
            title = ", ".join(graph.title for graph in graphs) or "No evidence could be had"
            data = {"file": file, "title": title, "missing": missing}
            text = f"Evidence: {title}" + "".join(f"; missing: {m}" for m in missing)
            await self.incidents.ledger.append(
                session, number, "evidence_attached", "jackline", text, data=data
            )
            if file or missing:
                await self.incidents.outbox.say(session, number, "evidence", "evidence", data)
            if file:
                await self.incidents.outbox.upload(session, number, file, title)


def _by_path(
    samples: list[CheckSample], what: str, value: Callable[[CheckSample], float]
) -> list[Series]:
    """A line for each access path; the path is named where there are several."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for sample in samples:
        lines.setdefault(sample.path, []).append((sample.at.timestamp(), value(sample)))
    several = len(lines) > 1
    return [
        Series(label=f"{what} over {path}" if several else what, points=points)
        for path, points in lines.items()
    ]
