"""Node packages that judge the stub or are judged with it: installed from their lock, once."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest


def installed(folder: Path) -> str:
    """Node, with what the folder's lock names in place; the test is skipped where neither is had."""
    node, npm = shutil.which("node"), shutil.which("npm")
    needed = os.environ.get("CI") == "true"
    if not (node and npm):
        if needed:
            pytest.fail("node and npm are absent, and in CI they must not be")
        pytest.skip("node or npm is not installed, so nothing of JavaScript can run")
    if not (folder / "node_modules/.package-lock.json").exists():
        command = [npm, "ci", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
        if done.returncode and not needed:
            pytest.skip(f"npm ci failed, the registry may be away: {done.stderr[-300:]}")
        assert done.returncode == 0, done.stderr
    return node
