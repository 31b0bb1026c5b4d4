"""Cold start and memory, beside a process that imports the same libraries and does nothing."""

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from pathlib import Path

import psutil

from tests.bench.table import Row
from tests.e2e.harness import ROOT, write_runbooks
from tests.servers.process import free_port

ROUNDS = 3
_LIST = """
import sys, json, bot.cli.commands
from bot import registry
registry.load()
names = {m for m in sys.modules if m.split('.')[0] not in sys.stdlib_module_names
         and m.split('.')[0] not in ('bot', 'integrations', '__main__')}
print(json.dumps(sorted(names)))
"""
_FLOOR = """
import contextlib, importlib, json, sys, time
for name in json.loads(sys.argv[1]):
    with contextlib.suppress(ImportError):
        importlib.import_module(name)
print('up', flush=True)
time.sleep(60)
"""


def cold_start() -> list[Row]:
    """Seconds to a 200 of ``/readyz`` with an empty data folder, and resident MiB then."""
    libraries = subprocess.run(
        [sys.executable, "-c", _LIST], capture_output=True, text=True, check=True, cwd=ROOT
    ).stdout
    ours = [_serve() for _ in range(ROUNDS)]
    floor = [_floor(libraries) for _ in range(ROUNDS)]
    start, base = (statistics.median(s for s, _ in runs) for runs in (ours, floor))
    memory, least = (statistics.median(m for _, m in runs) for runs in (ours, floor))
    return [
        Row("cold start", start, "s", "≤ 1.5x", base, "same imports"),
        Row("resident memory", memory, "MiB", "≤ 1.3x", least, "same imports"),
    ]


def _rss(pid: int) -> float:
    return float(psutil.Process(pid).memory_info().rss) / 2**20


def _floor(libraries: str) -> tuple[float, float]:
    began = time.monotonic()
    command = [sys.executable, "-c", _FLOOR, libraries]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as process:
        assert process.stdout is not None
        process.stdout.readline()
        took, memory = time.monotonic() - began, _rss(process.pid)
        process.kill()
    return took, memory


def _serve() -> tuple[float, float]:
    port = free_port()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        runbooks = write_runbooks(
            folder / "runbooks", team="T1", edge="http://127.0.0.1:9", shop="http://127.0.0.1:9"
        )
        env = {k: v for k, v in os.environ.items() if not k.startswith("JACKLINE_")} | {
            "JACKLINE_HTTP_LISTEN": f"127.0.0.1:{port}",
            "JACKLINE_DATA_DIR": str(folder / "data"),
            "JACKLINE_RUNBOOKS_DIR": str(runbooks),
            "JACKLINE_WEBHOOKS__API__SECRETS": json.dumps(["token"]),
        }
        began = time.monotonic()
        with subprocess.Popen(
            [sys.executable, "-m", "bot.cli", "serve"], env=env, cwd=ROOT,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
        ) as process:  # fmt: skip
            while not _answers(f"http://127.0.0.1:{port}/readyz"):
                assert process.poll() is None, "Jackline ended"
                time.sleep(0.01)
            took, memory = time.monotonic() - began, _rss(process.pid)
            process.terminate()
    return took, memory


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False
