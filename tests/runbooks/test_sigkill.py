"""SIGKILL of a real process between intent and outcome: the call is out, the answer is not in."""

import asyncio
import os
import signal
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, runbook
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
ROOT = Path(__file__).parents[2]
CHECK = "\nverify: [{expect: out.ok, action: http.check, with: {target: shop, path: /}}]"
CALL = f"action: http.call\nwith: {{target: shop, path: /restart}}{CHECK}"
CONFIRM = (
    CALL.replace("/restart", "/restart, confirm: {path: /state, contains: moved}")
    + "\ntimeout: 3s"  # a "no" counts once that long has passed since a crash
)
PUT = "action: http.put\nwith: {target: shop, path: /restart, body: on}"


class Moving(dict[str, Answer]):
    """A target that lost the first call: the second one takes effect."""

    def __init__(self, shop: HttpApp) -> None:
        super().__init__()
        self.shop = shop

    def get(self, path: str, default: Any = None) -> Any:
        moved = self.shop.count("/restart") > 1
        return Answer(body="moved" if moved else "still") if path == "/state" else default


async def killed_in_flight(room: Room, shop: HttpApp, method: str) -> None:
    """Lets a process work until the target has the call, and kills it before the answer."""
    url, folder = room.store.url, str(room.library.folder)
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.runbooks.engine_process", url, folder,
        cwd=ROOT, env=os.environ | {"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    try:
        async with asyncio.timeout(30):
            while not [r for r in shop.received if r.method == method]:
                assert process.returncode is None
                await asyncio.sleep(0.02)
    finally:
        process.send_signal(signal.SIGKILL)
        assert await process.wait() == -signal.SIGKILL


@pytest.mark.parametrize(
    ("step", "shown", "state", "sent"),
    [
        (CALL, "", "unknown", 1),
        (CONFIRM, "moved", "succeeded", 1),
        (CONFIRM, "still", "succeeded", 2),
        (PUT, "", "succeeded", 2),
    ],
    ids=["once", "once-that-took-effect", "once-that-did-not", "idempotent"],
)
async def test_killed_between_intent_and_outcome(
    make_room: MakeRoom, http_server: Start[HttpApp], step: str, shown: str, state: str, sent: int
) -> None:
    """Idempotent is repeated; once only if reading shows that nothing happened; else it stands."""
    shop = http_server("shop")
    method = "PUT" if step == PUT else "POST"
    shop.answers = {"/state": Answer(body=shown)}
    room = make_room(runbook(step), http__shop=shop.url)
    number = await room.approved()
    shop.answers[f"{method} /restart"] = Answer(latency=60)
    await killed_in_flight(room, shop, method)
    assert [a.state for a in await room.attempts(number)] == ["intent"]
    shop.answers[f"{method} /restart"] = Answer()
    if shown == "still":
        shop.answers = Moving(shop)
    async with asyncio.timeout(20):
        while (await room.run(number)).state not in ("unknown", "succeeded", "failed"):
            await room.work(1, room.another("second"))
            await asyncio.sleep(0.1)
    assert (await room.run(number)).state == state
    assert len([r for r in shop.received if r.method == method]) == sent
    await room.work()
    assert len([r for r in shop.received if r.method == method]) == sent
    assert ("step_unknown" in await room.kinds()) == (state == "unknown")
