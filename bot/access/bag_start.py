"""The first lines of a go-bag, run by any Python before anything else in the file is used.

The standard library alone: what is not whole must not be unpacked, let alone imported. The file
ends in one line: the SHA-256 of all before it, the signer's public key and the signature. Whoever
forges a bag can leave this look out; then `bot.access.bags` and the signer's fingerprint remain.
"""

import atexit
import hashlib
import importlib
import json
import os
import platform
import re
import shutil
import stat
import sys
import tempfile
import zipfile
from pathlib import Path
from typing import Any, NoReturn

SEAL = re.compile(rb"jackline-bag/1 ([0-9a-f]{64}) ([0-9a-f]{64}) ([0-9a-f]{128})\n")
SEAL_LENGTH = 274
MANIFEST, PAYLOAD = "bag/manifest.json", "bag/payload.age"
_ROOM = 1.3  # the unpacked program, and what Python compiles of it
_CHUNK = 1 << 20


def start() -> None:
    """Looks at the file, unpacks the program into a private folder and runs it."""
    path = Path(sys.argv[0])
    try:
        body, end = halves(path)
        manifest = _manifest(path) if whole(body, end) else {}
    except OSError as error:
        _leave(f"{path} cannot be read: {error.strerror}.")
    if not manifest:
        _leave(f"{path} is damaged or was changed: nothing of it is used. Take another copy.")
    if (wanted := manifest["platform"]) != here():
        _leave(f"This go-bag was packed for {wanted}; this is {here()}.")
    root = _private_root(int(manifest["unpacked"]))
    for name in [name for name in os.environ if name.startswith("SHIV_")]:
        del os.environ[name]  # no other program may be started by them
    os.environ["SHIV_ROOT"] = str(root)
    importlib.import_module("_bootstrap").bootstrap()


def here() -> str:
    """What the compiled parts must fit."""
    version = ".".join(map(str, sys.version_info[:2]))
    return f"Python {version} on {platform.system()} {platform.machine()}"


def halves(path: Path) -> tuple[str, bytes]:
    """The SHA-256 of all before the last line, and that line."""
    size = path.stat().st_size
    left, digest = max(0, size - SEAL_LENGTH), hashlib.sha256()
    with path.open("rb") as file:
        while left and (chunk := file.read(min(left, _CHUNK))):
            digest.update(chunk)
            left -= len(chunk)
        return digest.hexdigest(), file.read(SEAL_LENGTH + 1)


def whole(digest: str, end: bytes) -> bool:
    """Whether the last line is one, and says what the rest comes to."""
    found = SEAL.fullmatch(end)
    return found is not None and found[1].decode() == digest


def _manifest(path: Path) -> dict[str, Any]:
    with zipfile.ZipFile(path) as archive:
        found: dict[str, Any] = json.loads(archive.read(MANIFEST))
    return found


def _private_root(needed: int) -> Path:
    """A folder that nobody else can write to: programs are loaded from it."""
    given = os.environ.get("SHIV_ROOT")
    cache = os.environ.get("XDG_CACHE_HOME") or str(Path("~/.cache").expanduser())
    root = Path(given or f"{cache}/jackline-bag")
    try:
        root.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        if given:
            _leave(f"{root} cannot be made: {error.strerror}. Set SHIV_ROOT to another folder.")
    if not given and not os.access(root, os.W_OK):
        root = Path(tempfile.mkdtemp(prefix="jackline-bag-"))
        atexit.register(shutil.rmtree, root, ignore_errors=True)
    found = root.stat()
    if found.st_uid != os.geteuid() or found.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        _leave(f"Others may write to {root}. Set SHIV_ROOT to a folder of your own.")
    if not any(root.iterdir()) and shutil.disk_usage(root).free < needed * _ROOM:
        _leave(
            f"{root} has too little room: {needed * _ROOM / 1e6:.0f} MB are needed. "
            "Set SHIV_ROOT to a folder elsewhere."
        )
    return root


def _leave(words: str) -> NoReturn:
    sys.stderr.write(f"jackline: {words}\n")
    sys.exit(1)
