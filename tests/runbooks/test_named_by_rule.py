"""The runbook that a rule names: proposed first, or named where it cannot be proposed as it is."""

from contextlib import suppress
from typing import Any

import pytest
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.delivery.tables import Message
from bot.incidents import Incident
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


async def test_where_we_break_holds_up_no_other(
    make_room: MakeRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One incident at which proposing fails, each time: the next one has its runbook all the same."""
    room = make_room(runbook(look(""), front="triggers: ['service:shop']"))
    start = room.runs.start

    async def breaks(session: AsyncSession, incident: Incident, *given: Any, **more: Any) -> Run:
        if incident.number == 1:
            raise RuntimeError
        return await start(session, incident, *given, **more)

    monkeypatch.setattr(room.runs, "start", breaks)
    async with room.store.write() as session:
        for title in ("Down", "Slow"):
            await room.incidents.declare(
                session, title=title, severity="sev1", actor="source:a", origin=title,
                services=["shop"], trigger={"alert": title, "source": "a"},
            )  # fmt: skip
    proposer = Proposer(room.store, room.runs)
    for _ in range(3):
        with suppress(RuntimeError):
            await proposer.propose_next()
    async with room.store.read() as session:
        runs = (await session.execute(select(Run))).scalars().all()
    assert [r.incident_id for r in runs] == [2]
    monkeypatch.undo()
    assert await proposer.propose_next()
    assert not await proposer.propose_next()
