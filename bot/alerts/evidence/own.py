"""What Jackline itself knows: its checks' samples, the changes it was told of, past incidents."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, func
from sqlmodel import col, select

from bot.alerts.evidence.lines import plain
from bot.alerts.evidence.opened import Looked, Opened
from bot.alerts.evidence.shown import found, made
from bot.alerts.rules import decide
from bot.alerts.tables import CheckSample, StoredAlert
from bot.catalog import Catalog, Service
from bot.catalog.needs import needs
from bot.contract import Finding, Findings, Graph, Series
from bot.incidents.similar import Past, Similar
from bot.store import Store

CHANGE = "change"  # the label that says of an alert that it reports a change, and of what kind
_LINE = 600  # characters of a past incident's line
_SEARCHED = 200_000  # alerts that are looked through for changes: a third of a second
_LATEST = 200  # changes that are looked through


@dataclass(frozen=True)
class OwnRecord:
    """Reads the database only. ``public_url`` is the console's, empty where it has none."""

    store: Store
    catalog: Callable[[], Catalog]
    public_url: str = ""

    async def checks(self, service: Service, since: datetime) -> Looked:
        """Errors and latency as the built-in checks saw them, a line for each access path.

        They are none of the users' requests, and nothing that is asked from outside tells how much
        traffic there is or how full the machines are: of that there is no graph here.
        """
        names = [check.id for check in service.checks]
        query = (
            select(CheckSample)
            .where(col(CheckSample.check_id).in_(names), col(CheckSample.at) > since)
            .order_by(col(CheckSample.id))
        )
        async with self.store.read() as session:
            samples = list((await session.execute(query)).scalars())
        if not samples:
            return Looked()
        failing = _by_path(samples, "errors", lambda s: 100 * s.failed / s.requests)
        slowest = _by_path(samples, "latency", lambda s: s.worst_ms)
        title = service.title
        return Looked([
            Graph(title=f"{title}: failing requests", unit="%", series=failing, signal="errors"),
            Graph(title=f"{title}: slowest answer", unit="ms", series=slowest, signal="latency"),
        ])  # fmt: skip

    async def changes(self, incident: Opened, since: datetime) -> Looked:
        """Deployments and the like that sources reported: alerts with the label ``change``.

        Those of the incident's services and of what these stand on; all, if it has none.
        """
        labels = cast(col(StoredAlert.labels), String)
        newest = select(func.max(StoredAlert.id)).scalar_subquery()
        query = (
            select(StoredAlert)
            .where(col(StoredAlert.id) > newest - _SEARCHED)
            .where(col(StoredAlert.received_at) > since, labels.contains(f'"{CHANGE}"'))
            .order_by(col(StoredAlert.id).desc())
            .limit(_LATEST)
        )
        async with self.store.read() as session:
            rows = list((await session.execute(query)).scalars())
        catalog = self.catalog()
        near = {n for s in incident.services for n in (s, *needs(catalog, s))}
        items = [
            _change(row)
            for row in rows
            if row.labels.get(CHANGE) and (not near or _service(catalog, row) in near)
        ]
        title = "Changes reported to Jackline"
        return Looked(found=[found(Findings(kind="changes", title=title, items=items))]) if items else Looked()  # fmt: skip

    async def similar(self, incident: Opened) -> Looked:
        """The past incidents that are most alike, why, and what ended them."""
        async with self.store.read() as session:
            found = await Similar(self.catalog).find(session, incident.number)
        lines = [self._past(each) for each in found]
        return Looked(found=[made("similar", "Similar past incidents", lines)]) if lines else Looked()  # fmt: skip

    def _past(self, past: Past) -> dict[str, str]:
        """One line, with the postmortem's address if there is one."""
        text = (
            f"#{past.number} of {past.declared_at:%Y-%m-%d}: {past.title} "
            f"({past.severity}; {', '.join(past.because)}); then: {past.ended}"
        )
        page = f"{self.public_url}/incidents/{past.number}" if self.public_url else ""
        link = f"{page}/postmortem.html" if page and past.paper else page
        text += "; it has a postmortem" if past.paper else ""
        return {"text": plain(text, _LINE), **({"link": link} if link else {})}


def _service(catalog: Catalog, row: StoredAlert) -> str:
    return decide(catalog, row.name, row.labels, row.source).service


def _change(row: StoredAlert) -> Finding:
    labels = row.labels
    what, where, commit = (labels.get(name, "") for name in ("repository", "environment", "sha"))
    key = f"{labels[CHANGE]}:{what}:{where}:{commit}" if commit else f"{labels[CHANGE]}:{row.id}"
    said = row.annotations.get("summary") or row.name
    by = f", by {labels['actor']}" if labels.get("actor") else ""
    at = row.ends_at or row.starts_at
    commits = f" ({commit[:7]})" if commit else ""
    return Finding(text=f"{said}{commits}{by}", at=at, link=row.link, key=key)


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
