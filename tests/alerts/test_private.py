"""Private rules, their people and their runbook, from the alert to the incident's channel."""

from bot.alerts.rules import decide, explained
from bot.catalog import Catalog, Person, Rule, Service
from bot.delivery import Delivery
from bot.incidents import Incident
from tests.alerts.room import Room, an_alert

SHOP = Service(id="shop", title="Shop", tier="p0", owner="shop")
DB = Service(id="db", title="Database", tier="p0", owner="dba")
SEC = Service(id="web", title="Web", tier="p0", depends_on=["db"])
PEOPLE = [
    Person(id="ana", name="Ana", groups=["shop"]), Person(id="ben", name="Ben", groups=["sec"]),
    Person(id="cat", name="Cat"), Person(id="dan", name="Dan", groups=["shop", "sec"]),
]  # fmt: skip
LEAK = Rule(match={"kind": "leak"}, visibility="private", people=["@sec"], runbook="leak")
CATALOG = Catalog(services=[SHOP, DB, SEC], people=PEOPLE, rules=[LEAK])


async def sent(room: Room, op: str) -> list[dict[str, object]]:
    return [d.payload for d in await room.all(Delivery) if d.op == op]


async def test_what_a_private_rule_opens(room: Room) -> None:
    """A private channel without the title in its name; the owners and the rule's people."""
    room.catalog = CATALOG
    (incident,) = await room.route(an_alert("Leak", kind="leak"))
    assert (incident.private, incident.people) == (True, ["@sec"])
    assert incident.trigger["runbook"] == "leak"
    (opened,) = await sent(room, "open_channel")
    assert (opened["name"], opened["private"]) == ("inc-1-private", True)
    assert await sent(room, "invite") == [{"people": ["ana", "ben", "dan"]}]


async def test_people_of_a_rule_that_is_not_private(room: Room) -> None:
    rule = Rule(people=["cat", "ben"])
    room.catalog = CATALOG.model_copy(update={"rules": [rule]})
    (incident,) = await room.route(an_alert())
    assert not incident.private
    assert await sent(room, "invite") == [{"people": ["ana", "ben", "cat", "dan"]}]
    (opened,) = await sent(room, "open_channel")
    assert (opened["name"], opened["private"]) == ("inc-1-shopdown-is-firing", False)


async def test_private_and_public_never_meet(room: Room) -> None:
    """Neither by the service nor by what it stands on: one would leak, the other be missed."""
    room.catalog = CATALOG
    await room.route(
        an_alert("Down"), an_alert("Leak", kind="leak"), an_alert("Slow"),
        an_alert("Leak2", kind="leak"), an_alert("DbLeak", kind="leak", service="db"),
        an_alert("WebDown", service="web"),
    )  # fmt: skip
    incidents: list[Incident] = await room.all(Incident)
    assert [(i.private, i.services) for i in incidents] == [
        (False, ["shop"]), (True, ["shop"]), (True, ["db"]), (False, ["web"]),
    ]  # fmt: skip
    assert [a.incident_id for a in await room.stored()] == [1, 2, 1, 2, 3, 4]


async def test_people_see_what_a_declared_question_opened(room: Room) -> None:
    """What the rule says holds for the incident, also when a person answered in between."""
    asks = LEAK.model_copy(update={"declare": "ask"})
    room.catalog = CATALOG.model_copy(update={"rules": [asks]})
    assert await room.route(an_alert("Leak", kind="leak")) == []
    async with room.store.write() as session:
        await room.questions.declare(session, 1, "person:cat")
    (incident,) = await room.route()
    assert (incident.private, incident.people) == (True, ["@sec"])
    assert await sent(room, "invite") == [{"people": ["ana", "ben", "dan", "cat"]}]


def test_groups_of_private_rules_are_their_own() -> None:
    labels = {"kind": "leak", "service": "shop"}
    assert decide(CATALOG, "Leak", labels, "a").group == "private:service:shop"
    assert decide(CATALOG, "Leak", {"service": "shop"}, "a").group == "service:shop"


def test_explained() -> None:
    rule = LEAK.model_copy(update={"declare": "ask", "ask_within": 90.0})
    catalog = CATALOG.model_copy(update={"rules": [rule]})
    assert explained(catalog, "Leak", {"kind": "leak"}, "a")[-4:] == [
        "people are asked first; declared by itself if nobody answers in 1.5 min",
        "invited besides those who own the service: @sec",
        "proposed first: the runbook leak",
        "private: only those who are invited, the commander and admins see it",
    ]
