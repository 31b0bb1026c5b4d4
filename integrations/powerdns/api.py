"""PowerDNS' HTTP API over the access path, and what its failures mean."""

from dataclasses import dataclass
from typing import Any

import httpx

from bot.contract import Connection
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_BUSY = frozenset({429, 502, 503, 504})


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
    answer = await _send(
        connection, "GET", f"/api/v1/servers/localhost/zones/{zone}", read=True,
        params={"rrset_name": name, "rrset_type": kind},
    )  # fmt: skip
    for rrset in answer.json()["rrsets"]:
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
    await _send(
        connection, "PATCH", f"/api/v1/servers/localhost/zones/{zone}", json={"rrsets": [rrset]}
    )


async def _send(
    connection: Connection,
    method: str,
    path: str,
    *,
    read: bool = False,
    **more: Any,  # noqa: ANN401 - httpx's own arguments
) -> httpx.Response:
    try:
        answer = await connection.http.request(method, path, **more)
    except _NEVER_LEFT as error:
        raise NotSent(f"PowerDNS was not reached: {error}") from error
    except httpx.RequestError as error:
        said = f"PowerDNS did not answer: {type(error).__name__}."
        raise (Retryable(said) if read else Unknown(said)) from error
    if answer.is_success:
        return answer
    raise _refusal(answer)


def _refusal(answer: httpx.Response) -> TargetError:
    said = f"PowerDNS answered {answer.status_code}: {_words(answer)}"
    if answer.status_code in {401, 403}:
        return AuthFailed(said, hint="Look at the X-API-Key of the target.")
    if answer.status_code in _BUSY:
        return Retryable(said)
    return Rejected(said)


def _words(answer: httpx.Response) -> str:
    try:
        return str(answer.json()["error"])
    except (ValueError, KeyError, TypeError):
        return answer.text[:200].strip()
