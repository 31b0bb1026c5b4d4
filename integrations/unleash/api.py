"""Unleash's API over the access path."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from bot.contract import Connection
from bot.contract.http import Api
from bot.errors import Rejected

from .params import FlagParams

_API = Api(
    "Unleash",
    hint="Look at the Authorization of the target, and its rights.",
    words=lambda body: body["message"],
)


@dataclass(frozen=True)
class Found:
    """A flag as one environment has it. ``strategies`` are those that are not disabled."""

    enabled: bool
    stale: bool
    type: str
    strategies: tuple[str, ...]
    children: tuple[str, ...]

    @property
    def shown(self) -> str:
        """For a person."""
        if not self.enabled:
            return "off"
        return f"on, {', '.join(self.strategies) or 'for everybody, without a strategy'}"


@contextmanager
def _understood() -> Iterator[None]:
    """Whoever answers in another shape is not Unleash."""
    try:
        yield
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Rejected(
            "The answer is none of Unleash's.", hint="Look at the url of the target."
        ) from error


async def flag(connection: Connection, params: FlagParams) -> Found | None:
    """The flag; None where the project has none of that name, or only an archived one."""
    answer = await _API.call(connection, "GET", _address(params), accept={404})
    if not answer.is_success:
        return None
    with _understood():
        whole = answer.json()
        places = {place["name"]: place for place in whole["environments"]}
    if params.environment not in places:
        raise Rejected(
            f"{params.flag} has no environment {params.environment!r}.",
            hint=f"It has {', '.join(sorted(places)) or 'none'}.",
        )
    place = places[params.environment]
    with _understood():
        return Found(
            enabled=place["enabled"],
            stale=whole["stale"],
            type=whole["type"],
            strategies=tuple(_strategy(s) for s in place["strategies"] if not s.get("disabled")),
            children=tuple(sorted(whole.get("children", []))),
        )


async def archived(connection: Connection, params: FlagParams) -> bool:
    """Whether the project's archive has the flag."""
    query = {"project": f"IS:{params.project}", "archived": "IS:true", "query": params.flag}
    answer = await _API.call(connection, "GET", "/api/admin/search/features", params=query)
    with _understood():
        return any(found["name"] == params.flag for found in answer.json()["features"])


async def switch(connection: Connection, params: FlagParams, *, on: bool) -> None:
    """Sets the flag in its environment. Raises `Rejected` where there is no such flag."""
    where = f"{_address(params)}/environments/{params.environment}/{'on' if on else 'off'}"
    await _API.call(connection, "POST", where)


async def served(connection: Connection, params: FlagParams) -> dict[str, Any] | None:
    """The flag as applications are told, by the list that they poll; None if they hear of none."""
    answer = await _API.call(connection, "GET", "/api/client/features")
    with _understood():
        whole = answer.json()
        told = whole.get("query", {}).get("environment", params.environment)
        named = [one for one in whole["features"] if one["name"] == params.flag]
    if told != params.environment:
        raise Rejected(
            f"The token of {connection.target} belongs to applications of {told!r}.",
            hint=f"Use a target with a client token of {params.environment!r}.",
        )
    return next((one for one in named if one.get("project") == params.project), None)


def _strategy(one: dict[str, Any]) -> str:
    share = one.get("parameters", {}).get("rollout")
    limits = " with constraints" if one.get("constraints") or one.get("segments") else ""
    return f"{one['name']}{f' {share}%' if share else ''}{limits}"


def _address(params: FlagParams) -> str:
    return f"/api/admin/projects/{params.project}/features/{params.flag}"
