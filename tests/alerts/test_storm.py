"""A storm: a hundred thousand alerts of two thousand services, out of twenty causes.

Each cause fails first, then what stands on it, in random order, with repeats, flaps, ends that come
late and ends that come before their beginnings.
"""

import asyncio
import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import psutil
import pytest

from tests.e2e.harness import ALERTS, Bot, write_runbooks
from tests.slackstub import SlackStub

pytestmark = [pytest.mark.server, pytest.mark.alone, pytest.mark.timeout(600)]
NOWHERE = "http://127.0.0.1:9"
CAUSES, SERVICES, ALERTS_IN_ALL, A_POST = 20, 2_000, 100_000, 100
START = datetime(2026, 11, 23, 12, tzinfo=UTC)
NAMES = ("Down", "HighLatency", "ErrorRate", "QueueFull", "Saturated")


def services() -> list[dict[str, Any]]:
    """Twenty trees: each service stands on one that came before it in its tree."""
    random, found = Random(1), []
    each = SERVICES // CAUSES
    for cause in range(CAUSES):
        for number in range(each):
            below = [f"c{cause}-{random.randrange(number)}"] if number else []
            found.append({"id": f"c{cause}-{number}", "title": f"C{cause} {number}", "tier": "p0",
                          "depends_on": below})  # fmt: skip
    return found


def an_alert(service: str, name: str, at: int, *, ended: int = 0) -> dict[str, Any]:
    grave = "critical" if service == "c0-0" else "error"
    return {
        "status": "resolved" if ended else "firing",
        "labels": {"alertname": name, "service": service, "severity": grave},
        "annotations": {"summary": f"{service}: {name}"},
        "startsAt": (START + timedelta(seconds=at)).isoformat(),
        "endsAt": (START + timedelta(seconds=ended)).isoformat()
        if ended
        else "0001-01-01T00:00:00Z",
        "fingerprint": f"{service}.{name}",
    }


def storm(random: Random) -> Iterator[dict[str, Any]]:
    """First the causes, then the rest without end."""
    for cause in range(CAUSES):
        yield an_alert(f"c{cause}-0", "Down", cause)
    at = CAUSES
    while True:
        at += 1
        service = f"c{random.randrange(CAUSES)}-{random.randrange(SERVICES // CAUSES)}"
        name = random.choice(NAMES)
        dice = random.random()
        if dice < 0.5:
            yield an_alert(service, name, 50)  # again and again the same one
        elif dice < 0.7:
            yield an_alert(service, name, at)  # it flaps
        elif dice < 0.85:
            yield an_alert(service, name, 50, ended=at)
        else:
            yield an_alert(
                service, name, at + 60, ended=at + 90
            )  # its firing comes later, or never


def posts() -> list[bytes]:
    frame = {
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "jackline", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.test",
    }  # fmt: skip
    alerts = islice(storm(Random(2)), ALERTS_IN_ALL)
    return [json.dumps(frame | {"alerts": list(some)}).encode() for some in _parts(alerts)]


def _parts(alerts: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while some := list(islice(alerts, A_POST)):
        yield some


async def send(bots: list[Bot], bodies: list[bytes]) -> None:
    """The causes first, then the rest by eight senders, to the bots by turns; each until a 200."""
    headers = {"Authorization": f"Bearer {ALERTS}"}

    async def one(number: int, body: bytes) -> None:
        bot = bots[number % len(bots)]
        while True:
            answer = await bot.http.post("/webhooks/alertmanager", content=body, headers=headers)
            if answer.status_code == 200:
                return
            assert answer.status_code == 503, answer.text
            await asyncio.sleep(0.1)

    left = iter(enumerate(bodies))
    await one(*next(left))

    async def sender() -> None:
        for number, body in left:
            await one(number, body)

    await asyncio.gather(*(sender() for _ in range(8)))


def a_bot(folder: Path, url: str, **extra: str) -> Bot:
    runbooks = write_runbooks(folder / "runbooks", team="T0", edge=NOWHERE, shop=NOWHERE)
    (runbooks / "move-traffic.md").unlink()
    place = runbooks / "catalog" / "all.yaml"
    catalog = json.loads(place.read_text())
    catalog["services"] += services()
    catalog["targets"] = []  # or their paths would be an incident of their own
    place.write_text(json.dumps(catalog))
    return Bot(folder, runbooks, url, **extra)


async def routed(bot: Bot) -> bool:
    return "jackline_alerts_waiting 0.0" in (await bot.http.get("/metrics")).text


async def test_a_storm_makes_as_many_incidents_as_it_has_causes(tmp_path: Path) -> None:
    """Twenty, each with all of its services' alerts; Slack is not flooded, nor the memory."""
    bodies = posts()
    async with SlackStub(rate_limits=True, echo_own_events=False) as slack:
        bot = a_bot(
            tmp_path, f"sqlite+aiosqlite:///{tmp_path}/j.db", **Bot.slack_env(slack, "socket")
        )
        async with bot:
            began = time.monotonic()
            sending = asyncio.create_task(send([bot], bodies))
            await bot.until(lambda: _has_channel(slack), "the critical one's channel", limit=60)
            opened = time.monotonic() - began
            await sending
            took = time.monotonic() - began
            await bot.until(lambda: routed(bot), "all alerts to be routed", limit=300)
            done = time.monotonic() - began
            memory = psutil.Process(bot.process.pid).memory_info().rss / 2**20  # type: ignore[union-attr]  # it runs
            incidents = await bot.api("/incidents")
            count = await bot.api("/alerts/count")
            calls = slack.calls()
    refused = sum(call.status == 429 for call in calls)
    print(f"taken in {took:.1f} s, routed in {done:.1f} s, first channel after {opened:.1f} s, "
          f"{memory:.0f} MiB, {count['stored']} stored, {len(calls)} calls of Slack, {refused} of them "
          "refused")  # fmt: skip
    assert len(incidents) == CAUSES
    assert {i["services"][0] for i in incidents} == {f"c{n}-0" for n in range(CAUSES)}
    assert opened < 5
    assert memory < 500
    assert refused <= len(calls) / 20


async def _has_channel(slack: SlackStub) -> bool:
    channels = slack.state()["channels"].values()
    return any(c["name"].startswith("inc-") and "c0-0" in c["name"] for c in channels)


async def test_two_replicas_take_it_together(postgres_url: str, tmp_path: Path) -> None:
    """On one PostgreSQL, by turns: still one incident for each cause."""
    bodies = posts()[: ALERTS_IN_ALL // A_POST // 4]
    bots = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        bots.append(a_bot(tmp_path / name, postgres_url))
    async with bots[0], bots[1]:
        await send(bots, bodies)
        await bots[0].until(lambda: routed(bots[0]), "all alerts to be routed", limit=200)
        incidents = await bots[0].api("/incidents")
    assert len(incidents) == CAUSES
