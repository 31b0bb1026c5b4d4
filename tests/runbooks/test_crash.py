"""The process dies at every commit of a run, just before it and just after it.

The run is played once in peace, which counts the commits, and then once for each of them. The
death is a `BaseException` that nothing of ours catches; `test_sigkill` does it with a real
process. Another engine takes over, and the calls that reached the target are counted.
"""

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

import pytest

from bot.runbooks import Run
from tests.killing import at_commits
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, expire, runbook
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
PUT = "action: http.put\nwith: {target: shop, path: /mode, body: safe}"
CONFIRMED = """action: http.call
with: {target: shop, path: /restart, confirm: {path: /state, contains: moved}}
timeout: 3s  # a "no" counts once that long has passed since a crash
verify: [{expect: out.ok, action: http.check, with: {target: shop, path: /}}]"""
TAKEN_BACK = "undo: {action: http.call, with: {target: shop, path: /back}}"
REFUSED = CALL.replace("== 200", "== 204")
LOOK = "action: http.check\nwith: {target: shop, path: /}"


class Died(BaseException):
    """The process is gone."""


class Answers(dict[str, Answer]):
    """A target with a memory: ``/mode`` is what was put, ``/state`` whether it was restarted."""

    def __init__(self, shop: HttpApp) -> None:
        super().__init__()
        self.shop = shop
        self.slowness = 0.0  # seconds from the order to its effect
        self.ordered = 0.0

    def get(self, path: str, default: Any = None) -> Any:
        if path == "/restart":
            self.ordered = time.monotonic()
        if path == "/state":
            moved = self.shop.count("/restart") and time.monotonic() > self.ordered + self.slowness
            return Answer(body="moved" if moved else "still")
        if path == "/mode":
            put = [r.body for r in self.shop.to("/mode") if r.method == "PUT"]
            return Answer(body=put[-1] if put else '"was"')
        return super().get(path, default)


@dataclass
class Seen:
    """What became of one play."""

    run: Run
    stood: str
    died: bool
    posts: list[str]
    puts: list[Any]


@contextmanager
def dying(at: int, side: str) -> Iterator[list[int]]:
    """Dies at the commit with the number ``at``; the list's length counts them."""
    commits: list[int] = []

    def before(number: int) -> None:
        if (side, number) == ("before", at):
            raise Died

    def after(number: int) -> None:
        commits.append(number)
        if (side, number) == ("after", at):
            raise Died

    with at_commits(before, after):
        yield commits


async def play(room: Room, shop: HttpApp, at: int, side: str) -> tuple[Seen, int]:
    shop.received.clear()
    number = await room.approved(origin=f"{side}-{at}")
    died = False
    with dying(at, side) as commits:
        try:
            await room.work()
        except Died:
            died = True
    await expire(room)
    await room.work(engine=room.another("second"))
    stood = (await room.run(number)).state
    if stood == "unknown":
        await room.ask("settle", number, "cleo", happened=bool(shop.count("/restart")))
        await room.work()
    posts = [r.path for r in shop.received if r.method == "POST"]
    puts = [json.loads(r.body) for r in shop.received if r.method == "PUT"]
    return Seen(await room.run(number), stood, died, posts, puts), len(commits)


async def sweep(room: Room, shop: HttpApp, check: Callable[[Seen], None]) -> None:
    calm, commits = await play(room, shop, 0, "after")
    assert commits >= 5
    check(calm)
    for at in range(1, commits + 1):
        for side in ("before", "after"):
            seen, _ = await play(room, shop, at, side)
            assert seen.died, (at, side)
            try:
                check(seen)
            except AssertionError as error:
                raise AssertionError(f"killed {side} commit {at}: {seen}") from error
    await room.kinds()


@pytest.fixture
def shop(http_server: Start[HttpApp]) -> HttpApp:
    app = http_server("shop")
    app.answers = Answers(app)
    return app


async def test_once_is_never_repeated(make_room: MakeRoom, shop: HttpApp) -> None:
    """One call at most; where nobody can tell, a person is asked, and then the run goes on."""
    room = make_room(runbook(CALL, LOOK), http__shop=shop.url)
    stood: set[str] = set()

    def check(seen: Seen) -> None:
        assert len(seen.posts) <= 1
        assert seen.stood in ("succeeded", "unknown")
        assert seen.run.state == ("succeeded" if seen.posts else "failed")
        stood.add(seen.stood)

    await sweep(room, shop, check)
    assert stood == {"succeeded", "unknown"}


async def test_confirm_makes_it_exactly_once(make_room: MakeRoom, shop: HttpApp) -> None:
    """With something to read, nobody has to be asked and nothing is lost."""
    room = make_room(runbook(CONFIRMED), http__shop=shop.url)

    def check(seen: Seen) -> None:
        assert seen.stood == "succeeded"
        assert seen.posts == ["/restart"]

    await sweep(room, shop, check)


async def test_an_effect_that_comes_late(make_room: MakeRoom, shop: HttpApp) -> None:
    """The order was under way when Jackline died: that nothing is to be seen yet proves nothing."""
    assert isinstance(shop.answers, Answers)
    shop.answers.slowness = 2.0
    patient = CONFIRMED.replace("timeout: 3s", "timeout: 20s")
    room = make_room(runbook(patient), http__shop=shop.url)
    number = await room.approved()
    with at_commits(_dies_once_ordered(shop), lambda _: None), suppress(Died):
        await room.work()
    assert shop.count("/restart") == 1
    await expire(room)
    await room.work(engine=room.another("second"))
    assert (await room.run(number)).state == "succeeded"
    assert shop.count("/restart") == 1
    said = [row.text for row in await room.rows() if row.kind == "guard_failed"]
    assert said == [
        "s1 held back: it was being sent when Jackline stopped; no effect so far, it may yet come"
    ]


def _dies_once_ordered(shop: HttpApp) -> Callable[[int], None]:
    def before(_: int) -> None:
        if shop.count("/restart"):
            raise Died

    return before


async def test_idempotent_is_repeated(make_room: MakeRoom, shop: HttpApp) -> None:
    """The run succeeds wherever it is cut; what was under way is done once more at most."""
    room = make_room(runbook(PUT, LOOK), http__shop=shop.url)

    def check(seen: Seen) -> None:
        assert seen.stood == "succeeded"
        assert len(seen.puts) in (1, 2)

    await sweep(room, shop, check)


async def test_a_failed_once_stays_failed(make_room: MakeRoom, shop: HttpApp) -> None:
    """A crash after the failure is in the journal is no reason to call again."""
    room = make_room(
        runbook(REFUSED + "\nretry: {attempts: 3, backoff: 10ms}"), http__shop=shop.url
    )

    def check(seen: Seen) -> None:
        assert len(seen.posts) <= 1
        assert seen.stood in ("failed", "unknown")

    await sweep(room, shop, check)


async def test_an_unknown_stays_unknown(make_room: MakeRoom, shop: HttpApp) -> None:
    """Dying while a lost answer is written down does not lead to a second call."""
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(runbook(CALL), http__shop=shop.url)

    def check(seen: Seen) -> None:
        assert len(seen.posts) <= 1
        assert seen.stood == "unknown"

    await sweep(room, shop, check)


async def test_a_run_that_turned_back_only_goes_back(make_room: MakeRoom, shop: HttpApp) -> None:
    """Once the undo has begun, nobody tries the failed step again on a half-undone target."""
    fails = LOOK + "\nverify: [{expect: not out.ok}]\non_failure: undo"
    room = make_room(runbook(PUT, fails), http__shop=shop.url)
    turned: list[int] = []

    def check(seen: Seen) -> None:
        assert seen.run.state == "failed"
        assert seen.run.error.startswith("s2: ")
        assert seen.puts[-1] == "was"
        assert "safe" not in seen.puts[seen.puts.index("was") :]
        turned.append(shop.count("/"))

    await sweep(room, shop, check)
    assert max(turned) == 2  # the look itself is repeated only if it was cut


async def test_an_undo_that_is_once_is_never_repeated(make_room: MakeRoom, shop: HttpApp) -> None:
    """The way back has the same promise; where nobody can tell, the run says so."""
    fails = LOOK + "\nverify: [{expect: not out.ok}]\non_failure: undo"
    room = make_room(runbook(f"{PUT}\n{TAKEN_BACK}", fails), http__shop=shop.url)
    said: set[str] = set()

    def check(seen: Seen) -> None:
        assert seen.run.state == "failed"
        assert len(seen.posts) <= 1
        said.add(seen.run.error)

    await sweep(room, shop, check)
    assert said == {
        "s2: not out.ok: is false",
        "not taken back: s2: not out.ok: is false; s1: interrupted; outcome unknown",
    }


async def test_a_lost_answer_that_is_asked_for_is_for_a_person(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """It took effect, and what came back is gone: not failed, not done, and not sent again."""
    asks = 'confirm: {path: /state, contains: moved}}\nverify: [{expect: "out.status == 200"}]'
    shop.answers["/restart"] = Answer(drop=True)
    room = make_room(
        runbook(f"action: http.call\nwith: {{target: shop, path: /restart, {asks}"),
        http__shop=shop.url,
    )
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert run.state == "unknown"
    assert run.error.startswith("it took effect, its answer is lost: ")
    await room.ask("settle", number, "cleo", happened=True)
    await room.work()
    assert (await room.run(number)).state == "succeeded"
    assert shop.count("/restart") == 1
