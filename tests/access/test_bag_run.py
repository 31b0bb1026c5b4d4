"""Runs from the go-bag: on bare Python, with a code over the phone, against real servers."""

import os
import pty
import select
import signal
import sqlite3
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest

from tests.access.packed import SECRET, World
from tests.servers.http_app import Answer
from tests.servers.process import wait_for

pytestmark = pytest.mark.server


def kinds(world: World) -> list[str]:
    with sqlite3.connect(world.journal / "journal.db") as db:
        return [kind for (kind,) in db.execute("SELECT kind FROM timeline ORDER BY seq")]


def test_plan_approval_run_undo(world: World) -> None:
    """With nothing but the file and a key: emergency credentials, the dead path named, the way back."""
    packed = world.pack()
    code = world.codes(packed, "ben")[0]
    done = world.run_bare(packed, "restore", "--as", "eli", "--code", code, "--yes", "--json")
    assert done.code == 0, done
    result = done.json()
    assert (result["state"], result["requester"]) == ("succeeded", "eli")
    assert result["approved_by"] == ["ben"]
    assert [(s["step"], s["path"], s["state"]) for s in result["steps"]] == [
        ("weights", "corp", "not_sent"), ("weights", "direct", "done"), ("folder", "direct", "done"),
    ]  # fmt: skip
    assert (world.folder / "made").is_dir()
    sent = [r for r in world.shop.to("/weights") if r.method == "PUT"]
    assert [r.json() for r in sent] == [{"eu": 0}]
    assert sent[0].headers["authorization"] == f"Bearer {SECRET}"
    for shown in ("Go-bag", "packed", '{"eu": 50} → {"eu": 0}', "Running: Restore <the> shop"):
        assert shown in done.err
    assert SECRET not in done.out + done.err
    assert "integration_left_out" not in done.err
    undone = world.run_bare(packed, "restore", "--as", "eli", "--undo", "--yes", "--json")
    assert undone.code == 0, undone
    assert not (world.folder / "made").exists()
    assert [r.json() for r in world.shop.to("/weights") if r.method == "PUT"][1:] == [{"eu": 50}]
    for path in (world.journal, *world.folder.glob("home/jackline-journal/*")):
        raw = path.read_bytes() if path.is_file() else b""
        assert SECRET.encode() not in raw


def test_codes_are_for_once_and_for_another(world: World) -> None:
    """A used code, the requester's own, one of the last bag, a guess: each is refused, nothing is run."""
    old = world.pack(place="old")
    packed = world.pack()
    ben, ana = world.codes(packed, "ben"), world.codes(packed, "ana")
    used = world.run(packed, "restore", "--as", "eli", "--code", ben[0].lower(), "--yes")
    assert used.code == 0, used
    count = len(world.shop.received)
    for code, why in (
        (ben[0], "was used before"),
        (ana[0], "requester's own"),
        (world.codes(old, "ben")[1], "none of this go-bag's codes"),
        ("AAA-AAAAA-AAAAA", "none of this go-bag's codes"),
    ):
        done = world.run(packed, "restore", "--as", "ana", "--code", code, "--yes", who="ana")
        assert (done.code, why in done.err) == (2, True), done
    changed = [r for r in world.shop.received[count:] if r.method != "GET"]
    assert changed == []
    done = world.run(packed, "restore", "--as", "ana", "--code", ben[1], "--yes", who="ana")
    assert (done.code, "folder" in done.out) == (1, True), (
        done
    )  # it is there already: mkdir says no


def test_a_key_belongs_to_its_person(world: World) -> None:
    """Who opens the bag with their own key cannot ask in another's name and then approve it."""
    packed = world.pack()
    done = world.run(packed, "restore", "--as", "eli", "--yes", who="ana")
    assert (done.code, "This key is ana's" in done.err) == (2, True)
    done = world.run(packed, "restore", "--as", "nobody", "--yes")
    assert (done.code, "There is no person 'nobody'" in done.err) == (1, True)
    done = world.run(packed, "restore", "--yes")
    assert (done.code, "Say who you are" in done.err) == (2, True)


def test_who_is_needed_and_not_there(world: World) -> None:
    """Without the code a script ends with 1; the same command with it goes on with the same run."""
    packed = world.pack()
    done = world.run(packed, "restore", "--as", "eli", "--yes")
    assert (done.code, "needs 1 approval" in done.err) == (1, True)
    assert "unfinished run" in world.run(packed, "hand", "--as", "eli", "--yes").err
    code = world.codes(packed, "cleo")[0]
    done = world.run(packed, "restore", "--as", "eli", "--code", code, "--yes", "--json")
    assert (done.code, done.json()["run"]) == (0, 1)
    assert world.bag(packed["file"], "run", "--journal", "x").code == 2


def test_by_hand_and_a_failure(world: World) -> None:
    """What the cards offer, the terminal asks: confirmed by hand, tried again after a failure."""
    packed = world.pack()
    world.shop.answers["/restart"] = [Answer(status=500), Answer()]
    done = world.run(
        packed, "hand", "--as", "eli", "--yes", "--answer", "look=done", "--answer", "restart=retry",
        "--json",
    )  # fmt: skip
    assert done.code == 0, done
    assert world.shop.count("/restart") == 2
    for kind in ("manual_settled", "decision_made", "run_succeeded"):
        assert kind in kinds(world)


def test_killed_in_the_middle(world: World) -> None:
    """Sent, and the terminal is gone: never sent again; a person says what happened, then it goes on."""
    packed = world.pack()
    world.shop.answers["/restart"] = Answer(latency=60)
    words = [
        "run",
        "hand",
        "--signer",
        packed["signer"],
        "--as",
        "eli",
        "--yes",
        "--answer",
        "look=done",
    ]
    process = subprocess.Popen(
        world.command(packed["file"], *words), cwd=_home(world), stdin=subprocess.DEVNULL,
        env={"HOME": str(_home(world)), "SHIV_ROOT": str(world.root)},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    wait_for(lambda: world.shop.count("/restart"), timeout=30, what="the request")
    process.kill()
    process.communicate()
    with sqlite3.connect(world.journal / "journal.db") as db:  # as if 15 s had passed
        db.execute("UPDATE run SET lease_until = '2020-01-01 00:00:00.000000'")
    done = world.run_bare(packed, "hand", "--as", "eli", "--yes")
    assert (done.code, "Nobody knows whether it took effect" in done.err) == (1, True), done
    done = world.run_bare(
        packed, "hand", "--as", "eli", "--yes", "--answer", "restart=happened", "--json"
    )
    assert (done.code, done.json()["state"]) == (0, "succeeded"), done
    assert world.shop.count("/restart") == 1


def test_break_glass(world: World) -> None:
    """A commander's last resort, with a reason; anybody else is refused."""
    packed = world.pack()
    why = "Nobody else answers the phone"
    done = world.run(packed, "restore", "--as", "eli", "--yes", "--break-glass", why)
    assert (done.code, "needs the role 'commander'" in done.err) == (2, True)
    more = ("--journal", str(world.folder / "second"))
    done = world.run(
        packed, "restore", "--as", "ana", "--yes", "--break-glass", why, *more, who="ana"
    )
    assert done.code == 0, done


def test_another_bags_journal_and_a_changed_one(world: World) -> None:
    """A journal goes on only with its own bag, and only while it is whole."""
    packed = world.pack()
    world.run(packed, "hand", "--as", "eli", "--yes")
    other = world.run(world.pack(place="other"), "hand", "--as", "eli", "--yes")
    assert (other.code, "begun with another go-bag" in other.err) == (1, True)
    with sqlite3.connect(world.journal / "journal.db") as db:
        db.execute("UPDATE timeline SET actor = 'person:cleo' WHERE seq = 1")
    done = world.run(packed, "hand", "--as", "eli", "--yes")
    assert (done.code, "row 1, the row was edited" in done.err) == (1, True)


def test_plan_alone(world: World) -> None:
    """Before → after and the paths; nothing is changed, and no journal is left."""
    packed = world.pack()
    words = ("--identity", str(world.folder / "team.key"), "--signer", packed["signer"], "--json")
    done = world.bag(packed["file"], "plan", "restore", *words)
    assert done.code == 0, done
    step = done.json()["steps"][0]
    assert (step["paths"], step["changes"][0]["after"]) == (["corp", "direct"], '{"eu": 0}')
    assert [r.method for r in world.shop.to("/weights")] == ["GET"]
    assert not world.journal.exists()
    home = world.folder / "pages"
    done = world.bag(packed["file"], "bag", "read", "--to", str(home), *words[:4])
    assert (home / "html" / "restore.html").exists()


class Terminal:
    """A person at a real terminal."""

    def __init__(self, world: World, *words: str) -> None:
        process, self.fd = pty.fork()
        if process == 0:
            os.chdir(_home(world))
            env = {
                "HOME": str(_home(world)),
                "SHIV_ROOT": str(world.root),
                "TERM": "dumb",
                "LANG": "C.UTF-8",
            }
            command = world.command(*words)
            os.execve(command[0], command, env)
        self.process = process
        self.seen = ""

    def until(self, text: str, limit: float = 30) -> str:
        end = time.monotonic() + limit
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.fd], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.fd, 65536).decode("utf-8", "replace")
                except OSError:
                    break
        before, found, self.seen = self.seen.partition(text)
        assert found, before
        return before

    def type(self, line: str) -> None:
        os.write(self.fd, f"{line}\n".encode())

    def end(self) -> int:
        while True:
            try:
                if not os.read(self.fd, 65536):
                    break
            except OSError:
                break
        return os.waitstatus_to_exitcode(os.waitpid(self.process, 0)[1])


def test_a_person_at_a_terminal(world: World) -> None:
    """The signer is shown once, the plan before it is asked for, a wrong code may be said again."""
    packed = world.pack()
    terminal = Terminal(world, packed["file"], "run", "restore")
    terminal.until(packed["signer"])
    terminal.until("[yes | no]")
    terminal.type("yes")
    terminal.until("Who are you")
    terminal.type("eli")
    terminal.until('{"eu": 50} →')
    terminal.until("[yes | no]")
    terminal.type("y")
    terminal.until("Code read over the phone:")
    terminal.type("AAA-BBBBB-CCCCC")
    terminal.until("none of this go-bag's codes")
    terminal.until("Code read over the phone:")
    terminal.type(world.codes(packed, "ben")[0])
    terminal.until("succeeded.")
    assert terminal.end() == 0
    assert (world.folder / "team.key.signers").read_text().strip() == packed["signer"]


def test_ctrl_c(world: World) -> None:
    """Ends the run after the step in flight, and offers to take it back."""
    packed = world.pack()
    world.shop.answers["/weights"] = Answer(body='{"eu": 50}', latency=1.5)
    code = world.codes(packed, "ben")[0]
    terminal = Terminal(
        world, packed["file"], "run", "restore", "--signer", packed["signer"], "--as", "eli",
        "--code", code,
    )  # fmt: skip
    terminal.until("[yes | no]")
    terminal.type("yes")
    wait_for(
        lambda: [r for r in world.shop.to("/weights") if r.method == "PUT"], timeout=20, what="PUT"
    )
    os.kill(terminal.process, signal.SIGINT)
    terminal.until("Stopping after the step in flight")
    world.shop.answers["/weights"] = Answer(body='{"eu": 0}')
    terminal.until("Take back what was done?")
    assert not (world.folder / "made").exists()
    terminal.type("yes")
    terminal.until("aborted.")
    assert terminal.end() == 1
    sent: list[Any] = [r.json() for r in world.shop.to("/weights") if r.method == "PUT"]
    assert sent == [{"eu": 0}, {"eu": 50}]


def _home(world: World) -> Path:
    home = world.folder / "home"
    home.mkdir(exist_ok=True)
    return home
