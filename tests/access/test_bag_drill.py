"""The drill of a go-bag: every way tried from a bare machine, its receipt, and who misses it."""

import asyncio
import json
import socket
import sqlite3
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from bot.access import Dialer
from bot.access.bag_drills import Receipt, bag_standing, put_on_record
from bot.access.tables import PackedBag
from bot.errors import NotFound, Untrusted
from bot.registry import Registry
from bot.runbooks.bag_drill import drill_bag
from bot.runbooks.library import Library
from bot.store import Store, now
from bot.timeline import Ledger, rows_of
from tests.access.packed import SECRET, Done, World
from tests.runbooks.room import PEOPLE, look, runbook
from tests.servers.fixtures import Start
from tests.servers.http_app import Answer, HttpApp
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
DAY = timedelta(days=1)
Change = Callable[[dict[str, Any]], None]


def rewrite(world: World, change: Change) -> None:
    """Another catalog, to be packed."""
    path = world.folder / "runbooks" / "catalog" / "all.yaml"
    catalog = json.loads(path.read_text())
    change(catalog)
    path.write_text(json.dumps(catalog))


def probed(catalog: dict[str, Any]) -> None:
    """The shop is proven by reading, with the emergency credential."""
    catalog["targets"][0]["probe"] = {
        "action": "http.check", "with": {"target": "shop", "path": "/weights"},
    }  # fmt: skip


def no_host(catalog: dict[str, Any]) -> None:
    catalog["targets"][1]["url"] = f"ssh://root@{HOST}:{free_port()}"


def no_shop(catalog: dict[str, Any]) -> None:
    catalog["targets"][0]["url"] = f"http://{HOST}:{free_port()}"


def drill(world: World, packed: dict[str, Any], *words: str, who: str = "ana") -> Done:
    """``jackline bag drill FILE``, with that person's key; the receipt is ``receipt.json``."""
    return world.jackline(
        "bag", "drill", packed["file"], "--signer", packed["signer"], "--identity",
        str(world.folder / f"{who}.key"), "--receipt", str(receipt(world)), *words,
    )  # fmt: skip


def receipt(world: World) -> Path:
    return world.folder / "receipt.json"


def on_record(world: World) -> list[tuple[str, str]]:
    """Actor and text of each drill of a bag on the system's chain, which is whole."""
    assert world.jackline("audit", "verify", "--json").json()["ok"]
    with sqlite3.connect(world.folder / "data" / "jackline.db") as db:
        query = "SELECT actor, text FROM timeline WHERE incident_id = 0 AND kind = 'bag_drilled'"
        return db.execute(query).fetchall()


def test_from_the_bag_alone(world: World) -> None:
    """Bare Python: each way with the sealed credentials, by reading; the receipt comes home once."""
    rewrite(world, probed)
    packed = world.pack()
    done = world.bag(
        packed["file"], "bag", "drill", "--signer", packed["signer"], "--as", "eli", "--json"
    )
    assert done.code == 0, done
    found = done.json()
    ways = {(w["target"], w["path"]): w for w in found["paths"]}
    assert {way: (w["ok"], w["depth"]) for way, w in ways.items()} == {
        ("http/shop", "corp"): (False, "action"),
        ("http/shop", "direct"): (True, "action"),
        ("ssh/ops", "direct"): (True, "login"),
    }
    assert ways["http/shop", "direct"]["ms"] > 0
    assert "cannot be reached over corp" in ways["http/shop", "corp"]["error"]
    books = {book["id"]: book for book in found["runbooks"]}
    assert {name: book["runs"] for name, book in books.items()} == {"restore": True, "hand": True}
    assert {s["path"] for s in books["restore"]["steps"]} == {"direct"}
    assert {(r.method, r.headers["authorization"]) for r in world.shop.received} == {
        ("GET", f"Bearer {SECRET}")
    }
    assert not (world.folder / "made").exists()
    for shown in ("Go-bag", "3/3", "✗  corp to http/shop: ", "✓", "Score: 100%"):
        assert shown in done.err, done.err
    (file,) = (world.folder / "home").glob(f"jackline-drill-{packed['bag']}-*.json")
    assert found["receipt"] == file.name
    assert file.stat().st_mode & 0o077 == 0
    text = file.read_text()
    assert SECRET not in text + done.out + done.err
    kept = json.loads(text)
    assert (kept["bag"], kept["person"], kept["host"], kept["score"], kept["not_proven"]) == (
        packed["bag"], "eli", socket.gethostname(), 1.0, [],
    )  # fmt: skip
    assert [way.partition(":")[0] for way in kept["failed"]] == ["corp to http/shop"]

    assert "none was drilled yet" in world.jackline("doctor").out
    first = world.jackline("bag", "drilled", str(file))
    assert (first.code, "is on record now." in first.out) == (0, True), first
    assert "corp to http/shop: " in first.out
    again = world.jackline("bag", "drilled", str(file), "--json")
    assert (again.code, again.json()["new"]) == (0, False)
    ((actor, said),) = on_record(world)
    assert actor == "person:eli"
    assert f"Go-bag {packed['bag']} was drilled on {socket.gethostname()} at " in said
    for command in (("doctor",), ("access", "drills")):
        shown = world.jackline(*command).out
        assert "drilled 0 min ago by eli: 100% of the runbooks would run" in shown


def test_one_path_dead(world: World) -> None:
    """A runbook that needs it is not proven, and the tables say over what, and why."""
    rewrite(world, no_host)
    packed = world.pack()
    done = drill(world, packed)
    assert done.code == 0, done
    rows = [[cell.strip() for cell in line.split("│")[1:-1]] for line in done.out.splitlines()]
    table = {row[0]: row[1:] for row in rows if len(row) == 3}
    assert table["hand"] == ["yes", "direct: restart"]
    assert table["restore"][0] == "no"
    assert "✗ direct failed: folder → ssh/ops" in done.out
    assert "✗  direct to ssh/ops: " in done.out
    assert "Score: 50%" in done.out
    kept = json.loads(receipt(world).read_text())
    assert (kept["person"], kept["score"], kept["not_proven"]) == ("ana", 0.5, ["restore"])
    assert "restore would not run" in world.jackline("bag", "drilled", str(receipt(world))).out


def test_a_credential_that_is_refused(world: World) -> None:
    """The way does not work then; a server that repeats the credential does not get it shown."""

    def named(catalog: dict[str, Any]) -> None:
        lookup = {"server": "ns1", "zone": "example.com", "name": "www.example.com", "type": "A"}
        catalog["targets"].append({
            "name": "powerdns/ns1", "url": world.shop.url, "via": ["direct"],
            "headers": {"X-API-Key": "credential:api"},
            "probe": {"action": "powerdns.lookup", "with": lookup},
        })  # fmt: skip

    rewrite(world, named)
    world.shop.default = Answer(status=401, body=f"not {SECRET}")
    packed = world.pack()
    done = world.bag(
        packed["file"], "bag", "drill", "--signer", packed["signer"], "--as", "eli", "--json",
        "--receipt", str(receipt(world)),
    )  # fmt: skip
    assert done.code == 0, done
    (said,) = [w["error"] for w in done.json()["paths"] if w["target"] == "powerdns/ns1"]
    assert "not [redacted]" in said
    assert SECRET not in done.out + done.err + receipt(world).read_text()


def test_no_runbook_would_run(world: World) -> None:
    """Exit code 1; on record all the same, and the doctor wants another drill at once."""
    rewrite(world, no_shop)
    packed = world.pack()
    done = drill(world, packed, "--json")
    assert (done.code, done.json()["score"]) == (1, 0)
    assert world.jackline("doctor").code == 0
    assert world.jackline("bag", "drilled", str(receipt(world))).code == 0
    shown = world.jackline("doctor")
    assert (shown.code, "0% of the runbooks would run; drill one" in shown.out) == (1, True)


def test_who_may_drill(world: World) -> None:
    """As with `run`: a key belongs to its person, and the signer must be known."""
    packed = world.pack()
    assert "This key is ana's" in drill(world, packed, "--as", "ben").err
    assert "Say who you are" in drill(world, packed, who="team").err
    assert "There is no person 'x'" in drill(world, packed, "--as", "x", who="team").err
    assert drill(world, packed, who="ben").code == 1
    done = world.bag(packed["file"], "bag", "drill", "--as", "eli")
    assert (done.code, "is not in" in done.err) == (1, True)
    assert not receipt(world).exists()
    assert world.shop.received == []


CHANGES: list[tuple[str, Any]] = [
    ("bag", "0123456789ab"), ("person", "cleo"), ("host", "elsewhere"), ("score", 1.0),
    ("at", "2031-01-01T00:00:00Z"), ("not_proven", []), ("failed", []), ("seal", ""),
    ("seal", "ü"), ("score", 7), ("more", 1),
]  # fmt: skip


def test_a_changed_receipt_is_refused(world: World) -> None:
    """Whatever was changed, and what is none at all: one error, and nothing on record."""
    rewrite(world, no_host)
    drill(world, world.pack())
    whole = json.loads(receipt(world).read_text())
    for name, value in CHANGES:
        receipt(world).write_text(json.dumps({**whole, name: value}))
        done = world.jackline("bag", "drilled", str(receipt(world)))
        assert done.code == 1, (name, done)
        assert "was changed" in done.err or "is no receipt" in done.err
    receipt(world).write_bytes(b"\xff\0")
    assert "is no receipt" in world.jackline("bag", "drilled", str(receipt(world))).err
    assert world.jackline("bag", "drilled", str(world.folder / "nowhere")).code == 2
    assert on_record(world) == []
    receipt(world).write_text(json.dumps(whole))
    assert world.jackline("bag", "drilled", str(receipt(world))).code == 0


def test_the_receipt_of_a_foreign_bag(world: World) -> None:
    """Of another Jackline's bag, and of one of ours that is not among those packed here."""
    packed = world.pack()
    drill(world, packed)
    with sqlite3.connect(world.folder / "data" / "jackline.db") as db:
        db.execute("DELETE FROM packed_bag")
    done = world.jackline("bag", "drilled", str(receipt(world)))
    assert (done.code, f"There is no go-bag {packed['bag']}" in done.err) == (1, True)
    (world.folder / "data").rename(world.folder / "theirs")
    world.pack(place="ours")
    done = world.jackline("bag", "drilled", str(receipt(world)))
    assert (done.code, "was not packed by this Jackline" in done.err) == (1, True)
    assert on_record(world) == []


def test_a_receipt_that_cannot_be_written(world: World) -> None:
    """Said after the tables, which are not lost by it."""
    receipt(world).mkdir()
    done = drill(world, world.pack())
    assert (done.code, "Cannot write the receipt" in done.err) == (1, True)
    assert "Score: 100%" in done.out


def made(at_days: float, score: float = 1.0, bag: str = "b1") -> Receipt:
    return Receipt(
        bag=bag, person="ana", host="ops1", at=now() + at_days * DAY, score=score, not_proven=[],
        failed=[],
    ).sealed("key")  # fmt: skip


@pytest.fixture
async def ledger(store: Store) -> Ledger:
    """With one bag that was packed forty days ago, and a newer one."""
    async with store.write() as session:
        for name, days in (("b1", 40), ("b2", 1)):
            session.add(PackedBag(id=name, packed_at=now() - days * DAY, recipients=2, digest="d",
                                  signer="s"))  # fmt: skip
    return Ledger(b"audit")


async def taken(store: Store, ledger: Ledger, found: Receipt) -> bool:
    async with store.write() as session:
        return await put_on_record(session, ledger, found, "key")


async def test_handed_in_at_once(store: Store, ledger: Ledger) -> None:
    """By several people at the same time it is on record once."""
    found = made(-1)
    new = await asyncio.gather(*(taken(store, ledger, found) for _ in range(4)))
    assert sorted(new) == [False, False, False, True]
    async with store.read() as session:
        assert [row.kind for row in await rows_of(session, 0)] == ["bag_drilled"]
        assert await ledger.verify(session) == []


async def test_which_drill_counts(store: Store, ledger: Ledger) -> None:
    """The newest, in whichever order receipts come; a fast clock does not put the next one off."""

    async def due() -> float:
        async with store.read() as session:
            standing = await bag_standing(session)
        assert standing is not None
        assert standing.newest.id == "b2"
        return round((standing.drill_due(30 * DAY) - now()) / DAY, 1)

    assert await due() == -10
    assert await taken(store, ledger, made(-5))
    assert await due() == 25
    assert await taken(store, ledger, made(-7))
    assert await due() == 25
    assert await taken(store, ledger, made(-2, score=0.0, bag="b2"))
    assert await due() == -2
    assert await taken(store, ledger, made(400))
    assert await due() == 30
    async with store.read() as session:
        assert len(await rows_of(session, 0)) == 4
    with pytest.raises(NotFound):
        await taken(store, ledger, made(0, bag="b3"))
    with pytest.raises(Untrusted):
        await taken(store, ledger, made(0).model_copy(update={"bag": "b2"}))


async def test_what_a_runbook_needs(
    tmp_path: Path, registry: Registry, http_server: Start[HttpApp]
) -> None:
    """One good way for each step: its own paths, all of them where it says so; what cannot load fails."""
    shop = http_server("shop")
    folder = tmp_path / "runbooks"
    (folder / "catalog").mkdir(parents=True)
    dead = {"kind": "pinned", "connect_to": {HOST: "127.0.0.9"}}
    (folder / "catalog" / "all.yaml").write_text(json.dumps({
        "people": PEOPLE,
        "paths": [{"name": "direct"}, {"name": "dead", **dead}, {"name": "other", **dead}],
        "targets": [{"name": "http/shop", "url": shop.url, "via": ["dead", "direct"]}],
    }))  # fmt: skip
    for name, via in (("any", ""), ("own", "via: [other]"), ("each", "via: {all: [dead, direct]}")):
        (folder / f"{name}.md").write_text(runbook(look("", via), name=name))
    (folder / "broken.md").write_text(runbook("action: gone.away", name="broken"))
    library = Library(folder, registry)
    told: list[tuple[int, int]] = []
    found = await drill_bag(
        library, Dialer(lambda: library.catalog), lambda n, of, *_: told.append((n, of))
    )
    assert told == [(1, 3), (2, 3), (3, 3)]
    assert found.not_proven == ["broken", "each", "own"]
    assert found.score == 0.25
    assert "gone.away" in found.broken["broken"]
    whys = {a.runbook.id: a.reaches[0].why for a in found.answers}
    assert whys == {"any": "", "own": "other failed", "each": "dead failed"}
    assert [way.partition(":")[0] for way in found.failed] == [
        "dead to http/shop",
        "other to http/shop",
    ]
