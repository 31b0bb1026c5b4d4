"""What an action acts on, and the drill that tries the ways to it."""

from typing import Annotated

from pydantic import AfterValidator, BaseModel, Field

from bot.catalog.entry import STRICT, Name
from bot.catalog.nodes import NodeId, service_or_node
from bot.catalog.schedule import check_schedule, check_timezone

Address = Annotated[str, Field(pattern=r"^(https?|tcp|ssh)://[^\s/]+")]


class Probe(BaseModel):
    """The reading action that proves a path to the target, end to end."""

    model_config = STRICT

    action: str
    with_: dict[str, object] = Field(default={}, alias="with")


class Target(BaseModel):
    """Something an action acts on, and the access paths that lead to it, best first."""

    model_config = STRICT

    name: str = Field(pattern=r"^[a-z0-9_]+/[a-z0-9_.-]+$")
    url: Address
    also: list[Address] = Field(default=[], description="tried when nothing answers at `url`")
    via: list[Name] = Field(default=["direct"], min_length=1)
    of: list[NodeId] = Field(default=[], description="what it is a part of: service:payments")
    depends_on: list[NodeId] = Field(default=[], description="what it needs to take an order")
    probe: Probe | None = Field(default=None, description="proves the paths to it, by reading")
    headers: dict[str, str] = {}
    settings: dict[str, str] = Field(default={}, description="values, env:NAME or file:PATH")


class AccessDrill(BaseModel):
    """What is taken to be down, and when the ways that are left are really tried.

    Without ``least``, no way that a runbook would take may fail.
    """

    model_config = STRICT

    name: Name
    down: list[Annotated[str, AfterValidator(service_or_node)]] = Field(min_length=1)
    schedule: Annotated[str, AfterValidator(check_schedule)]
    timezone: Annotated[str, AfterValidator(check_timezone)] = "UTC"
    least: float | None = Field(
        default=None, ge=0, le=1, description="the share of runbooks that must be proven to run"
    )
    owner: str = ""
