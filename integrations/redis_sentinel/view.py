"""What the Sentinels see of one primary, each asked for itself."""

import asyncio
from typing import Any

from bot.contract import Connection
from bot.errors import Rejected, TargetError

from .client import Address, Server, pairs, sentinel

_BAD = ("s_down", "o_down", "disconnected")


async def view(connection: Connection, master: str) -> dict[str, Any]:
    """The reached Sentinel's word, and whether the others say the same."""
    async with sentinel(connection) as first:
        own = pairs(await first.ask("SENTINEL", "MASTER", master))
        others = [pairs(row) for row in await first.ask("SENTINEL", "SENTINELS", master)]
        replicas = [pairs(row) for row in await first.ask("SENTINEL", "REPLICAS", master)]
        quorum, why = await _quorum(first, master)
    primary = f"{own['ip']}:{own['port']}"
    asked = [_named(connection, (o["ip"], int(o["port"])), master) for o in others]
    said = [primary, *await asyncio.gather(*asked)]
    return {
        "primary": primary,
        "primary_down": any(flag in own["flags"] for flag in _BAD),
        "in_progress": "failover_in_progress" in own["flags"],
        "agree": all(each == primary for each in said if each),
        "sentinels": len(said),
        "sentinels_reached": sum(bool(each) for each in said),
        "quorum": quorum,
        "quorum_why": why,
        "replicas": [_replica(row) for row in replicas],
        "good_replicas": sum(_replica(row)["good"] for row in replicas),
        "epoch": int(own["config-epoch"]),
    }


async def primary_of(server: Server, master: str) -> tuple[str, bool]:
    """The primary by one Sentinel's word, and whether it is failing over just now."""
    own = pairs(await server.ask("SENTINEL", "MASTER", master))
    return f"{own['ip']}:{own['port']}", "failover_in_progress" in own["flags"]


async def _named(connection: Connection, address: Address, master: str) -> str:
    """The primary as another Sentinel names it; '' if that one cannot be asked."""
    try:
        async with sentinel(connection, address) as other:
            host, port = await other.ask("SENTINEL", "GET-MASTER-ADDR-BY-NAME", master)
    except (TargetError, TypeError, ValueError):
        return ""
    return f"{host}:{port}"


async def _quorum(first: Server, master: str) -> tuple[bool, str]:
    try:
        return True, str(await first.ask("SENTINEL", "CKQUORUM", master))
    except Rejected as error:
        return False, error.message


def _replica(row: dict[str, str]) -> dict[str, Any]:
    """A replica is good if it streams, its Sentinel reaches it, and it may be promoted at all."""
    down = any(flag in row["flags"] for flag in _BAD)
    priority = int(row.get("slave-priority", 100))
    return {
        "address": f"{row['ip']}:{row['port']}",
        "good": not down and priority > 0,
        "link": row.get("master-link-status", ""),
        "offset": int(row.get("slave-repl-offset", 0)),
        "priority": priority,
    }
