"""One world of real servers for the tests of access paths, and who trusts its certificates."""

from collections.abc import Iterator

import pytest

from bot.registry import Registry, load
from tests.access.world import LOGINS, World, world
from tests.servers.postgres import Postgres
from tests.servers.sshd import Sshd


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load()


@pytest.fixture(scope="package")
def servers(
    postgres_server: Postgres, sshd_server: Sshd, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[World]:
    """Nobody stops one of these, or breaks it: what is to be broken is started by its test."""
    with world(postgres_server, sshd_server, tmp_path_factory.mktemp("ca")) as whole:
        yield whole


@pytest.fixture
def trusted(servers: World, monkeypatch: pytest.MonkeyPatch) -> World:
    """The servers, with their authority trusted and the proxies' credentials at hand."""
    monkeypatch.setenv("SSL_CERT_FILE", str(servers.authority.certificate))
    for name, value in LOGINS.items():
        monkeypatch.setenv(name, value)
    return servers
