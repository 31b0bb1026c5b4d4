"""A served Jackline and silences: held back, and routed by its own clock when they are over."""

import json
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update
from sqlmodel import select

from bot.alerts import Silence, StoredAlert
from bot.alerts.holding import Wish
from bot.alerts.silences import Silences
from bot.catalog import load_catalog
from bot.store import Store, load_key, now
from bot.timeline import Ledger
from tests.e2e.harness import Bot, firing, write_runbooks


@pytest.mark.server
@pytest.mark.timeout(120)
async def test_held_back_until_it_expires(tmp_path: Path, database_url: str) -> None:
    """Another process sets it; nobody has to do anything for its end to be noticed."""
    nowhere = "http://127.0.0.1:9"
    runbooks = write_runbooks(tmp_path / "runbooks", team="T0", edge=nowhere, shop=nowhere)
    async with Bot(tmp_path, runbooks, database_url) as bot:
        store = Store(database_url)
        ledger = Ledger(load_key(None, tmp_path / "data", "audit"))
        silences = Silences(store, ledger, lambda: load_catalog(runbooks / "catalog"))
        async with store.write() as session:
            await silences.set(session, Wish({"service": "shop"}, 3600, "a move"), "ana", "o")
        assert (await bot.alert(firing())).is_success

        async def held() -> bool:
            async with store.read() as session:
                return "silenced" in (await session.execute(select(StoredAlert.state))).scalars()

        await bot.until(held, "the alert to be held back")
        assert await bot.api("/incidents") == []
        async with store.write() as session:
            await session.execute(update(Silence).values(until=now() - timedelta(seconds=1)))
        row = await bot.row("alerts_released")
        assert row["text"].endswith("(set by Ana: a move); what it held back still fires")
        await bot.row("alert_received")
        assert len(await bot.api("/incidents")) == 1
        assert json.loads((await bot.http.get("/api/v1/audit")).text)["ok"]
        await store.close()
