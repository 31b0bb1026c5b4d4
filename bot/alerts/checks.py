"""Built-in HTTP checks: the alert source for a team that has no monitoring at all.

A check's turn is claimed in the database, so that several replicas probe no more than one.
What a probe saw is kept: the samples are the first evidence of an incident.
"""

import asyncio
import time
from datetime import timedelta

import httpx
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col

from bot.alerts.intake import Intake
from bot.alerts.tables import CheckSample, CheckState
from bot.catalog import Catalog, Check, Service
from bot.contract import Alert
from bot.log import get
from bot.store import Store, now

log = get("checks")
KEEP = timedelta(hours=6)


class CheckRunner:
    """``run_due`` probes what is due and feeds what it learns into the intake."""

    def __init__(self, store: Store, intake: Intake) -> None:
        self.store = store
        self.intake = intake
        self._http = httpx.AsyncClient(follow_redirects=False)
        self._probing: set[str] = set()

    async def close(self) -> None:
        """Closes the probes' connections."""
        await self._http.aclose()

    async def run_due(self, catalog: Catalog) -> None:
        """Starts a probe for each due check; a slow one never holds up the others."""
        due = [
            (service, check)
            for service in catalog.services
            for check in service.checks
            if check.id not in self._probing and await self._claim(check)
        ]
        await asyncio.gather(*(self._probe(service, check) for service, check in due))

    async def _claim(self, check: Check) -> bool:
        moment = now()
        async with self.store.read() as session:
            state = await session.get(CheckState, check.id)
            if state is not None and state.due_at > moment:
                return False
        first = sqlite_insert if self.store.is_sqlite else postgresql_insert
        values = {"check_id": check.id, "due_at": moment, "bad": 0, "good": 0}
        async with self.store.write() as session:
            await session.execute(first(CheckState).values(values).on_conflict_do_nothing())
            claimed = await session.execute(
                update(CheckState)
                .where(col(CheckState.check_id) == check.id, col(CheckState.due_at) <= moment)
                .values(due_at=moment + timedelta(seconds=check.every))
            )
            return bool(claimed.rowcount)  # type: ignore[attr-defined]  # an UPDATE's CursorResult

    async def _probe(self, service: Service, check: Check) -> None:
        self._probing.add(check.id)
        try:
            answers = await asyncio.gather(*(self._one(check) for _ in range(check.requests)))
            errors = [error for _, error in answers if error]
            sample = CheckSample(
                check_id=check.id,
                at=now(),
                requests=len(answers),
                failed=len(errors),
                worst_ms=max(ms for ms, _ in answers),
                error=errors[0] if errors else "",
            )
            await self._judge(service, check, sample)
        finally:
            self._probing.discard(check.id)

    async def _one(self, check: Check) -> tuple[float, str]:
        started = time.perf_counter()
        try:
            # httpx's own timeout is for each read: a target that trickles would never end.
            async with asyncio.timeout(check.timeout):
                answer = await self._http.get(check.url, timeout=check.timeout)
            wrong = answer.status_code != check.expect_status
            error = f"HTTP {answer.status_code}" if wrong else ""
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            error = type(problem).__name__
        return (time.perf_counter() - started) * 1000, error

    async def _judge(self, service: Service, check: Check, sample: CheckSample) -> None:
        """Counts good and bad probes in a row. The alert is accepted before the state moves."""
        bad = sample.failed / sample.requests > check.max_error_rate
        async with self.store.write() as session:
            session.add(sample)
            await session.execute(delete(CheckSample).where(col(CheckSample.at) < now() - KEEP))
            state = await session.get_one(CheckState, check.id)
            state.bad, state.good = (state.bad + 1, 0) if bad else (0, state.good + 1)
            firing_since = state.firing_since
            fires = bad and firing_since is None and state.bad >= check.fail_after
            recovers = not bad and firing_since is not None and state.good >= check.recover_after
        if fires:
            await self._report(service, check, sample, None)
        elif recovers:
            await self._report(service, check, sample, firing_since)

    async def _report(
        self, service: Service, check: Check, sample: CheckSample, firing_since: object
    ) -> None:
        resolved = firing_since is not None
        async with self.store.read() as session:
            state = await session.get_one(CheckState, check.id)
        starts_at = state.firing_since or sample.at
        alert = Alert(
            source="check",
            fingerprint=check.id,
            status="resolved" if resolved else "firing",
            name=check.id,
            labels={
                "alertname": check.id,
                "service": service.id,
                "severity": {"p0": "critical", "p1": "error", "p2": "warning"}[service.tier],
            },
            annotations={"summary": _summary(check, sample, resolved=resolved)},
            starts_at=starts_at,
            ends_at=sample.at if resolved else None,
            link=check.url,
        )
        await self.intake.accept([alert])
        async with self.store.write() as session:
            state = await session.get_one(CheckState, check.id)
            state.firing_since = None if resolved else starts_at


def _summary(check: Check, sample: CheckSample, *, resolved: bool) -> str:
    if resolved:
        return f"check {check.id} passes again"
    percent = round(100 * sample.failed / sample.requests)
    return f"{percent} % of requests fail ({sample.error})"
