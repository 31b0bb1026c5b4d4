"""Rules that ask first: alerts wait, an answer settles all of them, and none is lost."""

import asyncio
from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update

from bot.alerts import Question, StoredAlert
from bot.alerts.questions import BUDGET, HELD
from bot.catalog import Catalog, Person, Rule, Service
from bot.delivery import Delivery, Message
from bot.errors import Conflict, NotFound
from bot.incidents import Incident
from bot.store import now
from tests.alerts.room import BLOG, SHOP, Room, an_alert

ANA = Person(id="ana", name="Ana")
ASK = Rule(match={"service": "shop"}, declare="ask")
ASKING = Catalog(services=[SHOP, BLOG], people=[ANA], rules=[ASK])


@pytest.fixture
def room(room: Room) -> Room:
    room.catalog = ASKING
    return room


async def declare(room: Room, number: int = 1, by: str = "person:ana") -> Incident:
    async with room.store.write() as session:
        return await room.questions.declare(session, number, by)


async def refuse(room: Room, number: int = 1) -> None:
    async with room.store.write() as session:
        await room.questions.refuse(session, number, "person:ana")


async def change(room: Room, number: int = 1, **values: Any) -> None:
    async with room.store.write() as session:
        await session.execute(update(Question).where(Question.id == number).values(**values))  # type: ignore[arg-type]  # a column's comparison


async def overdue(room: Room, number: int = 1) -> None:
    """As if nobody had answered in time, and the clock came round."""
    await change(room, number, due_at=now() - timedelta(seconds=1))
    await room.questions.look(room.store)


async def states(room: Room) -> list[tuple[str, str | None, int | None]]:
    return [(a.state, a.held_by, a.incident_id) for a in await room.stored()]


async def question(room: Room, number: int = 1) -> Question:
    found: list[Question] = await room.all(Question)
    return next(q for q in found if q.id == number)


async def test_a_question_instead_of_an_incident(room: Room) -> None:
    """What matches waits, is counted, and raises the severity; the others go on."""
    before = now()
    incidents = await room.route(
        an_alert("Slow", severity="warning"), an_alert("Errors", severity="critical"),
        an_alert("Slow", minute=1), an_alert("BlogDown", service="blog"),
    )  # fmt: skip
    assert [i.services for i in incidents] == [["blog"]]
    assert [s[:2] for s in await states(room)] == [
        ("asked", "question:1"), ("asked", "question:1"), ("asked", "question:1"), ("routed", None),
    ]  # fmt: skip
    asked = await question(room)
    assert (asked.state, asked.severity, asked.fired) == ("open", "sev1", 3)
    assert asked.firing == {"Slow": 2, "Errors": 1}
    assert asked.opening["title"] == "Shop: Slow is firing"
    assert timedelta(seconds=599) < asked.due_at - before < timedelta(seconds=601)
    because = (await room.stored())[0].decision["because"]
    assert because.endswith("people are asked by question 1")
    assert [r.kind for r in await room.rows(0)] == ["question_asked"]


async def test_one_message_edited_in_place(room: Room) -> None:
    """It goes where the digest is; what is not sent yet takes later alerts along."""
    await room.route(*(an_alert(f"A{n}", minute=n) for n in range(30)))
    (message,) = [m for m in await room.all(Message) if m.kind == "question"]
    assert (message.incident_id, message.payload) == (0, {"question": 1})
    (delivery,) = await room.all(Delivery)
    assert (delivery.op, delivery.message_id) == ("digest", message.id)
    assert len((await question(room)).firing) == 20
    assert (await question(room)).fired == 30


async def test_declared_by_a_person_with_all_that_waited(room: Room) -> None:
    """Also what has resolved meanwhile; what comes later joins as usual, and asks nobody."""
    await room.route(
        an_alert("Slow", severity="warning"), an_alert("Errors"), an_alert("Slow", "resolved"),
    )  # fmt: skip
    assert (await question(room)).ended == 1
    incident = await declare(room)
    assert (incident.declared_by, incident.origin) == ("person:ana", "question:1")
    assert (incident.severity, incident.services, incident.open_key) == (
        "sev2", ["shop"], "service:shop",
    )  # fmt: skip
    await room.route(an_alert("Later"))
    assert await states(room) == [("routed", "question:1", 1)] * 3 + [("routed", None, 1)]
    kinds = await room.kinds()
    assert kinds[:2] == ["incident_declared", "question_answered"]
    assert Counter(kinds[2:]) == {"alert_received": 3, "alert_resolved": 1}
    answered = (await room.rows())[1]
    assert answered.actor == "person:ana"
    assert answered.text.startswith("Asked at ")
    assert "(question 1). Ana declared #1 at " in answered.text
    assert len(await room.all(Question)) == 1


async def test_answered_once(room: Room) -> None:
    """The second answer hears what the first was, whoever gives it."""
    await room.route(an_alert())
    await declare(room)
    for again in (declare, refuse):
        with pytest.raises(Conflict, match=r"not open any more\. Ana declared #1 at 20"):
            await again(room)
    with pytest.raises(NotFound, match="no question 7"):
        await declare(room, 7)
    assert len(await room.all(Incident)) == 1


async def test_two_answers_at_the_same_moment(room: Room) -> None:
    """One of them counts, the other is told so."""
    await room.route(an_alert())
    done = await asyncio.gather(declare(room), refuse(room), declare(room), return_exceptions=True)
    assert sum(isinstance(each, Conflict) for each in done) == 2
    state = (await question(room)).state
    assert len(await room.all(Incident)) == (1 if state == "declared" else 0)


async def test_refused_and_not_asked_again_at_once(room: Room) -> None:
    """New alerts of the group are held; those that still fire then are asked about again."""
    await room.route(an_alert("Slow"))
    await refuse(room)
    assert await room.route(an_alert("New"), an_alert("Brief"), an_alert("Brief", "resolved")) == []
    assert [s[:2] for s in await states(room)] == [
        ("refused", "question:1"), ("held", "question:1"), ("held", "question:1"), ("routed", None),
    ]  # fmt: skip
    refused = await question(room)
    assert (refused.state, refused.answered_by) == ("refused", "person:ana")
    assert refused.held_until is not None
    assert refused.answered_at is not None
    assert refused.held_until - refused.answered_at <= HELD
    because = (await room.stored())[1].decision["because"]
    assert "; held until " in because
    assert "Ana said at " in because

    await room.questions.look(room.store)
    assert len(await room.all(Question)) == 1
    await change(room, held_until=now() - timedelta(seconds=1))
    await room.questions.look(room.store)
    await room.questions.look(room.store)
    await room.route()
    assert [(s[0], s[1]) for s in await states(room)] == [
        ("refused", "question:1"), ("asked", "question:2"), ("routed", "question:1"),
        ("routed", None),
    ]  # fmt: skip
    assert (await question(room, 2)).firing == {"New": 1}
    assert [r.kind for r in await room.rows(0)] == [
        "question_asked", "question_refused", "question_asked",
    ]  # fmt: skip


async def test_nobody_answers_and_it_still_fires(room: Room) -> None:
    """A lost alert is worse than a false one."""
    await room.route(an_alert("Slow"), an_alert("Errors"), an_alert("Slow", "resolved"))
    await room.questions.look(room.store)
    assert await room.all(Incident) == []
    await overdue(room)
    await room.questions.look(room.store)
    (incident,) = await room.route()
    assert (incident.declared_by, incident.origin) == ("jackline", "question:1")
    assert [s[2] for s in await states(room)] == [1, 1, 1]
    assert "It became #1 by itself at " in (await room.rows())[1].text


async def test_nobody_answers_and_it_has_ended(room: Room) -> None:
    await room.route(an_alert("Slow"), an_alert("Slow", "resolved"))
    await overdue(room)
    assert await room.route() == []
    assert (await question(room)).state == "ended"
    assert [s[0] for s in await states(room)] == ["routed", "routed"]
    await room.route(an_alert("Slow", minute=20))
    assert (await question(room, 2)).state == "open"


async def test_it_fires_again_before_anyone_answers(room: Room) -> None:
    """Flapping stays one question, which counts it."""
    for minute in range(3):
        await room.route(an_alert(minute=minute), an_alert(status="resolved", minute=minute))
    asked = await question(room)
    assert (asked.fired, asked.ended, len(await room.all(Question))) == (3, 3, 1)


async def test_a_late_end_of_an_earlier_start_does_not_end_it(room: Room) -> None:
    """What fires now goes on waiting for an answer, and becomes an incident without one."""
    await room.route(an_alert(), an_alert(minute=10), an_alert(status="resolved"))
    assert (await question(room)).ended == 0
    await overdue(room)
    await room.questions.look(room.store)
    (incident,) = await room.route()
    assert incident.alerts_ended_at is None


async def test_what_belongs_to_an_open_incident_asks_nobody(room: Room) -> None:
    """Of its group or of what its service stands on, as for any other alert."""
    web = Service(id="web", title="Web", tier="p1", depends_on=["blog"])
    asks = Rule(match={"service": "web"}, declare="ask")
    room.catalog = Catalog(services=[SHOP, BLOG, web], rules=[asks])
    (incident,) = await room.route(an_alert("BlogDown", service="blog"))
    await room.route(an_alert("WebDown", service="web"))
    assert await room.all(Question) == []
    assert [s[2] for s in await states(room)] == [incident.id, incident.id]


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "one after the other"])
async def test_one_that_must_not_wait_takes_the_others_along(room: Room, *, together: bool) -> None:
    """An alert of the group whose rule declares at once answers the question."""
    critical = Rule(match={"severity": "critical"})
    room.catalog = ASKING.model_copy(update={"rules": [critical, ASK]})
    slow, down = an_alert("Slow"), an_alert("Down", severity="critical")
    if together:
        await room.route(slow, down)
    else:
        await room.route(slow)
        await room.route(down)
    (incident,) = await room.all(Incident)
    assert incident.severity == "sev1"
    assert [s[2] for s in await states(room)] == [1, 1]
    assert (await question(room)).incident_id == 1
    assert Counter(await room.kinds())["alert_received"] == 2


async def test_declared_though_its_group_has_an_incident_by_now(room: Room) -> None:
    """The click joins that one: a group has one open incident."""
    await room.route(an_alert("Slow"))
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="By hand", severity="sev3", actor="person:ana", origin="o",
            open_key="service:shop",
        )  # fmt: skip
    assert (await declare(room)).origin == "o"
    await room.route()
    assert [s[2] for s in await states(room)] == [1]


async def test_nobody_answers_as_people_declared_by_hand(room: Room) -> None:
    """One cause, one incident: who typed instead of clicking gets no second one when time is up."""
    await room.route(an_alert("Slow"))
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="By hand", severity="sev3", actor="person:ana", origin="o",
            services=["shop"],
        )  # fmt: skip
    await overdue(room)
    assert [i.origin for i in await room.route()] == ["o"]
    assert (await question(room)).incident_id == 1
    assert [s[2] for s in await states(room)] == [1]


async def test_a_service_that_left_the_catalog_costs_no_incident(room: Room) -> None:
    await room.route(an_alert())
    room.catalog = Catalog(people=[ANA])
    assert (await declare(room)).services == []


async def test_a_silence_comes_before_a_question(room: Room) -> None:
    """What is silenced asks nobody; when the silence ends, it does."""
    async with room.store.write() as session:
        from bot.alerts.holding import Wish  # noqa: PLC0415 - of this test alone

        await room.silences.set(session, Wish({"service": "shop"}, 60, "a move"), "ana", "o")
    await room.route(an_alert())
    assert await room.all(Question) == []
    async with room.store.write() as session:
        await room.silences.end(session, 1, "ana")
    await room.route()
    assert (await question(room)).fired == 1


async def test_a_storm_of_questions_has_a_budget(room: Room) -> None:
    """Some are posted, the others counted in one message; answered ones make room."""
    per_zone = Rule(declare="ask", group=["zone"])
    room.catalog = Catalog(services=[SHOP], people=[ANA], rules=[per_zone])
    many = BUDGET + 5
    await room.route(*(an_alert(f"A{n}", zone=str(n)) for n in range(many)))
    asked: list[Question] = await room.all(Question)
    assert [q.posted for q in asked] == [True] * BUDGET + [False] * 5
    messages = await room.all(Message)
    assert len([m for m in messages if m.kind == "question"]) == BUDGET
    (rest,) = [m for m in messages if m.key == "0:questions"]
    await refuse(room, 1)
    await declare(room, 2)
    await room.questions.look(room.store)
    await room.questions.look(room.store)
    asked = await room.all(Question)
    assert [q.posted for q in asked] == [True] * (BUDGET + 2) + [False] * 3
    async with room.store.read() as session:
        assert len(await room.questions.pending(session)) == many - 2
        again = await session.get_one(Message, rest.id)
    assert again.payload["text"].startswith("Questions that wait for room here: 3.")


async def test_a_second_process_goes_on(room: Room) -> None:
    """Nothing of a question is in memory: another process adds to it and answers it."""
    await room.route(an_alert("Slow"))
    other = Room(room.store, ASKING)
    async with asyncio.timeout(20):
        task = asyncio.create_task(other.intake.run())
        await other.route(an_alert("Errors"))
        assert (await question(other)).fired == 2
        await declare(other)
        await other.route()
        task.cancel()
    assert [s[2] for s in await states(room)] == [1, 1]


async def test_routers_and_answers_at_the_same_time(room: Room) -> None:
    """Whatever comes first, every alert ends with the incident, and there is one."""
    rooms = [Room(room.store, ASKING) for _ in range(2)]
    for number in range(40):
        await room.intake.accept([an_alert(f"A{number}", minute=number)])

    async def answer() -> None:
        while True:
            try:
                await declare(room)
            except NotFound:
                await asyncio.sleep(0.005)
            else:
                return

    async def work(each: Room) -> None:
        for number in range(10):
            await each.route()
            await room.intake.accept([an_alert(f"B{number}{id(each)}")])

    await asyncio.gather(answer(), *(work(each) for each in rooms))
    await room.route()
    alerts: list[StoredAlert] = await room.stored()
    assert {(a.state, a.incident_id) for a in alerts} == {("routed", 1)}
    assert len(await room.all(Incident)) == 1
    kinds = Counter(await room.kinds())
    assert kinds["alert_received"] == BUDGET


async def test_its_own_time(room: Room) -> None:
    soon = ASK.model_copy(update={"ask_within": 60.0})
    room.catalog = ASKING.model_copy(update={"rules": [soon]})
    await room.route(an_alert())
    asked = await question(room)
    assert asked.due_at - asked.asked_at == timedelta(seconds=60)


async def test_one_that_cannot_be_declared_keeps_no_other_waiting(room: Room) -> None:
    room.catalog = Catalog(services=[SHOP, BLOG], rules=[Rule(declare="ask")])
    await room.route(an_alert("Slow"), an_alert("BlogDown", service="blog"))
    asked = await question(room)
    await change(room, opening={**asked.opening, "title": " "}, due_at=now())
    await overdue(room, 2)
    (incident,) = await room.route()
    assert incident.services == ["blog"]
    assert [q.state for q in await room.all(Question)] == ["open", "declared"]
