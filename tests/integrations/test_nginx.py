"""Load shed at a real nginx over a real OpenSSH, as its clients see it."""

import json
import re
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncssh
import httpx
import pytest
from pydantic import ValidationError

from bot.access.dialer import Link
from bot.contract import Completed
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from integrations.nginx.shed import Shed, parse, render
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.nginx import Nginx, nginx
from tests.servers.process import HOST, free_port
from tests.servers.sshd import Sshd

pytestmark = pytest.mark.server
NONE = render(Shed())
SHED: dict[str, Any] = {"server": "web1", "service": "search"}
README = Path(__file__).parents[2] / "integrations/nginx/README.md"
FALSE = json.dumps(["false"])


@pytest.fixture
def server() -> Iterator[Nginx]:
    with nginx(NONE) as running:
        yield running


@pytest.fixture
async def on_nginx(registry: Registry, server: Nginx, sshd_server: Sshd) -> AsyncIterator[Doing]:
    async with host(registry, server, sshd_server) as doing:
        yield doing


@asynccontextmanager
async def host(
    registry: Registry, server: Nginx, sshd: Sshd, **other: str | None
) -> AsyncIterator[Doing]:
    """With other settings than usual; None leaves one out."""
    settings = {**server.settings(), **sshd.settings, **other}
    given = {name: value for name, value in settings.items() if value is not None}
    async with direct("nginx/web1", sshd.url, settings=given) as connection:
        yield Doing(registry, connection)


async def test_half_is_turned_away_and_comes_back(on_nginx: Doing, server: Nginx) -> None:
    """Roughly: 400 requests, five deviations. Those turned away hear when to come back."""
    call = {**SHED, "percent": 50}
    preview = await on_nginx.preview("nginx.shed", **call)
    (change,) = preview.changes
    assert change.what == "requests of search (/search) turned away"
    assert (change.before, change.after, change.share) == ("0%", "50%", 0.5)
    assert await on_nginx.verify("nginx.shed", **call) is False
    for before in (0, 50):
        assert await on_nginx.apply("nginx.shed", **call) == {"percent": 50, "before": before}
    assert await on_nginx.verify("nginx.shed", **call) is True
    assert (await on_nginx.preview("nginx.shed", **call)).changes == []
    seen = server.statuses("/search?q=shoes", 400)
    assert set(seen) == {200, 503}
    assert 150 <= seen[503] <= 250
    assert server.statuses("/checkout", 20) == {200: 20}
    await on_nginx.take_back(preview, "nginx.shed", **call)
    assert server.statuses("/search", 50) == {200: 50}
    assert server.file.read_text() == NONE


async def test_all_of_it_with_the_time_to_come_back(
    registry: Registry, server: Nginx, sshd_server: Sshd
) -> None:
    """The header is there for those turned away alone, and locations keep their own."""
    async with host(registry, server, sshd_server, retry_after="7") as doing:
        await doing.apply("nginx.shed", **SHED, percent=100)
        async with httpx.AsyncClient(base_url=server.url) as client:
            shed, served = await client.get("/search"), await client.get("/other")
        assert (shed.status_code, shed.headers["retry-after"]) == (503, "7")
        assert (served.status_code, served.headers["x-here"]) == (200, "1")
        assert "retry-after" not in served.headers
        status = await doing.apply("nginx.status", server="web1")
    assert status == {
        "percent": {"search": 100, "feed": 0, "old": 0},
        "written": {"search": 100, "feed": 0, "old": 0},
        "in_force": True,
        "retry_after": 7,
    }


async def test_services_are_kept_apart(on_nginx: Doing, server: Nginx) -> None:
    """A prefix ends at a slash, the longest decides, and one service's share leaves the others'."""
    server.file.write_text(render(Shed({"/search": 100, "/feed": 100})))
    await on_nginx.apply("nginx.shed", server="web1", service="old", percent=1)
    expected = {"/search": 503, "/search/": 503, "/search/x": 503, "/feed": 503, "//search": 503,
                "/%73earch": 503, "/searching": 200, "/x/search": 200, "/": 200, "/search/v1x0": 503}  # fmt: skip
    assert {path: server.get(path).status for path in expected} == expected
    assert server.statuses("/search/v1.0/x", 40)[200] > 20
    await on_nginx.apply("nginx.shed", **SHED, percent=0)
    assert (server.get("/search").status, server.get("/feed").status) == (200, 503)


async def test_a_configuration_that_fails_its_test(on_nginx: Doing, server: Nginx) -> None:
    """nginx's words; the old file is back, and what was in force stays so."""
    before = server.file.read_text()
    server.config.write_text(server.config.read_text() + "nonsense;\n")
    with pytest.raises(Rejected, match='unknown directive "nonsense"'):
        await on_nginx.apply("nginx.shed", **SHED, percent=100)
    assert server.file.read_text() == before
    assert server.get("/search").status == 200
    assert (await on_nginx.apply("nginx.status", server="web1"))["in_force"] is True


async def test_a_reload_that_is_refused(
    registry: Registry, server: Nginx, sshd_server: Sshd
) -> None:
    """As when the test fails; sudo's refusal is one of the credential."""
    async with host(registry, server, sshd_server, reload=FALSE) as doing:
        with pytest.raises(Rejected, match="false ended with 1: no words"):
            await doing.apply("nginx.shed", **SHED, percent=100)
    said = "import sys; sys.exit('sudo: a password is required')"
    refuses = json.dumps([sys.executable, "-c", said])
    async with host(registry, server, sshd_server, test=refuses) as doing:
        with pytest.raises(AuthFailed, match="a password is required"):
            await doing.apply("nginx.shed", **SHED, percent=100)
    assert server.file.read_text() == NONE
    assert server.get("/search").status == 200


async def test_a_file_that_is_not_in_force(
    registry: Registry, server: Nginx, sshd_server: Sshd
) -> None:
    """As a crash between writing and reloading leaves it: it is told, and doing it again mends it."""
    server.file.write_text(render(Shed({"/search": 100})))
    call = {**SHED, "percent": 100}
    async with host(registry, server, sshd_server) as doing:
        status = await doing.apply("nginx.status", server="web1")
        assert (status["percent"]["search"], status["written"]["search"]) == (0, 100)
        assert status["in_force"] is False
        assert await doing.verify("nginx.shed", **call) is False
        preview = await doing.preview("nginx.shed", **call)
        assert preview.changes[0].before == "0%; 100% at the next reload"
        async with host(registry, server, sshd_server, running=None) as blind:
            assert await blind.verify("nginx.shed", **call) is None
            assert (await blind.apply("nginx.status", server="web1"))["in_force"] is None
        await doing.apply("nginx.shed", **call)
        assert server.get("/search").status == 503
        await doing.take_back(preview, "nginx.shed", **call)
    assert server.get("/search").status == 200


async def test_a_file_that_somebody_changed(on_nginx: Doing, server: Nginx) -> None:
    """It is not overwritten: whoever did it had a reason."""
    for text in (NONE.replace("default 0", "default 1"), "", "# mine\n", NONE + "# mine\n"):
        server.file.write_text(text)
        for verb in (on_nginx.preview, on_nginx.apply):
            with pytest.raises(Rejected, match="somebody changed it"):
                await verb("nginx.shed", **SHED, percent=50)
        assert server.file.read_text() == text
    server.file.unlink()
    with pytest.raises(Rejected, match="No such file"):
        await on_nginx.preview("nginx.shed", **SHED, percent=50)


def test_the_first_file_is_the_one_of_the_readme() -> None:
    """What people are told to put there is what Jackline reads."""
    block = re.search(r"```nginx\n(.*?)```", README.read_text(), re.DOTALL)
    assert block
    assert re.sub(r"^   ", "", block[1], flags=re.MULTILINE).rstrip(" ") == NONE
    assert parse(NONE) == Shed()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"percent": 101}, "less than or equal to 100"),
        ({"percent": -1}, "greater than or equal to 0"),
        ({"percent": 0.5}, "valid integer"),
        ({"service": "-search"}, "should match pattern"),
        ({"service": "/search"}, "should match pattern"),
        ({"service": "a; }"}, "should match pattern"),
        ({"server": "../web1"}, "should match pattern"),
        ({"file": "/etc/passwd"}, "Extra inputs"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, more: dict[str, Any], said: str
) -> None:
    with pytest.raises(ValidationError) as caught:
        registry.action("nginx.shed").Params.model_validate({**SHED, "percent": 1, **more})
    assert said in str(caught.value)


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"services": '{"feed": "/feed"}'}, "No service 'search' may be shed here. There are feed"),
        ({"services": None}, "There are none"),
        (
            {"services": '{"search": "/a b"}'},
            "services: Value error, '/a b', of search, is no plain",
        ),
        ({"services": '{"search": "/a/../b"}'}, "is no plain path prefix"),
        ({"services": '{"search": "/a;}"}'}, "is no plain path prefix"),
        ({"services": '{"search": "/$x"}'}, "is no plain path prefix"),
        ({"services": '{"search": "search"}'}, "is no plain path prefix"),
        ({"services": "search"}, "it is no JSON"),
        ({"file": "shed.conf"}, "file: Value error, must be an absolute path"),
        ({"file": "/etc/nginx/../passwd"}, "must be an absolute path"),
        ({"reload": "[]"}, "reload: List should have at least 1 item"),
        ({"retry_after": "0"}, "retry_after: Input should be greater than or equal to 1"),
    ],
)
async def test_settings_that_are_wrong(
    registry: Registry, server: Nginx, sshd_server: Sshd, settings: dict[str, str | None], said: str
) -> None:
    """Told by name, before anything is done on the host."""
    async with host(registry, server, sshd_server, **settings) as doing:
        for verb in (doing.preview, doing.apply, doing.verify):
            with pytest.raises(Rejected) as caught:
                await verb("nginx.shed", **SHED, percent=50)
            assert said in str(caught.value)


async def test_a_wrong_key(registry: Registry, server: Nginx, sshd_server: Sshd) -> None:
    stranger = asyncssh.generate_private_key("ssh-ed25519").export_private_key().decode()
    async with host(registry, server, sshd_server, key=stranger) as doing:
        with pytest.raises(AuthFailed) as caught:
            await doing.apply("nginx.shed", **SHED, percent=50)
        assert stranger not in str(caught.value)
    assert server.file.read_text() == NONE


async def test_nobody_there(registry: Registry, server: Nginx, sshd_server: Sshd) -> None:
    settings = {**server.settings(), **sshd_server.settings}
    nowhere = f"ssh://nobody@{HOST}:{free_port()}"
    async with direct("nginx/web1", nowhere, settings=settings) as connection:
        for call in (("nginx.status", {"server": "web1"}), ("nginx.shed", {**SHED, "percent": 1})):
            with pytest.raises(NotSent):
                await Doing(registry, connection).apply(call[0], **call[1])


async def test_an_nginx_that_stands_still(
    on_nginx: Doing, server: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It takes the order to reload and does nothing: unknown. A look may be asked again."""
    monkeypatch.setattr("integrations.nginx.host._SETTLE", 0.5)
    monkeypatch.setattr("integrations.nginx.host._PATIENCE", 1.0)
    server.process.freeze()
    with pytest.raises(Unknown, match="is not seen to have done so"):
        await on_nginx.apply("nginx.shed", **SHED, percent=100)
    with pytest.raises(Retryable):
        await on_nginx.apply("nginx.status", server="web1")
    server.process.thaw()


@pytest.mark.parametrize("last", ["mv", "-t", "reload"])
async def test_a_connection_that_breaks_in_the_middle(
    on_nginx: Doing, server: Nginx, monkeypatch: pytest.MonkeyPatch, last: str
) -> None:
    """Once the file is moved no failure is *not sent*, and doing it again sets it right."""
    link, real = on_nginx.connection, Link.run

    async def run(argv: list[str], **more: Any) -> Completed:
        if last in argv:
            raise NotSent("The path is gone.")
        return await real(link, argv, **more)  # type: ignore[arg-type]

    with monkeypatch.context() as broken:
        broken.setattr(link, "run", run)
        with pytest.raises(Unknown, match="In the middle of the change"):
            await on_nginx.apply("nginx.shed", **SHED, percent=100)
    assert server.get("/search").status == 200
    await on_nginx.apply("nginx.shed", **SHED, percent=100)
    assert server.get("/search").status == 503
    assert await on_nginx.verify("nginx.shed", **SHED, percent=100) is True


async def test_the_old_file_cannot_be_put_back(
    on_nginx: Doing, server: Nginx, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Then it is said what lies where, for a person."""
    link, real = on_nginx.connection, Link.run

    async def run(argv: list[str], **more: Any) -> Completed:
        if argv[:1] == ["mv"] and argv[-2].endswith(".old"):
            return Completed(status=1, stdout="", stderr="mv: disk on fire")
        return await real(link, argv, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(link, "run", run)
    server.config.write_text(server.config.read_text() + "nonsense;\n")
    with pytest.raises(Unknown, match=r"nonsense.* was not put back: .*disk on fire") as caught:
        await on_nginx.apply("nginx.shed", **SHED, percent=100)
    assert f"move {server.file}.old to {server.file}" in caught.value.hint
    assert server.get("/search").status == 200
