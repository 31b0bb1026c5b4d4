"""Alerts stored durably, beside a Starlette app that parses the same body and keeps nothing."""

import asyncio
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import httpx

from tests.bench.table import Row
from tests.e2e.harness import ALERTS, ROOT, Bot, firing, write_runbooks
from tests.servers.process import free_port

POSTS, SENDERS = 1500, 32
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


async def _rate(url: str) -> float:
    """POSTs a second, each alert another one."""
    left = iter(range(POSTS))
    headers = {"Authorization": f"Bearer {ALERTS}"}

    async def send(http: httpx.AsyncClient) -> None:
        for number in left:
            body: dict[str, Any] = firing(service="none")
            body["alerts"][0]["fingerprint"] = f"{number:016x}"
            (await http.post("/webhooks/alertmanager", json=body)).raise_for_status()

    async with httpx.AsyncClient(base_url=url, headers=headers, trust_env=False) as http:
        began = time.monotonic()
        await asyncio.gather(*(send(http) for _ in range(SENDERS)))
        return POSTS / (time.monotonic() - began)


async def intake() -> list[Row]:
    """POSTs a second from one sender process that shares the machine."""
    port = free_port()
    bare = subprocess.Popen([sys.executable, "-c", _BARE, str(port)], cwd=ROOT)
    try:
        async with httpx.AsyncClient(trust_env=False) as http:
            while True:
                try:
                    await http.get(f"http://127.0.0.1:{port}/")
                except httpx.HTTPError:
                    await asyncio.sleep(0.05)
                else:
                    break
        floor = await _rate(f"http://127.0.0.1:{port}")
    finally:
        bare.kill()
        bare.wait()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        unreachable = "http://127.0.0.1:9"
        runbooks = write_runbooks(
            folder / "runbooks", team="T1", edge=unreachable, shop=unreachable
        )
        async with Bot(folder, runbooks, "") as bot:
            ours = await _rate(bot.url)
            stored = (await bot.api("/alerts/count"))["stored"]
    assert stored == POSTS, f"{stored} of {POSTS} stored"
    return [Row("alerts stored, then 200", ours, "POST/s", "", floor, "bare Starlette")]
