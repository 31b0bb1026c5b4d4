"""SIGKILL of a real process at every commit of a run, just before it and just after it.

Every boundary of the journal, for every effect class and every kind of step that leaves something
behind. Another engine takes over; what reached the target is counted there.
"""

import asyncio
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from bot.runbooks import Run
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, expire, runbook
from tests.runbooks.test_crash import CONFIRMED, LOOK, PUT, Answers
from tests.servers.fixtures import Start
from tests.servers.http_app import HttpApp

pytestmark = [pytest.mark.server, pytest.mark.alone]
ROOT = Path(__file__).parents[2]
FAILS = LOOK + "\nverify: [{expect: not out.ok}]\non_failure: undo"
EACH = """action: http.put
with: {target: shop, path: "/{{ item }}", body: safe}
foreach: {items: [a, b], concurrency: 2}
stages: [1, 100%]
gate: [{action: http.check, with: {target: shop, path: /health}, expect: out.ok}]"""


@dataclass
class Seen:
    """What became of one run that was killed."""

    run: Run
    stood: str
    sent: list[tuple[str, str]]
    at: tuple[str, int]

    def count(self, method: str, path: str) -> int:
        return self.sent.count((method, path))


class Killer:
    """The process that forks the ones to be killed."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process

    async def work(self, room: Room, at: int, side: str) -> bool:
        """Has an engine work until it dies; False if it came to the end alive.

        With 0 as ``at`` none is forked, and none dies.
        """
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        asked = {"url": room.store.url, "folder": str(room.library.folder), "at": at, "side": side}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        answer = asyncio.to_thread(self.process.stdout.readline)
        try:
            code = int(await asyncio.wait_for(answer, 60))
        except TimeoutError:
            self.process.kill()  # or the thread would wait on
            raise
        assert code in (0, -signal.SIGKILL)
        return code != 0


@pytest.fixture(scope="session")
def killer() -> Iterator[Killer]:
    """One a worker: it imports once what each engine would."""
    with subprocess.Popen(
        [sys.executable, "-m", "tests.runbooks.kill_launcher"], cwd=ROOT, text=True,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
    ) as process:  # fmt: skip
        yield Killer(process)
        process.communicate()


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    app = http_server("shop")
    app.answers = Answers(app)
    return app


async def every(
    room: Room, shop: HttpApp, killer: Killer, check: Callable[[Seen], None]
) -> set[str]:
    """All boundaries, enumerated: until an engine comes to the end alive. How they stood.

    First a run comes to its end in calm, so that those that die find everything at hand.
    """
    stood: set[str] = set()
    calm = await room.approved(origin="calm")
    assert not await killer.work(room, 0, "after")
    for side in ("before", "after"):
        for at in range(1, 100):
            shop.received.clear()
            number = await room.approved(origin=f"{side}-{at}")
            if not await killer.work(room, at, side):
                assert at > 5, "a claim, a start, two commits a step, an end"
                break
            await expire(room)
            await room.work(engine=room.another("second"))
            run = await room.run(number)
            sent = [(r.method, r.path) for r in shop.received if r.method != "GET"]
            seen = Seen(run, run.state, sent, (side, at))
            stood.add(seen.stood)
            if seen.stood == "unknown":
                happened = seen.count("POST", "/restart") > 0
                await room.ask("settle", number, "cleo", happened=happened)
                await room.work()
                seen.run = await room.run(number)
                seen.sent = [(r.method, r.path) for r in shop.received if r.method != "GET"]
            check(seen)
        else:
            pytest.fail("the run never ends")
    assert (await room.run(calm)).state in stood
    await room.kinds()
    return stood


def read_is_repeated(seen: Seen) -> None:
    assert (seen.stood, seen.sent) == ("succeeded", [])


def idempotent_is_repeated(seen: Seen) -> None:
    assert seen.stood == "succeeded"
    assert seen.count("PUT", "/mode") in (1, 2)


def once_is_never_repeated(seen: Seen) -> None:
    assert seen.stood in ("succeeded", "unknown")
    assert seen.count("POST", "/restart") <= 1
    assert seen.run.state == ("succeeded" if seen.sent else "failed")


def confirmed_is_exactly_once(seen: Seen) -> None:
    assert seen.stood == "succeeded"
    assert seen.sent == [("POST", "/restart")]


def turned_back_is_turned_back(seen: Seen) -> None:
    assert seen.run.state == "failed"
    puts = [path for method, path in seen.sent if method == "PUT"]
    assert len(puts) >= 2  # there and back


def each_item_once_or_twice(seen: Seen) -> None:
    assert seen.stood == "succeeded"
    assert {path for _, path in seen.sent} == {"/a", "/b"}
    assert all(seen.count("PUT", path) in (1, 2) for path in ("/a", "/b"))


CASES: dict[str, tuple[Any, Callable[[Seen], None], set[str]]] = {
    "read": ((LOOK, LOOK), read_is_repeated, {"succeeded"}),
    "idempotent": ((PUT, LOOK), idempotent_is_repeated, {"succeeded"}),
    "once": ((CALL, LOOK), once_is_never_repeated, {"succeeded", "unknown"}),
    "once-confirmed": ((CONFIRMED,), confirmed_is_exactly_once, {"succeeded"}),
    "undo": ((PUT, FAILS), turned_back_is_turned_back, {"failed"}),
    "foreach-stages-gate": ((EACH,), each_item_once_or_twice, {"succeeded"}),
    "notify": ((LOOK, "notify: hello"), read_is_repeated, {"succeeded"}),
}


@pytest.mark.parametrize("case", CASES)
async def test_killed_at_every_boundary(
    make_room: MakeRoom, shop: HttpApp, killer: Killer, case: str
) -> None:
    """Nothing lost, no `once` repeated, and what nobody can tell is parked for a person."""
    steps, check, stood = CASES[case]
    front = "blast_radius: {max_changes: 5}"
    room = make_room(runbook(*steps, front=front), http__shop=shop.url)

    def named(seen: Seen) -> None:
        try:
            check(seen)
        except AssertionError as error:
            raise AssertionError(f"killed {seen.at}: {seen.stood} {seen.sent}") from error

    assert await every(room, shop, killer, named) == stood
    said = [row for row in await room.rows() if row.kind == "notified"]
    assert len(said) == (len({row.data["run_id"] for row in said}))  # said once a run
