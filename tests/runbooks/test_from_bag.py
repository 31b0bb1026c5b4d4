"""A runbook that takes Jackline's own ground away: the server says how to run it, and does not."""

from pathlib import Path

import pytest
from sqlmodel import select

from bot.delivery.tables import Message
from bot.errors import BadInput
from bot.registry import Registry
from bot.runbooks import Library, Proposer
from tests.plainly import without_columns
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import look, runbook, write_folder

FRONT = """from_bag: true
triggers: ["service:shop"]
inputs: {site: {type: enum, values: [a, b], required: true}, depth: {type: integer, default: 1}}"""
LOOK = look("{{ inputs.site }}{{ inputs.depth }}")
TYPE = "jackline run --bag FILE fix site=…"


async def test_the_server_does_not_run_it(make_room: MakeRoom) -> None:
    """Whoever asks is told what to type, and where."""
    room = make_room(runbook(LOOK, front=FRONT))
    with pytest.raises(BadInput, match="Fix the shop: it takes away what") as refused:
        await room.start(site="a")
    assert refused.value.hint == TYPE


async def test_it_is_named_to_an_incident_that_it_fits(make_room: MakeRoom) -> None:
    """Once, in the channel and on the timeline, where another one would be proposed."""
    room = make_room(runbook(LOOK, front=FRONT))
    async with room.store.write() as session:
        await room.incidents.declare(
            session,
            title="Down",
            severity="sev1",
            actor="person:ana",
            origin="x",
            services=["shop"],
        )
    proposer = Proposer(room.store, room.runs)
    assert await proposer.propose_next()
    assert not await proposer.propose_next()
    said = (
        "A runbook fits: Fix the shop: it takes away what Jackline itself stands on, so it is run"
    )
    assert [r.text for r in await room.rows() if r.kind == "runbook_named"] == [
        f"{said} from the go-bag."
    ]
    async with room.store.read() as session:
        notices = select(Message).where(Message.kind == "notice")
        (message,) = (await session.execute(notices)).scalars()
    assert message.payload["text"].endswith(f"`{TYPE}`")


def test_who_calls_one_is_one(registry: Registry, tmp_path: Path) -> None:
    """Else the server would begin what it cannot end."""
    call = "runbook: fix\nwith: {site: a}"
    folder = write_folder(tmp_path, runbook(LOOK, front=FRONT))
    (folder / "caller.md").write_text(runbook(call, name="caller"))
    (folder / "bagged.md").write_text(runbook(call, name="bagged", front="from_bag: true"))
    found = Library(folder, registry).problems
    assert [without_columns(p) for each in found.values() for p in each] == [
        f"{folder}/caller.md:10: runbook: 'fix' is run from the go-bag, so this one is too: say from_bag: true"
    ]
