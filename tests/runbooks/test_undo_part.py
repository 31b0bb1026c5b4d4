"""Taking back what a failing step did before it failed: a part, some items, some stages."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import pytest
from pydantic import BaseModel

from bot.contract import Action, Call, Change, Connection, Effect, Preview
from bot.contract.frozen import Frozen
from bot.errors import Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from bot.runbooks import Run
from bot.store import Store
from tests.killing import at_commits
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import CALL, Room, expire, paths, runbook, write_folder
from tests.servers.http_app import Answer, HttpApp

pytestmark = pytest.mark.server
UNDO = "on_failure: undo"
VERIFY = "undo: auto\nverify: [{expect: 'true'}]"


class Servers(Action):
    """Takes servers out one by one, and ends at the third: as it is told to, with an error or not."""

    name: ClassVar[str] = "servers.take_out"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True

    class Params(Frozen):
        """What is wanted, and how it goes wrong."""

        out: list[str]
        ends: str = ""

    def __init__(self) -> None:
        self.gone: list[str] = []
        self.orders = 0

    def target(self, params: Any) -> str:
        return "http/shop"

    async def preview(self, params: Any, connection: Connection) -> Preview:
        differ = set(self.gone) ^ set(params.out)
        return Preview(
            changes=[
                Change(target="http/shop", what=name, before="in" if name in params.out else "out", after="other")
                for name in sorted(differ)
            ],
            state={"out": sorted(self.gone)},
        )  # fmt: skip

    async def apply(self, params: Any, connection: Connection) -> dict[str, Any]:
        self.orders += 1
        if not params.ends:
            self.gone = list(params.out)
            return {}
        if params.ends != "at once":
            self.gone = sorted({*self.gone, *params.out[:2]})
        errors: dict[str, type[TargetError]] = {
            "rejected": Rejected, "busy": Retryable, "lost": Unknown, "at once": Rejected,
        }  # fmt: skip
        if params.ends in errors:
            raise errors[params.ends]("The third said no.")
        return {}

    async def verify(self, params: BaseModel, connection: Connection) -> bool | None:
        return sorted(self.gone) == sorted(params.out)  # type: ignore[attr-defined]  # our Params

    def undo(self, params: BaseModel, state: Mapping[str, Any]) -> Call | None:
        return Call(action=self.name, params={"out": state["out"]})


@pytest.fixture
def servers() -> Servers:
    return Servers()


async def ended(room: Room) -> Run:
    number = await room.approved()
    await room.work()
    return await room.run(number)


def a_room(store: Store, registry: Registry, folder: Path, servers: Servers, *steps: str) -> Room:
    write_folder(folder, runbook(*steps, front="blast_radius: {max_targets: 5}"))
    actions = {**registry.actions, Servers.name: servers}
    room = Room(store, folder, Registry(actions=actions))
    assert room.library.problems == {}
    return room


def take_out(ends: str, more: str = UNDO) -> str:
    return f"action: servers.take_out\nwith: {{out: [a, b, c], ends: {ends}}}\n{more}"


@pytest.mark.parametrize("ends", ["rejected", "busy", "lost", "quietly"])
async def test_a_part_is_taken_back(
    store: Store, registry: Registry, tmp_path: Path, servers: Servers, ends: str
) -> None:
    """Two of three are out when it fails, by an error or by its own verify: both come back in."""
    servers.gone = ["z"]
    retry = "retry: {attempts: 2, backoff: 10ms}"
    room = a_room(store, registry, tmp_path, servers, take_out(ends, f"{retry}\n{UNDO}"))
    run = await ended(room)
    assert (run.state, servers.gone) == ("failed", ["z"])
    assert run.error.startswith("s1: ")
    assert [(a.step, a.state) for a in await room.attempts(run.number, "undo")] == [("s1", "done")]
    assert servers.orders == 3  # two attempts, and the way back


async def test_a_refusal_that_changed_nothing_is_left_alone(
    store: Store, registry: Registry, tmp_path: Path, servers: Servers
) -> None:
    """Reading shows that it is as it was before: nothing is sent."""
    room = a_room(store, registry, tmp_path, servers, take_out("at once"))
    run = await ended(room)
    assert (run.state, run.error) == ("failed", "s1: The third said no.")
    assert (servers.orders, await room.attempts(run.number, "undo")) == (1, [])


async def test_what_a_part_of_once_left_is_not_sent_again(
    store: Store, registry: Registry, tmp_path: Path, servers: Servers
) -> None:
    """A retry of what is done once, and has been done in part, would do that part twice."""

    class Once(Servers):
        effect: ClassVar[Effect] = Effect.ONCE

    once = Once()
    retry = "retry: {attempts: 3, backoff: 10ms}"
    room = a_room(store, registry, tmp_path, once, take_out("busy", f"{retry}\n{VERIFY}"))
    run = await ended(room)
    assert (run.state, once.orders) == ("failed", 1)
    assert run.error == "The third said no. Reading shows that it changed something all the same."
    await room.ask("undo", run.number, "cleo")
    await room.work()
    assert ((await room.run(run.number)).state, once.gone) == ("aborted", [])


class Died(BaseException):
    """The process is gone."""


async def test_what_a_crash_left_is_taken_back_though_it_was_not_repeated(
    store: Store, registry: Registry, tmp_path: Path, servers: Servers
) -> None:
    """Done, and the process died before it could say so; the guard then forbids to do it again."""
    guard = 'guards: [{expect: "not state.out", else: somebody is out already}]'
    room = a_room(store, registry, tmp_path, servers, take_out("''", f"{guard}\n{UNDO}"))
    number = await room.approved()

    def before(_: int) -> None:
        if servers.orders:
            raise Died

    with at_commits(before, lambda _: None), pytest.raises(Died):
        await room.work()
    assert servers.gone == ["a", "b", "c"]
    await expire(room)
    await room.work(engine=room.another("second"))
    run = await room.run(number)
    assert (run.state, servers.gone, servers.orders) == ("failed", [], 2)
    assert run.error.startswith("s1: somebody is out already")


async def test_a_call_that_a_server_broke_down_at_is_not_made_again(
    make_room: MakeRoom, shop: HttpApp
) -> None:
    """500 tells of no refusal: it may have been done before the fault came."""
    shop.answers["/restart"] = Answer(500)
    room = make_room(runbook(f"{CALL}\nretry: {{attempts: 3, backoff: 10ms}}"), http__shop=shop.url)
    run = await ended(room)
    assert (run.state, len(paths(shop, "POST"))) == ("failed", 1)
    await room.ask("undo", run.number, "cleo")
    await room.work()
    run = await room.run(run.number)
    assert run.error.startswith("not taken back: s1: it failed once it had begun")


def answers(shop: HttpApp, items: str, fails: str) -> None:
    """Each item's page reads as it was until it is put; ``fails`` takes it, and says 500."""
    for item in items:
        shop.answers[f"/{item}"] = Answer(body=f'"was {item}"')
        shop.answers[f"PUT /{item}"] = Answer()
    # read for the plan, for the plan before the start, for all items together, just before, after
    shop.answers[f"/{fails}"] = [*[Answer(body=f'"was {fails}"')] * 4, Answer(body='"new"')]
    shop.answers[f"PUT /{fails}"] = [Answer(500), Answer()]


def puts(shop: HttpApp) -> list[tuple[str, object]]:
    return [(r.path, json.loads(r.body)) for r in shop.received if r.method == "PUT"]


@pytest.mark.parametrize(
    ("items", "fails", "stages", "done"),
    [("abcde", "c", "", "abc"), ("abc", "b", "\nstages: [1, 2, 100%]", "ab")],
    ids=["items", "stages"],
)
async def test_what_is_done_and_the_one_that_failed_are_taken_back(
    make_room: MakeRoom, shop: HttpApp, items: str, fails: str, stages: str, done: str
) -> None:
    """The third of five, or the second stage's, takes effect and fails: what follows was never begun."""
    answers(shop, items, fails=fails)
    each = 'action: http.put\nwith: {target: shop, path: "/{{ item }}", body: new}'
    step = f"{each}\nforeach: {{items: [{', '.join(items)}]}}{stages}\n{UNDO}"
    room = make_room(runbook(step), http__shop=shop.url)
    run = await ended(room)
    assert run.state == "failed"
    back = [(f"/{item}", f"was {item}") for item in reversed(done)]
    assert puts(shop) == [*((f"/{item}", "new") for item in done), *back]


class Breaks(Servers):
    """A look that has a fault for one item."""

    name: ClassVar[str] = "servers.look"
    effect: ClassVar[Effect] = Effect.READ

    async def apply(self, params: Any, connection: Connection) -> dict[str, Any]:
        if params.ends == "a":
            raise KeyError("status")
        return {"ok": True}


async def test_a_fault_at_one_item_leaves_the_others_their_outcome(
    store: Store, registry: Registry, tmp_path: Path, shop: HttpApp
) -> None:
    """An integration breaks while another item is being sent: that is done, and the run says so."""
    shop.answers["/b"] = Answer(body='"was"', latency=0.5)
    guard = "guards: [{action: servers.look, with: {out: [], ends: '{{ item }}'}, expect: out.ok}]"
    step = (
        'action: http.put\nwith: {target: shop, path: "/{{ item }}", body: new}\nundo: auto\n'
        f"foreach: {{items: [a, b], concurrency: 2}}\n{guard}"
    )
    write_folder(tmp_path, runbook(step), http__shop=shop.url)
    room = Room(store, tmp_path, Registry(actions={**registry.actions, Breaks.name: Breaks()}))
    assert room.library.problems == {}
    run = await ended(room)
    assert (run.state, run.error) == ("failed", "internal error: KeyError: 'status'")
    assert [(a.step, a.state) for a in await room.attempts(run.number)] == [("s1[b]", "done")]
    await room.ask("undo", run.number, "cleo")
    await room.work()
    assert puts(shop) == [("/b", "new"), ("/b", "was")]
