"""An HTTP call over each kind of access path, beside the same call over the direct one."""

import asyncio
import random
import time
from statistics import median
from typing import Any

from bot.access import Dialer
from bot.catalog import Catalog
from tests.bench.table import Row
from tests.servers.http_app import http_app
from tests.servers.process import HOST
from tests.servers.proxies import microsocks
from tests.servers.sshd import sshd

CALLS = 60
NEW, KEPT = "call over {0}, connection and all", "call over {0}, once connected"


def access() -> list[Row]:
    """Milliseconds, by the median: with opening the path, and on one that is open."""
    with http_app("shop") as shop, microsocks() as socks, sshd() as bastion:
        hop = {"url": bastion.url, **bastion.settings}
        kinds: dict[str, dict[str, Any]] = {
            "direct": {},
            "pinned": {"kind": "pinned", "connect_to": {"shop.invalid": HOST}},
            "socks": {"kind": "proxy", "proxy": socks.url},
            "bastion": {"kind": "ssh", "hops": [hop]},
        }
        catalog = Catalog.model_validate({
            "targets": [
                {"name": "http/shop", "url": shop.url},
                {"name": "http/pinned", "url": f"http://shop.invalid:{shop.port}"},
            ],
            "paths": [{"name": name, **path} for name, path in kinds.items()],
        })  # fmt: skip
        found = asyncio.run(_all(Dialer(lambda: catalog), list(kinds)))
    return [
        Row(what.format(name), found[name][at], "ms", "", found["direct"][at], "direct")
        for at, what in enumerate((NEW, KEPT))
        for name in kinds
        if name != "direct"
    ]


async def _all(dialer: Dialer, kinds: list[str]) -> dict[str, tuple[float, float]]:
    """In turn and in every order, so that all meet the same machine."""
    new: dict[str, list[float]] = {name: [] for name in kinds}
    kept: dict[str, list[float]] = {name: [] for name in kinds}
    for number in range(CALLS):
        for name in random.Random(number).sample(kinds, k=len(kinds)):
            began = time.perf_counter()
            target = "http/pinned" if name == "pinned" else "http/shop"
            async with dialer.connect(target, name) as link:
                (await link.http.get("/")).raise_for_status()
                opened = time.perf_counter()
                (await link.http.get("/")).raise_for_status()
                kept[name].append(time.perf_counter() - opened)
            new[name].append(opened - began)
    return {name: (median(new[name]) * 1000, median(kept[name]) * 1000) for name in kinds}
