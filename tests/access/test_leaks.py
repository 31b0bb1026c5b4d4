"""What a connection opened is closed at its end: files, tasks and sessions, however it ended."""

import asyncio
import gc
import getpass
import threading
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from bot.access.forward import bridged
from bot.access.ssh import hang_up, log_in
from bot.errors import NotSent, TargetError, Unknown
from bot.registry import Registry
from tests.access.world import ASK, World, stranger
from tests.servers.http_app import http_app
from tests.servers.process import free_port
from tests.servers.sshd import sshd

pytestmark = pytest.mark.server
ROUNDS = 200


def files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def nothing_stays() -> AsyncIterator[None]:
    """As many open files and tasks after the block as before."""
    before, tasks = files(), len(asyncio.all_tasks())
    yield
    async with asyncio.timeout(20):
        while files() > before or len(asyncio.all_tasks()) > tasks:
            await asyncio.sleep(0.01)


async def test_two_hundred_connections_over_ssh(trusted: World, registry: Registry) -> None:
    """Files do not grow while they go on, nor after their end."""
    dialer, target, path = trusted.dialer("http", "bastion")
    async with nothing_stays():
        seen = []
        for _ in range(ROUNDS):
            async with dialer.connect(target, path) as link:
                await ASK["http"](registry, link)
            seen.append(files())
        assert max(seen) <= min(seen[:10]) + 2  # one may close a moment later


@pytest.mark.parametrize("kind", ["direct", "socks", "connect-login", "bastions"])
async def test_after_a_cancellation(trusted: World, kind: str) -> None:
    """At any moment: while it connects, logs in, waits for the answer."""
    with http_app("slow") as slow:
        slow.default.held = over = threading.Event()
        dialer, target, path = trusted.dialer("http", kind, port=slow.port)

        async def call() -> None:
            async with dialer.connect(target, path) as link:
                await link.http.get("/")

        async with nothing_stays():
            for hundredths in range(20):
                task = asyncio.create_task(call())
                await asyncio.sleep(hundredths / 100)
                task.cancel()
                with pytest.raises(asyncio.CancelledError):
                    await task
            over.set()  # its ends of the connections are files of this process too


@pytest.mark.parametrize("later", range(5))
async def test_after_a_cancellation_before_a_bridge_stands(later: int) -> None:
    """At each of its awaits: both ends of the pair of sockets are closed."""
    channel: Any = (None, None)  # not touched before both ends are there
    async with nothing_stays():
        task = asyncio.create_task(bridged(channel, set()))
        for _ in range(later):
            await asyncio.sleep(0)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        del task
        gc.collect()  # an open socket that nobody has any more is a warning, and so an error


async def test_after_a_cancellation_before_a_login_has_begun(trusted: World) -> None:
    """The socket stands, and what is to log in over it is still being made ready, in a thread."""
    bastion = trusted.bastions[0]
    where, keys = (
        (bastion.host, bastion.port),
        (bastion.settings["key"], bastion.settings["host_key"]),
    )
    async with nothing_stays():
        for turns in range(60):
            task = asyncio.create_task(log_in("host", where, getpass.getuser(), keys))
            for _ in range(turns):
                await asyncio.sleep(0)
            task.cancel()
            with suppress(asyncio.CancelledError):
                await hang_up(await task)
            del task
            gc.collect()  # as above


@pytest.mark.parametrize("kind", ["direct", "socks", "bastion", "bastions"])
async def test_after_errors(trusted: World, registry: Registry, kind: str) -> None:
    """A target where nobody is, and a bastion that refuses the second login."""
    two = {"url": trusted.bastions[1].url, **trusted.bastions[1].settings, "key": stranger()["key"]}
    one = {"url": trusted.bastions[0].url, **trusted.bastions[0].settings}
    hops = {"hops": [one, two]} if kind == "bastions" else {}
    async with nothing_stays():
        for protocol in ("http", "haproxy", "ssh", "postgres"):
            dialer, target, path = trusted.dialer(protocol, kind, port=free_port(), **hops)
            async with dialer.connect(target, path) as link:
                for _ in range(3):  # a chain that came about in part is not kept, to grow
                    with pytest.raises(NotSent):
                        await ASK[protocol](registry, link)


async def test_a_host_that_stands_still(trusted: World) -> None:
    """A program's host is frozen in the middle: the end does not wait for its farewell."""
    with sshd() as host:
        dialer, target, path = trusted.dialer("ssh", "direct", port=host.port)
        entry = dialer.catalog().targets[0]
        entry.settings.update(host.settings)
        async with nothing_stays(), dialer.connect(target, path) as link:
            await link.run(["true"])
            task = asyncio.create_task(link.run(["sleep", "60"], timeout=1))
            await asyncio.sleep(0.5)
            host.freeze()
            began = time.monotonic()
            with pytest.raises(Unknown):
                await task
            assert time.monotonic() - began < 20
            host.thaw()


async def test_a_secure_server_that_stands_still(trusted: World) -> None:
    """One that never takes leave of TLS: asyncio itself would wait half a minute for it."""
    dialer, target, path = trusted.dialer("https", "direct")
    async with nothing_stays():
        began, over = time.monotonic(), threading.Event()
        async with dialer.connect(target, path) as link:
            assert (await link.http.get("/")).is_success
            stop = asyncio.run_coroutine_threadsafe(_block(over), trusted.secure._loop)
        assert time.monotonic() - began < 10
        over.set()
        with suppress(TargetError):
            await asyncio.wrap_future(stop)


async def _block(over: threading.Event) -> None:
    over.wait(25)
