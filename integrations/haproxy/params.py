"""What the verbs on an HAProxy are told: names are checked before they enter a command line."""

from typing import Annotated

from pydantic import Field

from bot.contract import Frozen

HUNDRED = 100
# Neither a space, a semicolon, a backslash nor '<<': one name can never be two commands.
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9_.:][A-Za-z0-9_.:-]{0,99}$")]


class BalancerParams(Frozen):
    """Which HAProxy."""

    balancer: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The HAProxy: `lb1` is the target `haproxy/lb1` of the catalog."
    )


class BackendParams(BalancerParams):
    """Which backend."""

    backend: _Name = Field(description="The backend, as HAProxy's configuration names it.")


class ServersParams(BackendParams):
    """Which servers."""

    server: _Name | Annotated[list[_Name], Field(min_length=1, max_length=50)] = Field(
        description="One server of the backend, or a list of them."
    )

    @property
    def names(self) -> list[str]:
        """The servers, each once."""
        named = [self.server] if isinstance(self.server, str) else self.server
        return list(dict.fromkeys(named))


class DrainServerParams(ServersParams):
    """The servers to be emptied."""

    allow_last: bool = Field(
        default=False, description="Go on even if no server is left that takes requests."
    )


class ReadyServerParams(ServersParams):
    """The servers to be brought back."""

    allow_maint: bool = Field(
        default=False,
        description="Bring back even a server that somebody put in maintenance; undoing that "
        "drains it.",
    )


class SetWeightParams(BackendParams):
    """The server and its weight."""

    server: _Name = Field(description="The server of the backend.")
    weight: Annotated[int, Field(ge=0, le=256)] = Field(
        description="Its weight, 0 (no new requests) to 256, relative to the other servers'."
    )
    allow_last: bool = Field(
        default=False, description="Go on even if no server is left that takes requests."
    )


class ShedParams(BalancerParams):
    """How much of which traffic is turned away."""

    map: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./#][A-Za-z0-9_./#-]{0,254}$")] = Field(
        description="The map that the frontend looks the percentage up in: its file as the "
        "configuration names it, or `#<id>`."
    )
    key: Annotated[str, Field(pattern=r"^[A-Za-z0-9_./*][A-Za-z0-9_./*:@%+-]{0,199}$")] = Field(
        description="The key of the map, such as a path prefix `/search` or a host name."
    )
    percent: Annotated[int, Field(ge=0, le=HUNDRED)] | None = Field(
        description="Percent of the requests turned away; null takes the entry out of the map."
    )
