"""Taking back a backfill of a table that is too large to be counted, on a real PostgreSQL."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.registry import Registry
from bot.store import Store
from tests.integrations.test_postgres import SETTINGS
from tests.integrations.test_postgres_backfill import JOBS, Orders, ordered
from tests.runbooks.room import runbook
from tests.runbooks.shipped.room import placed
from tests.servers.postgres import Postgres
from tests.servers.process import HOST

pytestmark = pytest.mark.server
STEP = """\
action: postgres.backfill
with: {server: orders, job: cents, batch: 100, rate: 1000, max_seconds: 0.25, max_lag_mb: null}
on_failure: undo"""


@pytest.fixture
def orders(postgres_server: Postgres) -> Iterator[Orders]:
    with ordered(postgres_server) as found:
        yield found


async def test_a_part_is_taken_back_where_nobody_can_count(
    store: Store,
    registry: Registry,
    tmp_path: Path,
    orders: Orders,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Its time is up after some rows, and counting takes too long before and after."""

    async def too_long(*_: object) -> None:
        return None

    monkeypatch.setattr("integrations.postgres.actions.rows_left", too_long)
    settings = {**SETTINGS, "database": orders.database, "backfills": json.dumps(JOBS)}
    entry = {"url": f"tcp://{HOST}:{orders.server.port}", "settings": settings}
    room = placed(runbook(STEP), "fix", store, registry, tmp_path, {"postgres/orders": entry})
    number = await room.approved()
    await room.work()
    run = await room.run(number)
    assert run.state == "failed"
    assert 0 < orders.done < 999
    assert [a.action for a in await room.attempts(number, "undo")] == ["postgres.backfill"]
    assert orders.left > 999 - orders.done
