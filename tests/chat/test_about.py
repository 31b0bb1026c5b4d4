"""What an incident is called and who sees it: renamed, made private, opened up."""

import pytest

from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from tests.chat.room import ChatRoom, words


@pytest.fixture
async def declared(room: ChatRoom) -> ChatRoom:
    await room.type_("/incident declare Keys leaked")
    return room


async def test_renamed(declared: ChatRoom) -> None:
    """As it was typed; card, digest, topic and channel follow; the same title again is nothing."""
    room = declared
    for _ in range(2):
        reply = await room.type_('/incident rename Bob\'s "keys" & co')
        assert reply.text == "#1 is called 'Bob\\'s \"keys\" & co' now."
    (row,) = [r for r in await room.rows() if r.kind == "incident_renamed"]
    assert row.data == {"from": "Keys leaked", "to": 'Bob\'s "keys" & co'}
    assert "Bob's" in (await room.card(1)).text
    assert "Bob's" in (await room.card(1, "digest")).text
    asked = await room.deliveries()
    assert [d.payload for d in asked if d.op == "rename"] == [{"name": "inc-1-bob-s-keys-co"}]
    assert [d.payload["topic"] for d in asked if d.op == "topic"][-1].endswith('Bob\'s "keys" & co')


async def test_made_private(declared: ChatRoom) -> None:
    """The digest's line hides its title from then on; only those who belong find it."""
    room = declared
    await room.type_("/incident role ops cleo")
    reply = await room.type_("/incident private ben", key="k")
    assert reply.text.startswith("#1 is private now.")
    assert "can still be read and found there" in reply.text
    assert (await room.type_("/incident private ben", key="k")).text == reply.text
    digest = await room.card(1, "digest")
    assert "Keys leaked" not in str(digest)
    assert [r.kind for r in await room.rows()].count("incident_made_private") == 1
    for person in ("ana", "ben", "cleo", "dora"):
        assert (await room.type_("/incident status #1", person)).incident_id == 1
    with pytest.raises(NotFound, match="There is no incident 1"):
        await room.type_("/incident status #1", "eli")
    assert "Keys leaked" not in str(await room.type_("/incident list", "eli"))


async def test_a_channel_that_is_not_opened_yet_is_opened_private(declared: ChatRoom) -> None:
    """And nobody who was asked to the public one is asked to it, nor is it called after its title."""
    room = declared
    await room.type_("/incident role ops ben")
    await room.type_("/incident role ops nobody")
    await room.type_("/incident rename Keys are gone")
    await room.type_("/incident private cleo")
    asked = await room.deliveries()
    (opening,) = [d for d in asked if d.op == "open_channel"]
    assert (opening.payload["private"], opening.payload["name"]) == (True, "inc-1-private")
    assert [d.payload for d in asked if d.op == "invite"] == [{"people": ["ana", "cleo"]}]
    assert not [d for d in asked if d.op == "rename"]


async def test_an_old_button_of_the_public_channel_is_nobodys(declared: ChatRoom) -> None:
    """Only who belongs, or clicks in its own channel, reaches it; also its runs."""
    room = declared
    run = await room.plan(state="proposed")
    await room.type_("/incident private")
    for action, value in (
        ("incident_resolve", "1"), ("run_request", f"{run}|pd"), ("incident_open_up", "1|"),
    ):  # fmt: skip
        with pytest.raises(NotFound):
            await room.click(action, value, "ben")
    await room.click("incident_lead", "1", "ben", at=1)


async def test_opened_up(declared: ChatRoom) -> None:
    """By its commander, after a question; the button is asked about once more, and works once."""
    room = declared
    with pytest.raises(NotAllowed, match="Only the commander of #1 opens it up"):
        await room.type_("/incident private off", at=1)
    await room.type_("/incident lead")
    with pytest.raises(Conflict, match="#1 is not private"):
        await room.type_("/incident private off", at=1)
    await room.type_("/incident private ben")
    with pytest.raises(NotAllowed):
        await room.type_("/incident private off", "ben", at=1)
    asked = await room.type_("/incident private off")
    assert (await room.incident()).private
    button = asked.blocks[1]["elements"][0]
    assert "cannot be taken back" in button["confirm"]["text"]["text"]
    with pytest.raises(NotAllowed):
        await room.click(button["action_id"], button["value"], "ben")
    for _ in range(2):
        await room.click(button["action_id"], button["value"])
    assert not (await room.incident()).private
    assert [r.kind for r in await room.rows()].count("incident_opened_up") == 1
    assert "Keys leaked" in words((await room.card(1, "digest")).blocks)


async def test_what_is_merged_into_it_stays_seen(room: ChatRoom) -> None:
    """So it is refused: a private incident would have parts that everybody reads."""
    for title in ("One", "Two"):
        await room.type_(f"/incident declare {title}")
    button = (await room.type_("/incident merge #1 into #2")).blocks[1]["elements"][0]
    await room.click(button["action_id"], button["value"])
    with pytest.raises(Conflict, match="#1 is merged into it and is not private"):
        await room.type_("/incident private #2")
    for typed in ("rename New", "private"):
        with pytest.raises(Conflict, match="merged into #2"):
            await room.type_(f"/incident {typed}", at=1)


WRONG = [
    ("/incident rename", "Say the new title. Usage: /incident rename TITLE"),
    (f"/incident rename {'x' * 201}", "The title has 201 characters; 200 is the limit."),
    ("/incident rename \u200b", "An incident needs a title."),
    ("/incident private bne", "I do not know the person 'bne'; did you mean 'ben'?"),
    ("/incident privat", "I do not know 'privat'; did you mean 'private'?"),
    ("/incident renam X", "I do not know 'renam'; did you mean 'rename'?"),
]


async def test_wrong_words(declared: ChatRoom) -> None:
    for typed, said in WRONG:
        with pytest.raises(BadInput) as refused:
            await declared.type_(typed, at=1)
        assert str(refused.value).startswith(said)
    assert len(await declared.rows()) == 1


async def test_who_may_not(declared: ChatRoom) -> None:
    for typed in ("rename X", "private", "private off"):
        with pytest.raises(NotAllowed, match="I do not know you"):
            await declared.type_(f"/incident {typed}", "mallory", at=1)
    for typed in ("rename X", "private"):
        with pytest.raises(NotAllowed, match=r"You have no role|needs the role 'responder'"):
            await declared.type_(f"/incident {typed}", "eli", at=1)
    assert not (await declared.incident()).private
