"""The go-bag's file: what is in it, who may open it, and that not one byte may be changed."""

import random
import subprocess
import zipfile
from pathlib import Path

import pytest

from bot.access.bag_start import SEAL_LENGTH
from bot.access.bags import read_bag
from bot.access.payload import unpacked
from bot.chat.terminal.opening import keys_of
from bot.errors import AuthFailed, Untrusted
from tests.access.packed import OTHER, PYTHON, SECRET, World, key, turn

pytestmark = pytest.mark.server


def test_what_is_in_it(world: World) -> None:
    """Runbooks, pages and catalog for its recipients; of secrets only those for emergencies."""
    packed = world.pack()
    bag = read_bag(Path(packed["file"]))
    payload = unpacked(bag.opened(keys_of(world.folder / "team.key")))
    assert set(payload.files) == {
        "runbooks/restore.md", "runbooks/hand.md", "runbooks/catalog/all.yaml",
        "html/index.html", "html/restore.html", "html/hand.html",
    }  # fmt: skip
    assert payload.sealed.credentials["api"] == SECRET
    assert set(payload.sealed.credentials) == {"api", "login"}
    everything = b"".join(payload.files.values()) + payload.sealed.model_dump_json().encode()
    assert OTHER.encode() not in everything
    for person in ("ana", "ben", "cleo"):
        codes = world.codes(packed, person)
        assert len(codes) == 10
        assert not any(code.encode() in everything for code in codes)
    page = payload.files["html/restore.html"].decode()
    assert "<script>" not in page
    assert "Restore &lt;the&gt; shop" in page
    assert "http.put" in page
    assert "+1 555 0100" in payload.files["html/index.html"].decode()
    for path in (Path(packed["file"]), *Path(packed["sheets"]["ben"]).parent.iterdir()):
        assert path.stat().st_mode & 0o077 == 0, path


def test_nothing_is_told_without_a_key(world: World) -> None:
    """The list without a key has counts; with one it has names; neither has a value."""
    packed = world.pack()
    with zipfile.ZipFile(packed["file"]) as archive:
        assert b"shop" not in archive.read("bag/manifest.json")
        assert archive.read("bag/payload.age").startswith(b"age-encryption.org/v1")
    shown = world.bag(packed["file"], "bag", "list", "--json")
    assert shown.json()["runbooks"] == 2
    assert shown.json()["recipients"] == 2
    assert "restore" not in shown.out
    named = world.jackline(
        "bag", "list", packed["file"], "--identity", str(world.folder / "ana.key"),
        "--signer", packed["signer"], "--json",
    )  # fmt: skip
    assert named.json()["runbook_names"] == ["hand", "restore"]
    assert named.json()["contact_names"] == ["Bridge (bridge)"]
    assert SECRET not in named.out


def test_one_byte_changed_anywhere_is_refused(world: World, tmp_path: Path) -> None:
    """Program, manifest, payload, the zip's own directory, the signature: places in each."""
    path = Path(world.pack()["file"])
    size = path.stat().st_size
    with zipfile.ZipFile(path) as archive:
        begins = {e.filename: (e.header_offset, e.compress_size) for e in archive.infolist()}
        directory = archive.start_dir
    dice = random.Random(7)
    places = [0, 5, directory, directory + 50, *range(size - SEAL_LENGTH - 22, size, 9), size - 1]
    for name in ("__main__.py", "jackline_start.py", "_bootstrap/__init__.py", "environment.json",
                 "bag/manifest.json", "bag/payload.age", "site-packages/bot/runbooks/engine.py"):  # fmt: skip
        begin, length = begins[name]
        places += [begin + 40 + dice.randrange(length) for _ in range(3)]
    places += [dice.randrange(size) for _ in range(20)]
    for place in places:
        turn(path, place)
        with pytest.raises(Untrusted):
            read_bag(path)
        turn(path, place)
    read_bag(path)
    for longer in (path.read_bytes() + b"\n", b"\n" + path.read_bytes(), path.read_bytes()[:-1]):
        (tmp_path / "changed").write_bytes(longer)
        with pytest.raises(Untrusted):
            read_bag(tmp_path / "changed")


@pytest.mark.parametrize("part", ["site-packages/bot/runbooks/engine.py", "bag/payload.age"])
def test_a_changed_bag_does_not_start(world: World, part: str) -> None:
    """It looks at itself before anything is unpacked, and says so in one line."""
    path = Path(world.pack()["file"])
    with zipfile.ZipFile(path) as archive:
        place = archive.getinfo(part).header_offset + 80
    turn(path, place)
    done = world.bag(path, "bag", "verify")
    assert done.code == 1
    assert done.err.count("\n") == 1
    assert "is damaged or was changed: nothing of it is used" in done.err


def test_the_first_lines_themselves_changed(world: World) -> None:
    """Even where Python's own words are all there is, nothing runs."""
    path = Path(world.pack()["file"])
    with zipfile.ZipFile(path) as archive:
        entries = [archive.getinfo(n) for n in ("jackline_start.py", "__main__.py")]
    for entry in entries:
        for at in range(45, 45 + entry.compress_size, max(1, entry.compress_size // 3)):
            place = entry.header_offset + at
            turn(path, place)
            done = world.bag(path, "bag", "verify")
            turn(path, place)
            assert done.code != 0
            assert '"ok": true' not in done.out


def test_signed_by_somebody_else(world: World) -> None:
    """A whole bag by another key is refused where the fingerprint is known or given."""
    mine = world.pack(place="mine")
    (world.folder / "data" / "bag.key").unlink()
    theirs = world.pack(place="theirs")
    assert mine["signer"] != theirs["signer"]
    done = world.bag(theirs["file"], "bag", "verify", "--signer", mine["signer"])
    assert (done.code, "was signed by" in done.err) == (1, True)
    assert world.bag(theirs["file"], "bag", "verify").code == 0
    done = world.bag(theirs["file"], "run", "hand", "--as", "eli")
    assert (done.code, "is not in" in done.err) == (1, True)
    (world.folder / "team.key.signers").write_text(mine["signer"] + "\n")
    done = world.bag(theirs["file"], "run", "hand", "--as", "eli")
    assert (done.code, "is not in" in done.err) == (1, True)


def test_a_recipient_taken_off_the_list(world: World) -> None:
    """They could open the last bag; the next one they cannot, and a stranger neither."""
    for number, (people, opens) in enumerate(((("ana", "team"), True), (("ana",), False))):
        packed = world.pack(*people, place=str(number))
        bag = read_bag(Path(packed["file"]))
        if opens:
            assert bag.opened(keys_of(world.folder / "team.key"))
        else:
            with pytest.raises(AuthFailed, match="none of the go-bag's recipients"):
                bag.opened(keys_of(world.folder / "team.key"))
    key(world.folder / "stranger.key")
    done = world.run(packed, "restore", "--as", "ana", who="stranger")
    assert (done.code, "none of the go-bag's recipients" in done.err) == (1, True)


def test_packing_is_refused(world: World) -> None:
    """Nobody to open it, no recipient, a credential that cannot be had, a broken runbook."""
    out = str(world.folder / "no.bag")
    assert "Nobody could open" in world.jackline("bag", "pack", "--out", out).err
    assert "no age recipient" in world.jackline("bag", "pack", "--to", "age1x", "--out", out).err
    (world.folder / "host.key").rename(world.folder / "away")
    done = world.jackline("bag", "pack", "--to", world.keys["ana"], "--out", out)
    assert "host.key" in done.err
    (world.folder / "away").rename(world.folder / "host.key")
    (world.folder / "runbooks" / "bad.md").write_text("no runbook")
    done = world.jackline("bag", "pack", "--to", world.keys["ana"], "--out", out)
    assert "bad.md" in done.err
    assert not list(world.folder.glob("*no.bag*"))


def test_the_folder_it_unpacks_into_is_its_own(world: World, tmp_path: Path) -> None:
    """Where others may write, no program is loaded from."""
    shared = tmp_path / "shared"
    shared.mkdir()
    shared.chmod(0o777)
    done = subprocess.run(
        [PYTHON, world.pack()["file"], "bag", "verify"], env={"SHIV_ROOT": str(shared)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode, "Others may write" in done.stderr) == (1, True)


def test_its_age_is_a_health_signal(world: World) -> None:
    """The doctor knows the newest bag."""
    assert "none was packed yet" in world.jackline("doctor").out
    world.pack()
    assert "the newest is 0 min old" in world.jackline("doctor").out
