"""Whoever changes the record behind Jackline's back is found out, with the place."""

import pytest

from bot.store import Store
from bot.timeline import Ledger, Problem, rows_of
from bot.timeline.chain import row_hash, seal
from tests.timeline.conftest import KEY, Tamper, append, verify


@pytest.fixture
async def chain(store: Store, ledger: Ledger) -> Store:
    """Five rows of incident 1, two of incident 2."""
    await append(store, ledger, 5)
    await append(store, ledger, 2, incident=2)
    assert await verify(store, ledger) == []
    return store


@pytest.mark.parametrize(
    "change",
    [
        "text = 'all was well'", "actor = 'jackline'", "kind = 'status_changed'", "link = 'http://x'",
        "data = '{}'", "at = (SELECT at FROM timeline WHERE incident_id = 2 AND seq = 1)",
        "hash = previous", "data = '{\"share\": 1e17}'",
    ],
)  # fmt: skip
async def test_an_edited_row(chain: Store, tamper: Tamper, change: str) -> None:
    """Whichever column, first, middle and last; the other incident's chain is whole."""
    for seq in (5, 3, 1):
        found = await tamper(f"UPDATE timeline SET {change} WHERE incident_id = 1 AND seq = {seq}")
        assert found[0] == Problem(1, seq, "the row was edited")
        assert {p.incident_id for p in found} == {1}


async def test_a_deleted_row(chain: Store, tamper: Tamper) -> None:
    found = await tamper("DELETE FROM timeline WHERE incident_id = 1 AND seq = 3")
    assert found == [Problem(1, 3, "row 3 is missing (next is 4)")]


async def test_a_deleted_first_row(chain: Store, tamper: Tamper) -> None:
    found = await tamper("DELETE FROM timeline WHERE incident_id = 1 AND seq = 1")
    assert found == [Problem(1, 1, "row 1 is missing (next is 2)")]


async def test_a_deleted_row_whose_gap_was_closed(chain: Store, tamper: Tamper) -> None:
    """The rows after it are moved up, each with a number that it was not hashed with."""
    found = await tamper(
        "DELETE FROM timeline WHERE incident_id = 1 AND seq = 3",
        "UPDATE timeline SET seq = 3 WHERE incident_id = 1 AND seq = 4",
        "UPDATE timeline SET seq = 4 WHERE incident_id = 1 AND seq = 5",
    )
    assert found[0] == Problem(1, 3, "the row was edited")
    assert found[-1] == Problem(1, 4, "the end is cut off: 5 rows were sealed")


async def test_two_rows_in_each_others_place(chain: Store, tamper: Tamper) -> None:
    found = await tamper(
        "UPDATE timeline SET seq = 99 WHERE incident_id = 1 AND seq = 2",
        "UPDATE timeline SET seq = 2 WHERE incident_id = 1 AND seq = 3",
        "UPDATE timeline SET seq = 3 WHERE incident_id = 1 AND seq = 99",
    )
    assert {p.seq for p in found} >= {2, 3}


@pytest.mark.parametrize("left", [4, 1, 0])
async def test_a_cut_off_end(chain: Store, tamper: Tamper, left: int) -> None:
    """The chain that is left holds; the seal says that it went on."""
    found = await tamper(f"DELETE FROM timeline WHERE incident_id = 1 AND seq > {left}")
    assert found == [Problem(1, left, "the end is cut off: 5 rows were sealed")]


async def test_a_cut_off_end_with_the_head_moved_back(chain: Store, tamper: Tamper) -> None:
    """Without the key nobody can seal the shorter chain."""
    found = await tamper(
        "DELETE FROM timeline WHERE incident_id = 1 AND seq > 3",
        "UPDATE timeline_head SET seq = 3, hash = (SELECT hash FROM timeline "
        "WHERE incident_id = 1 AND seq = 3) WHERE incident_id = 1",
    )
    assert found == [Problem(1, 3, "the seal was not made with this audit key")]


async def test_a_seal_that_is_gone(chain: Store, tamper: Tamper) -> None:
    found = await tamper("DELETE FROM timeline_head WHERE incident_id = 1")
    assert found == [Problem(1, 5, "the chain's seal is gone")]


async def test_a_seal_of_another_incident(chain: Store, tamper: Tamper) -> None:
    found = await tamper(
        "UPDATE timeline_head SET seal = (SELECT seal FROM timeline_head WHERE incident_id = 2) "
        "WHERE incident_id = 1"
    )
    assert found == [Problem(1, 5, "the seal was not made with this audit key")]


async def test_a_row_added_at_the_end(chain: Store, tamper: Tamper) -> None:
    """With a right hash, but without the seal."""
    async with chain.read() as session:
        last = (await rows_of(session, 1))[-1]
    digest = row_hash(1, 6, last.at, "note_added", "person:ana", "me too", {}, "", last.hash)
    found = await tamper(
        "INSERT INTO timeline (incident_id, seq, at, kind, actor, text, data, link, previous, hash) "
        "SELECT 1, 6, at, kind, actor, 'me too', '{}', '', hash, :digest FROM timeline "
        "WHERE incident_id = 1 AND seq = 5",
        digest=digest,
    )
    assert found == [Problem(1, 6, "the end is cut off: 5 rows were sealed")]


async def test_a_chain_computed_anew(chain: Store, tamper: Tamper) -> None:
    """All hashes are right again after the edit; the seal is over the old end."""
    async with chain.read() as session:
        found = await rows_of(session, 1)
    previous, statements = found[0].previous, []
    for row in found:
        text = "all was well" if row.seq == 2 else row.text
        digest = row_hash(
            1, row.seq, row.at, row.kind, row.actor, text, row.data, row.link, previous
        )
        statements.append(
            f"UPDATE timeline SET text = '{text}', previous = '{previous}', hash = '{digest}' "
            f"WHERE incident_id = 1 AND seq = {row.seq}"
        )
        previous = digest
    problems = await tamper(*statements)
    assert problems == [Problem(1, 5, "the last row is not the one that was sealed")]
    forged = seal(b"a guess", 1, 5, previous)
    problems = await tamper(
        f"UPDATE timeline_head SET hash = '{previous}', seal = '{forged}' WHERE incident_id = 1"
    )
    assert problems == [Problem(1, 5, "the seal was not made with this audit key")]


async def test_a_row_hashed_anew_in_the_middle(chain: Store, tamper: Tamper) -> None:
    """Its own hash is right, the next row does not follow it."""
    async with chain.read() as session:
        row = (await rows_of(session, 1))[1]
    digest = row_hash(1, 2, row.at, row.kind, row.actor, "well", row.data, row.link, row.previous)
    found = await tamper(
        "UPDATE timeline SET text = 'well', hash = :digest WHERE incident_id = 1 AND seq = 2",
        digest=digest,
    )
    assert found == [Problem(1, 3, "does not follow the row before it")]


async def test_a_whole_record_taken_away(chain: Store, tamper: Tamper, ledger: Ledger) -> None:
    """Other chains do not show it; who knows that the incident was, does."""
    found = await tamper(
        "DELETE FROM timeline WHERE incident_id = 2",
        "DELETE FROM timeline_head WHERE incident_id = 2",
    )
    assert found == []
    gone = [Problem(2, 0, "the whole record is gone")]
    assert await verify(chain, ledger, expected=[1, 2]) == gone
    assert await verify(chain, ledger, incident_id=2, expected=[1, 2]) == gone


async def test_another_key_is_noticed(chain: Store) -> None:
    """Every chain's seal, by the key alone: whoever lost the key sees it at once."""
    found = await verify(chain, Ledger(KEY + b"!"))
    assert [p.problem for p in found] == ["the seal was not made with this audit key"] * 2


async def test_one_incident_can_be_asked_for(chain: Store, tamper: Tamper, ledger: Ledger) -> None:
    await tamper("UPDATE timeline SET text = '' WHERE seq = 1")
    assert {p.incident_id for p in await verify(chain, ledger, incident_id=2)} == {2}
    assert await verify(chain, ledger, incident_id=3) == []


@pytest.mark.parametrize("change", ["data = '{'", "data = 'NaN'", "at = 'yesterday'", "at = 5"])
async def test_a_row_that_cannot_be_read(chain: Store, tamper: Tamper, change: str) -> None:
    """SQLite takes anything; the proof goes on to the other incidents."""
    if not chain.is_sqlite:
        pytest.skip("PostgreSQL's columns refuse it")
    found = await tamper(
        f"UPDATE timeline SET {change} WHERE incident_id = 1 AND seq = 2",
        "UPDATE timeline SET text = 'x' WHERE incident_id = 2 AND seq = 2",
    )
    assert found[0].incident_id == 1
    assert "was edited" in found[0].problem
    assert found[-1] == Problem(2, 2, "the row was edited")
