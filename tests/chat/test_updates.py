"""Updates in chat: said once, to whom they are for, after a second look where others read them."""

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import update as change
from sqlmodel import col, select

from bot.catalog import AudiencePlace, Notifier, Service, SeverityRule, Target
from bot.catalog.severity import DEFAULTS
from bot.delivery import Delivery, Message
from bot.errors import BadInput, Conflict, NotAllowed
from bot.incidents.due_tables import Update
from bot.store import now
from tests.chat.room import ChatRoom, words

PLACES = [
    AudiencePlace(id="customers", channels=["C0CUST", "C0NEWS"], notifiers=["mail"]),
    AudiencePlace(id="executives", channels=["C0EXEC"]),
    AudiencePlace(id="internal", channels=["C0ENG"]),
]


@pytest.fixture
async def told(room: ChatRoom) -> ChatRoom:
    """An incident, places for all audiences, and a rule with a pace for customers."""
    room.library.catalog = room.library.catalog.model_copy(update={
        "audiences": PLACES,
        "severities": [SeverityRule.model_validate({"id": "sev2", "updates": {"internal": "1h", "customers": "30m"}})],
        "services": [Service(id="shop", title="shop-core", tier="p0", public="The <shop>")],
        "targets": [Target(name="smtp/r", url="tcp://mail:25")],
        "notifiers": [Notifier(id="mail", integration="smtp", target="smtp/r", to=["a@b.c", "d@b.c"])],
    })  # fmt: skip
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Kafka <burns>", severity="sev2", actor="person:ana", origin="o",
            services=["shop"],
        )  # fmt: skip
    return room


async def updates(room: ChatRoom) -> list[Update]:
    async with room.store.read() as session:
        return list((await session.execute(select(Update).order_by(col(Update.id)))).scalars())


async def said(room: ChatRoom) -> list[tuple[int, str]]:
    """(incident, key) of the messages that are updates."""
    query = select(Message).where(Message.kind == "update").order_by(col(Message.id))
    async with room.store.read() as session:
        return [(m.incident_id, m.key) for m in (await session.execute(query)).scalars()]


def send(reply: Any) -> tuple[str, str]:
    (button,) = reply.blocks[-1]["elements"]
    return button["action_id"], button["value"]


async def test_internal_is_said_at_once(told: ChatRoom) -> None:
    """With its row, and the promise of the next one."""
    reply = await told.type_("/incident update DNS <is> back next in 30m", "ben")
    assert reply.text.startswith("The update is out to internal. The next is promised for ")
    (update,) = await updates(told)
    assert update.text == "DNS <is> back"
    assert timedelta(minutes=29) < update.next_at - now() < timedelta(minutes=31)  # type: ignore[operator]
    row = (await told.rows())[-1]
    assert (row.kind, row.actor, row.text) == (
        "communication_sent", "person:ben", "Update to internal: DNS <is> back",
    )  # fmt: skip
    assert row.data["audience"] == "internal"
    assert await said(told) == [(1, "1:update-1"), (0, "0:update-1-C0ENG")]
    drawn = await told.card(1, "update", update=1)
    assert "DNS &lt;is&gt; back" in words(drawn.blocks)


async def test_the_same_command_twice_is_one_update(told: ChatRoom) -> None:
    for _ in range(2):
        await told.type_("/incident update Back", key="k1")
    assert [r.kind for r in await told.rows()].count("communication_sent") == 1


async def test_customers_after_a_second_look(told: ChatRoom) -> None:
    """Shown as it will go out and where to; sent by the button, once, to every place."""
    reply = await told.type_("/incident update customers We work on it")
    assert "not sent yet" in words(reply.blocks)
    assert "We work on it" in words(reply.blocks)
    assert "<#C0CUST>, <#C0NEWS>, the notifier mail" in words(reply.blocks)
    assert await said(told) == []
    button = send(reply)
    answer = await told.click(*button)
    assert answer.text.startswith("The update is out to customers. The next is promised for")
    with pytest.raises(Conflict, match="That update went out at"):
        await told.click(*button)
    assert await said(told) == [
        (1, "1:update-1"), (0, "0:update-1-C0CUST"), (0, "0:update-1-C0NEWS"),
    ]  # fmt: skip
    async with told.store.read() as session:
        posts = await session.execute(select(Delivery).where(Delivery.op == "digest"))
        mails = await session.execute(select(Delivery).where(Delivery.op == "notify"))
        assert [p.payload.get("channel") for p in posts.scalars()][-2:] == ["C0CUST", "C0NEWS"]
        assert [m.payload["to"] for m in mails.scalars()] == ["a@b.c", "d@b.c"]
    out = words((await told.card(1, "update", update=1, outside=True)).blocks)
    assert out.startswith("We work on it\nNext update by <!date^")
    assert "UTC>" in out
    for ours in ("Kafka", "sev2", "SEV2", "#1", "Ana", "ana"):
        assert ours not in out


async def test_words_of_ours_are_asked_about(told: ChatRoom) -> None:
    reply = await told.type_("/incident update customers SEV2: Ana restarts shop-core")
    assert "It says “SEV2”, “Ana”, “shop-core”: should customers read that?" in words(reply.blocks)


async def test_a_draft(told: ChatRoom) -> None:
    """Without words: something to send or to change, and nothing of ours for customers."""
    reply = await told.type_("/incident update customers")
    assert reply.draft is not None
    assert reply.draft.text == "We are investigating a problem with The <shop>."
    await told.click(*send(reply))
    inside = await told.type_("/incident update")
    assert inside.draft is not None
    assert inside.draft.text.startswith("shop-core: SEV2, declared, since ")
    assert [u.sent_at is None for u in await updates(told)] == [False, True]
    await told.click(*send(inside), "ben")
    assert (await told.rows())[-1].data["audience"] == "internal"


async def test_the_title_is_for_executives_unless_it_is_private(told: ChatRoom) -> None:
    await told.click(*send(await told.type_("/incident update executives It burns")))
    assert "*#1 Kafka &lt;burns&gt;* · SEV2" in words(
        (await told.card(1, "update", update=1, outside=True)).blocks
    )
    async with told.store.write() as session:
        (await told.incidents.get(session, 1)).private = True
    assert "*#1 a private incident*" in words(
        (await told.card(1, "update", update=1, outside=True)).blocks
    )


async def test_what_is_internal_to_a_private_incident_stays_there(told: ChatRoom) -> None:
    """No other channel hears of it, whatever the catalog says; nor does the record say it did."""
    async with told.store.write() as session:
        (await told.incidents.get(session, 1)).private = True
    await told.type_("/incident update It was Ana's laptop")
    assert await said(told) == [(1, "1:update-1")]
    assert (await told.rows())[-1].data["channels"] == []


async def test_corrected_by_a_row_of_its_own(told: ChatRoom) -> None:
    """The same messages show the new words; the record has both."""
    await told.click(*send(await told.type_("/incident update customers Payments are down")))
    reply = await told.type_("/incident correct customers Payments are slow")
    await told.click(*send(reply))
    assert len(await said(told)) == 3
    drawn = words((await told.card(1, "update", update=1, outside=True)).blocks)
    assert "Payments are slow" in drawn
    assert "orrected at" in drawn
    assert "down" not in drawn
    texts = [r.text for r in await told.rows() if r.kind == "communication_sent"]
    assert texts == [
        "Update to customers: Payments are down", "Correction to customers: Payments are slow",
    ]  # fmt: skip
    with pytest.raises(Conflict, match="Nothing was said to internal yet"):
        await told.type_("/incident correct Oops")
    with pytest.raises(BadInput, match="Usage: /incident correct"):
        await told.type_("/incident correct customers")


async def test_who_may(told: ChatRoom) -> None:
    """Looked at when it is typed and again at the click, as the catalog is then."""
    with pytest.raises(NotAllowed, match="Telling customers is for the incident's commander"):
        await told.type_("/incident update customers All is well", "ben")
    with pytest.raises(NotAllowed, match=r"You have no role|needs the role 'responder'"):
        await told.type_("/incident update All is well", "eli")
    button = send(await told.type_("/incident update customers All is well"))
    with pytest.raises(NotAllowed):
        await told.click(*button, "ben")
    await told.type_("/incident lead", "ben")
    assert "is out to customers" in (await told.click(*button, "ben")).text


async def test_an_old_preview_is_not_sent(told: ChatRoom) -> None:
    button = send(await told.type_("/incident update customers All is well"))
    async with told.store.write() as session:
        await session.execute(change(Update).values(written_at=now() - timedelta(minutes=31)))
    with pytest.raises(Conflict, match="much may have changed"):
        await told.click(*button)


async def test_an_audience_without_a_place(room: ChatRoom) -> None:
    """Else its author would believe that customers were told."""
    await room.type_("/incident declare Down")
    with pytest.raises(Conflict, match="The catalog does not say where customers read updates"):
        await room.type_("/incident update customers All is well")


async def test_the_card_and_the_digest_say_when(told: ChatRoom) -> None:
    """Next, last, and what is overdue; of an incident that is over, no next one."""
    for kind in ("card", "digest"):
        assert "none yet, next to customers" in words((await told.card(1, kind)).blocks)
    await told.type_("/incident update Back")
    assert "pdates: last " in words((await told.card(1)).blocks)
    async with told.store.write() as session:
        incident = await told.incidents.get(session, 1)
        incident.declared_at = now() - timedelta(hours=2)
    for kind in ("card", "digest"):
        assert "⏰ *overdue to customers* since" in words((await told.card(1, kind)).blocks)
    await told.type_("/incident resolve")
    shown = words((await told.card(1)).blocks)
    assert "overdue" not in shown
    assert "next" not in shown
    assert DEFAULTS["sev4"].updates == {}


async def test_card_overview_and_notes_say_the_same_once(told: ChatRoom) -> None:
    """When people were told last and hear next comes from the updates; no card says it twice."""
    async with told.store.write() as session:
        row = await told.incidents.get(session, 1)
        row.declared_at = now() - timedelta(hours=2)
    note = words((await told.type_("/incident catchup", at=1)).blocks)
    assert re.search(r"• No update yet; overdue to customers (?:\S{10} )?..:.. UTC", note)
    await told.type_("/incident update DNS is back next in 30m", "ben")
    await told.click(*send(await told.type_("/incident update customers We work on it")))
    note = words((await told.type_("/incident catchup", at=1)).blocks)
    (line,) = [each for each in note.splitlines() if "pdate" in each]
    said = r"• Last update to customers, ..:.. UTC; the next is due(?: to customers)? (?:\S{10} )?..:.. UTC: We work on it"
    assert re.fullmatch(said, line)
    await told.type_("/incident handover")
    async with told.store.read() as session:
        query = select(Message).where(Message.kind == "handover")
        payload = (await session.execute(query)).scalar_one().payload
    assert [f"• {each}" for each in payload["lines"] if "pdate" in each] == [line]
    for drawn in ((await told.card(1)).blocks, (await told.type_("/incident this", at=1)).blocks):
        (line,) = [each for each in words(drawn).splitlines() if "pdate" in each]
        assert line.startswith("📣 Updates: last ")
        assert ", next" in line
