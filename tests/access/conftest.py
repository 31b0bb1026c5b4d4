"""One world for all tests of the go-bag: packing and unpacking the program takes seconds."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.access.program import write_program
from tests.access.packed import World
from tests.servers.http_app import Answer, http_app
from tests.servers.sshd import Sshd


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("program") / "program"
    write_program(path)
    return path


@pytest.fixture(scope="session")
def unpacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unpacked")
    path.chmod(0o700)
    return path


@pytest.fixture
def world(tmp_path: Path, program: Path, unpacking: Path, sshd_server: Sshd) -> Iterator[World]:
    with http_app("shop") as shop:
        shop.answers["/weights"] = Answer(
            body='{"eu": 50}', headers={"Content-Type": "application/json"}
        )
        made = World(tmp_path, program, unpacking, shop)
        made.catalog(sshd_server, shop.url)
        yield made
