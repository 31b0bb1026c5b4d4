"""PowerDNS' HTTP API over the access path."""

from dataclasses import dataclass
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api

_API = Api(
    "PowerDNS",
    hint="Look at the X-API-Key of the target.",
    words=lambda body: body["error"],
    busy={429, 502, 503, 504},
    broken=(),
)


@dataclass(frozen=True)
class Records:
    """All records of one name and type; None for the TTL where there is none."""

    values: tuple[str, ...]
    ttl: int | None

    @property
    def shown(self) -> str:
        """For a person."""
        return f"{', '.join(self.values)} (TTL {self.ttl} s)" if self.values else "no record"


async def records(connection: Connection, zone: str, name: str, kind: str) -> Records:
    """What the server has for the name. Raises `Rejected` for a zone it does not know."""
    found = await _API.json(
        connection, "GET", f"/api/v1/servers/localhost/zones/{zone}",
        params={"rrset_name": name, "rrset_type": kind},
    )  # fmt: skip
    for rrset in found["rrsets"]:
        if rrset["name"].lower() == name and rrset["type"] == kind:
            kept = [r["content"] for r in rrset["records"] if not r.get("disabled")]
            return Records(tuple(sorted(kept)), rrset["ttl"])
    return Records((), None)


async def replace(
    connection: Connection, zone: str, name: str, kind: str, values: list[str], ttl: int
) -> None:
    """Makes these the records of the name, in one step; none deletes it."""
    rrset: dict[str, Any] = {"name": name, "type": kind, "changetype": "DELETE"}
    if values:
        rrset |= {
            "changetype": "REPLACE",
            "ttl": ttl,
            "records": [{"content": value, "disabled": False} for value in values],
        }
    await _API.call(
        connection, "PATCH", f"/api/v1/servers/localhost/zones/{zone}", json={"rrsets": [rrset]}
    )
