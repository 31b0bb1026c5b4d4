"""A chat room whose alerts are routed, and people who merge, split and join by hand."""

from typing import Any

from sqlmodel import select

from bot.alerts import AlertRouter, StoredAlert
from bot.catalog import Catalog, Person, Rule, Service
from bot.chat import Reply
from bot.incidents import Incident
from bot.store import now
from bot.timeline import Entry, rows_of
from tests.chat.room import ChatRoom

SERVICES = [
    Service(id="shop", title="Shop", tier="p0", owner="shop-team"),
    Service(id="db", title="Database", tier="p0", owner="db-team"),
    Service(id="blog", title="Blog", tier="p2"),
]
RULES = [Rule(match={"alertname": "Quiet"}, declare="no")]
Button = tuple[str, str]


def shown(reply: Reply) -> list[str]:
    """A proposal's lines."""
    text = reply.blocks[0]["text"]["text"]
    return [line.strip("*").removeprefix("• ") for line in text.splitlines()]


class Hands:
    """`types` shows what would happen, `press` does it; an alert's fingerprint is its name."""

    def __init__(self, room: ChatRoom) -> None:
        self.room = room
        self.store = room.store
        people = [
            person.model_copy(update={"groups": {"ben": ["shop-team"], "cleo": ["db-team"]}.get(person.id, [])})
            for person in room.library.catalog.people
        ]  # fmt: skip
        room.library.catalog = Catalog(services=SERVICES, rules=RULES, people=people)
        self.router = AlertRouter(room.store, room.incidents)

    async def alert(
        self, name: str, service: str = "shop", status: str = "firing", **more: Any
    ) -> None:
        """Accepted and routed."""
        labels = {"alertname": name, "service": service, "severity": "error"}
        labels |= more.pop("labels", {})
        async with self.store.write() as session:
            session.add(StoredAlert(
                source="alertmanager", fingerprint=more.pop("fingerprint", name), status=status,
                name=name, starts_at=now(), labels=labels, annotations={"summary": f"{name} fires"},
                **more,
            ))  # fmt: skip
        while await self.router.route_next():
            pass

    def person(self, name: str) -> Person:
        """One of the catalog's."""
        found = self.room.person(name)
        assert found is not None
        return found

    async def types(self, text: str, person: str = "ana", **more: Any) -> tuple[Reply, Button]:
        """What is proposed, and its button."""
        reply = await self.room.type_(f"/incident {text}", person, **more)
        (button,) = reply.blocks[-1]["elements"]
        return reply, (button["action_id"], button["value"])

    async def press(self, button: Button, person: str = "ana") -> Reply:
        return await self.room.click(*button, person)

    async def does(self, text: str, person: str = "ana") -> Reply:
        """Typed and pressed."""
        _, button = await self.types(text, person)
        return await self.press(button, person)

    async def where(self) -> dict[str, int | None]:
        """Each firing alert's incident."""
        async with self.store.read() as session:
            query = select(StoredAlert).where(StoredAlert.status == "firing").order_by("id")
            return {a.fingerprint: a.incident_id for a in (await session.execute(query)).scalars()}

    async def incident(self, number: int) -> Incident:
        return await self.room.incident(number)

    async def all(self) -> list[Incident]:
        async with self.store.read() as session:
            return list((await session.execute(select(Incident).order_by("id"))).scalars())

    async def rows(self, number: int) -> list[Entry]:
        """The timeline, once all chains are proved."""
        async with self.store.read() as session:
            assert await self.room.incidents.ledger.verify(session) == []
            return await rows_of(session, number)

    async def kinds(self, number: int) -> list[str]:
        return [row.kind for row in await self.rows(number)]

    async def become(self, number: int, status: str) -> None:
        async with self.store.write() as session:
            incident = await self.room.incidents.get(session, number)
            await self.room.incidents.set_status(session, incident, status, "person:ana")
