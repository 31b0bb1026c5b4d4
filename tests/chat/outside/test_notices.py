"""Notices over each database: paced, coalesced, never twice, and never in each other's way."""

import asyncio
import socket
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import event

from bot.contract import Receipt
from bot.delivery.notices import late, sent_since, told
from bot.errors import AuthFailed, NotSent, Rejected, Unknown
from bot.store import now
from tests.access.world import stranger
from tests.chat.outside.conftest import Outside, over
from tests.servers.mosquitto import mosquitto
from tests.servers.process import HOST

pytestmark = pytest.mark.server


async def on_record(room: Outside) -> None:
    """Waits until the timeline says that it is delivered."""

    async def row() -> bool:
        return bool(await room.timeline("notice_delivered"))

    await room.until(row, "the row")


async def test_always_needs_no_outage(room: Outside) -> None:
    """Two processes, two people: each is told each thing once, Slack working."""
    room.enter({"when": "always", "to": ["ana", "ben"]})
    async with room.working(processes=2):
        await room.declare()
        await room.told(2)
        await room.note("nothing that everybody must know")
        await room.status("mitigating")
        await room.told(4)
    assert sorted(to for _, to, _ in room.fake.told) == ["ana", "ana", "ben", "ben"]


async def test_only_its_severities(room: Outside) -> None:
    """An incident that becomes worse is told from then on."""
    room.enter({"when": "always", "severity": ["sev1"]})
    async with room.working():
        number = await room.declare(severity="sev3")
        await asyncio.sleep(0.5)
        assert room.fake.told == []
        async with room.store.write() as session:
            incident = await room.incidents.get(session, number)
            await room.incidents.set_severity(session, incident, "sev1", "person:ana")
        (notice,) = await room.told(1)
    assert notice.subject == "#1 SEV1 declared: Search is slow"
    assert [line[10:] for line in notice.text.splitlines()[:2]] == [
        "SEV3 declared: Search is slow", "Severity: sev3 → sev1",
    ]  # fmt: skip


async def test_a_full_minute_makes_one_of_many(
    room: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Over its limit a notifier waits, and then says all that happened, the latest state first."""
    monkeypatch.setattr("bot.chat.outside.pace.MINUTE", timedelta(hours=1))
    room.enter({"when": "always", "per_minute": 1})
    async with room.working():
        await room.declare()
        await room.told(1)
        for status in ("investigating", "mitigating", "monitoring"):
            await room.status(status)
            await room.until(lambda: last_waits(room), "it to wait for its turn")
        assert len(room.fake.told) == 1
        monkeypatch.setattr("bot.chat.outside.pace.MINUTE", timedelta(0))

        async def goes() -> bool:
            await room.hurry()
            return len(room.fake.told) > 1

        await room.until(goes, "it to be over")
        _, notice = await room.told(2)
    assert notice.subject.startswith("#1 SEV1 monitoring")
    assert [line.rpartition(" ")[2] for line in notice.text.splitlines()[:3]] == [
        "investigating", "mitigating", "monitoring",
    ]  # fmt: skip
    assert len(await room.timeline("notice_delivered")) == 2
    assert await room.timeline("notice_failed") == []


async def last_waits(room: Outside) -> bool:
    """What was last said outside was tried, and is told to come again."""
    row, (*_, last) = (await room.rows())[-1], await room.timeline("status_changed")
    later = row.next_at > now() + timedelta(minutes=1)
    return bool(row.payload["upto"] == last.seq and row.state == "pending" and later)


async def test_slack_has_it_by_then(room: Outside) -> None:
    """A notice that could not go out until Slack had everything is not needed any more."""
    room.enter({})
    room.slack.configure(down=True)
    room.fake.errors = [NotSent("nobody there")] * 1000
    async with room.working():
        await room.declare()

        async def tried() -> bool:
            return bool(await room.timeline("notice_failed"))

        await room.until(tried, "the first try")
        room.slack.configure(down=False)

        async def caught_up() -> bool:
            async with room.store.read() as session:
                return not await late(session, "slack")

        await room.until(caught_up, "Slack to have it all")
        room.fake.errors = []
        assert await over(room) == "sent"
    assert room.fake.told == []
    assert await room.timeline("notice_delivered") == []


async def test_notices_are_found_by_their_index(room: Outside) -> None:
    """A long outbox costs them nothing."""
    room.enter({"when": "always"})
    async with room.working():
        await room.declare()
        await room.told(1)
    if not room.store.is_sqlite:
        pytest.skip("PostgreSQL prefers to read a table this small as a whole")
    statements: list[str] = []
    listen = (room.store.engine.sync_engine, "before_cursor_execute")

    def seen(_: object, __: object, statement: str, *___: object) -> None:
        statements.append(statement)

    event.listen(*listen, seen)
    async with room.store.read() as session:
        await told(session, [1])
        await sent_since(session, "n0", now() - timedelta(minutes=1))
        event.remove(*listen, seen)
        asked = [s for s in statements if "FROM outbox" in s]
        assert len(asked) == 2
        for statement in asked:
            connection = await session.connection()
            filled = statement.replace("IN (?)", "IN (1)")
            values = (0,) * filled.count("?")
            plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {filled}", values)
            assert "ix_outbox_outside" in str(plan.all()), statement


async def test_a_notifier_that_fails_is_in_nobodys_way(room: Outside) -> None:
    """It is recorded once that it failed; it is told when it works again; the other one goes on."""
    room.enter(
        {"when": "always", "to": ["ana"]},
        {"id": "siren", "when": "always", "integration": "mqtt", "target": "mqtt/oob", "to": ["t"]},
        targets=[{"name": "mqtt/oob", "url": "tcp://127.0.0.1:9", "settings": {"tls": "off"}}],
    )
    async with room.working():
        await room.declare()
        await room.told(1)

        async def failed() -> bool:
            return bool(await room.timeline("notice_failed"))

        await room.until(failed, "the failure")
        with mosquitto() as broker, broker.heard("t") as heard:
            url = {"name": "mqtt/oob", "url": broker.url, "settings": {"tls": "off"}}
            room.enter(
                {"when": "always"},
                {"id": "siren", "when": "always", "integration": "mqtt", "target": "mqtt/oob",
                 "to": ["t"]},
                targets=[url],
            )  # fmt: skip
            await room.hurry()
            await asyncio.to_thread(heard.wait_for, 1)

            async def delivered() -> bool:
                return len(await room.timeline("notice_delivered")) == 2

            await room.until(delivered, "the row")
    (row,) = await room.timeline("notice_failed")
    assert "It is tried again." in row.text
    assert row.data["notifier"] == "siren"


async def test_the_next_path_where_nothing_left(room: Outside) -> None:
    """And the record says which one it was."""
    room.enter(
        {"id": "siren", "when": "always", "integration": "mqtt", "target": "mqtt/oob", "to": ["t"]},
        targets=[{"name": "mqtt/oob", "url": "tcp://nowhere.invalid:1", "via": ["dead", "oob"],
                  "settings": {"tls": "off"}}],
        paths=[{"name": "dead"}, {"name": "oob", "kind": "bmc"}],
    )  # fmt: skip
    with mosquitto() as broker, broker.heard("t") as heard:
        target = room.catalog.targets[1].model_copy(
            update={"url": f"tcp://nowhere.invalid:{broker.port}"}
        )
        pinned = room.catalog.paths[2].model_copy(
            update={"connect_to": {"nowhere.invalid": "127.0.0.1"}}
        )
        room.catalog = room.catalog.model_copy(
            update={"targets": [target], "paths": [*room.catalog.paths[:2], pinned]}
        )
        async with room.working():
            await room.declare()
            await asyncio.to_thread(heard.wait_for, 1)
            await on_record(room)
    (found,) = await room.timeline("notice_delivered")
    assert found.data["path"] == "oob"
    assert "over oob" in found.text


async def test_the_last_path_where_others_hang(
    room: Outside, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bastions that take the connection and say nothing leave time for the way beside them."""
    monkeypatch.setattr("bot.chat.outside.surface.LIMIT", 6.0)
    with mosquitto() as broker, broker.heard("t") as heard, socket.create_server((HOST, 0)) as mute:
        key = stranger()
        hop = {"url": f"ssh://me@{HOST}:{mute.getsockname()[1]}", **key}
        room.enter(
            {"id": "siren", "when": "always", "integration": "mqtt", "target": "mqtt/oob",
             "to": ["t"]},
            targets=[{"name": "mqtt/oob", "url": broker.url, "via": ["one", "two", "direct"],
                      "settings": {"tls": "off"}}],
            paths=[{"name": name, "kind": "ssh", "hops": [hop]} for name in ("one", "two")],
        )  # fmt: skip
        async with room.working():
            await room.declare()
            await asyncio.to_thread(heard.wait_for, 1)
            await on_record(room)
    (found,) = await room.timeline("notice_delivered", "notice_failed")
    assert found.data["path"] == "direct"


async def test_nobody_got_it(room: Outside) -> None:
    """The medium says at once that it reached nobody."""
    room.enter({"when": "always"})
    room.fake.receipt = Receipt(confirmed=False, detail="nobody is there")
    async with room.working():
        await room.declare()
        await room.told(1)
    (row,) = await room.timeline("notice_failed")
    assert "did not reach ana by n0 over direct: nobody is there" in row.text


@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (Rejected("no such number"), "failed", "no such number"),
        (AuthFailed("wrong password"), "sent", "wrong password It is tried again."),
        (ZeroDivisionError("a bug"), "sent", "fake broke: ZeroDivisionError."),
    ],
)
async def test_what_a_failure_leads_to(
    room: Outside, error: Exception, state: str, said: str
) -> None:
    """A no is final; what may pass is tried again; a notifier's bug is its own."""
    room.enter({"when": "always"})
    room.fake.errors = [error]
    async with room.working():
        await room.declare()
        await room.feed().feed_next()
        assert await over(room) == state
    (row,) = await room.timeline("notice_failed")
    assert said in row.text


@pytest.mark.parametrize("error", [None, NotSent("no route"), Unknown("no answer")])
async def test_what_happens_during_an_attempt_is_told_once(
    room: Outside, monkeypatch: pytest.MonkeyPatch, error: Exception | None
) -> None:
    """Whatever comes of the attempt: each thing in one notice, in order, and none left out."""
    begun, goes_on = asyncio.Event(), asyncio.Event()
    notify = room.fake.notify

    async def slow(*said: Any) -> Receipt:
        begun.set()
        await goes_on.wait()
        return await notify(*said)

    monkeypatch.setattr(room.fake, "notify", slow)
    room.fake.errors = [error] if error else []
    room.enter({"when": "always"})
    async with room.working(slack=False):
        await room.declare()
        await asyncio.wait_for(begun.wait(), 10)
        for status in ("investigating", "mitigating"):
            await room.status(status)
            await room.feed().feed_next()
        goes_on.set()
        first, second = await room.told(2)
    told = [line[10:] for n in (first, second) for line in n.text.splitlines()[:-1]]
    assert told == [
        "SEV1 declared: Search is slow", "Status: declared → investigating",
        "Status: investigating → mitigating",
    ]  # fmt: skip
    assert second.subject.startswith("#1 SEV1 mitigating")
    assert len(await room.timeline("notice_delivered")) == 2


async def test_who_left_the_catalog_is_not_told(room: Outside) -> None:
    """Nor is an integration that is not there; each says why in the outbox."""
    room.enter({"when": "always"}, {"when": "always", "integration": "gone"})
    await room.declare()
    await room.feed().feed_next()
    room.enter({"when": "always", "to": ["ben"]}, {"when": "always", "integration": "gone"})
    async with room.working():

        async def ended() -> bool:
            rows = await room.rows()
            return [r.state for r in rows[:2]] == ["failed", "failed"]

        await room.until(ended, "both to be refused")
        await room.told(1)
    assert [to for _, to, _ in room.fake.told] == ["ben"]
    first, second, *_ = await room.rows()
    assert "does not have ana by n0 any more" in first.error
    assert "has no notifier" in second.error
