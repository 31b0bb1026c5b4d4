"""Built-in checks: the alert source for a team that has no monitoring at all.

A check's turn is claimed in the database, so that several replicas probe no more than one.
What a probe saw is kept: the samples are the first evidence of an incident.
"""

import asyncio
import random
import time
from datetime import datetime, timedelta

import httpx
from sqlalchemy import delete, update
from sqlalchemy.dialects.postgresql import insert as postgresql_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert
from sqlmodel import col, select

from bot.access import Dialer, Link
from bot.alerts.findings import Finding, Seen, findings
from bot.alerts.intake import Intake
from bot.alerts.kinds import LOOKS
from bot.alerts.own import firing_of
from bot.alerts.tables import CheckSample, CheckState, StoredAlert
from bot.catalog import Catalog, Check, Service, Target
from bot.contract import Alert
from bot.errors import JacklineError
from bot.log import get
from bot.registry import Registry
from bot.store import Store, now

log = get("checks")
SOURCE = "check"
KEEP = timedelta(hours=6)
_WORDS = 300  # characters of an error that are kept


class CheckRunner:
    """``run_due`` probes what is due and feeds what it learns into the intake."""

    def __init__(self, store: Store, intake: Intake, dialer: Dialer, registry: Registry) -> None:
        self.store = store
        self.intake = intake
        self.dialer = dialer
        self.registry = registry
        self._probing: set[str] = set()

    async def run_due(self, catalog: Catalog) -> None:
        """Starts a probe for each due check; a slow one never holds up the others."""
        due = [
            (service, check)
            for service in catalog.services
            for check in service.checks
            if check.id not in self._probing and await self._claim(check)
        ]
        await asyncio.gather(*(self._probe(service, check) for service, check in due))

    async def end_removed(self, catalog: Catalog) -> None:
        """Ends the alerts of checks that the catalog does not have any more."""
        known = {check.id for service in catalog.services for check in service.checks}
        async with self.store.read() as session:
            firing = list((await session.execute(firing_of(SOURCE))).scalars())
        gone = [row for row in firing if row.labels.get("check", row.fingerprint) not in known]
        if not gone:
            return
        await self.intake.accept([_removed(row, now()) for row in gone])
        async with self.store.write(silent=True) as session:
            ended = col(CheckState.check_id).in_([row.fingerprint for row in gone])
            await session.execute(delete(CheckState).where(ended))

    async def _claim(self, check: Check) -> bool:
        """The next turn is spread a little: checks that began together do not stay together."""
        moment = now()
        async with self.store.read() as session:
            state = await session.get(CheckState, check.id)
            if state is not None and state.due_at > moment:
                return False
        first = sqlite_insert if self.store.is_sqlite else postgresql_insert
        values = {"check_id": check.id, "due_at": moment, "bad": 0, "good": 0}
        later = timedelta(seconds=check.every) * random.uniform(0.9, 1.1)  # noqa: S311 - jitter
        async with self.store.write() as session:
            await session.execute(first(CheckState).values(values).on_conflict_do_nothing())
            claimed = await session.execute(
                update(CheckState)
                .where(col(CheckState.check_id) == check.id, col(CheckState.due_at) <= moment)
                .values(due_at=moment + later)
            )
            return bool(claimed.rowcount)  # type: ignore[attr-defined]  # an UPDATE's CursorResult

    async def _probe(self, service: Service, check: Check) -> None:
        """Over all its paths at once: what differs then is the way, and not the moment."""
        self._probing.add(check.id)
        try:
            seen = await asyncio.gather(*(self._over(check, path) for path in check.via or [""]))
            await self._judge(service, check, seen)
        finally:
            self._probing.discard(check.id)

    async def _over(self, check: Check, path: str) -> Seen:
        try:
            entry = self.dialer.catalog().target(check.target)
            entry = entry or Target(name=f"check/{check.id}", url=check.url)
            async with self.dialer.connect(entry, path) as link:
                asked = (self._once(check, link) for _ in range(check.requests))
                answers, path = await asyncio.gather(*asked), link.path
        except (JacklineError, OSError, ValueError) as problem:  # nothing could be asked at all
            n = check.requests
            return Seen(path or "direct", n, n, 0.0, _words(problem), asked=False)
        errors = [error for _, error, _ in answers if error]
        return Seen(
            path or "direct",
            len(answers),
            len(errors),
            max(ms for ms, _, _ in answers),
            errors[0] if errors else "",
            next((warning for _, _, warning in answers if warning), ""),
        )

    async def _once(self, check: Check, link: Link) -> tuple[float, str, str]:
        """How long it took in ms, what was wrong, and what is to be warned of."""
        began, error, warning = time.perf_counter(), "", ""
        limit = None if check.kind == "http" else check.timeout  # HTTP's is for each request
        try:
            async with asyncio.timeout(limit):
                warning = await LOOKS[check.kind](check, link, self.registry)
        except (JacklineError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError) as problem:
            error = _words(problem)
        except Exception as problem:
            # A fault of an integration must not cost the other checks their turn.
            log.exception("check_broke", check=check.id)
            error = f"the check broke: {type(problem).__name__}"
        ms = (time.perf_counter() - began) * 1000
        if not error and check.max_ms is not None and ms > check.max_ms:
            error = f"slower than {check.max_ms:g} ms"
        return ms, error, warning

    async def _judge(self, service: Service, check: Check, seen: list[Seen]) -> None:
        """Counts good and bad probes in a row. An alert is accepted before the state moves."""
        found, at = findings(service, check, seen), now()
        changed = []
        async with self.store.write() as session:
            session.add_all(_sample(check, each, at) for each in seen if each.asked)
            await session.execute(delete(CheckSample).where(col(CheckSample.at) < at - KEEP))
            query = select(CheckState).where(col(CheckState.check_id).in_(found))
            states = {s.check_id: s for s in (await session.execute(query)).scalars()}
            for name, finding in found.items():
                state = states.get(name)
                if state is None and finding.bad:
                    state = CheckState(check_id=name, due_at=at)
                    session.add(state)
                if state is not None and _turns(check, state, finding.bad):
                    changed.append((name, finding, state.firing_since))
        for name, finding, since in changed:
            await self._report(service, check, name, finding, since, at)

    async def _report(
        self, service: Service, check: Check, name: str, finding: Finding,
        since: datetime | None, at: datetime,
    ) -> None:  # fmt: skip
        """It fires if it did not before, and ends if it did."""
        if since is None and (fired := await self._fired(name)):
            at = fired  # accepted just before a crash: it is the same one
        labels = {"alertname": finding.name, "service": service.id, "severity": finding.severity}
        alert = Alert(
            source=SOURCE,
            fingerprint=name,
            status="resolved" if since else "firing",
            name=finding.name,
            labels=labels if finding.name == check.id else {**labels, "check": check.id},
            annotations={"summary": finding.over if since else finding.said},
            starts_at=since or at,
            ends_at=at if since else None,
            link=check.url if check.kind == "http" else "",
        )
        await self.intake.accept([alert])
        async with self.store.write() as session:
            state = await session.get_one(CheckState, name)
            state.firing_since = None if since else at

    async def _fired(self, name: str) -> datetime | None:
        """Since when an alert of this name fires that has not ended."""
        query = firing_of(SOURCE).where(StoredAlert.fingerprint == name)
        async with self.store.read() as session:
            row = (await session.execute(query)).scalars().first()
        return row.starts_at if row else None


def _removed(row: StoredAlert, at: datetime) -> Alert:
    said = f"the check {row.labels.get('check', row.fingerprint)} is not in the catalog any more"
    return Alert(
        source=SOURCE, fingerprint=row.fingerprint, status="resolved", name=row.name,
        labels=row.labels, annotations={"summary": said}, starts_at=row.starts_at, ends_at=at,
    )  # fmt: skip


def _turns(check: Check, state: CheckState, bad: bool | None) -> bool:
    """Counts; whether it begins to fire now, or ends."""
    if bad is None:
        state.bad = state.good = 0
        return False
    state.bad, state.good = (state.bad + 1, 0) if bad else (0, state.good + 1)
    if bad:
        return state.firing_since is None and state.bad >= check.fail_after
    return state.firing_since is not None and state.good >= check.recover_after


def _sample(check: Check, seen: Seen, at: datetime) -> CheckSample:
    return CheckSample(
        check_id=check.id, path=seen.path, at=at, requests=seen.requests, failed=seen.failed,
        worst_ms=seen.worst_ms, error=seen.error,
    )  # fmt: skip


def _words(problem: Exception) -> str:
    """Ours in its own words, any other by its kind: what a library says may quote an answer."""
    said = problem.message.rstrip(".") if isinstance(problem, JacklineError) else ""
    return (said or type(problem).__name__).replace("\0", "\ufffd")[:_WORDS]
