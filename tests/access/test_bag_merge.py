"""The journal of a go-bag comes home: once, whole, with what both sides did, and to be reviewed."""

import json
import shutil
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from bot.app import Jackline
from bot.errors import Conflict
from bot.postmortems.runs import runs
from bot.runbooks import Decisions
from bot.settings import load
from bot.timeline import rows_of
from tests.access.packed import World

pytestmark = pytest.mark.server


@pytest.fixture
def done(world: World) -> Path:
    """A run in the outage; the folder of its journal."""
    packed = world.pack()
    code = world.codes(packed, "ben")[0]
    ran = world.run(packed, "restore", "--as", "eli", "--code", code, "--yes")
    assert ran.code == 0, ran
    return world.folder / "home" / "jackline-journal"


async def open_(world: World) -> Jackline:
    parts = Jackline(load(world.env))
    await parts.store.migrate()
    return parts


async def declared(parts: Jackline) -> int:
    async with parts.store.write() as session:
        incident = await parts.incidents.declare(
            session, title="All is down", severity="sev1", actor="person:ana", origin="test"
        )
    return incident.number


def merged(world: World, folder: Path, *words: str) -> Any:
    found = world.jackline("bag", "merge", str(folder), *words, "--json")
    assert found.code == 0, found
    return found.json()


def whole(world: World) -> bool:
    return bool(world.jackline("audit", "verify", "--json").json()["ok"])


def test_twice_is_once(world: World, done: Path) -> None:
    """Every row with its time, actor and hash; the second merge adds nothing; the chain is whole."""
    first = merged(world, done, "--declare")
    rows = world.jackline("incidents", "show", str(first["incident"]), "--json").json()["timeline"]
    with sqlite3.connect(done / "journal.db") as db:
        local = db.execute("SELECT seq, kind, actor, hash FROM timeline ORDER BY seq").fetchall()
    mine = [r for r in rows if "bag" in r["data"]]
    assert [(r["data"]["bag"]["seq"], r["data"]["bag"]["kind"], r["actor"], r["data"]["bag"]["hash"])
            for r in mine] == [tuple(row) for row in local]  # fmt: skip
    assert all(r["at"] == r["data"]["bag"]["at"] for r in mine)
    assert [r["kind"] for r in rows][:3] == [
        "incident_declared",
        "bag_merged",
        "bag_incident_declared",
    ]
    assert first["rows"] == len(local)
    again = merged(world, done, "--declare")
    assert again == {"incident": first["incident"], "rows": 0, "runs": [], "conflicts": []}
    assert whole(world)
    other = world.jackline("bag", "merge", str(done), "--incident", "7")
    assert (other.code, "was merged into incident 1 before" in other.err) == (1, True)


async def test_the_postmortem_and_the_review(world: World, done: Path) -> None:
    """Attempts and paths are those of the bag; the run waits for its review, and no engine takes it."""
    parts = await open_(world)
    number = await declared(parts)
    found = merged_into(world, done, number)
    try:
        assert await parts.engine.journal.claim() == []
        run = await parts.engine.journal.fresh(found["runs"][0])
        assert (run.state, run.requester) == ("succeeded", "eli")
        async with parts.store.read() as session:
            rows = await rows_of(session, number)
        (seen,) = runs(rows)
        assert {s.id: (s.outcome, s.paths) for s in seen.steps.values()} == {
            "weights": ("succeeded", ["corp", "direct"]), "folder": ("succeeded", ["direct"]),
        }  # fmt: skip
        assert "access_failed" in [row.kind for row in rows]
        decisions = Decisions(parts.runs)
        person = parts.library.catalog.person("ben")
        assert person is not None
        async with parts.store.write() as session:
            with pytest.raises(Conflict, match="nobody has reviewed"):
                await decisions.require_reviewed(session, number)
            await decisions.review(session, run.number, person, "Right thing at the right time")
            await decisions.require_reviewed(session, number)
    finally:
        await parts.close()


def merged_into(world: World, folder: Path, number: int) -> Any:
    """From a thread of its own: the command has a loop of its own."""
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(merged, world, folder, "--incident", str(number)).result()


async def test_both_sides_acted(world: World, done: Path) -> None:
    """Rows about the same target in that time: both stay, and one row names them."""
    parts = await open_(world)
    try:
        number = await declared(parts)
        with sqlite3.connect(done / "journal.db") as db:
            (at,) = db.execute("SELECT at FROM timeline WHERE kind = 'run_started'").fetchone()
        when = datetime.fromisoformat(at).replace(tzinfo=UTC)
        async with parts.store.write() as session:
            for target in ("http/shop", "http/other"):
                await parts.ledger.append(
                    session, number, "step_started", "jackline", "ours",
                    data={"target": target}, at=when,
                )  # fmt: skip
        found = merged_into(world, done, number)
        async with parts.store.read() as session:
            rows = await rows_of(session, number)
            assert await parts.ledger.verify(session) == []
        assert found["conflicts"] == [2]
        assert (rows[-1].kind, rows[-1].data["targets"]) == ("bag_conflict", ["http/shop"])
        assert rows[1].text == "ours"
    finally:
        await parts.close()


CHANGES = [
    ("UPDATE timeline SET text = 'fine' WHERE seq = 4", "row 4, the row was edited"),
    ("DELETE FROM timeline WHERE seq = 5", "row 5"),
    ("DELETE FROM timeline WHERE seq > 6", "the end is cut off"),
    ("UPDATE timeline_head SET seal = ''", "the seal was not made with this audit key"),
    ("UPDATE step_attempt SET access_path = 'corp' WHERE step = 'folder'", "no row tells of"),
    ("UPDATE step_attempt SET state = 'done' WHERE state = 'not_sent'", "no row tells that"),
    ("UPDATE run SET requester = 'cleo'", "no row says that cleo asked"),
    ("UPDATE approval SET person = 'cleo'", "no row tells of the approval by cleo"),
    ("DROP TABLE step_attempt", "cannot be read"),
]


def test_a_changed_journal_is_refused(world: World, done: Path, tmp_path: Path) -> None:
    """The chain names the row; what stands beside the chain must be told by it."""
    for number, (change, named) in enumerate(CHANGES):
        copy = tmp_path / f"changed{number}"
        shutil.copytree(done, copy)
        with sqlite3.connect(copy / "journal.db") as db:
            db.execute(change)
        found = world.jackline("bag", "merge", str(copy), "--declare")
        assert (found.code, named in found.err) == (1, True), (change, found)
    assert world.jackline("incidents", "list", "--all", "--json").json() == []


def test_what_is_not_over(world: World) -> None:
    """A run that still waits arrives as failed; when it has gone on, a second merge tells the rest."""
    packed = world.pack()
    world.run(packed, "hand", "--as", "eli", "--yes")
    folder = world.folder / "home" / "jackline-journal"
    first = merged(world, folder, "--declare")
    done = world.run(packed, "hand", "--as", "eli", "--yes", "--answer", "look=cannot")
    assert done.code == 1
    second = merged(world, folder)
    assert (second["runs"], second["rows"] > 0) == (first["runs"], True)
    with sqlite3.connect(world.folder / "data" / "jackline.db") as db:
        state, error, forced = db.execute("SELECT state, error, overrides FROM run").fetchone()
    assert state == "failed"
    assert "cannot be done" in error
    assert json.loads(forced)["break_glass"]["by"] == "eli"
    assert whole(world)


def test_nowhere_to_put_it(world: World, done: Path) -> None:
    """Which incident must be said; a folder without a journal is named."""
    found = world.jackline("bag", "merge", str(done))
    assert (found.code, "Which incident?" in found.err) == (2, True)
    found = world.jackline("bag", "merge", str(world.folder), "--declare")
    assert "There is no journal" in found.err


def test_into_postgresql(world: World, done: Path, postgres_url: str) -> None:
    """The serving side's database is another kind than the journal's: the same comes of it."""
    world.database = postgres_url
    number = merged(world, done, "--declare")["incident"]
    assert merged(world, done, "--incident", str(number))["rows"] == 0
    assert whole(world)
