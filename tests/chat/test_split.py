"""Alerts that are split off an incident or joined to one by hand, and where the likes of them go."""

import json
from typing import Any

import pytest
from sqlmodel import col, select

from bot.alerts import StoredAlert
from bot.alerts.moving import BUDGET
from bot.catalog import Service
from bot.delivery import Delivery
from bot.errors import BadInput, Conflict, JacklineError, NotFound
from bot.store import now
from tests.chat.hands import SERVICES, Hands, shown
from tests.chat.room import words

pytestmark = pytest.mark.slow


async def refused(work: Any, kind: type[JacklineError] = BadInput) -> str:
    with pytest.raises(kind) as caught:
        await work
    return str(caught.value)


def stands_on(hands: Hands, service: str, *below: str) -> None:
    """Changes the catalog: a service stands on others."""
    services: list[Service] = [
        s.model_copy(update={"depends_on": list(below)}) if s.id == service else s for s in SERVICES
    ]
    hands.room.library.catalog = hands.room.library.catalog.model_copy(
        update={"services": services}
    )


@pytest.fixture
async def one(hands: Hands) -> Hands:
    """#1: of the shop, with two kinds of alerts on two hosts."""
    await hands.alert("ShopDown", labels={"severity": "critical", "host": "a"})
    await hands.alert("DiskFull", labels={"host": "b"})
    await hands.alert("DiskSlow", labels={"host": "b", "severity": "warning"})
    return hands


async def test_shown_first(one: Hands) -> None:
    before = await one.rows(1)
    reply, (action_id, value) = await one.types("split #1 alertname=Disk*")
    assert shown(reply) == [
        "Make alertname=Disk* of #1 ShopDown fires (sev1, declared) an incident of its own?",
        "a new sev2 incident about shop has 2 alerts: DiskFull (1), DiskSlow (1)",
        "in #1 stays 1 alert: ShopDown (1)",
        "further alerts like these go to the new one; /incident merge takes it back",
    ]
    assert action_id == "incident_split"
    assert json.loads(value.split("|", 3)[3]) == {"alertname": "Disk*"}
    assert await one.rows(1) == before


async def test_split_off(one: Hands) -> None:
    """An incident of its own, with a channel and its alerts' rows at their own times."""
    said = await one.does("split #1 alertname=Disk*")
    assert said.text == "Incident 2 was split off #1. Its channel is being opened."
    made, source = await one.incident(2), await one.incident(1)
    assert (made.title, made.severity, made.services) == ("Shop: DiskFull fires", "sev2", ["shop"])
    assert (made.status, made.declared_by, made.proposed_at, made.evidence_at) == (
        "declared", "person:ana", None, None,
    )  # fmt: skip
    assert made.trigger["alert"] == "DiskFull"
    assert (source.services, source.open_key) == (["shop"], "service:shop")
    assert await one.where() == {"ShopDown": 1, "DiskFull": 2, "DiskSlow": 2}
    (there,) = [row for row in await one.rows(1) if row.kind == "alerts_moved"]
    assert there.text == "2 alerts: DiskFull (1), DiskSlow (1) became #2"
    assert (there.actor, there.data["match"]) == ("person:ana", {"alertname": "Disk*"})
    rows = await one.rows(2)
    assert [row.kind for row in rows] == [
        "incident_declared", "alerts_moved", "alert_received", "alert_received",
    ]  # fmt: skip
    assert rows[1].text == "Split off #1: 2 alerts: DiskFull (1), DiskSlow (1)"
    assert rows[2].at < rows[0].at
    assert rows[2].data["fingerprint"] == "DiskFull"
    async with one.store.read() as session:
        query = select(Delivery.payload).where(
            Delivery.incident_id == 2, Delivery.op == "open_channel"
        )
        (opened,) = (await session.execute(query)).scalars()
    assert opened["name"] == "inc-2-shop-diskfull-fires"


async def test_the_likes_of_them_follow(one: Hands) -> None:
    """With these labels and of their group; the rest stays as it was."""
    await one.does("split #1 alertname=Disk*")
    await one.alert("DiskWorn")
    await one.alert("ShopSlow")
    await one.alert("DiskFull2", "blog")
    await one.alert("DiskFull", status="resolved")
    found = await one.where()
    assert (found["DiskWorn"], found["ShopSlow"], found["DiskFull2"]) == (2, 1, 3)
    assert "alert_resolved" in await one.kinds(2)
    await one.become(2, "resolved")
    await one.alert("DiskAgain")
    assert (await one.where())["DiskAgain"] == 1


async def test_a_fingerprint_is_one_alert(one: Hands) -> None:
    """Two of one name are told apart; the other labels count as well."""
    await one.alert("DiskFull", fingerprint="f-2", labels={"host": "c"})
    await one.does("split #1 fingerprint=f-2")
    assert await one.where() == {"ShopDown": 1, "DiskFull": 1, "DiskSlow": 1, "f-2": 2}
    await one.does("split #1 host=b alertname=Disk*")
    assert await one.where() == {"ShopDown": 1, "DiskFull": 3, "DiskSlow": 3, "f-2": 2}
    async with one.store.write() as session:
        session.add(_again("DiskFull", "f-2"))
    await one.router.route_next()
    async with one.store.read() as session:
        query = select(StoredAlert.incident_id).order_by(col(StoredAlert.id).desc())
        assert (await session.execute(query)).scalars().first() == 2


async def test_a_whole_group_takes_its_key_along(hands: Hands) -> None:
    """What joined for what it stands on: its service, its group and its dependents go."""
    stands_on(hands, "shop", "db")
    await hands.alert("DbDown", "db")
    await hands.alert("ShopDown")
    assert await hands.where() == {"DbDown": 1, "ShopDown": 1}
    await hands.does("split #1 service=shop")
    assert await hands.where() == {"DbDown": 1, "ShopDown": 2}
    made, source = await hands.incident(2), await hands.incident(1)
    assert (made.open_key, made.services) == ("service:shop", ["shop"])
    assert (source.open_key, source.services) == ("service:db", ["db"])
    await hands.alert("ShopSlow")
    await hands.alert("DbSlow", "db")
    found = await hands.where()
    assert (found["ShopSlow"], found["DbSlow"]) == (2, 1)


async def test_the_cause_itself_is_split_off(hands: Hands) -> None:
    """Its key goes; the first incident is about what is left of it."""
    stands_on(hands, "shop", "db")
    await hands.alert("DbDown", "db")
    await hands.alert("ShopDown")
    await hands.does("split #1 service=db")
    made, source = await hands.incident(2), await hands.incident(1)
    assert (made.open_key, made.services) == ("service:db", ["db"])
    assert (source.open_key, source.services) == (None, ["shop"])
    await hands.alert("ShopSlow")
    assert (await hands.where())["ShopSlow"] == 1


async def test_merged_back(one: Hands) -> None:
    """That is its undo: all of it, and what comes later, is where it was."""
    await one.does("split #1 alertname=Disk*")
    await one.does("merge #2 into #1")
    assert set((await one.where()).values()) == {1}
    await one.alert("DiskWorn")
    assert (await one.where())["DiskWorn"] == 1
    await one.does("unmerge #2")
    assert (await one.where())["DiskWorn"] == 2


async def test_pressed_twice_is_once(one: Hands) -> None:
    _, button = await one.types("split #1 alertname=Disk*")
    for _ in range(2):
        assert (await one.press(button)).incident_id == 2
    assert len(await one.all()) == 2
    assert (await one.kinds(1)).count("alerts_moved") == 1


async def test_what_came_after_it_was_shown_stays(one: Hands) -> None:
    """Nobody has seen it there; the claim is for what comes later still."""
    _, button = await one.types("split #1 alertname=Disk*")
    await one.alert("DiskNew")
    await one.alert("DiskFull", status="resolved")
    await one.press(button)
    assert (await one.where())["DiskNew"] == 1
    assert "alert_resolved" in await one.kinds(2)  # an end belongs to what ended


async def test_picked_by_name(one: Hands) -> None:
    """Without labels: each name with its count and a button; names are data."""
    await one.alert("<!here> & co", labels={"alertname": "<!here> & co"})
    await one.alert("**", labels={"alertname": "**"})
    reply = await one.room.type_("/incident split", at=1)
    text = words(reply.blocks)
    assert "&lt;!here&gt; &amp; co (1)" in text
    assert "<!here>" not in text
    buttons = {b["text"]["text"]: b.get("accessory") for b in reply.blocks}
    assert buttons["** (1)"] is None
    button = buttons["DiskFull (1)"]
    assert button["confirm"]["text"]["text"] == "DiskFull (1) becomes an incident of its own."
    await one.press((button["action_id"], button["value"]))
    assert (await one.where())["DiskFull"] == 2
    for number in range(20):
        await one.alert(f"N{number}")
    reply = await one.room.type_("/incident split #1")
    assert "… and 4 other names" in words(reply.blocks)
    said = await refused(one.room.type_("/incident split #77"), NotFound)
    assert said.startswith("There is no incident 77.")


async def test_a_storm_is_retold_in_short(hands: Hands) -> None:
    """The first ones have rows of their own; all of them are moved."""
    async with hands.store.write() as session:
        for number in range(1500):
            session.add(_again(f"Disk{number % 3}", f"f{number}"))
    while await hands.router.route_next():
        pass
    await hands.alert("ShopDown")
    await hands.does("split #1 alertname=Disk*")
    assert set((await hands.where()).values()) == {1, 2}
    assert (await hands.where())["ShopDown"] == 1
    kinds = await hands.kinds(2)
    assert kinds.count("alert_received") == BUDGET


WRONG = [
    ("split #1 DiskFull", "'DiskFull' is not LABEL=VALUE"),
    ("split #1 alertname=*", "Say which alerts: * alone would cover everything"),
    ("join #1", "Say which alerts: at least one label is needed"),
    ("join #1 alertname=", "'alertname=' is not LABEL=VALUE"),
    (f"split #1 {' '.join(f'{n}={chr(228) * 290}' for n in 'abcdef')}", "No alert of #1 matches."),
]


async def test_typed_wrongly(one: Hands) -> None:
    for typed, said in WRONG:
        with pytest.raises(JacklineError) as caught:
            await one.types(typed)
        assert str(caught.value).startswith(said)
    said = await refused(one.types("split #1 alertname=Dsk*"), NotFound)
    assert said.startswith("No alert of #1 matches. It has ")
    await one.become(1, "resolved")
    assert await refused(one.types("split #1 alertname=Disk*"), Conflict) == "#1 is resolved."


async def test_labels_too_long_for_a_button(hands: Hands) -> None:
    long = dict.fromkeys("abcd", "ä" * 290)
    await hands.alert("X", labels=long)
    typed = " ".join(f"{n}={value}" for n, value in long.items())
    said = await refused(hands.types(f"split #1 {typed}"))
    assert said.startswith("These labels are too long for a button")


class TestJoin:
    """What is of no incident, or of another one, comes to this one by hand."""

    @pytest.fixture
    async def some(self, hands: Hands) -> Hands:
        """#1 of the shop, #2 of the blog; an alert that no rule declares, one that is silenced."""
        await hands.alert("ShopDown")
        await hands.alert("BlogDown", "blog")
        await hands.alert("BlogSlow", "blog", labels={"severity": "critical"})
        await hands.alert("Quiet", "db")
        await hands.alert("Hushed", "db", state="silenced", held_by="silence:1")
        return hands

    async def test_shown_first(self, some: Hands) -> None:
        reply, _ = await some.types("join #1 alertname=BlogSlow")
        assert shown(reply) == [
            "Join alertname=BlogSlow to #1 ShopDown fires (sev2, declared)?",
            "1 alert: BlogSlow (1); 1 of #2",
            "#1 stays sev2",
            "further alerts like these come here too, unless a rule or a silence holds them back",
        ]
        reply, _ = await some.types("join #1 service=db")
        assert "2 alerts: Quiet (1), Hushed (1); 2 of no incident" in shown(reply)

    async def test_of_no_incident(self, some: Hands) -> None:
        """Stored and kept from incidents: here it is told, and its end as well."""
        said = await some.does("join #1 service=db")
        assert said.text == "Joined to #1: 2 alerts: Quiet (1), Hushed (1)"
        assert (await some.where())["Quiet"] == (await some.where())["Hushed"] == 1
        assert (await some.incident(1)).services == ["shop", "db"]
        rows = await some.rows(1)
        assert [r.kind for r in rows][-3:] == ["alerts_moved", "alert_received", "alert_received"]
        assert rows[-3].text == "Joined by hand: 2 alerts: Quiet (1), Hushed (1); 2 of no incident"
        await some.alert("Hushed", "db", status="resolved")
        assert (await some.rows(1))[-1].text == "Hushed resolved: Hushed fires"
        async with some.store.read() as session:
            query = select(StoredAlert.state).where(StoredAlert.name == "Hushed")
            assert set((await session.execute(query)).scalars()) == {"routed"}

    async def test_of_another_incident(self, some: Hands) -> None:
        """Both timelines say so; the graver severity counts; the likes of it follow."""
        await some.does("join #1 alertname=BlogSlow")
        assert (await some.where())["BlogSlow"] == 1
        assert (await some.where())["BlogDown"] == 2
        (gone,) = [row for row in await some.rows(2) if row.kind == "alerts_moved"]
        assert gone.text == "1 alert went to #1: alertname=BlogSlow"
        await some.alert("BlogSlow", "blog", fingerprint="again", labels={"host": "c"})
        assert (await some.where())["again"] == 1
        await some.does("join #2 alertname=BlogSlow")
        assert (await some.where())["BlogSlow"] == 2
        await some.alert("BlogSlow", "blog", fingerprint="third")
        assert (await some.where())["third"] == 2

    async def test_pressed_twice_is_once(self, some: Hands) -> None:
        _, button = await some.types("join #1 alertname=BlogSlow")
        await some.press(button)
        assert (await some.press(button)).text == "That was done before. #1 is declared."
        assert (await some.kinds(1)).count("alerts_moved") == 1
        assert len((await some.incident(1)).takes) == 1

    async def test_what_resolved_stays(self, some: Hands) -> None:
        await some.alert("BlogSlow", "blog", status="resolved")
        said = await refused(some.types("join #1 alertname=BlogSlow"), NotFound)
        assert said.startswith("No alert that fires outside #1 matches.")

    async def test_a_merged_ones_alert_does_not_go_back(self, some: Hands) -> None:
        """A split or join is meant for good: unmerging takes what is left."""
        await some.does("merge #2 into #1")
        await some.does("split #1 alertname=BlogSlow")
        await some.does("unmerge #2")
        found = await some.where()
        assert (found["BlogDown"], found["BlogSlow"]) == (2, 3)

    async def test_practice_and_the_real_stay_apart(self, some: Hands) -> None:
        async with some.store.write() as session:
            drill = await some.room.incidents.declare(
                session, title="Practice", severity="sev4", actor="person:ana", origin="d",
                drill=True,
            )  # fmt: skip
            session.add(_again("Drilled", "drilled", state="routed", incident_id=drill.number))
        for typed in ("join #3 alertname=BlogSlow", "join #3 alertname=Quiet"):
            assert await refused(some.types(typed)) == "#3 is a drill: it takes no real alerts."
        said = await refused(some.types("join #1 alertname=Drilled"))
        assert said == "#3 is a drill: its alerts stay there."
        await some.does("split #3 alertname=Drilled")
        assert (await some.incident(4)).drill


def _again(name: str, fingerprint: str, **more: Any) -> StoredAlert:
    return StoredAlert(
        source="alertmanager", fingerprint=fingerprint, status="firing", name=name, starts_at=now(),
        labels={"alertname": name, "service": "shop"}, **more,
    )  # fmt: skip
