"""What every surface shares, as `bot.app` wires it, over one real store and a folder of runbooks."""

import itertools
from datetime import timedelta
from pathlib import Path
from typing import Any

from sqlmodel import col, select

from bot.access import Dialer, PathProof, Prober
from bot.alerts import Silences
from bot.catalog import Person
from bot.chat import Cards, Clicks, Command, Commands, OnCall, Rendered, Reply, Silencing, Ways
from bot.contract import Duty
from bot.delivery import Delivery, Message, Outbox
from bot.incidents import Incident, Incidents
from bot.paging.flow import Paging
from bot.registry import Registry
from bot.runbooks import Drills, Library, Run, Runs
from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of
from tests.slackstub.blocks import check_message


class ChatRoom:
    """`type_`, `click` and `card` are what a surface does; people are those of the catalog."""

    def __init__(self, store: Store, folder: Path, registry: Registry) -> None:
        self.store = store
        self.folder = folder
        self.library = Library(folder, registry)
        outbox = Outbox(("slack",))
        self.incidents = Incidents(Ledger(b"audit"), outbox, lambda: self.library.catalog)
        self.runs = Runs(self.incidents, self.library)
        self.proofs: list[PathProof] = []
        self.duties: list[tuple[str, list[Duty]]] = []
        every = timedelta(minutes=10)
        dialer = Dialer(lambda: self.library.catalog)
        prober = Prober(store, dialer, registry, every, 7 * timedelta(days=1))
        drills = Drills(store, self.incidents.ledger, prober, self.library)
        self.silences = Silences(store, self.incidents.ledger, lambda: self.library.catalog)
        self.commands = Commands(
            self.incidents,
            self.runs,
            Ways(self._proofs, drills),
            Silencing(self.silences),
            OnCall(Paging(self.incidents), self.elsewhere),
            "https://jackline.example.com/",
        )
        self.clicks = Clicks(self.incidents, self.runs)
        self.cards = Cards(lambda: self.library.catalog, "https://jackline.example.com/")
        self._keys = itertools.count(1)

    async def _proofs(self) -> list[PathProof]:
        return self.proofs

    async def elsewhere(self) -> list[tuple[str, list[Duty]]]:
        return self.duties

    async def type_(
        self, text: str, person: str = "ana", *, at: int | None = None, key: str = ""
    ) -> Reply:
        """``/incident …`` or ``/runbook …``; ``at`` is the incident of the channel."""
        name, _, rest = text.removeprefix("/").partition(" ")
        key = key or f"key:{next(self._keys)}"
        command = Command(name, rest, self.person(person), key, "slack", at)
        async with self.store.write() as session:
            reply = await self.commands.handle(session, command)
        if reply.blocks:
            check_message(reply.blocks, [])
        assert 0 < len(reply.text) < 40_000
        return reply

    async def click(
        self, action_id: str, value: str, person: str = "ana", *, at: int | None = None
    ) -> Reply:
        """``at`` is the incident in whose channel the button stands."""
        who = self.person(person)
        async with self.store.write() as session:
            reply = await self.clicks.handle(session, action_id, value, who, "slack", at)
        if reply.blocks:
            check_message(reply.blocks, [])
        return reply

    def person(self, name: str) -> Person | None:
        return self.library.catalog.person(name)

    async def card(self, number: int, kind: str = "card", **more: Any) -> Rendered:
        """A message of an incident as Slack would take it: its validator found nothing."""
        message = Message(
            incident_id=number, key="k", kind=kind, author=more.pop("author", "jackline"),
            origin=more.pop("origin", ""), payload=more,
        )  # fmt: skip
        async with self.store.read() as session:
            drawn = await self.cards.render(session, message)
        check_message(drawn.blocks, [])
        assert 0 < len(drawn.text) < 40_000
        return drawn

    async def message(self, key: str, number: int = 1) -> Rendered:
        """The message with that key as Slack would take it now."""
        query = select(Message).where(Message.key == f"{number}:{key}")
        async with self.store.read() as session:
            message = (await session.execute(query)).scalar_one()
            drawn = await self.cards.render(session, message)
        check_message(drawn.blocks, [])
        return drawn

    async def incident(self, number: int = 1) -> Incident:
        async with self.store.read() as session:
            return await session.get_one(Incident, number)

    async def rows(self, number: int = 1) -> list[Entry]:
        async with self.store.read() as session:
            return await rows_of(session, number)

    async def deliveries(self) -> list[Delivery]:
        async with self.store.read() as session:
            query = select(Delivery).order_by(col(Delivery.id))
            return list((await session.execute(query)).scalars())

    async def versions(self) -> dict[str, int]:
        """How often each message was posted or edited, by its key."""
        async with self.store.read() as session:
            query = select(Message.key, Message.version)
            return {row.key: row.version for row in (await session.execute(query)).all()}

    async def stored_runs(self) -> list[Run]:
        async with self.store.read() as session:
            return list((await session.execute(select(Run))).scalars())

    async def plan(self, **values: Any) -> int:
        """A run as the engine would have left it; its id."""
        async with self.store.write() as session:
            given = {
                "incident_id": 1, "runbook_id": "fix", "title": "Fix the shop", "text": "",
                "digest": "d", "path": "p", "origin": f"o{next(self._keys)}", "plan_digest": "pd",
                "plan": {"steps": [], "approvals": {"count": 1, "from": "approver", "ttl": 1800}},
            }  # fmt: skip
            run = Run(**(given | values))
            session.add(run)
            await session.flush()
            return run.number


def words(blocks: list[dict[str, Any]]) -> str:
    """All mrkdwn of some blocks: what Slack would look for mentions and links in."""
    found: list[str] = []
    for block in blocks:
        texts = [block.get("text"), *block.get("fields", []), *block.get("elements", [])]
        found += [t["text"] for t in texts if isinstance(t, dict) and t.get("type") == "mrkdwn"]
    return "\n".join(found)
