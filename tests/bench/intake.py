"""Alerts stored durably, beside a bare Starlette app that keeps nothing, and beside Alertmanager.

The sender speaks HTTP over plain sockets: a client library would be the slowest of the three.
"""

import asyncio
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from statistics import median
from typing import Any

import httpx

from tests.bench.table import Row
from tests.e2e.harness import ALERTS, ROOT, Bot, firing, serve, write_runbooks
from tests.servers.alertmanager import alertmanager
from tests.servers.process import HOST, free_port

POSTS, MANY_POSTS, MANY = 9000, 300, 100
TURNS = 5
SENDERS = 32
RATE, SECONDS = 500, 6  # POSTs a second, for the time of an answer
_BARE = """
import sys, uvicorn
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route
async def take(request):
    return JSONResponse({"accepted": len((await request.json())["alerts"])})
uvicorn.run(Starlette(routes=[Route("/webhooks/alertmanager", take, methods=["POST"])]),
            port=int(sys.argv[1]), log_config=None)
"""
Body = Callable[[int], bytes]


async def intake() -> list[Row]:
    """POSTs a second from one sender process that shares the machine; answers in milliseconds."""
    with alertmanager(webhook_url="http://127.0.0.1:9/") as peer:
        one = await _rate(peer.port, "/api/v2/alerts", _api(1), POSTS)
        many = await _rate(peer.port, "/api/v2/alerts", _api(MANY), MANY_POSTS)
    async with _jackline() as bot:
        path = "/webhooks/alertmanager"
        p99 = await _answer(bot.port, path, _webhook(1, "p"))
        rates = []
        with _bare() as port:
            for turn in range(TURNS):  # by turns: the machine is not always as quick
                bare = await _rate(port, path, _webhook(1), POSTS // TURNS)
                rates.append(
                    (bare, await _rate(bot.port, path, _webhook(1, f"o{turn}."), POSTS // TURNS))
                )
        floor, ours = (median(each) for each in zip(*rates, strict=True))
        ours_many = await _rate(bot.port, path, _webhook(MANY, "m"), MANY_POSTS)
        stored = (await bot.api("/alerts/count"))["stored"]
    expected = POSTS + MANY_POSTS * MANY + RATE * SECONDS
    assert stored == expected, f"{stored} of {expected} stored"
    what, unit = "alerts stored, then 200, 1 a POST", "POST/s"
    return [
        Row(what, ours, unit, "≥ 0.4x", floor, "bare Starlette"),
        Row(what, ours, unit, "≥ 1x", one, "Alertmanager, which keeps nothing on disk"),
        Row(f"the same, {MANY} a POST", ours_many, unit, "≥ 1x", many, "Alertmanager"),
        Row(
            f"answer at {RATE} POST/s, 99th percentile",
            p99,
            "ms",
            "",
            _fsync(),
            "fsync of 4 kB, 99th",
        ),
    ]


@contextmanager
def _bare() -> Iterator[int]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-c", _BARE, str(port)], cwd=ROOT)
    try:
        while True:
            try:
                httpx.get(f"http://{HOST}:{port}/", trust_env=False)
            except httpx.HTTPError:
                time.sleep(0.05)
            else:
                break
        yield port
    finally:
        process.kill()
        process.wait()


@asynccontextmanager
async def _jackline() -> AsyncIterator[Bot]:
    with tempfile.TemporaryDirectory() as name:
        folder, nowhere = Path(name), "http://127.0.0.1:9"
        runbooks = write_runbooks(folder / "runbooks", team="T1", edge=nowhere, shop=nowhere)
        place = runbooks / "catalog" / "all.yaml"
        catalog = json.loads(place.read_text())
        catalog["rules"] = [{"match": {"service": "none"}, "declare": "no"}]  # storing, no incident
        place.write_text(json.dumps(catalog))
        bot = Bot(folder, runbooks, "")
        bot.spawn = serve
        async with bot:
            yield bot


def _alerts(count: int, mark: str, number: int) -> list[dict[str, Any]]:
    (alert,) = firing(service="none")["alerts"]
    return [alert | {"fingerprint": f"{mark}{number}.{n}"} for n in range(count)]


def _webhook(count: int, mark: str = "o") -> Body:
    frame = firing(service="none")
    return lambda number: json.dumps(frame | {"alerts": _alerts(count, mark, number)}).encode()


def _api(count: int) -> Body:
    """Alertmanager tells alerts apart by their labels."""

    def body(number: int) -> bytes:
        alerts = _alerts(count, "o", number)
        given = [
            {"labels": a["labels"] | {"instance": a["fingerprint"]}, "annotations": a["annotations"],
             "generatorURL": a["generatorURL"]}
            for a in alerts
        ]  # fmt: skip
        return json.dumps(given).encode()

    return body


class _Sender:
    """One connection that is kept."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def post(self, path: str, body: bytes) -> None:
        head = (
            f"POST {path} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {ALERTS}\r\n"
            f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        self.writer.write(head.encode() + body)
        answer = (await self.reader.readuntil(b"\r\n\r\n")).lower()
        assert answer.startswith(b"http/1.1 200"), answer
        length = answer.partition(b"content-length: ")[2].partition(b"\r\n")[0]
        await self.reader.readexactly(int(length or 0))


async def _rate(port: int, path: str, body: Body, posts: int) -> float:
    """POSTs a second, each with other alerts."""
    left = iter([body(number) for number in range(posts)])

    async def send() -> None:
        sender = _Sender(*await asyncio.open_connection(HOST, port))
        for one in left:
            await sender.post(path, one)
        sender.writer.close()

    began = time.monotonic()
    await asyncio.gather(*(send() for _ in range(SENDERS)))
    return posts / (time.monotonic() - began)


async def _answer(port: int, path: str, body: Body) -> float:
    """Milliseconds to the answer at a steady rate, the 99th percentile."""
    took: list[float] = []
    senders = [_Sender(*await asyncio.open_connection(HOST, port)) for _ in range(SENDERS)]
    free = asyncio.Queue[_Sender]()
    for sender in senders:
        free.put_nowait(sender)

    async def one(number: int) -> None:
        began = time.perf_counter()
        sender = await free.get()
        await sender.post(path, body(number))
        free.put_nowait(sender)
        took.append(time.perf_counter() - began)

    began, tasks = time.perf_counter(), []
    for number in range(RATE * SECONDS):
        await asyncio.sleep(began + number / RATE - time.perf_counter())
        tasks.append(asyncio.create_task(one(number)))
    await asyncio.gather(*tasks)
    for sender in senders:
        sender.writer.close()
    return sorted(took)[len(took) * 99 // 100] * 1000


def _fsync() -> float:
    """Milliseconds that the disk takes for 4 kB, the 99th percentile."""
    took = []
    with tempfile.NamedTemporaryFile() as file:
        for _ in range(500):
            began = time.perf_counter()
            os.pwrite(file.fileno(), b"x" * 4096, 0)
            os.fdatasync(file.fileno())
            took.append(time.perf_counter() - began)
    return sorted(took)[len(took) * 99 // 100] * 1000
