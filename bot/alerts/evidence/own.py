"""What Jackline itself knows: its checks' samples, the changes it was told of, past incidents."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import String, cast, func
from sqlmodel import col, select

from bot.alerts.evidence.lines import plain
from bot.alerts.evidence.opened import Looked, Opened
from bot.alerts.evidence.opened import opened as opened_of
from bot.alerts.evidence.shown import found, made
from bot.alerts.evidence.similar import Alike, Known, alike
from bot.alerts.grouping import needs
from bot.alerts.rules import decide
from bot.alerts.tables import CheckSample, StoredAlert
from bot.catalog import Catalog, Service
from bot.contract import Finding, Findings, Graph, Series
from bot.incidents import Incident
from bot.store import Store
from bot.timeline import Entry

CHANGE = "change"  # the label that says of an alert that it reports a change, and of what kind
_LINE = 600  # characters of a past incident's line
_SEARCHED = 200_000  # alerts that are looked through for changes: a third of a second
_LATEST = 200  # alerts and incidents that are looked through
_OVER = ("resolved", "closed")
_ENDS = ("status_changed", "run_succeeded", "postmortem_drafted")


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
        """The past incidents that are most alike, with how they ended."""
        query = (
            select(Incident)
            .where(col(Incident.status).in_(_OVER), col(Incident.drill) == incident.drill)
            .where(
                col(Incident.id) != incident.number, ~col(Incident.private)
            )  # nobody is told of those
            .order_by(col(Incident.id).desc())
            .limit(_LATEST)
        )
        async with self.store.read() as session:
            past = {i.number: i for i in (await session.execute(query)).scalars()}
            best = alike(_known(incident), [_known(opened_of(i)) for i in past.values()])
            numbers = [each.number for each in best]
            rows = select(Entry).where(
                col(Entry.incident_id).in_(numbers), col(Entry.kind).in_(_ENDS)
            )
            ends = list((await session.execute(rows.order_by(col(Entry.seq)))).scalars())
        lines = [
            self._past(past[e.number], e, [r for r in ends if r.incident_id == e.number])
            for e in best
        ]
        if not lines:
            return Looked()
        return Looked(found=[made("similar", "Similar past incidents", lines)])

    def _past(self, incident: Incident, like: Alike, ends: list[Entry]) -> dict[str, str]:
        """One line, with the postmortem's address if there is one."""
        took = (incident.resolved_at or incident.declared_at) - incident.declared_at
        runs = dict.fromkeys(str(r.text) for r in ends if r.kind == "run_succeeded")
        by = "; ".join(runs) or "no runbook succeeded"
        moved = [r.actor for r in ends if r.data.get("to") == "resolved"]
        who = "a person" if moved and moved[-1].startswith("person:") else "Jackline"
        minutes = max(1, round(took.total_seconds() / 60))
        text = (
            f"#{like.number} of {incident.declared_at:%Y-%m-%d}: {incident.title} "
            f"({incident.severity}, {like.because}): "
            f"resolved by {who} after {minutes} min; {by}"
        )
        page = f"{self.public_url}/incidents/{like.number}" if self.public_url else ""
        drafted = any(r.kind == "postmortem_drafted" for r in ends)
        link = f"{page}/postmortem.html" if page and drafted else page
        text += "; it has a postmortem" if drafted else ""
        return {"text": plain(text, _LINE), **({"link": link} if link else {})}


def _known(incident: Opened) -> Known:
    services = frozenset(incident.services)
    return Known(incident.number, incident.title, services, incident.alert, incident.group)


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
