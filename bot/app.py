"""Wires Jackline once, in the order of the flow:

    alert ──► incident ──► channel ──► runbook ──► timeline ──► postmortem

`Jackline` holds the wired parts; `Jackline.serve` runs its workers until it is told to stop.
Every worker finds its work in the database, so any of them may die at any moment and any
replica may go on from there.
"""

import asyncio
import gc
import os
import signal
import socket
import time
import uuid
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import ExitStack, closing, suppress
from datetime import datetime, timedelta
from functools import partial

from apscheduler.schedulers.asyncio import AsyncIOScheduler
from fastapi import FastAPI
from sqlalchemy.exc import SQLAlchemyError

from bot import registry as integrations
from bot.access import Dialer, Prober
from bot.access.outside import EVERY, sign_of_life
from bot.alerts import (
    AccessAlerts,
    AlertRouter,
    CheckRunner,
    Endings,
    EvidenceCollector,
    FlapWatch,
    Heartbeats,
    Intake,
    Questions,
    Silences,
    standstill,
)
from bot.catalog import Catalog
from bot.chat import Cards, Clicks, Commands, OnCall, Silencing, Ways
from bot.chat.console import build_console
from bot.chat.outside import (
    NoticeFeed,
    OutsideSurface,
    PagerWatch,
    PaperSurface,
    StatusSurface,
    TicketSurface,
    TicketWatch,
    Trackers,
)
from bot.chat.outside.papers import LEASE as PAPER_LEASE
from bot.chat.slack.link import SlackLink
from bot.delivery import DeliveryWorker, Outbox
from bot.errors import JacklineError
from bot.incidents import Incidents, times
from bot.incidents.channels import Archiver
from bot.incidents.publishing import StatusPages
from bot.incidents.regulated import Clocks
from bot.incidents.reminders import Reminders
from bot.incidents.tasks import due_tasks
from bot.log import get
from bot.paging.clock import PageClock
from bot.paging.flow import Paging
from bot.postmortems import Postmortems
from bot.postmortems.editing.reviews import paper_facts
from bot.postmortems.exports import Exports
from bot.postmortems.learning.posting import WeeklyDigests
from bot.runbooks import Drills, Library, Proposer, RunEngine, Runs
from bot.runbooks.journal import Journal
from bot.runbooks.plan import Planner
from bot.settings import Settings, secret_values, shown
from bot.store import Store, load_key, now
from bot.store.rounds import repeat, survive
from bot.timeline import Ledger
from bot.web import build_web
from bot.web.listening import Server, leave_within, listening
from bot.web.mail import MailListener
from bot.web.metrics import Metrics
from bot.web.reception import Reception
from bot.web.vendors import Vendors

log = get("app")
_GRACE = 3
_EVERY = 5  # seconds between two looks at what is due
_FLOOD = 9  # while alerts flood in, the router rests for so many times as long as it has worked


class Jackline:
    """All parts of one process."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        data = settings.data_dir.absolute()
        owner = f"{socket.gethostname()}:{os.getpid()}:{uuid.uuid4().hex[:6]}"
        surfaces = ("slack",) if settings.slack.enabled else ()

        # what everything stands on
        self.store = Store(settings.store_url)
        self.registry = integrations.load()
        self.library = Library(settings.runbooks_dir, self.registry)
        self.dialer = Dialer(lambda: self.library.catalog)
        self.audit_key = load_key(settings.audit_key, data, "audit")
        self.ledger = Ledger(self.audit_key)
        self.session_key = load_key(settings.console.session_key, data, "session")
        self.outbox = Outbox(surfaces)

        # alert → incident
        self.incidents = Incidents(self.ledger, self.outbox, lambda: self.library.catalog)
        self.clocks = Clocks(self.incidents)
        self.reminders = Reminders(
            self.store, self.incidents, due_tasks, self.clocks.deadlines, paper_facts
        )
        self.intake = Intake(self.store, data / "spool")
        self.heartbeats = Heartbeats(self.store, self.intake, lambda: self.library.catalog)
        self.checks = CheckRunner(self.store, self.intake, self.dialer, self.registry)
        self.silences = Silences(self.store, self.ledger, lambda: self.library.catalog)
        self.questions = Questions(self.incidents)
        self.paging = Paging(self.incidents)
        self.pages = PageClock(self.store, self.paging, self.session_key)
        self.pagers = PagerWatch(self.store, self.paging, self.registry, self.dialer)
        self.router = AlertRouter(self.store, self.incidents)
        self.flaps = FlapWatch(self.store, self.incidents)
        self.evidence = EvidenceCollector(
            self.store, self.incidents, self.registry, self.dialer, data / "evidence",
            settings.console.public_url,
        )  # fmt: skip

        # the ways in, proven before they are needed
        holds = timedelta(days=settings.access.proven_days)
        every = timedelta(seconds=settings.access.probe_every)
        self.longest_outage = timedelta(hours=settings.access.longest_outage_hours)
        self.prober = Prober(self.store, self.dialer, self.registry, every, holds)
        self.access_alerts = AccessAlerts(
            self.store, self.intake, lambda: self.library.catalog, holds=holds,
            longest_outage=self.longest_outage, bag_age=timedelta(days=settings.bag.max_age_days),
        )  # fmt: skip

        self.drills = Drills(self.store, self.ledger, self.prober, self.library)

        # incident → runbook
        self.runs = Runs(self.incidents, self.library)
        self.endings = Endings(self.store, self.incidents, self.runs.going)
        self.planner = Planner(self.registry, self.dialer, self.prober.status)
        self.proposer = Proposer(self.store, self.runs)
        self.engine = RunEngine(Journal(self.store, self.runs, owner), self.planner)

        # the end: a channel is archived some time after it
        keep = timedelta(days=settings.slack.archive_after_days)
        self.archiver = Archiver(self.store, self.incidents, keep)

        # timeline → postmortem
        self.postmortems = Postmortems(
            self.store, self.ledger, lambda: self.library.catalog, data, self.evidence.measured,
            settings.runbooks_dir / "postmortems", self.outbox,
        )  # fmt: skip
        self.weekly = WeeklyDigests(self.store, self.outbox, lambda: self.library.catalog)
        keys = [key.decode("utf-8", "replace") for key in (self.audit_key, self.session_key)]
        self.exports = Exports(
            lambda: self.library.catalog, data, [*secret_values(settings), *keys]
        )

        self._meet_people(owner)
        self.metrics = Metrics(self.store)
        if self.slack is not None:
            self._show_slack(self.slack)
        self.reception = Reception(
            settings, self.registry, lambda: self.library.catalog, self.intake, self.heartbeats,
            Vendors(self.dialer, data / "vendors"), self.metrics,
        )  # fmt: skip
        self.web = self._web()

    def _meet_people(self, owner: str) -> None:
        """Incident → channel, what they type and click, and who else is told."""
        settings = self.settings
        self.cards = Cards(lambda: self.library.catalog, settings.console.public_url)
        self.status_pages = StatusPages(self.incidents)
        self.commands = Commands(
            self.incidents, self.runs, Ways(self.prober.status, self.drills),
            Silencing(self.silences), OnCall(self.paging, self.pagers.duties),
            settings.console.public_url,
        )  # fmt: skip
        self.clicks = Clicks(self.incidents, self.runs, settings.console.public_url)
        self.slack = self._slack_link(owner) if settings.slack.enabled else None
        self.notices = NoticeFeed(self.store, self.incidents, self._slack_down)
        self.outside = OutsideSurface(
            self.store, self.incidents, self.registry, self.dialer, settings.console.public_url,
            self.session_key,
        )  # fmt: skip
        self.telling = DeliveryWorker(self.store, self.outside, owner)
        self.customers = DeliveryWorker(
            self.store, StatusSurface(self.store, self.incidents, self.registry, self.dialer), owner
        )
        trackers = Trackers(self.incidents, self.registry, self.dialer)
        self.ticket_watch = TicketWatch(self.store, trackers)
        self.filing = DeliveryWorker(
            self.store, TicketSurface(self.store, trackers, settings.console.public_url), owner
        )

        papers = PaperSurface(self.store, self.incidents, self.registry, self.dialer, self.exports)
        self.publishing = DeliveryWorker(self.store, papers, owner, lease=PAPER_LEASE)

    async def serve(self) -> None:
        """Runs until SIGTERM or SIGINT. What is in flight then is left to its journal.

        The store must have been migrated.
        """
        with ExitStack() as doors:
            door = doors.enter_context(listening(*self.settings.listen, "JACKLINE_HTTP_LISTEN"))
            mail = None
            if self.settings.mail.listen:
                mail = doors.enter_context(
                    closing(MailListener(self.settings.mail, self.reception))
                )
            gc.freeze()  # what was imported stays: looking it through again takes 0.2 s each time
            await self._work(door, self._workers() | ({"mail in": mail.run()} if mail else {}))

    async def _work(
        self, door: socket.socket, workers: dict[str, Coroutine[None, None, None]]
    ) -> None:
        stop = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, stop.set)
        server = Server(self.web, _GRACE)
        scheduler = AsyncIOScheduler(timezone="UTC")
        if url := self.settings.access.deadman_url:
            ping = partial(sign_of_life, url, partial(standstill, self.store))
            scheduler.add_job(ping, "interval", seconds=EVERY, next_run_time=now())
        scheduler.add_job(
            self._tick, "interval", [self._check], seconds=0.5, max_instances=20, coalesce=True
        )
        steps = (self._look_at_paths, self._end_checks, self.drills.run_due, self.heartbeats.look,
                 self.silences.look, self.flaps.look, self.endings.look,
                 self.archiver.look, self._look_at_questions, self._remind, self.weekly.look)  # fmt: skip
        for turn, step in enumerate(steps, 1):  # one by one: together they keep an alert waiting
            begins = now() + timedelta(seconds=_EVERY * turn / len(steps))
            scheduler.add_job(self._tick, "interval", [step], seconds=_EVERY, start_date=begins, max_instances=1, coalesce=True)  # fmt: skip
        ready = asyncio.create_task(self._prepare(), name="times")
        tasks = [asyncio.create_task(work, name=name) for name, work in workers.items()]
        http = asyncio.create_task(server.serve(sockets=[door]), name="http")
        scheduler.start()
        stopped = asyncio.create_task(stop.wait())
        done, _ = await asyncio.wait([*tasks, http, stopped], return_when=asyncio.FIRST_COMPLETED)
        leave_within(3 * _GRACE)
        server.should_exit = True
        with suppress(TimeoutError):
            await asyncio.wait_for(asyncio.shield(http), _GRACE)
        scheduler.shutdown(wait=False)
        for task in (*tasks, http, stopped, ready):
            task.cancel()
        await asyncio.gather(*tasks, http, ready, return_exceptions=True)
        for task in done - {stopped}:
            task.result()

    async def close(self) -> None:
        """Lets connections go."""
        await self.outside.close()
        if self.slack is not None:
            await self.slack.close()
        await self.store.close()

    def _workers(self) -> dict[str, Coroutine[None, None, None]]:
        """The flow's workers, in the flow's order."""
        again = partial(repeat, self.store)
        work: dict[str, Coroutine[None, None, None]] = {
            "intake": self.intake.run(),
            "router": self._route(),
            "evidence": again(self.evidence.collect_next),
            "proposer": again(self.proposer.propose_next),
            "engine": self.engine.run(),
            "postmortems": again(self.postmortems.draft_next),
            "pages": again(self.pages.look, 1),
            "pagers": again(self.pagers.look, 15),
            "notices": again(self.notices.feed_next, 1),
            "notices out": self._once(lambda known: known.notifiers, self.telling),
            "status pages": self._once(lambda known: known.status_pages, self.customers),
            "tickets": self._once(lambda known: known.trackers, self.filing),
            "papers": self._once(lambda known: known.paper_places, self.publishing),
            "tickets in": again(self.ticket_watch.look, 15),
            "runbooks": self.library.watch(),
        }
        if self.slack is not None:
            work |= self.slack.workers()
        return work

    async def _prepare(self) -> None:
        """What some first command would wait for; in a quiet moment, as it holds up alerts for 0.1 s."""
        busy = True
        while busy:
            await asyncio.sleep(_EVERY)
            busy = time.monotonic() - self.intake.last_at < _EVERY
        await asyncio.to_thread(times.prepare)

    async def _route(self) -> None:
        """Routes alerts as they come; in a flood accepting them goes first."""
        while True:
            began = time.monotonic()
            more = await survive(self.router.route_next)
            if self.intake.last_at > began:
                await asyncio.sleep(_FLOOD * (time.monotonic() - began))
            elif not more:
                await self.intake.came(0.5)

    async def _once(
        self, there: Callable[[Catalog], Sequence[object]], worker: DeliveryWorker
    ) -> None:
        """Idle until the catalog has some: most of the time there is nothing to look for."""
        while not there(self.library.catalog):  # noqa: ASYNC110 - the catalog has no event for it
            await asyncio.sleep(5)
        await worker.run()

    async def _tick(self, step: Callable[[], Awaitable[None]]) -> None:
        """One step of what is due by the clock; the next tick tries again."""
        try:
            await step()
        except (SQLAlchemyError, OSError, JacklineError) as error:
            log.error("tick_failed", step=step.__qualname__, error=str(error))

    async def _check(self) -> None:
        await self.checks.run_due(self.library.catalog)

    async def _end_checks(self) -> None:
        await self.checks.end_removed(self.library.catalog)

    async def _look_at_questions(self) -> None:
        await self.questions.look(self.store)

    async def _remind(self) -> None:
        await self.clocks.start(self.store)
        await self.reminders.look()

    async def _look_at_paths(self) -> None:
        await self.prober.run_due()
        await self.access_alerts.report()

    def _web(self) -> FastAPI:
        console = build_console(
            store=self.store,
            cards=self.cards,
            commands=self.commands,
            clicks=self.clicks,
            incidents=self.incidents,
            runs=self.runs,
            postmortem=self.postmortems.find,
            exports=self.exports,
            catalog=lambda: self.library.catalog,
            session_key=self.session_key,
            data_dir=self.settings.data_dir.absolute(),
            settings=lambda: shown(self.settings),
            proofs=self.prober.status,
            notice=self._notice,
            installer=self.slack.installer if self.slack else None,
        )
        return build_web(
            settings=self.settings,
            store=self.store,
            reception=self.reception,
            heartbeats=self.heartbeats,
            ledger=self.ledger,
            metrics=self.metrics,
            console=console,
            standing=lambda: {"slack": self.slack.standing.state()} if self.slack else {},
            slack=self.slack.request if self.slack and self.settings.slack.mode == "http" else None,
        )

    def _slack_link(self, owner: str) -> SlackLink:
        link = SlackLink(
            self.settings, self.store, self.cards, self.commands, self.clicks, self.incidents,
            lambda: self.library.catalog, owner, self.session_key, self.exports,
        )  # fmt: skip
        self.router.sends_by(link.delivery)
        return link

    def _show_slack(self, slack: SlackLink) -> None:
        show, surface, standing = self.metrics.show, slack.surface, slack.standing
        show("jackline_slack_sockets", "Open sockets to Slack.", lambda: standing.sockets)
        show("jackline_slack_down", "1 while Slack cannot be reached.",
             lambda: surface.down_since is not None)  # fmt: skip
        show("jackline_slack_troubles", "1 while somebody must mend the app in Slack.",
             lambda: standing.words() != "")  # fmt: skip

    def _slack_down(self) -> datetime | None:
        return self.slack.surface.down_since if self.slack else None

    def _notice(self) -> str:
        since = self._slack_down()
        if self.slack and (mend := self.slack.standing.words()):
            return mend
        if since is None:
            broken = [p for found in self.library.problems.values() for p in found[:1]]
            return self.library.words(broken[0]) if broken else ""
        return f"Slack cannot be reached since {since:%H:%M} UTC. Everything works here; Slack catches up later."
