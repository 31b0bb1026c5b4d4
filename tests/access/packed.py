"""A small Jackline with real targets that packs go-bags, and a bare machine to open them on."""

import json
import logging
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyrage
import pytest
import structlog
from typer.testing import CliRunner

import bot.cli.bag
from bot.cli.commands import app
from bot.errors import BadInput, JacklineError
from tests.servers.http_app import HttpApp
from tests.servers.sshd import Sshd

SYSTEM = Path("/usr/bin/python3.11")
PYTHON = str(SYSTEM) if SYSTEM.exists() else sys.executable
NAME = "go.bag"  # always: what was unpacked is known by it
SECRET, OTHER = "emergency-token-7711", "everyday-token-9922"
RESTORE = """---
schema: runbook/v1
id: restore
title: Restore <the> shop
repairs: [service:shop]
---
Read *this* first. <script>alert(1)</script>

## 1. Weights
Takes the broken region out.
```yaml step
id: weights
action: http.put
with: {target: shop, path: /weights, body: {eu: 0}}
undo: auto
```
## 2. Folder
```yaml step
id: folder
action: ssh.run
with: {host: ops, command: make}
verify: [{expect: "out.status == 0", else: No folder}]
undo: auto
```
"""
HAND = """---
schema: runbook/v1
id: hand
title: By hand
approvals: {count: 0}
---
## 1. Look
```yaml step
id: look
manual: {checklist: [Look at the lamp]}
```
## 2. Restart
```yaml step
id: restart
action: http.call
with: {target: shop, path: /restart}
verify: [{expect: "out.status == 200", else: The shop refused}]
undo: {none: A restart stays one}
on_failure: ask
```
"""
FROM = {"restore.md": RESTORE, "hand.md": HAND}


def key(path: Path) -> str:
    """A new age key file; its recipient."""
    made = pyrage.x25519.Identity.generate()
    path.write_text(f"# a comment\n{made}\n")
    path.chmod(0o600)
    return str(made.to_public())


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        return json.loads(self.out)


@dataclass
class World:
    """`pack` makes a bag, `jackline` is the serving side's command, `bag` the bare machine's."""

    folder: Path
    program: Path
    root: Path  # of what bags unpack: one for all tests, as it takes seconds
    shop: HttpApp
    keys: dict[str, str] = field(default_factory=dict)
    database: str = ""

    @property
    def env(self) -> dict[str, str]:
        return {
            "JACKLINE_DATA_DIR": str(self.folder / "data"),
            "JACKLINE_RUNBOOKS_DIR": str(self.folder / "runbooks"),
            "JACKLINE_DATABASE_URL": self.database,
            "JL_TOKEN": SECRET, "JL_OTHER": OTHER,
        }  # fmt: skip

    def catalog(self, sshd: Sshd, shop_url: str, ops_url: str = "") -> None:
        folder = self.folder / "runbooks" / "catalog"
        folder.mkdir(parents=True)
        for name, text in FROM.items():
            (self.folder / "runbooks" / name).write_text(text)
        for who in ("ana", "ben", "team"):
            self.keys[who] = key(self.folder / f"{who}.key")
        (self.folder / "host.key").write_text(sshd.key)
        made = self.folder / "made"
        commands = {
            "make": {"argv": ["mkdir", str(made)], "effect": "once", "undo": "unmake",
                     "verify": ["test", "-d", str(made)]},
            "unmake": {"argv": ["rmdir", str(made)], "effect": "once"},
        }  # fmt: skip
        (folder / "all.yaml").write_text(json.dumps({
            "services": [{"id": "shop", "title": "Shop", "tier": "p0"}],
            "people": [
                {"id": "ana", "name": "Ana", "roles": ["responder", "commander", "approver"],
                 "age": self.keys["ana"]},
                {"id": "ben", "name": "Ben", "roles": ["approver"], "age": self.keys["ben"]},
                {"id": "cleo", "name": "Cleo", "roles": ["approver"]},
                {"id": "eli", "name": "Eli", "roles": ["responder"]},
            ],
            "contacts": [{"name": "Bridge", "how": "bridge", "value": "+1 555 0100", "note": "<b>"}],
            "credentials": [
                {"name": "api", "ref": "env:JL_TOKEN", "emergency": True},
                {"name": "login", "ref": f"file:{self.folder / 'host.key'}", "emergency": True},
                {"name": "everyday", "ref": "env:JL_OTHER"},
            ],
            "paths": [
                {"name": "corp", "kind": "pinned", "connect_to": {"127.0.0.1": "127.0.0.2"}},
                {"name": "direct"},
            ],
            "targets": [
                {"name": "http/shop", "url": shop_url, "via": ["corp", "direct"],
                 "headers": {"Authorization": "Bearer credential:api"}},
                {"name": "ssh/ops", "url": ops_url or sshd.url,
                 "settings": {"key": "credential:login", "host_key": sshd.host_key,
                              "commands": json.dumps(commands)}},
            ],
        }))  # fmt: skip

    def jackline(self, *words: str) -> Done:
        """As on the serving machine; only shiv's seconds are spared."""
        before = logging.root.handlers[:]
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(bot.cli.bag, "write_program", self._copy)
            done = CliRunner(env=self.env).invoke(app, list(words))
        structlog.reset_defaults()  # what was caught is closed by now: nobody may log there
        logging.root.handlers[:] = before
        if done.exception is not None and not isinstance(done.exception, SystemExit):
            assert isinstance(done.exception, JacklineError), done.exception
            code = 2 if isinstance(done.exception, BadInput) else 1
            return Done(code, done.stdout, str(done.exception))
        return Done(done.exit_code, done.stdout, done.stderr)

    def _copy(self, path: Path) -> int:
        shutil.copyfile(self.program, path)
        return 90_000_000

    def pack(self, *people: str, place: str = "first") -> dict[str, Any]:
        to = [word for who in people or ("ana", "team") for word in ("--to", self.keys[who])]
        done = self.jackline("bag", "pack", *to, "--out", str(self.folder / place / NAME), "--json")
        assert done.code == 0, done
        found: dict[str, Any] = done.json()
        return found

    def codes(self, packed: dict[str, Any], person: str) -> list[str]:
        """What stands on a person's sheet."""
        sheet = Path(packed["sheets"][person])
        text = sheet.read_bytes()
        if sheet.suffix == ".age":
            mine = (self.folder / f"{person}.key").read_text().splitlines()[1]
            text = pyrage.decrypt(text, [pyrage.x25519.Identity.from_str(mine)])
        return [
            line for line in text.decode().splitlines() if line.count("-") == 2 and " " not in line
        ]

    def command(self, bag: Path | str, *words: str, who: str = "team") -> list[str]:
        opens = words[0] == "run" or words[:2] == ("bag", "drill")
        more = ["--identity", str(self.folder / f"{who}.key")] if who and opens else []
        return [PYTHON, str(bag), *words, *more]

    def bag(self, bag: Path | str, *words: str, who: str = "team", **more: Any) -> Done:
        """On a machine with nothing but Python, the file and a key."""
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        done = subprocess.run(
            self.command(bag, *words, who=who), env={"HOME": str(home), "SHIV_ROOT": str(self.root)},
            cwd=home, text=True, capture_output=True, check=False, timeout=60,
            stdin=subprocess.DEVNULL, **more,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def run(self, packed: dict[str, Any], runbook: str, *words: str, who: str = "team") -> Done:
        """``jackline run --bag`` with the signer that was printed, over the bare machine's journal."""
        place = [] if "--journal" in words else ["--journal", str(self.journal)]
        return self.jackline(
            "run", runbook, "--bag", packed["file"], "--signer", packed["signer"], "--identity",
            str(self.folder / f"{who}.key"), *place, *words,
        )  # fmt: skip

    def run_bare(self, packed: dict[str, Any], runbook: str, *words: str) -> Done:
        """The same with nothing but the bag."""
        return self.bag(packed["file"], "run", runbook, "--signer", packed["signer"], *words)

    @property
    def journal(self) -> Path:
        return self.folder / "home" / "jackline-journal"


def turn(path: Path, at: int) -> None:
    """One bit of one byte."""
    with path.open("r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1]))
