"""Slack is down: the essentials arrive outside it, once; Slack is back: it shows what happened."""

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import pytest

from tests.chat.outside.conftest import Outside
from tests.servers.mail import Mailbox, mailbox
from tests.servers.mosquitto import TOPIC, Mosquitto, mosquitto

pytestmark = pytest.mark.server


@pytest.fixture
def relay() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture(scope="module")
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as running:
        yield running


@pytest.fixture
def both(room: Outside, relay: Mailbox, broker: Mosquitto) -> Outside:
    """Mail and MQTT, each over a path of its own."""
    room.enter(
        {"id": "mail", "integration": "smtp", "target": "smtp/relay", "to": ["oncall@example.com"]},
        {"id": "siren", "integration": "mqtt", "target": "mqtt/oob", "to": [TOPIC]},
        targets=[
            {"name": "smtp/relay", "url": relay.url,
             "settings": {"from": "jackline@example.com", "tls": "off"}},
            {"name": "mqtt/oob", "url": broker.url, "via": ["oob"], "settings": {"tls": "off"}},
        ],
        paths=[{"name": "oob", "depends_on": ["isp:other"]}],
    )  # fmt: skip
    return room


async def test_the_essentials_arrive_once_and_slack_catches_up(
    both: Outside, relay: Mailbox, broker: Mosquitto, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Declared, changed and resolved while Slack is down: by mail and MQTT, each once, in order.

    Back again, Slack's channel has all of it in the order in which it was said, and marked.
    """
    monkeypatch.setattr("bot.chat.slack.surface.LATE", timedelta(seconds=0.3))
    both.slack.configure(down=True)
    with broker.heard() as heard:
        async with both.working():
            await both.declare()
            await asyncio.to_thread(relay.wait_for, 1)
            await asyncio.to_thread(heard.wait_for, 1)
            await both.note("the index is full")
            await both.status("mitigating")
            await asyncio.to_thread(relay.wait_for, 2)
            await asyncio.to_thread(heard.wait_for, 2)
            await both.status("resolved")
            await asyncio.to_thread(relay.wait_for, 3)
            await asyncio.to_thread(heard.wait_for, 3)
            await asyncio.sleep(0.6)
            assert not any(call.ok for call in both.slack.calls("chat.postMessage"))
            both.slack.configure(down=False)

            async def caught_up() -> bool:
                names = [c["name"] for c in both.slack.state()["channels"].values()]
                ours = [n for n in names if n.startswith("inc-1-")]
                return bool(ours) and len(both.slack.messages(ours[0])) >= 4

            await both.until(caught_up, "Slack to catch up", 60)
            await both.until(both.slack_has_all, "Slack to have all of it", 60)
    subjects = [
        "#1 SEV1 declared: Search is slow",
        "#1 SEV1 mitigating: Search is slow",
        "#1 SEV1 resolved: Search is slow",
    ]
    assert [mail["Subject"] for mail in relay.mails] == subjects
    assert [notice["subject"] for notice in heard.notices] == subjects
    assert "UTC SEV1 declared: Search is slow" in relay.mails[0].get_content()
    assert "http://bot.test/incidents/1" in relay.mails[0].get_content()
    (name,) = [c["name"] for c in both.slack.state()["channels"].values() if "inc-1-" in c["name"]]
    said = [m.text for m in both.slack.messages(name) if not m.subtype]
    assert [text.partition(" (said at")[0] for text in said if "said at" in text] == [
        "the index is full", "Status: declared → mitigating", "Status: mitigating → resolved",
    ]  # fmt: skip
    assert all("UTC while Slack was down)" in text for text in said if "said at" in text)
    rows = await both.timeline("notice_delivered", "notice_failed")
    found = sorted((r.kind, r.data["notifier"], r.data["path"], r.data["confirmed"]) for r in rows)
    assert found == [
        *[("notice_delivered", "mail", "direct", None)] * 3,
        *[("notice_delivered", "siren", "oob", True)] * 3,
    ]  # fmt: skip
    assert {r.data["to"] for r in rows} == {"o…@example.com", TOPIC}


async def test_a_restart_sends_nothing_twice(both: Outside, relay: Mailbox) -> None:
    """All workers end and begin anew while Slack is still down."""
    both.slack.configure(down=True)
    async with both.working():
        await both.declare()
        await asyncio.to_thread(relay.wait_for, 1)
    await both.hurry()
    await both.expire()
    async with both.working(processes=2):
        await asyncio.sleep(1)
        assert len(relay.mails) == 1
        await both.status("monitoring")
        await asyncio.to_thread(relay.wait_for, 2)
        await asyncio.sleep(0.5)
    assert len(relay.mails) == 2


async def test_slack_works_and_nobody_is_told(both: Outside, relay: Mailbox) -> None:
    """What Slack has is not told again outside, also not when Slack goes down later."""
    both.patient(60)
    async with both.working():
        await both.declare()
        await both.until(both.slack_has_all, "Slack to have all of it")
        both.patient(0.2)
        await asyncio.sleep(1)
        assert relay.mails == []
        await asyncio.sleep(2.1)  # what is told begins two seconds before the first late message
        both.slack.configure(down=True)
        await both.status("mitigating")
        await asyncio.to_thread(relay.wait_for, 1)
    assert "declared: Search" not in relay.mails[0].get_content()
    assert "Status: declared → mitigating" in relay.mails[0].get_content()
