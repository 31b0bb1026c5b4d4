"""`jackline serve` with Slack down: people are told by mail and MQTT, also across a kill -9."""

import asyncio
import json
import signal
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from tests.e2e.harness import Bot, firing, write_runbooks
from tests.servers.mail import Mailbox, mailbox
from tests.servers.mosquitto import TOPIC, Mosquitto, mosquitto
from tests.slackstub import SlackStub

pytestmark = pytest.mark.server


@pytest.fixture
def relay() -> Iterator[Mailbox]:
    with mailbox() as box:
        yield box


@pytest.fixture
def broker() -> Iterator[Mosquitto]:
    with mosquitto() as running:
        yield running


def notifiers(relay: Mailbox, broker: Mosquitto) -> str:
    """A catalog file."""
    return json.dumps({
        "paths": [{"name": "direct"}, {"name": "oob", "depends_on": ["isp:other"]}],
        "targets": [
            {"name": "smtp/relay", "url": relay.url,
             "settings": {"from": "jackline@example.com", "tls": "off"}},
            {"name": "mqtt/oob", "url": broker.url, "via": ["oob"], "settings": {"tls": "off"}},
        ],
        "notifiers": [
            {"id": "mail", "integration": "smtp", "target": "smtp/relay",
             "to": ["oncall@example.com"], "after": 1},
            {"id": "siren", "integration": "mqtt", "target": "mqtt/oob", "to": [TOPIC], "after": 1},
        ],
    })  # fmt: skip


@asynccontextmanager
async def story(
    database_url: str, folder: Path, relay: Mailbox, broker: Mosquitto
) -> AsyncIterator[tuple[SlackStub, Bot]]:
    async with SlackStub() as slack:
        runbooks = write_runbooks(
            folder / "runbooks", team=slack.team_id, edge="http://127.0.0.1:9", shop=relay.url
        )
        (runbooks / "catalog" / "notifiers.yaml").write_text(notifiers(relay, broker))
        async with Bot(folder, runbooks, database_url, **Bot.slack_env(slack, "socket")) as bot:
            yield slack, bot


async def test_told_outside_and_replayed(
    database_url: str, tmp_path: Path, relay: Mailbox, broker: Mosquitto
) -> None:
    """Once each, though the process is killed in between; then Slack gets its channel."""
    async with story(database_url, tmp_path, relay, broker) as (slack, bot):
        slack.configure(down=True)
        with broker.heard() as heard:
            assert (await bot.alert(firing())).status_code == 200
            await asyncio.to_thread(relay.wait_for, 1)
            await asyncio.to_thread(heard.wait_for, 1)
            await bot.row("notice_delivered")

            async def both() -> bool:
                rows = (await bot.incident())["timeline"]
                return sum(r["kind"] == "notice_delivered" for r in rows) == 2

            await bot.until(both, "both to be on record")
            await bot.stop(signal.SIGKILL)
            await bot.start()
            await asyncio.sleep(3)
            assert (len(relay.mails), len(heard.notices)) == (1, 1)
        assert relay.mails[0]["Subject"] == "#1 SEV1 declared: The shop is down"
        slack.configure(down=False)

        async def channel() -> bool:
            return any(c["name"].startswith("inc-1-") for c in slack.state()["channels"].values())

        await bot.until(channel, "the channel")
        await bot.said_all()
        assert len(relay.mails) == 1
