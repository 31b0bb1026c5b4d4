"""What people type about ways in: what is proven, what still runs, and drills."""

import pytest
from sqlmodel import select

from bot.access import PathProof
from bot.access.tables import PackedBag
from bot.catalog import AccessDrill
from bot.delivery import Message
from bot.errors import BadInput, NotAllowed
from bot.store import now
from tests.chat.room import ChatRoom, words
from tests.slackstub.blocks import check_message


async def test_access_says_what_is_proven_and_what_still_runs(room: ChatRoom) -> None:
    """Each target with its paths; then each runbook, with what it would lack."""
    room.proofs = [
        PathProof("http/shop", "direct", "proven", "action", 60.0, 12.0, ""),
        PathProof("http/shop", "oob", "failing", "action", None, None, "no route <!channel>"),
    ]
    reply = await room.type_("/access status")
    assert reply.text == "1 of 2 access paths are proven."
    shown = "\n".join(block["text"]["text"] for block in reply.blocks)
    assert "✅ direct (12 ms, 1 min ago)  ❌ oob" in shown
    assert "oob failed: no route &lt;!channel&gt;" in shown
    reply = await room.type_("/access whatif internet")
    assert reply.text.startswith("With internet down, ")
    for typed in ("internet, slack", "internet slack", "internet,slack"):
        reply = await room.type_(f"/access whatif {typed}")
        assert reply.text.startswith("With internet, slack down, ")
    with pytest.raises(BadInput, match="Say what is down"):
        await room.type_("/access whatif")
    with pytest.raises(BadInput, match="Nothing in the catalog"):
        await room.type_("/access whatif dns:nowhere")


async def test_a_drill_is_held_after_its_answer(room: ChatRoom) -> None:
    """At once what is under way; the result later: to the asker, or in the incident's channel."""
    schedule(room)
    reply = await room.type_("/access drills")
    assert reply.text == "1 drills are in the catalog."
    assert "*monthly* with internet down, next " in words(reply.blocks)
    assert "was not held yet" in words(reply.blocks)
    assert "go-bag" not in words(reply.blocks)
    reply = await room.type_("/access drill monthly", "cleo")
    assert reply.text == "The drill monthly with internet down is under way: the result follows."
    assert reply.later is not None
    told = await reply.later()
    assert told is not None
    text, blocks = told
    check_message(blocks, [])
    assert text == "With internet down, 0% of the runbooks run."
    assert "▫️ *fix* cannot run" in words(blocks)
    (row,) = await room.rows(0)
    assert (row.kind, row.actor, row.data["name"]) == ("access_drilled", "person:cleo", "monthly")
    reply = await room.type_("/access drills")
    assert "0%, last held " in words(reply.blocks)
    async with room.store.write() as session:
        session.add(PackedBag(id="b", packed_at=now(), recipients=1, digest="d", signer="s",
                              drilled_at=now(), drilled_by="ana", score=0.5))  # fmt: skip
    reply = await room.type_("/access drills")
    assert "*go-bag* last drilled 0 min ago by ana: 50% of the" in words(reply.blocks)

    await room.type_("/incident declare Down")
    reply = await room.type_("/access drill slack", at=1)
    assert reply.text == "A drill with slack down is under way: the result follows."
    assert reply.later is not None
    assert await reply.later() is None
    async with room.store.read() as session:
        query = select(Message).where(Message.kind == "drill")
        message = (await session.execute(query)).scalar_one()
        drawn = await room.cards.render(session, message)
    check_message(drawn.blocks, [])
    assert drawn.text == "With slack down, 0% of the runbooks run."
    assert "❌ *fix*\n      direct to http/shop: " in words(drawn.blocks)


async def test_a_drill_that_may_not_be_held(room: ChatRoom) -> None:
    """A name that is none, nothing at all, and people who are no responders."""
    schedule(room)
    with pytest.raises(BadInput, match="Say what is down"):
        await room.type_("/access drill")
    with pytest.raises(BadInput, match="Nothing in the catalog is 'montly'"):
        await room.type_("/access drill montly")
    with pytest.raises(NotAllowed, match="You have no role"):
        await room.type_("/access drill monthly", "eli")
    with pytest.raises(NotAllowed, match="I do not know you"):
        await room.type_("/access drill monthly", "nobody")
    assert await room.rows(0) == []


def schedule(room: ChatRoom) -> None:
    """One drill in the catalog: without the internet nothing is left of the only path."""
    catalog = room.library.catalog
    drill = AccessDrill(name="monthly", down=["internet"], schedule="0 10 * * *")
    room.library.catalog = catalog.model_copy(update={"drills": [drill]})
