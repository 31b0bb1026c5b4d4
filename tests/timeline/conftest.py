"""A chain over each database, and a hand that tampers with it behind Jackline's back."""

from collections.abc import Awaitable, Callable

import pytest
from sqlalchemy import text

from bot.store import Store
from bot.timeline import Ledger, Problem

KEY = b"audit"
Tamper = Callable[..., Awaitable[list[Problem]]]


@pytest.fixture
def ledger() -> Ledger:
    return Ledger(KEY)


async def append(store: Store, ledger: Ledger, count: int = 1, incident: int = 1) -> None:
    """Rows of a chain, each in a transaction of its own."""
    for number in range(count):
        async with store.write() as session:
            await ledger.append(
                session, incident, "note_added", "person:ana", f"note {number}",
                data={"surface": "console", "nested": [{"share": 0.25}, None, True]},
            )  # fmt: skip


async def verify(store: Store, ledger: Ledger, **asked: object) -> list[Problem]:
    async with store.read() as session:
        return await ledger.verify(session, **asked)  # type: ignore[arg-type]


@pytest.fixture
def tamper(store: Store, ledger: Ledger) -> Tamper:
    """`await tamper("UPDATE …")`: plain SQL on the chain, and what the proof finds then."""

    async def does(*statements: str, **values: object) -> list[Problem]:
        async with store.engine.begin() as connection:
            for statement in statements:
                await connection.execute(text(statement), values)
        return await verify(store, ledger)

    return does
