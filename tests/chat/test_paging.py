"""Pages from chat and from the link of a message: commands, the button, and the page in the console."""

import json
import re

import httpx
import pytest

from bot.catalog import Catalog
from bot.errors import BadInput, Conflict, NotAllowed, NotFound
from bot.incidents import Incident
from bot.paging.clock import PageClock
from bot.paging.flow import Paging
from bot.paging.links import token
from tests.chat.console_world import BASE, KEY, ORIGIN, World
from tests.chat.room import ChatRoom, words

NOTIFIER = {"id": "sms", "integration": "fake", "target": "http/shop", "when": "pages"}
POLICY = {"id": "shop", "services": ["shop"], "levels": [{"who": ["ben"]}, {"who": ["ana"]}]}


@pytest.fixture
async def paged(room: ChatRoom) -> ChatRoom:
    """An incident, and somebody to page."""
    path = room.library.folder / "catalog" / "all.yaml"
    catalog = json.loads(path.read_text())
    for person in catalog["people"]:
        person["reach"] = [{"notifier": "sms", "to": person["id"]}]
    path.write_text(json.dumps(catalog | {"notifiers": [NOTIFIER], "escalations": [POLICY]}))
    room.library.reload()
    await room.type_("/incident declare sev3 Slow")
    return room


async def kinds(room: ChatRoom) -> list[str]:
    return [row.kind for row in await room.rows() if row.kind.startswith("page")]


async def test_a_page_by_hand_and_its_button(paged: ChatRoom) -> None:
    """`escalate` is the same; the card shows who has it; a second click changes nothing."""
    reply = await paged.type_("/incident escalate shop it's <!here> down", at=1, key="k")
    assert reply.text == "shop is paged for #1, until somebody acknowledges it."
    await paged.type_("/incident page shop again", at=1, key="k")
    card = await paged.card(1, "page", page=1)
    assert "it's &lt;!here&gt; down" in words(card.blocks)
    (button,) = [b for block in card.blocks for b in block.get("elements", []) if b["type"] == "button"]  # fmt: skip
    assert (button["action_id"], button["value"]) == ("page_ack", "1")
    assert (await paged.click("page_ack", "1", "ben")).text == "You have it."
    assert (await paged.click("page_ack", "1", "ana")).text == "Somebody else has it already."
    card = await paged.card(1, "page", page=1)
    assert "✅ Ben has acknowledged the page for *shop*" in words(card.blocks)
    assert "page_ack" not in str(card.blocks)
    assert await kinds(paged) == ["page_opened", "page_acknowledged"]
    with pytest.raises(NotAllowed):
        await paged.click("page_ack", "1", "eli")


async def test_ack_by_command(paged: ChatRoom) -> None:
    """All pages of the incident at once; then there is nothing left to acknowledge."""
    await paged.type_("/incident page shop", at=1)
    await paged.type_("/incident page cleo", at=1)
    assert (
        await paged.type_("/incident ack", "ben", at=1)
    ).text == "You have it: shop, Cleo for #1."
    with pytest.raises(Conflict, match="No page of #1 waits"):
        await paged.type_("/incident acknowledge", "ben", at=1)


async def test_usage(paged: ChatRoom) -> None:
    with pytest.raises(BadInput, match="Usage: /incident page WHO"):
        await paged.type_("/incident page", at=1)
    with pytest.raises(BadInput, match="did not understand"):
        await paged.type_("/incident ack it", at=1)
    with pytest.raises(NotAllowed):
        await paged.type_("/incident page shop", "eli", at=1)
    with pytest.raises(NotAllowed):
        await paged.type_("/incident ack", "eli", at=1)


async def test_nobody_came_stands_on_the_digest(paged: ChatRoom) -> None:
    await paged.type_("/incident page ben", at=1)
    clock = PageClock(paged.store, Paging(paged.incidents), KEY)
    for _ in range(4):
        async with paged.store.write() as session:
            page = await clock.paging.locked(session, 1)
            page.due_at = page.opened_at
        await clock.look()
    assert "🚨 *Nobody acknowledged the page*" in words((await paged.card(1, "digest")).blocks)
    assert "🚨 Nobody acknowledged" in words((await paged.card(1, "page", page=1)).blocks)


@pytest.fixture
async def linked(world: World) -> httpx.URL:
    """Where the link of a message leads."""
    rosa, amir = (p.model_dump() for p in world.people)
    reach = [{"notifier": "sms", "to": "x"}]
    world.whole = Catalog.model_validate({
        "people": [rosa | {"reach": reach}, amir], "services": [{"id": "web", "title": "Web", "tier": "p0"}],
        "targets": [{"name": "http/shop", "url": "http://127.0.0.1:9"}], "notifiers": [NOTIFIER],
    })  # fmt: skip
    incident = await world.incident("Down <b>hard</b>")
    paging = Paging(world.incidents)
    async with world.store.write() as session:
        await paging.call(session, incident, "rosa", "", world.people[1], "k")
    await PageClock(world.store, paging, KEY).look()
    return httpx.URL(f"{BASE}/ack?token={token(KEY, 1, 1, 'rosa')}")


async def test_looking_at_the_link_does_nothing(world: World, linked: httpx.URL) -> None:
    """Mail scanners GET and HEAD it; only the button, from our own page, acknowledges, once."""
    browser = world.browser()
    for _ in range(2):
        page = await browser.get(linked)
        assert page.status_code == 200
        assert "I am Rosa Diaz, and I have it" in page.text
        assert "Down &lt;b&gt;hard&lt;/b&gt;" in page.text
        assert (await browser.head(linked)).status_code == 200
    assert (await browser.post(linked)).status_code == 403
    assert (await browser.post(linked, headers={"origin": "http://evil.test"})).status_code == 403
    async with world.store.read() as session:
        incident = await session.get_one(Incident, 1)
    assert [r.kind for r in await world.rows(incident) if r.kind.startswith("page")] == ["page_opened", "page_sent"]  # fmt: skip
    for _ in range(2):
        done = await browser.post(linked, headers=ORIGIN)
        assert "✅ Rosa Diaz has it." in done.text
        assert re.search("<form", done.text) is None
    rows = [r for r in await world.rows(incident) if r.kind == "page_acknowledged"]
    assert [(r.actor, r.text) for r in rows] == [
        ("person:rosa", "The page for Rosa Diaz is acknowledged by the link of the message")
    ]


async def test_a_link_that_is_none(world: World, linked: httpx.URL) -> None:
    """Guessed, cut, or of somebody who has left: no page, nothing told."""
    for wrong in ("", "x", token(KEY, 1, 2, "rosa"), token(b"other", 1, 1, "rosa")):
        for method in ("GET", "POST"):
            answer = await world.browser().request(
                method, f"{BASE}/ack", params={"token": wrong}, headers=ORIGIN
            )
            assert answer.status_code == 404
            assert "Down" not in answer.text
    assert world.whole is not None
    world.whole = world.whole.model_copy(update={"people": world.whole.people[1:]})
    assert (await world.browser().get(linked)).status_code == 404


async def test_a_page_of_a_private_incident(world: World, linked: httpx.URL) -> None:
    """Its link shows no title; its button is for those who may see it."""
    async with world.store.write() as session:
        incident = await world.incidents.get(session, 1)
        incident.private = True
    assert "hard" not in (await world.browser().get(linked)).text
    amir = world.people[1]
    async with world.store.write() as session:
        with pytest.raises(NotFound):
            await world.clicks.handle(session, "page_ack", "1", amir, "console")
