"""The chat room over each database."""

import json
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from bot.chat.console import factors
from bot.registry import Registry, load
from bot.store import Store
from tests.chat.console_world import World
from tests.chat.hands import Hands
from tests.chat.room import ChatRoom
from tests.chat.slack_world import SlackWorld, slack_world
from tests.runbooks.room import PEOPLE
from tests.slackstub import SlackStub

RUNBOOK = """---
schema: runbook/v1
id: {id}
title: {title}
inputs:
  percent: {{type: integer, default: 100, min: 1, max: 100}}
---
## 1. Wait
```yaml step
id: wait
action: http.check
with: {{target: shop, path: /, count: "{{{{ inputs.percent }}}}"}}
```
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A catalog with people and two services; no runbook can act, and none does here."""
    (tmp_path / "runbooks" / "catalog").mkdir(parents=True)
    services = [
        {"id": "shop", "title": "Shop <!here> & co", "tier": "p0"},
        *({"id": f"s{n}", "title": f"Service & number {n}", "tier": "p2"} for n in range(3)),
    ]
    catalog = {
        "people": PEOPLE, "services": services,
        "targets": [{"name": "http/shop", "url": "http://127.0.0.1:9"}],
    }  # fmt: skip
    (tmp_path / "runbooks" / "fix.md").write_text(RUNBOOK.format(id="fix", title="Fix the shop"))
    (tmp_path / "runbooks" / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    return tmp_path / "runbooks"


@pytest.fixture(scope="session")
def registry() -> Registry:
    return load()


@pytest.fixture
def room(store: Store, folder: Path, registry: Registry) -> ChatRoom:
    return ChatRoom(store, folder, registry)


@pytest.fixture
def quick_hashes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Passwords' hashes of the same kind that take no time: `test_console_factors` has the real ones."""
    kept = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    monkeypatch.setattr(factors, "_hasher", kept)
    monkeypatch.setattr(factors, "NOBODYS", factors.NOBODYS.replace("m=47104,t=2", "m=8,t=1"))
    assert not kept.check_needs_rehash(factors.NOBODYS)


@pytest.fixture
def world(tmp_path: Path, sqlite_store: Store, quick_hashes: None) -> World:
    return World(tmp_path, sqlite_store)


@pytest.fixture
async def slack():
    async with SlackStub(retry_delays=(0.0, 0.05, 0.1)) as stub:
        yield stub


@pytest.fixture
def hands(room: ChatRoom) -> Hands:
    return Hands(room)


@pytest.fixture(params=["socket", "http"])
async def workspace(
    request: pytest.FixtureRequest, room: ChatRoom, slack: SlackStub
) -> AsyncIterator[SlackWorld]:
    async with slack_world(room, slack, str(request.param)) as opened:
        yield opened


@pytest.fixture
async def two(hands: Hands) -> Hands:
    """#1 of the shop with two alerts, #2 of the blog with one."""
    await hands.alert("ShopDown", labels={"severity": "critical"})
    await hands.alert("ShopSlow")
    await hands.alert("BlogDown", "blog")
    return hands
