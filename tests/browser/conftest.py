"""A console over a real database behind a real server, with something to see on every page."""

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Browser, Page

from bot.alerts import StoredAlert
from bot.catalog import load_catalog
from bot.chat.console import signin_link
from bot.runbooks import Run, StepAttempt
from bot.store import Store, now
from tests.browser.chromium import DESK, chromium
from tests.browser.serving import serving
from tests.chat.console_world import KEY, World

CATALOG: dict[str, Any] = {
    "people": [
        {"id": "ana", "name": "Ana", "roles": ["responder", "commander"]},
        {"id": "ben", "name": "Ben", "roles": ["responder", "approver"]},
        {"id": "dora", "name": "Dora Maria Lindqvist-Oyelaran", "roles": ["admin", "commander", "approver"]},
        {"id": "vera", "name": "Vera", "roles": []},
    ],
    "services": [
        {"id": "web", "title": "Web", "tier": "p0"},
        {"id": "payments", "title": "Payments", "tier": "p0", "depends_on": ["web"]},
    ],
    "paths": [
        {"name": "direct", "depends_on": ["dns:corp"]},
        {"name": "pinned", "kind": "pinned", "connect_to": {"127.0.0.1": "127.0.0.1"},
         "depends_on": ["network:corp"]},
    ],
    "nodes": [{"id": "dns:corp", "title": "The company's name servers"}, {"id": "network:corp"}],
    "targets": [
        {"name": "http/shop", "url": "http://127.0.0.1:9", "via": ["direct", "pinned"]},
        {"name": "http/edge", "url": "http://127.0.0.1:9"},
    ],
    "drills": [{"name": "no-dns", "down": ["dns:corp"], "schedule": "0 9 * * mon"}],
}  # fmt: skip
RUNBOOK = """---
schema: runbook/v1
id: warm-shop
title: Warm the shop's cache
triggers: [service:web]
inputs:
  percent: {type: integer, default: 50, min: 1, max: 100, description: how much of it}
  mode: {type: enum, values: [gently, fast], required: true}
  pause: {type: duration, default: 30s, max: 600}
  service: {type: service, default: web}
---
The cache is cold after a restart. **Look at the load first.**

## 1. Look at the shop
Nothing changes here.

```yaml step
id: look
action: http.check
with: {target: shop, path: "/{{ inputs.percent }}/{{ inputs.mode }}/{{ inputs.pause }}/{{ inputs.service }}"}
```

## 2. Tell the desk
```yaml step
id: tell
manual: {checklist: [Call the desk, Say when it is warm]}
```
"""


@dataclass
class Site:
    """`World`, the address it is served at, and a browser."""

    world: World
    base: str
    browser: Browser
    pages: list[Page] = field(default_factory=list)

    async def page(
        self, person: str = "ana", size: dict[str, int] = DESK, scheme: str = "light", **more: Any
    ) -> Page:
        """Signed in; scripts may be off (``java_script_enabled``)."""
        context = await self.browser.new_context(
            viewport=size, color_scheme=scheme, base_url=self.base, **more
        )
        page = await context.new_page()
        await page.goto(signin_link(KEY, person, self.base))
        self.pages.append(page)
        return page


@pytest.fixture
async def site(tmp_path: Path) -> AsyncIterator[Site]:
    folder = tmp_path / "runbooks"
    (folder / "catalog").mkdir(parents=True)
    (folder / "catalog" / "all.yaml").write_text(json.dumps(CATALOG))
    (folder / "warm.md").write_text(RUNBOOK)
    store = Store(f"sqlite+aiosqlite:///{tmp_path}/jackline.db")
    await store.migrate()
    world = World(tmp_path, store, whole=load_catalog(folder / "catalog"))
    assert not world.runs.library.problems
    async with serving(world.app) as url, chromium() as browser:
        yield Site(world, url, browser)
    await store.close()


Scene = Callable[[], Awaitable[None]]


@pytest.fixture
def scene(site: Site) -> Scene:
    """An incident in full swing, one that waits for approval, one whose outcome is unknown."""

    async def made() -> None:
        world = site.world
        first = await world.incident("Checkout <is> down: every second request fails with 503")
        async with world.store.write() as session:
            for zone in ("a", "b"):
                session.add(StoredAlert(
                    source="prometheus", fingerprint=zone, status="firing", name="ShopDown",
                    starts_at=now(), labels={"alertname": "ShopDown", "zone": zone},
                    annotations={}, incident_id=first.number,
                ))  # fmt: skip
            found = await world.incidents.get(session, first.number)
            await world.incidents.note(session, found, "DNS is *fine* here", "person:ben", key="n1")
            await world.incidents.take_command(session, found, "ana")
        await world.waiting_run(first)
        second = await world.incident("Mail is late")
        run = await world.waiting_run(second)
        async with world.store.write() as session:
            held = await session.get_one(Run, run.number)
            held.state, held.started_at, held.approved_at = "unknown", now(), now()
            session.add(StepAttempt(
                run_id=run.number, step="drain", attempt=1, state="unknown", epoch=1,
                action="haproxy.drain_server", target="haproxy/edge", access_path="direct",
                error="no answer within 60 s after it was sent", before={"edge-3": "ready"},
            ))  # fmt: skip
            await world.runs.show(session, held)

    return made
