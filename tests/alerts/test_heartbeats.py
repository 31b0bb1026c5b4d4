"""What should be heard of and is not: after its grace, once, worse later, and over when it is back."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from bot.alerts import Heartbeats
from bot.alerts.holding import of_incident
from bot.alerts.tables import HeartbeatSeen
from bot.catalog import Catalog, Heartbeat
from bot.errors import NotFound
from bot.store import Store, now
from tests.alerts.room import SHOP, Room, an_alert
from tests.e2e.harness import ALERTS, Bot, write_runbooks
from tests.servers.fixtures import Start

WATCHDOG = {"id": "watchdog", "match": {"alertname": "Watchdog"}, "every": "5m", "grace": "1m",
            "escalate": "30m", "service": "shop", "severity": "warning"}  # fmt: skip
BACKUP = {"id": "backup", "title": "Nightly backup", "every": "1d", "grace": "2h"}


@pytest.fixture
async def room(store: Store) -> AsyncIterator[Room]:
    entries = [Heartbeat.model_validate(each) for each in (WATCHDOG, BACKUP)]
    opened = Room(store, Catalog(services=[SHOP], heartbeats=entries))
    writer = asyncio.create_task(opened.intake.run())
    yield opened
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)


def pulse_of(room: Room) -> Heartbeats:
    return Heartbeats(room.store, room.intake, lambda: room.catalog)


async def ago(room: Room, heartbeat: str, minutes: float, column: str = "seen_at") -> None:
    at = {column: now() - timedelta(minutes=minutes)}
    async with room.store.write() as session:
        await session.execute(
            update(HeartbeatSeen).where(HeartbeatSeen.id == heartbeat).values(**at)  # type: ignore[arg-type]  # a column's comparison
        )


async def listening(room: Room) -> Heartbeats:
    """One that has listened for long, and heard of the Watchdog."""
    found = pulse_of(room)
    await found.look()
    found._started = now() - timedelta(days=3)
    assert await found.strain([an_alert("Watchdog")]) == []
    return found


def standing(alerts: list[Any]) -> list[tuple[str, str, str]]:
    return [(a.fingerprint, a.status, a.labels["severity"]) for a in alerts]


async def test_a_sign_of_life_is_no_alert(room: Room) -> None:
    """It is kept, however often it repeats itself; other alerts pass."""
    found = pulse_of(room)
    other = an_alert("Other")
    for _ in range(3):
        assert await found.strain([an_alert("Watchdog"), other]) == [other]
    await found.look()
    assert [p.standing for p in await found.pulses()] == ["alive", "waiting"]
    assert await room.stored() == []


async def test_its_end_is_no_sign_of_life(room: Room) -> None:
    """A Watchdog that resolves says that it is about to be silent."""
    found = await listening(room)
    await ago(room, "watchdog", 5)
    assert await found.strain([an_alert("Watchdog", "resolved")]) == []
    pulse, _ = await found.pulses()
    assert pulse.seen_at is not None
    assert now() - pulse.seen_at > timedelta(minutes=4)


async def test_silence_fires_after_the_grace(room: Room) -> None:
    """Once, with what people need; worse when it lasts; resolved when it is back."""
    found = await listening(room)
    await ago(room, "watchdog", 5.9)
    await found.look()
    assert await room.stored() == []
    for minutes in (6.1, 20):
        await ago(room, "watchdog", minutes)
        await found.look()
    (alert,) = await room.stored()
    assert standing([alert]) == [("watchdog", "firing", "warning")]
    assert alert.annotations["summary"].startswith("No sign of life of watchdog: it came last 20")
    (incident,) = await room.route()
    assert (incident.severity, incident.services) == ("sev3", ["shop"])
    await ago(room, "watchdog", 37)
    await found.look()
    (incident,) = await room.route()
    assert incident.severity == "sev1"
    await found.strain([an_alert("Watchdog")])
    await found.look()
    assert standing(await room.stored()) == [
        ("watchdog", "firing", "warning"), ("watchdog still", "firing", "critical"),
        ("watchdog", "resolved", "warning"), ("watchdog still", "resolved", "critical"),
    ]  # fmt: skip


async def test_two_that_share_nothing_are_two_incidents(room: Room) -> None:
    """Without a service each is an incident of its own, which what gets worse joins."""
    bare = WATCHDOG | {"service": None, "escalate": "1h"}
    entries = [Heartbeat.model_validate(each) for each in (bare, BACKUP)]
    room.catalog = Catalog(services=[SHOP], heartbeats=entries)
    found = await listening(room)
    await ago(room, "watchdog", 8)
    await ago(room, "backup", 60 * 27, "known_since")
    await found.look()
    incidents = await room.route()
    assert [i.title.split(":")[0] for i in incidents] == [
        "No sign of life of watchdog", "No sign of life of Nightly backup",
    ]  # fmt: skip
    await ago(room, "watchdog", 70)
    await found.look()
    assert [i.severity for i in await room.route()] == ["sev1", "sev2"]
    assert of_incident(incidents[0]) == {"heartbeat": "watchdog"}  # what `silence here` covers


async def test_it_fires_anew_the_next_time(room: Room) -> None:
    found = await listening(room)
    for minutes in (7, 8):
        await ago(room, "watchdog", minutes)
        await found.look()
        await found.strain([an_alert("Watchdog")])
        await found.look()
    assert [a.status for a in await room.stored()] == ["firing", "resolved"] * 2


async def test_one_that_never_came(room: Room) -> None:
    """Waited for since the catalog names it; the words say that it never came."""
    found = await listening(room)
    await ago(room, "backup", 60 * 25, "known_since")
    await found.look()
    assert await room.stored() == []
    await ago(room, "backup", 60 * 27, "known_since")
    await found.look()
    (alert,) = await room.stored()
    said = "No sign of life of Nightly backup: it came last never"
    assert alert.annotations["summary"] == said


async def test_what_should_have_come_while_nobody_listened(room: Room) -> None:
    """After a start it is waited for once more: its sender may have knocked at a closed door."""
    await listening(room)
    await ago(room, "watchdog", 60)
    fresh = pulse_of(room)
    await fresh.look()
    assert await room.stored() == []
    fresh._started = now() - timedelta(minutes=7)
    await fresh.look()
    assert [a.fingerprint for a in await room.stored()] == ["watchdog"]


async def test_what_was_kept_in_memory_undoes_no_newer_sign(room: Room) -> None:
    """The database is back, a sign is stored at once; the one from before comes after it."""
    found = await listening(room)
    found._unsaved["watchdog"] = now() - timedelta(hours=1)
    await found.look()
    assert await room.stored() == []
    assert [p.standing for p in await found.pulses()] == ["alive", "waiting"]


async def test_replicas_fire_once(room: Room) -> None:
    first = await listening(room)
    second = await listening(room)
    await ago(room, "watchdog", 7)
    await asyncio.gather(*(each.look() for each in (first, second, first, second)))
    assert len(await room.stored()) == 1


async def test_one_that_is_not_expected_any_more(room: Room) -> None:
    """Its alert ends, and it is forgotten: named again it is waited for anew."""
    found = await listening(room)
    await ago(room, "watchdog", 7)
    await found.look()
    catalog, room.catalog = room.catalog, Catalog(services=[SHOP])
    await found.look()
    assert [a.status for a in await room.stored()] == ["firing", "resolved"]
    room.catalog = catalog
    await found.look()
    assert [p.standing for p in await found.pulses()] == ["waiting", "waiting"]


async def test_while_the_database_does_not_take_it(room: Room) -> None:
    """The sign is kept and written later: no false alarm is the database's fault."""
    found = await listening(room)
    await ago(room, "watchdog", 5)
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE heartbeat RENAME TO gone")
    assert await found.strain([an_alert("Watchdog")]) == []
    await found.beat("backup")
    async with room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO heartbeat")
    await found.look()
    assert [p.standing for p in await found.pulses()] == ["alive", "alive"]
    pulse, _ = await found.pulses()
    assert pulse.seen_at is not None
    assert now() - pulse.seen_at < timedelta(minutes=1)


async def test_a_name_that_is_not_there(room: Room) -> None:
    with pytest.raises(NotFound, match="did you mean 'backup'"):
        await pulse_of(room).beat("bakup")


@pytest.mark.server
@pytest.mark.timeout(120)
async def test_a_stopped_watchdog_pages(
    alertmanager_server: Start[Any], prometheus_server: Start[Any], tmp_path: Path
) -> None:
    """Prometheus and Alertmanager for real: killed, they say nothing, and that is heard."""
    runbooks = write_runbooks(
        tmp_path / "runbooks", team="T0", edge="http://127.0.0.1:9", shop="http://127.0.0.1:9"
    )
    catalog = runbooks / "catalog" / "all.yaml"
    watchdog = WATCHDOG | {"every": "4s", "grace": "8s", "severity": "critical"}
    catalog.write_text(
        json.dumps(json.loads(catalog.read_text()) | {"heartbeats": [watchdog, BACKUP]})
    )
    bot = Bot(tmp_path, runbooks, f"sqlite+aiosqlite:///{tmp_path}/j.db")
    bot.env["JACKLINE_WEBHOOKS__HEARTBEAT__SECRETS"] = '["beat-secret"]'
    async with bot:
        monitoring = alertmanager_server(
            webhook_url=f"{bot.url}/webhooks/alertmanager", token=ALERTS, repeat_interval="2s",
            group_interval="1s",
        )  # fmt: skip
        # Prometheus learns of Alertmanager 5 s after its start; what fires before goes nowhere
        rule = {"alert": "Watchdog", "expr": "vector(1)", "for": "7s"}
        prometheus_server(rules=[rule], alertmanagers=[monitoring.address])
        await _alive(bot)
        await asyncio.sleep(8)
        assert await bot.api("/incidents") == []
        monitoring.process.kill()
        row = await bot.row("alert_received")
        assert "No sign of life of watchdog" in row["text"]
        (incident,) = await bot.api("/incidents")
        assert incident["severity"] == "sev1"
        for secret, status in (("beat-secret", 200), ("wrong", 401)):
            headers = {"Authorization": f"Bearer {secret}"}
            answer = await bot.http.post("/heartbeats/backup", headers=headers)
            assert answer.status_code == status


async def _alive(bot: Bot) -> None:
    """Once the first sign of life is there."""

    async def look() -> bool:
        store = Store(bot.env["JACKLINE_DATABASE_URL"])
        async with store.read() as session:
            found = await session.get(HeartbeatSeen, "watchdog")
        await store.close()
        return found is not None and found.seen_at is not None

    await bot.until(look, "the first sign of life")
