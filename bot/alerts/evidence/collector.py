"""Asks all places at once, within a limit, and hands over what came; each fails on its own."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from pathlib import Path

import httpx

from bot.access import Dialer
from bot.alerts.evidence.book import Answer, Book, Claim, Picture
from bot.alerts.evidence.files import draw, keep, prepare
from bot.alerts.evidence.lines import plain
from bot.alerts.evidence.opened import Looked, Opened, Place
from bot.alerts.evidence.own import OwnRecord
from bot.alerts.evidence.places import WINDOW, Places
from bot.alerts.evidence.shown import marks
from bot.contract import Graph
from bot.errors import JacklineError
from bot.incidents import Incidents
from bot.log import get
from bot.registry import Registry
from bot.store import Store

log = get("evidence")
LIMIT = 2.5  # seconds for all places together: with the delay and the picture it stays below five
_TITLES = 1000  # characters of the picture's title
_SIGNALS = ("latency", "traffic", "errors", "saturation")
_Task = asyncio.Task[Looked]


class EvidenceCollector:
    """``public_url`` is the console's, for links; ``folder`` is where pictures are kept."""

    def __init__(
        self, store: Store, incidents: Incidents, registry: Registry, dialer: Dialer, folder: Path,
        public_url: str = "",
    ) -> None:  # fmt: skip
        own = OwnRecord(store, incidents.catalog, public_url.rstrip("/"))
        self.own = own
        self.book = Book(store, incidents, Places(own, registry, dialer).of)
        self.folder = folder
        self._left: set[_Task] = set()  # those that did not answer in time, until they are gone

    async def collect_next(self) -> bool:
        """Collects for the incidents whose turn it is; whether there was one."""
        claims = await self.book.claim()
        results = await asyncio.gather(*map(self._collect, claims), return_exceptions=True)
        for result in results:
            if result is not None:
                raise result
        return bool(claims)

    async def measured(self, services: Sequence[str], since: datetime) -> list[Graph]:
        """What the built-in checks of these services saw since then: the whole course of it."""
        catalog = self.own.catalog()
        found = [s for name in services if (s := catalog.service(name)) and s.checks]
        looks = [await self.own.checks(service, since) for service in found]
        return [graph for look in looks for graph in look.graphs]

    async def _collect(self, claim: Claim) -> None:
        """Tells what comes as it comes; graphs wait for the end, where they make one picture."""
        incident = claim.incident
        held, ready = list[Answer](), list[Answer]()
        watched = any(place.outside for place in claim.places)  # its message says what is awaited
        tasks = {asyncio.create_task(self._look(place)): place for place in claim.places}
        drawing = asyncio.create_task(asyncio.to_thread(prepare))
        try:
            async for answers in self._answers(incident, tasks):
                held += [answer for answer in answers if answer.looked.graphs]
                ready += [answer for answer in answers if not answer.looked.graphs]
                if ready and (watched or any(_tells(answer.looked) for answer in ready)):
                    await self.book.note(incident.number, ready)
                    ready = []
        finally:  # the database may be away: nobody waits for these then
            for task in tasks:
                task.cancel()
        await drawing
        order = [place.key for place in claim.places]
        held.sort(key=lambda answer: order.index(answer.place.key))
        picture = await self._picture(incident, held)
        await self.book.finish(incident.number, [*held, *ready], picture)

    async def _answers(
        self, incident: Opened, tasks: dict[_Task, Place]
    ) -> AsyncIterator[list[Answer]]:
        """What has come at each moment, until the time is over for all that are left."""
        loop = asyncio.get_running_loop()
        deadline = loop.time() + LIMIT
        while tasks:
            left = max(0.0, deadline - loop.time())
            first = asyncio.FIRST_COMPLETED
            done, _ = await asyncio.wait(tasks, timeout=left, return_when=first)
            yield [
                await self._answer(incident, tasks.pop(task), task) for task in done or list(tasks)
            ]

    async def _answer(self, incident: Opened, place: Place, task: _Task) -> Answer:
        if not task.done():
            self._left.add(task)
            task.add_done_callback(self._left.discard)
            task.cancel()
            return Answer(place, Looked(missing=f"no answer within {LIMIT:g} s."))
        looked = task.result()
        files = []
        for each in looked.found:
            if each.whole:
                try:
                    text = each.whole.encode()
                    name = await asyncio.to_thread(keep, self.folder, incident.number, text, "txt")
                    files.append((name, f"{each.part['title']}, all"))
                except OSError:
                    log.exception("evidence_not_kept", incident_id=incident.number)
        return Answer(place, looked, tuple(files))

    async def _look(self, place: Place) -> Looked:
        try:
            return await place.look()
        except JacklineError as error:
            return Looked(missing=str(error))
        except (httpx.HTTPError, OSError) as error:
            return Looked(missing=f"the line broke: {type(error).__name__}.")
        except Exception as error:  # one place's fault must not cost the other evidence
            log.exception("evidence_source_broke", place=place.key)
            return Looked(missing=f"it broke: {type(error).__name__}.")

    async def _picture(self, incident: Opened, held: list[Answer]) -> Picture:
        graphs = [graph for answer in held for graph in answer.looked.graphs]
        drawn = [graph for graph in graphs if any(s.points for s in graph.series)]
        empty = tuple(plain(graph.title) for graph in graphs if graph not in drawn)
        sources = tuple(dict.fromkeys(answer.place.name for answer in held))
        unmeasured = tuple(_unmeasured(held))
        if not drawn:
            return Picture("", "", sources, empty, unmeasured)
        title = plain(", ".join(graph.title for graph in drawn), _TITLES)
        changes = marks(await self.book.items(incident.number), incident.declared_at - WINDOW)
        lines = [(incident.declared_at, "declared"), *changes]
        try:
            file = await asyncio.to_thread(draw, self.folder, incident.number, drawn, lines)
        except (ValueError, ArithmeticError, OSError) as error:
            log.exception("evidence_not_drawn", incident_id=incident.number)
            why = f"The graphs could not be drawn: {type(error).__name__}."
            return Picture("", title, sources, empty, unmeasured, why)
        return Picture(file, title, sources, empty, unmeasured)


def _tells(looked: Looked) -> bool:
    """Whether there is something to tell; what found nothing is written down with the next that did."""
    return bool(looked.missing or looked.found)


def _unmeasured(held: list[Answer]) -> list[str]:
    """Of each service with golden signals: those that no source gives, which is not zero."""
    said = []
    for service in dict.fromkeys(answer.place.service for answer in held):
        graphs: list[Graph] = [
            graph for a in held if a.place.service == service for graph in a.looked.graphs
        ]
        had = {g.signal for g in graphs if any(s.points for s in g.series)} - {""}
        if had and (lacking := [signal for signal in _SIGNALS if signal not in had]):
            said.append(f"{service}: no source measures {' and '.join(lacking)}")
    return said
