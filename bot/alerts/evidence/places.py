"""Where to look when an incident opens: what Jackline itself knows, and the catalog's sources."""

import asyncio
from datetime import datetime, timedelta
from functools import partial
from string import Template

from bot.access import Dialer
from bot.alerts.evidence.opened import Looked, Opened, Place
from bot.alerts.evidence.own import OwnRecord
from bot.alerts.evidence.shown import found
from bot.catalog import Evidence, Service
from bot.contract import Findings, Graph, Question
from bot.errors import NotFound
from bot.registry import Registry
from bot.store import now

WINDOW = timedelta(minutes=15)
CHANGES = timedelta(hours=2)


class Places:
    """``of`` is pure: nothing is asked before a place's ``look`` is called."""

    def __init__(self, own: OwnRecord, registry: Registry, dialer: Dialer) -> None:
        self.own = own
        self.registry = registry
        self.dialer = dialer

    def of(self, incident: Opened) -> list[Place]:
        """The places for an incident, in the order in which they are told."""
        until = now()
        since = min(until, incident.declared_at) - WINDOW
        before = since + WINDOW - CHANGES
        catalog = self.dialer.catalog()
        services = [s for i in dict.fromkeys(incident.services) if (s := catalog.service(i))]
        places = [
            Place(f"checks/{s.id}", "built-in checks", s.title,
                  partial(self.own.checks, s, since)) for s in services if s.checks
        ]  # fmt: skip
        for service in services:
            for number, entry in enumerate(service.evidence):
                key = f"{service.id}/{number}/{entry.integration}/{entry.target}"
                name = f"{entry.integration} ({entry.target})"
                asked = Question(
                    service=service.id, about=entry.about, queries=entry.queries,
                    since=since, until=until, changes_since=before,
                )  # fmt: skip
                look = partial(self._source, service, entry, asked)
                places.append(Place(key, name, service.title, look, outside=True))
        seen = partial(self.own.changes, incident, before)
        past = partial(self.own.similar, incident)
        places.append(Place("changes", "what was reported to Jackline", "", seen))
        places.append(Place("similar", "past incidents", "", past))
        return places

    async def _source(self, service: Service, entry: Evidence, asked: Question) -> Looked:
        source = self.registry.evidence.get(entry.integration)
        if source is None:
            raise NotFound(f"There is no evidence source {entry.integration!r}.")
        async with self.dialer.connect(entry.target) as connection:
            answers = await source.collect(asked, connection)
        link = _window(entry.link, asked.since, asked.until)
        lists = [each for each in answers if isinstance(each, Findings)]
        return Looked(
            [_of(service, each) for each in answers if isinstance(each, Graph)],
            # a thousand lines take a while to read, in which the others must not wait
            await asyncio.to_thread(lambda: [found(each, link) for each in lists]),
        )


def _of(service: Service, graph: Graph) -> Graph:
    """A golden signal bears its service's name: the queries that an integration brings know none."""
    if not graph.signal:
        return graph
    return graph.model_copy(update={"title": f"{service.title}: {graph.title}"})


def _window(link: str, since: datetime, until: datetime) -> str:
    times = {"since": int(since.timestamp() * 1000), "until": int(until.timestamp() * 1000)}
    return Template(link).safe_substitute(times)
