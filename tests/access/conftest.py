"""One world of real servers for the tests of access paths, and one for those of the go-bag."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.access.program import write_program
from bot.registry import Registry, load
from tests.access import packed
from tests.access.world import LOGINS, World
from tests.access.world import world as started
from tests.servers.http_app import Answer, http_app
from tests.servers.postgres import Postgres
from tests.servers.sshd import Sshd


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load()


@pytest.fixture(scope="session")
def servers(
    postgres_server: Postgres, sshd_server: Sshd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Nobody stops one of these, or breaks it: what is to be broken is started by its test."""
    with started(postgres_server, sshd_server, tmp_path_factory.mktemp("ca")) as whole:
        yield whole


@pytest.fixture
def trusted(servers: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The servers, with their authority trusted and the proxies' credentials at hand."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority.certificate))
    for name, value in LOGINS.items():
        monkeypatch.setenv(name, value)
    return servers


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What every bag holds: packing it takes seconds."""
    path = tmp_path_factory.mktemp("program") / "program"
    write_program(path)
    return path


@pytest.fixture(scope="session")
def unpacking(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("unpacked")
    path.chmod(0o700)
    return path


@pytest.fixture
def world(
    tmp_path: Path, program: Path, unpacking: Path, sshd_server: Sshd
) -> Iterator[packed.World]:
    with http_app("shop") as shop:
        shop.answers["/weights"] = Answer(
            body='{"eu": 50}', headers={"Content-Type": "application/json"}
        )
        made = packed.World(tmp_path, program, unpacking, shop)
        made.catalog(sshd_server, shop.url)
        yield made
