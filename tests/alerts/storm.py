"""A storm of alerts of two thousand services, out of twenty causes.

Each cause fails first, then what stands on it, in random order, with repeats, flaps, ends that come
late and ends that come before their beginnings.
"""

import asyncio
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import httpx

from tests.e2e.harness import ALERTS, Bot, write_runbooks
from tests.slackstub import SlackStub

NOWHERE = "http://127.0.0.1:9"
PATH = "/webhooks/alertmanager"
CAUSES, SERVICES, A_POST = 20, 2_000, 100
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
                          "depends_on": below, "cost_per_minute": 40, "slo": 0.999})  # fmt: skip
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


def posts(count: int) -> list[bytes]:
    """Webhooks of Alertmanager with so many alerts together."""
    frame = {
        "version": "4", "groupKey": "{}", "truncatedAlerts": 0, "status": "firing",
        "receiver": "jackline", "groupLabels": {}, "commonLabels": {}, "commonAnnotations": {},
        "externalURL": "http://alertmanager.test",
    }  # fmt: skip
    alerts = islice(storm(Random(2)), count)
    return [json.dumps(frame | {"alerts": list(some)}).encode() for some in _parts(alerts)]


def _parts(alerts: Iterator[dict[str, Any]]) -> Iterator[list[dict[str, Any]]]:
    while some := list(islice(alerts, A_POST)):
        yield some


async def has_channel(slack: SlackStub) -> bool:
    """Whether the critical incident has its channel."""
    channels = slack.state()["channels"].values()
    return any(c["name"].startswith("inc-") and "c0-0" in c["name"] for c in channels)


async def send(url: str, bodies: list[bytes]) -> None:
    """The causes first, then the rest by eight senders with a connection each; until a 200."""
    left = iter(bodies)

    async def sender(count: int | None = None) -> None:
        headers = {"Authorization": f"Bearer {ALERTS}"}
        async with httpx.AsyncClient(
            base_url=url, headers=headers, trust_env=False, timeout=60
        ) as http:
            for body in islice(left, count):
                while (answer := await http.post(PATH, content=body)).status_code != 200:
                    assert answer.status_code == 503, answer.text
                    await asyncio.sleep(0.1)

    await sender(1)
    await asyncio.gather(*(sender() for _ in range(8)))


def a_bot(folder: Path, url: str, **extra: str) -> Bot:
    """A Jackline that knows the services."""
    runbooks = write_runbooks(folder / "runbooks", team="T0", edge=NOWHERE, shop=NOWHERE)
    (runbooks / "move-traffic.md").unlink()
    place = runbooks / "catalog" / "all.yaml"
    catalog = json.loads(place.read_text())
    catalog["services"] += services()
    catalog["targets"] = []  # or their paths would be an incident of their own
    place.write_text(json.dumps(catalog))
    return Bot(folder, runbooks, url, **extra)


async def routed(bot: Bot) -> bool:
    """Whether no alert waits any more."""
    return "jackline_alerts_waiting 0.0" in (await bot.http.get("/metrics")).text
