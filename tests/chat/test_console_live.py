"""What an open page hears without being asked to reload."""

import asyncio
import re
from collections.abc import AsyncIterator

import httpx
import pytest
import uvicorn
from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.console import signin_link
from bot.chat.console.looks import Looks
from bot.delivery import Message
from bot.timeline import rows_of
from tests.chat.console_world import HTMX, KEY, ROSA, World, marker
from tests.servers.process import HOST, free_port


async def test_a_refresh_sends_only_the_difference(world: World) -> None:
    """What the browser shows already stays untouched: no lost words, no jumping."""
    browser, incident = await world.signed_in(), await world.incident()
    run = await world.waiting_run(incident)
    seen = marker((await browser.get("/incidents/1")).text)
    quiet = (await browser.get("/incidents/1/feed", params=seen)).text
    assert "<article" not in quiet
    assert "<li" not in quiet
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "new one", "person:amir", key="n")
        await world.runs.show(session, run)
    news = (await browser.get("/incidents/1/feed", params=seen)).text
    assert re.findall(r'<article class="(\w+ \w+)"', news) == ["message run", "message note"]
    assert news.count('hx-swap-oob="beforeend:#feed"') == 1
    assert news.count('<li id="t') == 1
    assert 'id="say"' not in news
    after = marker(news)
    assert "<article" not in (await browser.get("/incidents/1/feed", params=after)).text


async def test_a_page_without_messages_gets_its_first_one_once(world: World) -> None:
    """From an empty feed too, nothing is appended twice."""
    browser, incident = await world.signed_in(), await world.incident()
    seen = marker((await browser.get("/incidents/1")).text)
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "first", "person:amir", key="n")
    news = (await browser.get("/incidents/1/feed", params=seen)).text
    assert news.count("message note") == 1
    assert "message note" not in (await browser.get("/incidents/1/feed", params=marker(news))).text


async def test_a_long_page_stays_live(world: World) -> None:
    """What it shows is no part of the address that it asks: proxies take 8 KB of that."""
    browser, incident = await world.signed_in(), await world.incident()
    async with world.store.write() as session:
        for number in range(900):
            session.add(Message(incident_id=1, key=f"1:old-{number}", kind="line",
                                payload={"text": "old"}, author="jackline"))  # fmt: skip
    page = (await browser.get("/incidents/1?all=1")).text
    seen = marker(page)
    assert len(seen["marks"]) > 4000
    asks = re.search(r'id="live" hx-(get|post)="([^"]+)"', page)
    assert asks
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "new one", "person:amir", key="n")
    given = {"params": seen} if asks[1] == "get" else {"data": seen}
    news = await browser.request(asks[1].upper(), asks[2], headers=HTMX, **given)
    assert len(str(news.request.url)) < 200
    assert re.findall(r'<article class="(\w+ \w+)"', news.text) == ["message note"]


async def test_hidden_fields_that_are_nonsense_are_refused(world: World) -> None:
    """A made-up marker is bad input and never an error of ours."""
    browser = await world.signed_in()
    await world.incident()
    for bad in ({"marks": "x.1"}, {"first": "-1"}, {"row": "9" * 20}, {"marks": "٣.1,x"}):
        assert (await browser.get("/incidents/1/feed", params=bad)).status_code == 422


async def test_a_long_channel_starts_with_its_end(world: World) -> None:
    """The latest 200 messages, and a link to the earlier ones."""
    browser, incident = await world.signed_in(), await world.incident()
    async with world.store.write() as session:
        for number in range(205):
            session.add(
                Message(incident_id=incident.number, key=f"1:x{number}", kind="line",
                        payload={"text": f"line {number}."}, author="jackline")
            )  # fmt: skip
    page = (await browser.get("/incidents/1")).text
    assert "Show 5 earlier messages" in page
    assert "line 4." not in page
    assert "line 204." in page
    assert "line 4." in (await browser.get("/incidents/1?all=1")).text


@pytest.fixture
async def served(world: World) -> AsyncIterator[tuple[World, uvicorn.Server, str]]:
    port = free_port()
    config = uvicorn.Config(world.app, host=HOST, port=port, log_level="warning", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    yield world, server, f"http://{HOST}:{port}"
    server.should_exit = True
    await asyncio.wait_for(task, 20)


async def events(lines: AsyncIterator[str]) -> str:
    """The next event's name."""
    async for line in lines:
        if line.startswith("event:"):
            return line.removeprefix("event:").strip()
    return "end"


@pytest.mark.slow
async def test_a_note_reaches_an_open_page_at_once(
    served: tuple[World, uvicorn.Server, str],
) -> None:
    """`changed` arrives within seconds of the note; nothing arrives while nothing changes."""
    world, server, base = served
    incident = await world.incident()
    async with httpx.AsyncClient(base_url=base, timeout=20) as browser:
        await browser.get(signin_link(KEY, "rosa", base))
        page = (await browser.get("/incidents/1")).text
        found = re.search(r'sse-connect="([^"]+)"', page)
        assert found
        async with browser.stream("GET", found[1]) as stream:
            assert stream.headers["content-type"].startswith("text/event-stream")
            lines = stream.aiter_lines()
            waiting = asyncio.create_task(events(lines))
            await asyncio.sleep(1.3)
            assert not waiting.done()
            async with world.store.write() as session:
                await world.incidents.note(session, incident, "hello", "person:amir", key="n")
            assert await asyncio.wait_for(waiting, 5) == "changed"
            waiting = asyncio.create_task(events(lines))
            world.people.remove(ROSA)
            assert await asyncio.wait_for(waiting, 15) == "changed"
            assert await asyncio.wait_for(events(lines), 15) == "end"
    assert not server.should_exit


async def test_many_pages_look_once(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """Fifty people watch one incident: what is stored there costs about a look, not fifty."""
    incident, looks, count = await world.incident(), Looks(), 0

    async def stamp(session: AsyncSession) -> str:
        nonlocal count
        count += 1
        return str(len(await rows_of(session, incident.number)))

    async def everybody() -> set[str]:
        pages = (looks.stamp(world.store, "1", stamp) for _ in range(50))
        return set(await asyncio.gather(*pages))

    assert (await everybody(), await everybody(), count) == ({"1"}, {"1"}, 1)
    async with world.store.write() as session:
        await world.incidents.note(session, incident, "hello", "person:amir", key="n")
    assert (await everybody(), count) == ({"2"}, 2)  # nobody is shown what was before the commit


async def test_a_page_that_is_closed_takes_the_look_from_no_other(world: World) -> None:
    """They wait for the same answer; and one that fails fails for all, and is tried again."""
    looks, wait = Looks(), asyncio.Event()

    async def stamp(_: AsyncSession) -> str:
        await wait.wait()
        raise OSError("away")

    closed, other = (asyncio.create_task(looks.stamp(world.store, "1", stamp)) for _ in range(2))
    await asyncio.sleep(0.05)
    closed.cancel()
    wait.set()
    with pytest.raises(OSError, match="away"):
        await other


@pytest.mark.slow
async def test_an_open_page_does_not_hold_up_the_servers_end(
    served: tuple[World, uvicorn.Server, str],
) -> None:
    """A stream ends with the server, within a few seconds."""
    world, server, base = served
    await world.incident()
    async with httpx.AsyncClient(base_url=base, timeout=20) as browser:
        await browser.get(signin_link(KEY, "rosa", base))
        async with browser.stream("GET", "/events") as stream:
            lines = stream.aiter_lines()
            assert await asyncio.wait_for(events(lines), 15) == "changed"
            server.should_exit = True
            assert await asyncio.wait_for(events(lines), 15) == "end"
