"""Flags on a real Unleash, with what an application is told as the witness."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from pydantic import ValidationError

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown
from bot.registry import Registry
from tests.integrations.asking import asked
from tests.integrations.direct import direct
from tests.integrations.doing import Doing
from tests.servers.http_app import Answer, http_app
from tests.servers.postgres import Postgres
from tests.servers.process import HOST, free_port
from tests.servers.unleash import HALF, TOKENS, Unleash, unleash

pytestmark = pytest.mark.server
WHERE: dict[str, Any] = {"server": "main", "environment": "production"}


@pytest.fixture(scope="module")
def server(postgres_server: Postgres) -> Iterator[Unleash]:
    with unleash(postgres_server) as running:
        yield running


@pytest.fixture
async def on_unleash(registry: Registry, server: Unleash) -> AsyncIterator[Doing]:
    async with direct("unleash/main", server.url, headers=server.headers) as connection:
        yield Doing(registry, connection)


@pytest.fixture
async def as_application(registry: Registry, server: Unleash) -> AsyncIterator[Doing]:
    headers = {"Authorization": TOKENS["production"]}
    async with direct("unleash/production", server.url, headers=headers) as connection:
        yield Doing(registry, connection)


async def test_a_feature_is_killed_and_comes_back(
    on_unleash: Doing, as_application: Doing, server: Unleash
) -> None:
    """Applications hear of it; undo has it on again, by the strategy that it had."""
    server.add("new-checkout", HALF, on=True)
    call = {**WHERE, "flag": "new-checkout", "enabled": False}
    preview = await on_unleash.preview("unleash.set_flag", **call)
    (change,) = preview.changes
    assert (change.target, change.what) == ("unleash/main", "flag new-checkout in production")
    assert (change.before, change.after) == ("on, flexibleRollout 50%", "off")
    assert await on_unleash.verify("unleash.set_flag", **call) is False
    for _ in range(2):
        assert await on_unleash.apply("unleash.set_flag", **call) == {"enabled": False}
    assert await on_unleash.verify("unleash.set_flag", **call) is True
    assert (await on_unleash.preview("unleash.set_flag", **call)).changes == []
    await asyncio.to_thread(server.wait_heard, "new-checkout", False)
    seen = {**WHERE, "flag": "new-checkout"}
    told = await as_application.apply("unleash.served", **seen)
    assert told == {"found": True, "enabled": False}
    await on_unleash.take_back(preview, "unleash.set_flag", **call)
    await asyncio.to_thread(server.wait_heard, "new-checkout", True)
    found = await on_unleash.apply("unleash.flag", **seen)
    assert found == {
        "found": True, "archived": False, "enabled": True, "stale": False, "type": "release",
        "strategies": ["flexibleRollout 50%"], "children": [],
    }  # fmt: skip


async def test_only_the_named_environment_is_touched(on_unleash: Doing, server: Unleash) -> None:
    server.add("search", HALF, on=True)
    server.admin("POST", "features/search/environments/development/on")
    await on_unleash.apply("unleash.set_flag", **WHERE, flag="search", enabled=False)
    await asyncio.to_thread(server.wait_heard, "search", False)
    assert server.heard("search", "development") is True


async def test_what_goes_with_it_is_said(on_unleash: Doing, server: Unleash) -> None:
    """Flags that depend on it; the strategy that Unleash adds where none is active."""
    server.add("parent", HALF, on=True)
    for child in ("wallet", "gifts"):
        server.add(child)
        server.admin("POST", f"features/{child}/dependencies", {"feature": "parent"})
    preview = await on_unleash.preview("unleash.set_flag", **WHERE, flag="parent", enabled=False)
    assert preview.changes[0].after == "off; with it those that depend on it: gifts, wallet"
    assert preview.state == {"enabled": True, "children": ["gifts", "wallet"]}

    server.add("bare", {**HALF, "disabled": True})
    call = {**WHERE, "flag": "bare", "enabled": True}
    preview = await on_unleash.preview("unleash.set_flag", **call)
    assert preview.changes[0].after.startswith("on, by a strategy that Unleash adds")
    await on_unleash.apply("unleash.set_flag", **call)
    found = await on_unleash.apply("unleash.flag", **WHERE, flag="bare")
    assert found["strategies"] == ["flexibleRollout 100%"]
    await on_unleash.take_back(preview, "unleash.set_flag", **call)
    await asyncio.to_thread(server.wait_heard, "bare", False)


async def test_strategies_are_told_with_their_limits(on_unleash: Doing, server: Unleash) -> None:
    only = {"contextName": "userId", "operator": "IN", "values": ["7"]}
    server.add("beta", {"name": "default", "constraints": [only]}, on=True)
    found = await on_unleash.apply("unleash.flag", **WHERE, flag="beta")
    assert found["strategies"] == ["default with constraints"]


async def test_a_flag_that_is_not_there(
    on_unleash: Doing, as_application: Doing, server: Unleash
) -> None:
    """Missing or archived: a look says which, a switch is refused; so is an unknown environment."""
    server.add("old")
    server.admin("DELETE", "features/old")
    server.add("older-than-old")  # whose name contains the other's
    for name, archived in (("never", False), ("old", True), ("older", False)):
        found = await on_unleash.apply("unleash.flag", **WHERE, flag=name)
        assert (found["found"], found["archived"], found["enabled"]) == (False, archived, False)
        with pytest.raises(Rejected, match=f"no flag {name}") as caught:
            await on_unleash.preview("unleash.set_flag", **WHERE, flag=name, enabled=False)
        assert ("archive has it" in caught.value.hint) is archived
    with pytest.raises(Rejected, match="archived"):
        await on_unleash.apply("unleash.set_flag", **WHERE, flag="old", enabled=True)
    with pytest.raises(Rejected, match="no feature named"):
        await on_unleash.apply("unleash.set_flag", **WHERE, flag="never", enabled=True)
    told = await as_application.apply("unleash.served", **WHERE, flag="never")
    assert told == {"found": False, "enabled": False}
    server.add("there")
    nowhere = {**WHERE, "environment": "staging", "flag": "there"}
    with pytest.raises(Rejected, match="It has development, production"):
        await on_unleash.preview("unleash.set_flag", **nowhere, enabled=False)


async def test_a_flag_of_another_project(on_unleash: Doing, server: Unleash) -> None:
    """It is not found under the wrong project, and Unleash says where it is."""
    server.add("here", HALF, on=True)
    call = {**WHERE, "project": "other", "flag": "here"}
    assert (await on_unleash.apply("unleash.flag", **call))["found"] is False
    with pytest.raises(Rejected, match='in project "default"'):
        await on_unleash.apply("unleash.set_flag", **call, enabled=False)
    assert server.heard("here") is True


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"flag": "-f"}, "should match pattern"),
        ({"flag": ".."}, "should match pattern"),
        ({"flag": "a/../b"}, "should match pattern"),
        ({"flag": "a?b=c"}, "should match pattern"),
        ({"flag": "a b"}, "should match pattern"),
        ({"flag": "a\n"}, "should match pattern"),
        ({"flag": "{{ 7 }}"}, "should match pattern"),
        ({"flag": ""}, "should match pattern"),
        ({"project": "../x"}, "should match pattern"),
        ({"environment": "-prod"}, "should match pattern"),
        ({"enabled": None}, "valid boolean"),
        ({"strategies": []}, "Extra inputs"),
    ],
)
def test_what_is_refused_before_it_is_sent(
    registry: Registry, more: dict[str, Any], said: str
) -> None:
    params = {**WHERE, "flag": "f", "enabled": False, **more}
    with pytest.raises(ValidationError) as caught:
        registry.action("unleash.set_flag").Params.model_validate(params)
    assert said in str(caught.value)


async def test_a_wrong_token(registry: Registry, server: Unleash, as_application: Doing) -> None:
    """Refused, also an application's where an administrator's is wanted, and never shown."""
    async with direct("unleash/main", server.url, headers={"Authorization": "wrong"}) as connection:
        for name in ("unleash.flag", "unleash.served"):
            with pytest.raises(AuthFailed, match="answered 401") as caught:
                await Doing(registry, connection).apply(name, **WHERE, flag="f")
            assert "wrong" not in str(caught.value)
    with pytest.raises(AuthFailed, match="different token type"):
        await as_application.apply("unleash.set_flag", **WHERE, flag="f", enabled=False)


async def test_a_witness_of_another_environment(as_application: Doing) -> None:
    """It would prove nothing about the one asked for."""
    with pytest.raises(Rejected, match="belongs to applications of 'production'"):
        await as_application.apply(
            "unleash.served", **{**WHERE, "environment": "development"}, flag="f"
        )


@pytest.mark.parametrize(
    ("status", "of_a_read", "of_a_change"),
    [(503, Retryable, Retryable), (429, Retryable, Retryable), (500, Retryable, Unknown)],
)
async def test_a_server_in_trouble(
    registry: Registry, status: int, of_a_read: type[Exception], of_a_change: type[Exception]
) -> None:
    """Of a change that ended in an error of the server's own nobody knows."""
    with http_app("ill") as ill:
        ill.default = Answer(status=status)
        async with direct("unleash/main", ill.url) as connection:
            doing = Doing(registry, connection)
            with pytest.raises(of_a_read):
                await doing.apply("unleash.flag", **WHERE, flag="f")
            with pytest.raises(of_a_change):
                await doing.apply("unleash.set_flag", **WHERE, flag="f", enabled=False)


@pytest.mark.parametrize(
    "body", ["<h1>Hello</h1>", "[]", "{}", '{"features": [1], "environments": 1}']
)
async def test_an_answer_that_is_none_of_unleashs(registry: Registry, body: str) -> None:
    with http_app("other") as other:
        other.default = Answer(body=body)
        async with direct("unleash/main", other.url) as connection:
            for name in ("unleash.flag", "unleash.served"):
                with pytest.raises(Rejected, match="none of Unleash's"):
                    await Doing(registry, connection).apply(name, **WHERE, flag="f")


async def test_nobody_there_and_no_answer(registry: Registry, server: Unleash) -> None:
    """Not sent; a read may be asked again; of a change nobody knows."""
    nowhere = f"http://{HOST}:{free_port()}"
    async with direct("unleash/main", nowhere, headers=server.headers) as connection:
        with pytest.raises(NotSent):
            await Doing(registry, connection).apply("unleash.flag", **WHERE, flag="f")
    server.process.freeze()
    try:
        async with direct(
            "unleash/main", server.url, headers=server.headers, timeout=0.3
        ) as frozen:
            for name in ("unleash.flag", "unleash.served"):
                with pytest.raises(Retryable):
                    await Doing(registry, frozen).apply(name, **WHERE, flag="f")
            with pytest.raises(Unknown):
                await Doing(registry, frozen).apply(
                    "unleash.set_flag", **WHERE, flag="f", enabled=False
                )
    finally:
        server.process.thaw()


async def test_what_was_changed_of_late(registry: Registry, server: Unleash) -> None:
    """By the event log of a real Unleash: who switched what, and where; the rest is left out."""
    begun = datetime.now(UTC) - timedelta(seconds=2)
    server.add("evidence-flag", HALF, on=True)
    server.admin("POST", "features/evidence-flag/environments/development/on")
    about = {"environment": "production"}
    found = await asked(
        registry, "unleash", server.url, headers=server.headers, about=about,
        until=begun + timedelta(hours=2),
    )  # fmt: skip
    told = [item for item in found.items if "evidence-flag" in item.text]
    assert [item.text.partition(", by")[0] for item in told] == [
        "flag evidence-flag: on in production",
        "flag evidence-flag: a strategy added in production",
    ]
    assert all(item.at and item.at >= begun for item in told)
    assert told[0].link == f"{server.url}/projects/default/features/evidence-flag"
    everywhere = await asked(registry, "unleash", server.url, headers=server.headers)
    assert any("on in development" in item.text for item in everywhere.items)
    later = datetime.now(UTC) + timedelta(hours=3)
    none = await asked(registry, "unleash", server.url, headers=server.headers, until=later)
    assert none.items == []


async def test_a_token_that_may_not_read_the_log(registry: Registry, server: Unleash) -> None:
    headers = {"Authorization": TOKENS["production"]}
    with pytest.raises(AuthFailed):
        await asked(registry, "unleash", server.url, headers=headers)
