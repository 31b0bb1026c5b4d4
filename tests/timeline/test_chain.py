"""What is appended can be proved: rows come back as they were, in order, hashed and sealed."""

import asyncio
import math
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy.exc import StatementError

from bot.store import Store
from bot.timeline import Entry, Ledger, rows_of
from bot.timeline.chain import GENESIS, row_hash, seal
from bot.timeline.ledger import _clean
from bot.timeline.tables import Head
from tests.timeline.conftest import KEY, append, verify


async def rows(store: Store, incident: int = 1) -> list[Entry]:
    async with store.read() as session:
        return await rows_of(session, incident)


async def test_each_row_follows_the_one_before(store: Store, ledger: Ledger) -> None:
    """Sequence from 1 without gaps, each row carrying the hash of the last; the end is sealed."""
    await append(store, ledger, 4)
    found = await rows(store)
    assert [row.seq for row in found] == [1, 2, 3, 4]
    assert [row.previous for row in found] == [GENESIS, *(row.hash for row in found[:-1])]
    async with store.read() as session:
        head = await session.get_one(Head, 1)
    assert (head.seq, head.hash) == (4, found[-1].hash)
    assert head.seal == seal(KEY, 1, 4, found[-1].hash)
    assert await verify(store, ledger) == []


async def test_the_rows_after_one_can_be_asked_for(store: Store, ledger: Ledger) -> None:
    await append(store, ledger, 3)
    async with store.read() as session:
        assert [row.seq for row in await rows_of(session, 1, after=1)] == [2, 3]
        assert await rows_of(session, 2) == []


async def test_incidents_have_chains_of_their_own(store: Store, ledger: Ledger) -> None:
    await append(store, ledger, 2, incident=1)
    await append(store, ledger, 1, incident=2)
    assert (await rows(store, 2))[0].previous == GENESIS
    assert await verify(store, ledger) == []


async def test_several_rows_of_one_transaction(store: Store, ledger: Ledger) -> None:
    """A change that says three things says them in order, and all or nothing."""
    async with store.write() as session:
        for number in range(3):
            await ledger.append(session, 1, "note_added", "jackline", f"note {number}")
    assert [row.text for row in await rows(store)] == ["note 0", "note 1", "note 2"]
    assert await verify(store, ledger) == []


async def test_what_was_rolled_back_left_no_gap(store: Store, ledger: Ledger) -> None:
    await append(store, ledger, 1)

    async def changes_its_mind() -> None:
        async with store.write() as session:
            await ledger.append(session, 1, "note_added", "jackline", "never")
            raise RuntimeError

    with pytest.raises(RuntimeError):
        await changes_its_mind()
    await append(store, ledger, 1)
    assert [row.seq for row in await rows(store)] == [1, 2]
    assert await verify(store, ledger) == []


@pytest.mark.parametrize("before", [0, 1])
async def test_writers_at_once_leave_no_gap(
    store: Store, database_url: str, ledger: Ledger, before: int
) -> None:
    """Ten writers of two processes, on a chain that exists and on one that they begin."""
    other = Store(database_url)
    await append(store, ledger, before)
    await asyncio.gather(*(append(s, ledger, 2) for s in (store, other) for _ in range(5)))
    await other.close()
    assert [row.seq for row in await rows(store)] == list(range(1, 21 + before))
    assert await verify(store, ledger) == []


async def test_the_proof_may_run_beside_writers(store: Store, ledger: Ledger) -> None:
    """A row appended in the middle of the proof is not taken for a forged one."""
    await append(store, ledger, 2)
    async with store.read() as session:
        assert await ledger.verify(session) == []
        await append(store, ledger, 1)
        assert await ledger.verify(session) == []
        assert len(await rows_of(session, 1)) == 2
    writing = asyncio.create_task(append(store, ledger, 20))
    while not writing.done():
        assert await verify(store, ledger) == []


async def test_data_comes_back_as_it_was(store: Store, ledger: Ledger) -> None:
    """Both databases hand back the same JSON, so the hash holds."""
    values = [
        "zürich ✓ 🔥", "a\nb\t\"'\\", "", 0, -1, 2**53 - 1, 0.1 + 0.2, 1e-7, 5e-324, -0.0, True, None,
        [], {}, [[1], {"a": [None]}], {"b": 1, "a": 2, "é": 3},
    ]  # fmt: skip
    for value in values:
        async with store.write() as session:
            await ledger.append(session, 1, "note_added", "jackline", "text", data={"v": value})
    assert [row.data["v"] for row in await rows(store)] == values
    assert await verify(store, ledger) == []


async def test_what_a_database_cannot_hold_is_written_down_differently(
    store: Store, ledger: Ledger
) -> None:
    """A row that could not be stored, or never be verified, would lose what happened."""
    kept: list[tuple[Any, Any]] = [
        (math.nan, "nan"), (math.inf, "inf"), (1e17, "1e+17"), (2**53, str(2**53)),
        (-(10**30), str(-(10**30))), ("nul\0nul", "nul\ufffdnul"), ("half \ud83d", "half ?"),
        ((1, 2), [1, 2]), ({1: {"\0": 2}}, {"1": {"\ufffd": 2}}),
    ]  # fmt: skip
    for value, _ in kept:
        async with store.write() as session:
            await ledger.append(
                session, 1, "note_added", "jackline", f"{value}", data={"v": value}, link=f"{value}"
            )
    assert [row.data["v"] for row in await rows(store)] == [shown for _, shown in kept]
    assert await verify(store, ledger) == []


async def test_time_is_kept_to_the_microsecond_in_utc(store: Store, ledger: Ledger) -> None:
    """A time of another zone is the same moment, and so the same hash."""
    at = datetime(2026, 3, 29, 3, 30, 0, 123456, tzinfo=timezone(timedelta(hours=2)))
    async with store.write() as session:
        await ledger.append(session, 1, "note_added", "jackline", "text", at=at)
    row = (await rows(store))[0]
    assert row.at == at
    assert row.at.tzinfo is UTC
    assert await verify(store, ledger) == []


async def test_a_time_without_zone_is_refused(store: Store, ledger: Ledger) -> None:
    naive = datetime(2026, 1, 1)  # noqa: DTZ001 - that is the claim
    async with store.write() as session:
        with pytest.raises(StatementError, match="naive datetime"):
            await ledger.append(session, 1, "note_added", "jackline", "text", at=naive)
        await session.rollback()


async def test_credentials_are_cut_out(store: Store, ledger: Ledger) -> None:
    """Before hashing, in text, link and data down to keys: the record is for ever."""
    secrets = ["xoxb-123-abc", "xapp-1-A0-abc", "Bearer abc.def", "bearer abc=="]
    async with store.write() as session:
        for secret in secrets:
            await ledger.append(
                session, 1, "note_added", "jackline", f"token {secret}!",
                data={"headers": [{"Authorization": secret}], secret: "key"}, link=f"http://x/{secret}",
            )  # fmt: skip
    for row in await rows(store):
        assert row.text == "token [redacted]!"
        assert row.data == {"headers": [{"Authorization": "[redacted]"}], "[redacted]": "key"}
        assert not any(secret in row.link for secret in secrets)
    assert await verify(store, ledger) == []


AT = datetime(2026, 11, 23, 12, tzinfo=UTC)
ROW: dict[str, Any] = {
    "incident_id": 1, "seq": 1, "at": AT, "kind": "k", "actor": "a", "text": "t",
    "data": {"a": 1}, "link": "l", "previous": GENESIS,
}  # fmt: skip


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("incident_id", 2), ("seq", 2), ("at", AT + timedelta(microseconds=1)), ("kind", "x"),
        ("actor", "x"), ("text", "x"), ("data", {"a": 2}), ("link", "x"), ("previous", "1" * 64),
    ],
)  # fmt: skip
def test_every_column_is_under_the_hash(column: str, value: Any) -> None:
    assert row_hash(**(ROW | {column: value})) != row_hash(**ROW)


def test_the_order_of_keys_is_not_under_the_hash() -> None:
    """PostgreSQL keeps JSON's keys in an order of its own."""
    first, second = {"a": 1, "b": {"c": 2, "d": 3}}, {"b": {"d": 3, "c": 2}, "a": 1}
    assert row_hash(**(ROW | {"data": first})) == row_hash(**(ROW | {"data": second}))


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.characters(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner),
    max_leaves=6,
)


@pytest.mark.slow
@settings(max_examples=60)
@given(st.dictionaries(st.text(), JSON))
def test_any_data_can_be_hashed(data: dict[str, Any]) -> None:
    """Cleaning is done once and for all, and never leaves what has no canonical form."""
    clean = _clean(data)
    assert _clean(clean) == clean
    assert len(row_hash(**(ROW | {"data": clean}))) == 64
