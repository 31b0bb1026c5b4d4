"""What the verbs on an nginx are told."""

from typing import Annotated

from pydantic import Field

from bot.contract import Frozen


class ServerParams(Frozen):
    """Which nginx."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The nginx: `web1` is the target `nginx/web1` of the catalog."
    )


class ShedParams(ServerParams):
    """How much of which traffic is turned away."""

    service: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="A service of the target's setting `services`."
    )
    percent: Annotated[int, Field(ge=0, le=100)] = Field(
        description="Percent of its requests that are turned away; 0 lets all through."
    )
