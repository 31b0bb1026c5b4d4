"""A console over a real database, and two people who use it."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
from slack_sdk.web.async_client import AsyncWebClient
from starlette.applications import Starlette

from bot.access import Dialer, PathProof, Prober
from bot.alerts import Silences
from bot.catalog import Catalog, Person, Service
from bot.chat import Cards, Clicks, Commands, OnCall, Silencing, Ways
from bot.chat.console import build_console, signin_link
from bot.chat.slack.installations import Installations
from bot.chat.slack.oauth import Installer
from bot.contract import Duty
from bot.delivery import Outbox
from bot.incidents import Incident, Incidents
from bot.paging.flow import Paging
from bot.postmortems import Postmortem, Postmortems
from bot.postmortems.exports import Exports
from bot.registry import load
from bot.runbooks import Drills, Library, Run, Runs
from bot.settings import load as load_settings
from bot.settings import shown
from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of
from tests.chat.spoken import workspaces

KEY = b"k" * 32
BASE = "http://console.test"
ORIGIN = {"origin": BASE}
HTMX = {**ORIGIN, "hx-request": "true"}
PLAN: dict[str, Any] = {
    "approvals": {"count": 1, "from": "approver", "ttl": 1800},
    "steps": [
        {
            "id": "drain", "heading": "Drain edge-3", "action": "haproxy.drain_server",
            "changes": [{"what": "edge-3", "before": "ready", "after": "drain", "share": 0.25}],
            "note": "", "undo": "back to what it was",
        }
    ],
}  # fmt: skip
ROSA = Person(id="rosa", name="Rosa Diaz", roles=["responder", "commander"])
AMIR = Person(id="amir", name="Amir Ito", roles=["responder", "approver"])


@dataclass
class World:
    """A console over a real database in a folder of its own."""

    folder: Path
    store: Store
    people: list[Person] = field(default_factory=lambda: [ROSA, AMIR])
    notice: str = ""
    pagers_take: float = 0.0
    whole: Catalog | None = None  # instead of one service and the people
    proofs: list[PathProof] = field(default_factory=list)
    environ: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.incidents = Incidents(Ledger(b"audit"), Outbox(()), self.catalog)
        (self.folder / "runbooks" / "catalog").mkdir(parents=True, exist_ok=True)
        registry = load()
        library = Library(self.folder / "runbooks", registry)
        week = timedelta(days=7)
        prober = Prober(self.store, Dialer(self.catalog), registry, week, week)
        drills = Drills(self.store, self.incidents.ledger, prober, library)
        self.runs = Runs(self.incidents, library)
        self.clicks = Clicks(self.incidents, self.runs)
        self.drafts = Postmortems(self.store, self.incidents.ledger, self.catalog, self.folder)
        self.app = Starlette(
            routes=build_console(
                store=self.store,
                cards=Cards(self.catalog, BASE),
                commands=Commands(
                    self.incidents,
                    self.runs,
                    Ways(self._proofs, drills),
                    Silencing(Silences(self.store, self.incidents.ledger, self.catalog)),
                    OnCall(Paging(self.incidents), self.elsewhere),
                ),
                clicks=self.clicks,
                incidents=self.incidents,
                runs=self.runs,
                postmortem=self.drafts.find,
                exports=Exports(self.catalog, self.folder, ["canary-of-the-console"]),
                catalog=self.catalog,
                session_key=KEY,
                data_dir=self.folder,
                settings=lambda: shown(load_settings(self.environ), self.environ),
                proofs=self._proofs,
                notice=lambda: self.notice,
                installer=self._installer(),
            )
        )

    def _installer(self) -> Installer:
        """Of an app in a Slack that is not there."""
        given = {
            "JACKLINE_SLACK__BOT_TOKEN": "xoxb-1", "JACKLINE_SLACK__APP_TOKEN": "xapp-1",
            "JACKLINE_SLACK__CLIENT_ID": "1.2", "JACKLINE_SLACK__CLIENT_SECRET": "hush",
            "JACKLINE_CONSOLE__PUBLIC_URL": BASE,
        }  # fmt: skip
        client = AsyncWebClient("xoxb-1", base_url="http://127.0.0.1:9/api/")
        found = Installations(self.store, KEY)
        return Installer(load_settings(given), found, workspaces(client))

    async def elsewhere(self) -> list[tuple[str, list[Duty]]]:
        await asyncio.sleep(self.pagers_take)
        return [("pagerduty", [Duty(schedule="<i>Core</i>", person="Tim")])]

    def catalog(self) -> Catalog:
        return self.whole or Catalog(
            people=self.people, services=[Service(id="web", title="Web", tier="p0")]
        )

    async def _proofs(self) -> list[PathProof]:
        return self.proofs

    async def paper(
        self, html: str = "<h1>Postmortem</h1>", number: int = 1, *,
        markdown: str = "# Postmortem", state: str = "draft",
    ) -> None:  # fmt: skip
        """An incident's postmortem."""
        made = Postmortem(
            incident_id=number, state=state, markdown=markdown, html=html, drawn_from=2
        )
        async with self.store.write() as session:
            session.add(made)

    def browser(self) -> httpx.AsyncClient:
        transport = httpx.ASGITransport(app=self.app)
        return httpx.AsyncClient(transport=transport, base_url=BASE)

    async def signed_in(self, person: str = "rosa") -> httpx.AsyncClient:
        browser = self.browser()
        assert (await browser.get(signin_link(KEY, person, BASE))).status_code == 303
        return browser

    async def incident(self, title: str = "Checkout is down") -> Incident:
        async with self.store.write() as session:
            return await self.incidents.declare(
                session, title=title, severity="sev1", actor="person:rosa", origin=title,
                services=["web"],
            )  # fmt: skip

    async def waiting_run(self, incident: Incident) -> Run:
        async with self.store.write() as session:
            run = Run(
                incident_id=incident.number, runbook_id="drain", title="Drain an edge", text="",
                digest="d", path="drain.md", origin=f"test-{incident.number}", state="waiting", requester="rosa",
                plan=PLAN, plan_digest="p" * 64,
            )  # fmt: skip
            session.add(run)
            await session.flush()
            await self.runs.show(session, run)
            return run

    async def rows(self, incident: Incident) -> list[Entry]:
        async with self.store.read() as session:
            return await rows_of(session, incident.number)


def marker(page: str) -> dict[str, str]:
    """What the page's hidden fields say that it shows."""
    form = re.search(r'<form id="marker".*?</form>', page, re.DOTALL)
    assert form
    return dict(re.findall(r'name="(\w+)" value="([^"]*)"', form[0]))
