"""The command as people start it: in this process where speed matters, else as its own."""

import asyncio
import json
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import structlog
import typer.main
from sqlalchemy.ext.asyncio import AsyncSession

from bot.app import Jackline
from bot.cli import main
from bot.settings import load
from tests.plainly import without_columns
from tests.runbooks.room import PEOPLE

# What the commands are is made out once, as in a process of their own.
typer.main.get_command = cache(typer.main.get_command)
ROOT = Path(__file__).resolve().parents[2]
COMMAND = Path(sys.executable).with_name("jackline")
RUNBOOK = """---
schema: runbook/v1
id: look
title: Look at the [shop]
inputs:
  count: {type: integer, default: 1, min: 1, max: 9}
---
## 1. Look
```yaml step
id: look
action: http.check
with: {target: http/shop, path: /, count: "{{ inputs.count }}"}
```
"""


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    def json(self) -> Any:
        assert self.err == ""
        return json.loads(self.out)

    def refused(self, code: int) -> str:
        """The one sentence on stderr, once there is nothing else."""
        assert self.code == code, (self.out, self.err)
        assert self.out == ""
        assert self.err.startswith("jackline: ")
        assert self.err.count("\n") == 1, self.err
        return without_columns(self.err.removeprefix("jackline: ").strip())


class Cli:
    """`cli("incidents", "list")`: a folder of its own with runbooks, a catalog and settings."""

    def __init__(
        self,
        folder: Path,
        monkeypatch: pytest.MonkeyPatch,
        capsys: pytest.CaptureFixture[str],
        migrated: Path,
    ) -> None:
        self.folder = folder
        self.migrated = migrated
        self.monkeypatch = monkeypatch
        self.capsys = capsys
        self.env = {
            "JACKLINE_DATA_DIR": str(folder / "data"),
            "JACKLINE_RUNBOOKS_DIR": str(folder / "runbooks"),
        }
        (folder / "runbooks" / "catalog").mkdir(parents=True)
        (folder / "runbooks" / "look.md").write_text(RUNBOOK)
        self.catalog.write_text(
            json.dumps({
                "people": PEOPLE,
                "services": [{"id": "shop", "title": "Shop", "tier": "p0"}],
                "targets": [{"name": "http/shop", "url": "http://127.0.0.1:9"}],
            })
        )  # fmt: skip

    @property
    def catalog(self) -> Path:
        return self.folder / "runbooks" / "catalog" / "all.yaml"

    def __call__(self, *words: str) -> Done:
        """In this process, through the same door as the console script."""
        self._set()
        self.monkeypatch.setattr(sys, "argv", ["jackline", *words])
        self.capsys.readouterr()
        try:
            main()
            code: Any = 0
        except SystemExit as stop:
            code = stop.code
        captured = self.capsys.readouterr()
        return Done(int(code or 0), captured.out, captured.err)

    def process(self, *words: str, cwd: Path | None = None, limit: float = 60) -> Done:
        """As a process of its own."""
        clean = {k: v for k, v in os.environ.items() if not k.startswith("JACKLINE_")}
        done = subprocess.run(
            [COMMAND, *words], env=clean | self.env, cwd=cwd or self.folder, text=True,
            capture_output=True, check=False, timeout=limit,
        )  # fmt: skip
        return Done(done.returncode, done.stdout, done.stderr)

    def inside(self, work: Callable[[Jackline, AsyncSession], Awaitable[Any]]) -> Any:
        """Does something in one transaction, as the serving Jackline would."""

        self._tables()

        async def does() -> Any:
            parts = Jackline(load(self.env))
            try:
                await parts.store.migrate()
                async with parts.store.write() as session:
                    return await work(parts, session)
            finally:
                await parts.close()

        return asyncio.run(does())

    def declare(self, title: str = "Checkout is down", **more: Any) -> int:
        """An incident; its number."""

        async def work(parts: Jackline, session: AsyncSession) -> int:
            given = {"severity": "sev2", "actor": "person:ana", "origin": title} | more
            return (await parts.incidents.declare(session, title=title, **given)).number

        number: int = self.inside(work)
        return number

    def _tables(self) -> None:
        """Those that the first command would make, where there is no database yet."""
        file = self.folder / "data" / "jackline.db"
        if "JACKLINE_DATABASE_URL" not in self.env and not file.exists():
            file.parent.mkdir(mode=0o700, exist_ok=True)
            shutil.copy(self.migrated, file)

    def _set(self) -> None:
        for name in [n for n in os.environ if n.startswith("JACKLINE_")]:
            self.monkeypatch.delenv(name)
        for name, value in self.env.items():
            self.monkeypatch.setenv(name, value)


@pytest.fixture
def cli(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    migrated: Path,
) -> Iterator[Cli]:
    # What a test captures is closed after it: nobody may go on logging there.
    before = logging.root.handlers[:]
    yield Cli(tmp_path, monkeypatch, capsys, migrated)
    structlog.reset_defaults()
    logging.root.handlers[:] = before


@pytest.fixture
def cli_on(cli: Cli, database_url: str) -> Cli:
    """The same over each database."""
    cli.env["JACKLINE_DATABASE_URL"] = database_url
    return cli
