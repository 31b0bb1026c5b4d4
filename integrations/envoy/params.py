"""What the verbs on an Envoy are told: checked before anything is read or sent."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.contract import Frozen

HUNDRED = 100
_Name = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.-]{0,99}$")]
_Key = Annotated[str, Field(pattern=r"^[A-Za-z0-9_][A-Za-z0-9_.:|/-]{0,249}$")]
_Percent = Annotated[int, Field(ge=0, le=HUNDRED)]
_MOST = 4_294_967_295
_Number = Annotated[int, Field(ge=0, le=_MOST)] | Annotated[float, Field(ge=0, le=_MOST)]


class EdgeParams(Frozen):
    """Which Envoy."""

    edge: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The Envoy: `edge` is the target `envoy/edge` of the catalog."
    )


class RouteParams(EdgeParams):
    """Which weighted route."""

    route: _Name = Field(
        description="The route's `runtime_key_prefix`, such as `jackline.weight.payments`; "
        "the weight of a cluster is the runtime key `<route>.<cluster>`."
    )
    allow_unhealthy: bool = Field(
        default=False,
        description="Send more traffic even to a cluster that has no healthy host.",
    )


class SetWeightsParams(RouteParams):
    """The whole split of a route."""

    weights: dict[_Key, _Percent] = Field(
        min_length=1,
        max_length=50,
        description="Percent of the traffic per cluster, every cluster of the route named, "
        "100 in sum.",
    )

    @model_validator(mode="after")
    def _sum_is_100(self) -> Self:
        total = sum(self.weights.values())
        if total != HUNDRED:
            raise ValueError(f"the weights must sum to 100 and sum to {total}")
        return self


class DrainParams(RouteParams):
    """The cluster to be emptied."""

    cluster: _Key = Field(description="The cluster whose traffic goes to the others.")


class ShedParams(EdgeParams):
    """How much of a service's traffic is turned away."""

    service: _Name = Field(description="The service whose requests are turned away.")
    percent: _Percent = Field(description="Percent of its requests answered 503; 0 ends it.")
    key: _Key | None = Field(
        default=None,
        description="The runtime key of the fault filter; `shed.<service>` if left out.",
    )

    @property
    def runtime_key(self) -> str:
        """The key that the fault filter reads."""
        return self.key or f"shed.{self.service}"


class StopFaultsParams(EdgeParams):
    """Which fault injections, besides those with Envoy's own names."""

    keys: list[_Key] = Field(
        default=[],
        max_length=20,
        description="Runtime keys of your own that experiments use as well; without being named "
        "here they are left alone, as load is shed by such keys.",
    )


class RestoreRuntimeParams(EdgeParams):
    """Runtime keys as they were."""

    values: dict[_Key, _Number | None] = Field(
        min_length=1,
        max_length=100,
        description="Runtime key → its value; null takes the override away, so that what is "
        "configured holds again.",
    )
