"""An undo that would end somebody's later change: a person hears of it before it is done."""

from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from bot.contract import Change, Connection, Preview
from bot.registry import Registry
from bot.runbooks import Run
from bot.store import Store
from tests.killing import at_commits
from tests.runbooks.room import Room, expire, runbook, running, until, write_folder
from tests.runbooks.test_undo_part import Servers, a_room, take_out

pytestmark = pytest.mark.server
Play = Callable[[Servers], Awaitable[tuple[Room, int]]]
SAID = (
    "not taken back: s1: somebody changed it after this step: d is out now, not other. "
    "To go back all the same, ask for the undo again"
)


@pytest.fixture
def servers() -> Servers:
    return Servers()


@pytest.fixture
def played(store: Store, registry: Registry, tmp_path: Path) -> Play:
    """A run that took three servers out, and succeeded."""

    async def play(servers: Servers) -> tuple[Room, int]:
        room = a_room(store, registry, tmp_path, servers, take_out("''", "undo: auto"))
        number = await room.approved()
        await room.work()
        assert (await room.run(number)).state == "succeeded"
        return room, number

    return play


async def undone(room: Room, number: int) -> Run:
    await room.ask("undo", number, "cleo")
    await room.work()
    return await room.run(number)


async def test_nothing_is_sent_before_a_person_has_heard_of_it(
    played: Play, servers: Servers
) -> None:
    """The words say what it is now; who asks again gets it, and the record tells both."""
    room, number = await played(servers)
    servers.gone = ["d"]
    run = await undone(room, number)
    assert (run.state, run.error) == ("failed", SAID)
    assert (servers.gone, servers.orders) == (["d"], 1)
    held = [row.text for row in await room.rows() if row.kind == "guard_failed"]
    assert held == [f"Undo of s1 held back: {SAID.removeprefix('not taken back: s1: ')}"]
    run = await undone(room, number)
    assert (run.state, run.error, servers.gone) == ("aborted", "", [])


async def test_one_more_change_is_one_more_question(played: Play, servers: Servers) -> None:
    """What was told is not what would be ended now."""
    room, number = await played(servers)
    servers.gone = ["d"]
    await undone(room, number)
    servers.gone = ["d", "e"]
    run = await undone(room, number)
    assert "d is out now, not other; e is out now, not other." in run.error
    assert servers.gone == ["d", "e"]
    assert (await undone(room, number)).state == "aborted"
    assert servers.gone == []


async def test_what_is_back_already_is_no_change_to_end(played: Play, servers: Servers) -> None:
    room, number = await played(servers)
    servers.gone = []
    assert (await undone(room, number)).state == "aborted"
    assert servers.gone == []


class Ailing(Servers):
    """As it was left, and not well; or well, and its preview always has something to do."""

    told_by: str = ""

    async def preview(self, params: Any, connection: Connection) -> Preview:
        found = await super().preview(params, connection)
        if self.told_by != "verify" or found.changes:
            return found
        again = Change(target="http/shop", what="all", before="out", after="out again")
        return Preview(changes=[again], state=found.state)

    async def verify(self, params: BaseModel, connection: Connection) -> bool | None:
        return await super().verify(params, connection) and self.told_by != "preview"


@pytest.mark.parametrize("told_by", ["verify", "preview"])
async def test_one_reading_alone_is_no_change(played: Play, told_by: str) -> None:
    """Neither a target that is not well keeps the undo from it, nor one that can be done again."""
    servers = Ailing()
    room, number = await played(servers)
    servers.told_by = told_by
    assert (await undone(room, number)).state == "aborted"
    assert servers.gone == []


async def test_a_crash_is_no_persons_word(played: Play, servers: Servers) -> None:
    """Wherever Jackline dies during the undo: taken up again, it does not go over the change."""
    room, number = await played(servers)
    servers.gone = ["d"]
    for at in range(1, 9):
        await room.ask("undo", number, "cleo") if at == 1 else await _anew(room, number)

        def dies(commit: int, at: int = at) -> None:
            if commit == at:
                raise ConnectionError("the process died here")

        with at_commits(before=lambda _: None, after=dies), suppress(ConnectionError):
            await room.work(1)
        await expire(room)
        await room.work()
        run = await room.run(number)
        assert (run.state, run.error, servers.gone) == ("failed", SAID, ["d"]), at


async def test_who_asks_the_caller_again_has_heard_of_it(
    store: Store, registry: Registry, tmp_path: Path, servers: Servers
) -> None:
    """The run that it called says what was changed, and the caller with it."""
    front = "approvals: {count: 0}\nblast_radius: {max_targets: 5}"
    low = runbook(take_out("''", "undo: auto"), name="low", front=front)
    write_folder(tmp_path, runbook("runbook: low"))
    (tmp_path / "low.md").write_text(low, "utf-8")
    room = Room(store, tmp_path, Registry(actions={**registry.actions, Servers.name: servers}))
    assert room.library.problems == {}
    number = await room.approved()
    async with running(room.engine):
        await until(room, number, "succeeded")
        servers.gone = ["d"]
        await room.ask("undo", number, "cleo")
        run = await until(room, number, "failed")
        assert run.error == f"not taken back: s1: {SAID}"
        await room.ask("undo", number, "cleo")
        await until(room, number, "aborted")
    assert servers.gone == []


async def _anew(room: Room, number: int) -> None:
    """Asked for by a run that calls it, which knows of no person."""
    async with room.store.write() as session:
        await room.runs.take_back(session, number, "run:0")
