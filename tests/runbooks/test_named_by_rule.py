"""The runbook that a rule names: proposed first, or named where it cannot be proposed as it is."""

from sqlmodel import select

from bot.delivery.tables import Message
from bot.runbooks import Proposer, Run
from tests.runbooks.conftest import MakeRoom
from tests.runbooks.room import Room, look, runbook

SITE = "triggers: ['service:shop']\ninputs: {site: {type: enum, values: [a, b], required: true}}"


async def declare(room: Room, named: str) -> None:
    async with room.store.write() as session:
        await room.incidents.declare(
            session, title="Down", severity="sev1", actor="source:a", origin="x",
            services=["shop"], trigger={"alert": "Down", "source": "a", "runbook": named},
        )  # fmt: skip
    assert await Proposer(room.store, room.runs).propose_next()


async def test_proposed_first(make_room: MakeRoom) -> None:
    """Before those whose triggers fit, which it need not name."""
    room = make_room(runbook(look("")))
    for name in ("a", "b"):
        text = runbook(look(""), front="triggers: ['service:shop']", name=name)
        (room.library.folder / f"{name}.md").write_text(text)
    room.library.reload()
    await declare(room, "fix")
    async with room.store.read() as session:
        runs = (await session.execute(select(Run).order_by("id"))).scalars().all()
    assert [r.runbook_id for r in runs] == ["fix", "a", "b"]


async def test_one_that_needs_inputs_is_named(make_room: MakeRoom) -> None:
    """Others with inputs stay quiet; for this one people are told what to type."""
    room = make_room(runbook(look("{{ inputs.site }}"), front=SITE))
    await declare(room, "fix")
    assert [r.text for r in await room.rows() if r.kind == "runbook_named"] == [
        "A runbook fits: Fix the shop: it needs inputs, so a person asks for it."
    ]
    async with room.store.read() as session:
        notices = select(Message).where(Message.kind == "notice")
        (message,) = (await session.execute(notices)).scalars()
    assert message.payload["text"].endswith("`/runbook run fix site=…`")
