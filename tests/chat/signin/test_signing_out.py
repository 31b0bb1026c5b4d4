"""Ending all of a person's sessions at once, by themselves and on the server, over each database."""

import asyncio
from pathlib import Path

import httpx
import pytest
import time_machine
import uvicorn

from bot.chat.console import Passwords, signin_link
from bot.store import Store, now
from tests.chat.console_world import BASE, KEY, ORIGIN, ROSA, World
from tests.chat.signin.people import Phone, record
from tests.servers.process import HOST, free_port


async def comes_in(browser: httpx.AsyncClient) -> bool:
    """Whether they see the list, and are not sent to sign in."""
    return (await browser.get("/")).status_code == 200


async def other(folder: Path, database_url: str) -> World:
    """Another replica, or this one after a restart: it knows what the database holds, and no more."""
    folder.mkdir()
    return World(folder, Store(database_url))


async def test_everywhere_is_everywhere_and_stays_so(
    world: World, clock: time_machine.Traveller, database_url: str, tmp_path: Path
) -> None:
    """Here, at another replica and after a restart; other people's go on, and it is on record."""
    second = await other(tmp_path / "second", database_url)
    here, there = await world.signed_in(), await second.signed_in()
    amir = await world.signed_in("amir")
    assert "Sign out everywhere" in (await here.get("/me/signin")).text
    clock.shift(1)
    answer = await here.post("/me/signout", headers=ORIGIN)
    assert (answer.status_code, answer.headers["location"]) == (303, "/signin")
    copied = world.browser()
    copied.cookies.update(dict(there.cookies))
    assert [await comes_in(b) for b in (here, there, copied, amir)] == [False, False, False, True]
    third = await other(tmp_path / "third", database_url)
    late = third.browser()
    late.cookies.update(dict(there.cookies))
    assert not await comes_in(late)
    assert await comes_in(await third.signed_in())
    rows = [(r.kind, r.actor, r.text, r.data) for r in await record(world)]
    assert rows == [(
        "sessions_ended", "person:rosa", "All console sessions of Rosa Diaz were ended by themselves",
        {"person": "rosa"},
    )]  # fmt: skip
    for each in (second, third):
        await each.store.close()


async def test_the_server_ends_anothers_and_leaves_the_password(phone: Phone) -> None:
    """Whoever found the phone is out; its owner comes in again with password and code."""
    world = phone.world
    found, _ = await phone.signs_in()
    phone.clock.shift(1)
    await Passwords(world.store, world.incidents.ledger, KEY, world.catalog).end_sessions(ROSA)
    assert not await comes_in(found)
    browser, answer = await phone.signs_in()
    assert answer.headers["location"] == "/"
    assert await comes_in(browser)
    row = next(r for r in await record(world) if r.kind == "sessions_ended")
    assert (row.actor, row.text) == (
        "jackline", "All console sessions of Rosa Diaz were ended on the server"
    )  # fmt: skip


async def test_a_link_from_before_leads_nowhere(
    world: World, clock: time_machine.Traveller
) -> None:
    """Nobody comes in by one that lay about; a new one works at once."""
    lying_about = signin_link(KEY, "rosa", BASE)
    browser = await world.signed_in()
    clock.shift(1)
    await browser.post("/me/signout", headers=ORIGIN)
    refused = await world.browser().get(lying_about)
    assert refused.status_code == 403
    assert "older than the end of your sessions" in refused.text
    assert await comes_in(await world.signed_in())


@pytest.mark.slow
async def test_an_open_page_of_another_replica_ends(
    world: World, database_url: str, tmp_path: Path
) -> None:
    """Its stream of events says so once, within seconds, without anything having changed there."""
    second = await other(tmp_path / "second", database_url)
    port = free_port()
    config = uvicorn.Config(second.app, host=HOST, port=port, log_level="warning", lifespan="off")
    server, base = uvicorn.Server(config), f"http://{HOST}:{port}"
    task = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    async with httpx.AsyncClient(base_url=base, timeout=20) as open_page:
        await open_page.get(signin_link(KEY, "rosa", base))
        async with open_page.stream("GET", "/events") as stream:
            lines = stream.aiter_lines()
            async for line in lines:
                if line.startswith("event:"):
                    break
            began = now()
            assert await comes_in(await world.signed_in("amir"))
            browser = await world.signed_in()
            await browser.post("/me/signout", headers=ORIGIN)
            rest = [line async for line in lines]
        assert "data: signed out" in rest
        assert (now() - began).total_seconds() < 15
        assert not await comes_in(open_page)
    server.should_exit = True
    await asyncio.wait_for(task, 30)
    await second.store.close()


async def test_without_the_database_it_says_that_nothing_has_ended(tmp_path: Path) -> None:
    """503 in words: who presses it must know that the other devices are still signed in."""
    away = World(tmp_path, Store("postgresql+asyncpg://nobody@127.0.0.1:9/none"))
    browser = await away.signed_in()
    answer = await browser.post("/me/signout", headers=ORIGIN)
    assert answer.status_code == 503
    assert "The database does not answer." in answer.text
    assert "jackline_session" in browser.cookies
    await away.store.close()
