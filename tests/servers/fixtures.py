"""The fixtures that give tests real servers. Load with `pytest_plugins = ["tests.servers.fixtures"]`.

The factories take the keyword arguments of the context manager of the same name and stop what
they started when the test ends. A failed test shows the end of every running server's log.
"""

import contextlib
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.servers import process
from tests.servers.alertmanager import Alertmanager, alertmanager
from tests.servers.envoy import Envoy, envoy
from tests.servers.haproxy import HAProxy, haproxy
from tests.servers.http_app import HttpApp, http_app
from tests.servers.kubernetes import Kubernetes, kubernetes
from tests.servers.postgres import Postgres, postgres
from tests.servers.prometheus import Prometheus, prometheus
from tests.servers.sshd import Sshd, sshd

T = TypeVar("T")
Start = Callable[..., T]  # keyword arguments as the context manager of the same name


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[Postgres]:
    """One PostgreSQL a session (and a worker). Do not stop it: `postgres_factory` is for that."""
    with postgres() as server:
        yield server


@pytest.fixture
def postgres_url(postgres_server: Postgres) -> Iterator[str]:
    """The SQLAlchemy URL of an empty database of this test's own."""
    url = postgres_server.create_database()
    yield url
    postgres_server.drop_database(url.rpartition("/")[2])


@pytest.fixture
def postgres_factory() -> Iterator[Start[Postgres]]:
    """PostgreSQL servers of the test's own, to crash and freeze."""
    yield from _factory(postgres)


@pytest.fixture
def alertmanager_server() -> Iterator[Start[Alertmanager]]:
    yield from _factory(alertmanager)


@pytest.fixture
def prometheus_server() -> Iterator[Start[Prometheus]]:
    yield from _factory(prometheus)


@pytest.fixture
def haproxy_server() -> Iterator[Start[HAProxy]]:
    yield from _factory(haproxy)


@pytest.fixture
def envoy_server() -> Iterator[Start[Envoy]]:
    yield from _factory(envoy)


@pytest.fixture(scope="session")
def sshd_server() -> Iterator[Sshd]:
    """One OpenSSH a session (and a worker): programs run as the user of the tests."""
    with sshd() as server:
        yield server


@pytest.fixture(scope="module")
def kubernetes_server() -> Iterator[Kubernetes]:
    """An API server for a file: each test begins anew in it."""
    with kubernetes() as server:
        yield server


@pytest.fixture
def http_server() -> Iterator[Start[HttpApp]]:
    """Controllable HTTP targets: `http_server("checkout")`."""
    yield from _factory(http_app)


def _factory(manager: Callable[..., contextlib.AbstractContextManager[T]]) -> Iterator[Start[T]]:
    with contextlib.ExitStack() as stack:

        def start(*args: Any, **kwargs: Any) -> T:
            return stack.enter_context(manager(*args, **kwargs))

        yield start


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Any:
    """Attach what the servers wrote to the report of a failed test."""
    report = yield
    if report.failed:
        for server in process.live():
            report.sections.append((f"end of {server.name}'s log ({server.log})", server.tail()))
    return report
