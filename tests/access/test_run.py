"""Programs on a host and forwarded addresses, over a real OpenSSH server."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncssh
import httpx
import pytest

from bot.access import Dialer
from bot.access.dialer import Link
from bot.catalog import Catalog
from bot.errors import AuthFailed, BadInput, NotSent, Unknown
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp
from tests.servers.process import HOST, free_port, wait_for
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server


@asynccontextmanager
async def link(url: str, **entry: object) -> AsyncIterator[Link]:
    catalog = Catalog.model_validate({"targets": [{"name": "ssh/db1", "url": url, **entry}]})
    async with Dialer(lambda: catalog).connect("ssh/db1") as connection:
        yield connection


async def test_a_program_with_its_status_and_output(sshd_server: Sshd) -> None:
    """Exit status, both streams and standard input come through."""
    async with link(sshd_server.url, settings=sshd_server.settings) as db1:
        done = await db1.run(["cat"], stdin="héllo")
        assert (done.status, done.stdout, done.stderr) == (0, "héllo", "")
        assert (await db1.run(["cat"])).stdout == ""  # no input is one that has ended
        done = await db1.run(["ls", "/nowhere"])
        assert done.status != 0
        assert "/nowhere" in done.stderr


async def test_input_that_stays_open(sshd_server: Sshd) -> None:
    """So long as was said; a program that ends sooner is not waited for."""
    async with link(sshd_server.url, settings=sshd_server.settings) as db1:
        began = time.monotonic()
        done = await db1.run(["cat"], stdin="héllo", hold=1)
        assert (done.status, done.stdout) == (0, "héllo")
        assert 1 <= time.monotonic() - began < 15
        assert (await db1.run(["true"], hold=60)).status == 0
        assert time.monotonic() - began < 30


async def test_a_program_that_is_left_can_put_things_in_order(
    sshd_server: Sshd, tmp_path: Path
) -> None:
    """Its input ends when the call is cancelled, and when its time is over."""
    begun, left = tmp_path / "begun", tmp_path / "left"
    until_told = ["sh", "-c", f"touch {begun}; cat; touch {left}"]
    async with link(sshd_server.url, settings=sshd_server.settings) as db1:
        task = asyncio.create_task(db1.run(until_told, hold=20))
        await asyncio.to_thread(wait_for, begun.exists)
        await asyncio.sleep(0.1)
        assert not left.exists()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert left.exists()
        left.unlink()
        with pytest.raises(Unknown, match="did not end"):
            await db1.run(until_told, hold=20, timeout=2)
        assert left.exists()


@pytest.mark.parametrize("word", ["$(id)", "`id`", "a; id", "a b", "'", '"', "\n", "*", "&& id"])
async def test_an_argument_is_one_word(sshd_server: Sshd, word: str) -> None:
    """Nothing of a shell's syntax means anything."""
    async with link(sshd_server.url, settings=sshd_server.settings) as db1:
        done = await db1.run(["printf", "<%s>", word, "end"])
        assert done.stdout == f"<{word}><end>"


async def test_keys_that_do_not_fit(sshd_server: Sshd, tmp_path: Path) -> None:
    """A host with another key is refused, and so are we with another key."""
    stranger = asyncssh.generate_private_key("ssh-ed25519")
    public = " ".join(stranger.export_public_key().decode().split()[:2])
    for settings, said in [
        ({**sshd_server.settings, "host_key": public}, "pinned host key"),
        ({**sshd_server.settings, "key": stranger.export_private_key().decode()}, "refuses"),
        ({**sshd_server.settings, "key": "rubbish"}, "cannot be used"),
        ({"key": sshd_server.key}, "has no setting 'host_key'"),
    ]:
        async with link(sshd_server.url, settings=settings) as db1:
            with pytest.raises(AuthFailed, match=said):
                await db1.run(["true"])
    missing = {"key": f"file:{tmp_path}/none"}
    with pytest.raises(AuthFailed, match="cannot be read: FileNotFoundError"):
        async with link(sshd_server.url, settings=missing):
            pass


async def test_nothing_was_sent_or_nobody_knows(sshd_server: Sshd) -> None:
    """Nobody there: not sent. A program that does not end: unknown."""
    async with link(f"ssh://me@{HOST}:{free_port()}", settings=sshd_server.settings) as db1:
        with pytest.raises(NotSent):
            await db1.run(["true"])
    async with link(sshd_server.url, settings=sshd_server.settings) as db1:
        with pytest.raises(Unknown, match=r"sleep on ssh/db1 did not end in 1 s\."):
            await db1.run(["sleep", "9"], timeout=1)
    async with link("http://shop") as db1:
        with pytest.raises((BadInput, NotSent)):
            await db1.run(["true"])


async def test_another_address_of_the_target(http_server: Start[HttpApp]) -> None:
    """When nothing answers at the first, http, lines and forwards go on to the next."""
    shop = http_server("shop")
    async with link(f"http://{HOST}:{free_port()}", also=[shop.url]) as connection:
        assert (await connection.http.get("/")).text == "ok"
        answer = await connection.exchange(b"GET / HTTP/1.0\r\n\r\n")
        assert answer.endswith(b"ok")
        async with connection.forward() as (host, port), httpx.AsyncClient() as client:
            replies = await asyncio.gather(*(client.get(f"http://{host}:{port}/") for _ in "abc"))
        assert [r.text for r in replies] == ["ok"] * 3
        async with connection.forward((HOST, shop.port)) as (host, port), httpx.AsyncClient() as c:
            assert (await c.get(f"http://{host}:{port}/")).text == "ok"
    async with link(f"http://{HOST}:{free_port()}") as connection:
        with pytest.raises(NotSent):
            async with connection.forward():
                pass


async def test_an_address_that_is_named_is_that_one(http_server: Start[HttpApp]) -> None:
    """Who asks one member of a cluster must not be answered by another."""
    shop, dead = http_server("shop"), free_port()
    async with link(f"http://{HOST}:{dead}", also=[shop.url]) as connection:
        with pytest.raises(NotSent):
            async with connection.forward((HOST, dead)):
                pass
