"""Jackline itself with its libraries as one runnable file: the go-bag's first part, made by shiv.

Taken from what is installed here, so no network is needed to pack. What only a server needs stays
out; `bot.chat.terminal` must start without it (a test runs the bag on a bare Python).
"""

import re
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path
from tempfile import TemporaryDirectory

from packaging.requirements import Requirement
from shiv.bootstrap.environment import Environment  # type: ignore[import-untyped]  # it has none
from shiv.builder import create_archive  # type: ignore[import-untyped]  # same
from shiv.constants import BUILD_AT_TIMESTAMP_FORMAT  # type: ignore[import-untyped]  # same

import bot
from bot.access import bag_start, bag_timeout
from bot.errors import Unavailable
from bot.registry import FOLDER as INTEGRATIONS
from bot.store import now

ENTRY = "bot.chat.terminal:main"
# Slack, the console, pictures: what the terminal does without.
SERVERS_OWN = {
    "aiohttp", "aiosmtpd", "dateparser", "django-htmx", "fastapi", "httptools", "icalendar", "itsdangerous", "matplotlib",
    "prometheus-client", "pyotp", "python-multipart", "segno", "shiv", "slack-bolt", "slack-sdk",
    "sse-starlette", "uvicorn", "uvloop",
}  # fmt: skip
_NOT_RUN = {".pyc", ".pyi", ".pyx", ".pxd", ".c", ".h"}
_START = "jackline_start"


def write_program(path: Path) -> int:
    """Writes the runnable file; the size of what it unpacks, in bytes."""
    with TemporaryDirectory() as folder:
        staged = Path(folder)
        size = 0
        for name, source in _files():
            place = staged / name
            place.parent.mkdir(parents=True, exist_ok=True)
            place.symlink_to(source)
            size += source.stat().st_size
        made_by = Environment(
            built_at=now().strftime(BUILD_AT_TIMESTAMP_FORMAT), shiv_version=_version("shiv"),
            entry_point=ENTRY, compile_pyc=False,
        )  # fmt: skip
        create_archive(
            [staged], path, "/usr/bin/env python3", f"{_START}:start", made_by, compressed=True
        )
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.write(bag_start.__file__, f"{_START}.py")
    return size


def _files() -> Iterator[tuple[str, Path]]:
    """Every file of the program: its place there, and where it is now."""
    ours = Path(bot.__file__).resolve().parent
    for root in (ours, INTEGRATIONS):
        for path in sorted(root.rglob("*")):
            if path.is_file() and _wanted(path):
                yield str(path.relative_to(root.parent)), path
    yield "async_timeout.py", Path(bag_timeout.__file__)
    named = _quoted_in(INTEGRATIONS)
    for package in _distributions("jackline"):
        for file in package.files or []:
            path = Path(str(package.locate_file(file)))
            known = file.parts[:2] != ("botocore", "data") or file.parts[2] in named
            if ".." not in file.parts and _wanted(path) and known and path.is_file():
                yield str(file), path.resolve()


def _wanted(path: Path) -> bool:
    return path.suffix not in _NOT_RUN and not {"__pycache__", "tests"} & set(path.parts[-4:])


def _quoted_in(folder: Path) -> set[str]:
    """Every word in quotes: botocore's descriptions of 400 services are 20 MB, a few are used."""
    found = {"_retry.json", "endpoints.json", "partitions.json", "sdk-default-configuration.json"}
    for path in folder.rglob("*.py"):
        found |= set(re.findall(r'"([a-z0-9-]+)"', path.read_text("utf-8")))
    return found


def _distributions(name: str) -> list[Distribution]:
    """The libraries that Jackline needs, and those that they need; itself and the server's left out."""
    found: dict[str, Distribution] = {}
    seen: set[tuple[str, str]] = set()
    left = [(name, "")]
    while left:
        name, extra = left.pop()
        key = re.sub(r"[-_.]+", "-", name).lower()
        if (key, extra) in seen or key in SERVERS_OWN:
            continue
        seen.add((key, extra))
        try:
            found[key] = distribution(key)
        except PackageNotFoundError:
            raise Unavailable(
                f"{key} is not installed here, and the go-bag needs it.",
                hint="Pack where Jackline was installed with its locked requirements.",
            ) from None
        for text in found[key].requires or []:
            needed = Requirement(text)
            if needed.marker is None or needed.marker.evaluate({"extra": extra}):
                left += [(needed.name, each) for each in ("", *needed.extras)]
    del found["jackline"]  # its two folders are taken as they are here, installed or not
    return [found[key] for key in sorted(found)]


def _version(name: str) -> str:
    return distribution(name).version
