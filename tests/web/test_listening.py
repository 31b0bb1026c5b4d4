"""The sockets at which Jackline listens."""

import asyncio
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from starlette.types import ASGIApp, Receive, Scope, Send

from bot.web.listening import Server, listening
from tests.servers.process import HOST
from tests.web.conftest import Web

_DATA_SEGMENTS_IN = 152  # where Linux has it in its struct tcp_info


async def test_answers_are_not_held_back() -> None:
    """What asyncio accepts there has Nagle's algorithm off: else an answer waits 40 ms for an ACK."""
    found: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def accepted(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = writer.get_extra_info("socket")
        found.set_result(connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY))
        writer.close()

    door = listening(HOST, 0, "JACKLINE_HTTP_LISTEN")
    async with await asyncio.start_server(accepted, sock=door):
        _, writer = await asyncio.open_connection(*door.getsockname())
        assert await found
        writer.close()


@asynccontextmanager
async def connected(
    app: ASGIApp,
) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection to the app, served as Jackline serves."""
    with listening(HOST, 0, "JACKLINE_HTTP_LISTEN") as door:
        server = Server(app, 3)
        serving = asyncio.create_task(server.serve(sockets=[door]))
        reader, writer = await asyncio.open_connection(*door.getsockname())
        try:
            yield reader, writer
        finally:
            writer.close()
            server.should_exit = True
            await serving


async def _start(send: Send, length: int) -> None:
    head = [(b"content-length", b"%d" % length)]
    await send({"type": "http.response.start", "status": 200, "headers": head})


async def test_an_answer_is_one_segment() -> None:
    """Head and body in two would be a system call more for both sides, with each alert."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await _start(send, 5)
        await send({"type": "http.response.body", "body": b"hello"})

    async with connected(app) as (reader, writer):
        for times in range(1, 4):
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
            assert await reader.readexactly(5) == b"hello"
            connection = writer.get_extra_info("socket")
            info = connection.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, 256)
            assert struct.unpack_from("I", info, _DATA_SEGMENTS_IN) == (times,)


async def test_a_head_does_not_wait_for_a_late_body() -> None:
    """A page that stays open is told at once that it is; what is told in pieces comes in order."""
    read = asyncio.Event()

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await _start(send, 9)
        await read.wait()
        for piece in (b"one", b"two", b"six"):
            await send({"type": "http.response.body", "body": piece, "more_body": piece != b"six"})

    async with connected(app) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
        async with asyncio.timeout(5):
            await reader.readuntil(b"\r\n\r\n")
            read.set()
            assert await reader.readexactly(9) == b"onetwosix"


@pytest.mark.parametrize("size", [0, 5, 3_000_000])
async def test_what_is_held_is_sent_before_the_end(size: int) -> None:
    """The connection is closed with the answer; nothing of it is lost."""

    async def app(_: Scope, __: Receive, send: Send) -> None:
        await _start(send, size)
        await send({"type": "http.response.body", "body": b"x" * size})

    async with connected(app) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n")
        head, _, body = (await reader.read()).partition(b"\r\n\r\n")
        assert (head[:12], len(body)) == (b"HTTP/1.1 200", size)


@pytest.mark.parametrize("path", ["/webhooks/alertmanager", "/signin"])
async def test_a_body_that_drips_is_not_waited_for(
    web: Web, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """408 on time, and the connection is closed: nobody holds many of them open with a byte each."""
    monkeypatch.setattr("bot.web.limit.BODY_SECONDS", 0.5)

    async def drip(writer: asyncio.StreamWriter) -> None:
        for _ in range(4):  # what comes after the end would take the answer with it
            writer.write(b" ")
            await asyncio.sleep(0.1)

    async with connected(web.jackline.web) as (reader, writer):
        head = f"POST {path} HTTP/1.1\r\nHost: x\r\nOrigin: http://x\r\nContent-Length: 1000\r\n"
        writer.write(f"{head}Content-Type: application/x-www-form-urlencoded\r\n\r\n".encode())
        dripping = asyncio.create_task(drip(writer))
        async with asyncio.timeout(20):
            answer = await reader.read()
        dripping.cancel()
    assert answer.startswith(b"HTTP/1.1 408 "), answer
    assert b"The body was not here within 0.5 s." in answer


async def _silent(_: Scope, __: Receive, send: Send) -> None:
    await _start(send, 0)
    await send({"type": "http.response.body", "body": b""})


@pytest.mark.parametrize("drips", [False, True], ids=["stops", "drips"])
@pytest.mark.parametrize("keeps", [False, True], ids=["first", "second"])
async def test_a_head_that_does_not_end_is_refused(
    monkeypatch: pytest.MonkeyPatch, *, keeps: bool, drips: bool
) -> None:
    """A byte now and then keeps a connection for ever, and a few thousand of them keep all others out."""
    monkeypatch.setattr("bot.web.listening.HEAD_SECONDS", 0.5)
    async with connected(_silent) as (reader, writer):
        if keeps:
            writer.write(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")
            await reader.readuntil(b"\r\n\r\n")
        writer.write(b"GET / HTTP/1.1\r\nHost: ")

        async def drip() -> None:
            while drips:
                writer.write(b"x")
                await asyncio.sleep(0.1)

        dripping = asyncio.create_task(drip())
        said = await asyncio.wait_for(reader.read(), 10)
        dripping.cancel()
    assert said.startswith(b"HTTP/1.1 408 Request Timeout\r\n")
    assert b"was not here within 0.5 s. Send it again." in said


async def test_who_connects_and_asks_nothing_is_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without a word: browsers open connections ahead of time."""
    monkeypatch.setattr("bot.web.listening.HEAD_SECONDS", 0.2)
    async with connected(_silent) as (reader, _):
        assert await asyncio.wait_for(reader.read(), 10) == b""


async def test_a_head_without_end_is_refused() -> None:
    async with connected(_silent) as (reader, writer):
        writer.write(b"GET / HTTP/1.1\r\n")
        for number in range(2000):
            writer.write(b"x-%d: %s\r\n" % (number, b"y" * 100))
        said = await asyncio.wait_for(reader.readuntil(b"}"), 10)
    assert said.startswith(b"HTTP/1.1 431 Request Header Fields Too Large\r\n")


async def test_what_is_slow_after_its_head_is_not(monkeypatch: pytest.MonkeyPatch) -> None:
    """A body has limits of its own, and an answer none."""
    monkeypatch.setattr("bot.web.listening.HEAD_SECONDS", 0.2)

    async def slow(_: Scope, receive: Receive, send: Send) -> None:
        while (await receive())["more_body"]:
            pass
        await asyncio.sleep(0.5)
        await _silent({}, receive, send)

    async with connected(slow) as (reader, writer):
        writer.write(b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n")
        await asyncio.sleep(0.5)
        writer.write(b"ab")
        assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 200 OK\r\n")
