"""A real Prometheus and a real Alertmanager fire and resolve an alert into Jackline."""

from pathlib import Path
from typing import Any

import pytest

from tests.e2e.harness import ALERTS, Bot, write_runbooks
from tests.servers.http_app import Answer

pytestmark = pytest.mark.server


async def test_fires_and_resolves(
    database_url: str,
    tmp_path: Path,
    http_server: Any,
    prometheus_server: Any,
    alertmanager_server: Any,
) -> None:
    """A target goes down and comes back: one incident, with both ends on its timeline."""
    shop = http_server("shop")
    shop.default = Answer(body="shop_orders_total 1\n", headers={"Content-Type": "text/plain"})
    runbooks = write_runbooks(
        tmp_path / "runbooks", team="T0", edge="http://127.0.0.1:1", shop=shop.url
    )
    async with Bot(tmp_path, runbooks, database_url) as bot:
        alertmanager = alertmanager_server(
            webhook_url=f"{bot.url}/webhooks/alertmanager", token=ALERTS
        )
        rule = {
            "alert": "ShopDown",
            "expr": 'up{job="shop"} == 0',
            "for": "1s",
            "labels": {"severity": "critical", "service": "shop"},
            "annotations": {"summary": "The shop does not answer"},
        }
        prometheus_server(
            scrape={"shop": [f"127.0.0.1:{shop.port}"]},
            rules=[rule],
            alertmanagers=[alertmanager.address],
        )
        shop.down()
        received = await bot.row("alert_received")
        assert received["data"]["labels"]["service"] == "shop"
        shop.up()
        await bot.row("alert_resolved")
        incidents = await bot.api("/incidents")
        assert [(i["severity"], i["services"]) for i in incidents] == [("sev1", ["shop"])]
        assert (await bot.api("/alerts/count")) == {
            "stored": 2, "firing": 0, "by_source": {"alertmanager": 2},
        }  # fmt: skip
