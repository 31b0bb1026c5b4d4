"""``/incident search`` and the console's page: what one may see, with words that stay words."""

import pytest

from bot.errors import BadInput, NotAllowed, NotFound
from tests.chat.console_world import World
from tests.chat.room import ChatRoom, words


async def test_search_in_chat(room: ChatRoom) -> None:
    """Title, rows and where they lead; markup stays text; a private one is for its people."""
    await room.type_("/incident declare Checkout <!channel> down")
    await room.type_("/incident note the *certificate* ran out", at=1)
    said = words((await room.type_("/incident search certif")).blocks)
    assert "<https://jackline.example.com/incidents/1|#1>" in said
    assert "&lt;!channel&gt;" in said
    assert "row 2: the *certificate* ran out" in said
    assert (await room.type_('/incident find "ran out"')).text == "1 incident found"
    assert (await room.type_('/incident search "out ran"')).text.startswith("No incident")
    await room.type_("/incident private", at=1)
    assert (await room.type_("/incident search certificate")).text == "1 incident found"
    reply = await room.type_("/incident search certificate", "ben")
    assert reply.text == "No incident that you may see has these words."
    with pytest.raises(BadInput, match="Say what to search for"):
        await room.type_("/incident search")
    with pytest.raises(NotAllowed):
        await room.type_("/incident search x", "mallory")


async def test_similar_in_chat(room: ChatRoom) -> None:
    """Why, what ended it, its postmortem; markup stays text; not itself; a private one is for its people."""
    await room.type_("/incident declare Zebra <!channel> stampede gate broken")
    await room.type_("/incident note cause: the *gate* <!here> rusted", at=1)
    await room.type_("/incident declare Unrelated thing")
    await room.type_("/incident resolve", at=1)
    await room.type_("/incident declare Zebra stampede gate broken")
    reply = await room.type_("/incident similar", at=3)
    assert reply.text == "1 incident like #3"
    said = words(reply.blocks)
    assert "<https://jackline.example.com/incidents/1|#1>" in said
    assert "like title: broken, gate, stampede" in said
    assert "then: cause: the *gate* &lt;!here&gt; rusted; resolved by a person after 1 min" in said
    assert "&lt;!channel&gt;" in said
    assert (await room.type_("/incident like #3")).text == "1 incident like #3"
    assert (await room.type_("/incident similar #2")).text.startswith("No past incident is enough")
    await room.type_("/incident private", at=1)
    assert (await room.type_("/incident similar", at=3)).text == "1 incident like #3"
    assert (await room.type_("/incident similar #3", "ben")).text.startswith("No past incident")
    for number in (1, 77):
        with pytest.raises(NotFound, match=f"There is no incident {number}"):
            await room.type_(f"/incident similar #{number}", "ben")
    with pytest.raises(BadInput, match="did not understand"):
        await room.type_("/incident similar to this", at=3)
    with pytest.raises(NotAllowed):
        await room.type_("/incident similar #3", "mallory")


async def test_search_in_the_console(world: World) -> None:
    browser = await world.signed_in()
    await world.incident("Zebras <b>are</b> loose")
    page = await browser.get("/search")
    assert page.status_code == 200
    page = await browser.get("/search?q=zebra+%3Cscript%3E")
    assert "No incident that you may see" in page.text
    assert "<script>" not in page.text.split("<main")[1]
    page = await browser.get("/search?q=zebra")
    assert "Zebras &lt;b&gt;are&lt;/b&gt; loose" in page.text
    assert 'href="/incidents/1"' in page.text
    assert (await browser.get("/search?q=" + "a" * 201)).status_code == 400
