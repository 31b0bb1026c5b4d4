"""A service, and what is looked up and probed when it has an incident."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator

from bot.catalog.checks import Check
from bot.catalog.entry import STRICT, Name
from bot.catalog.nodes import service_or_node


class Evidence(BaseModel):
    """What to look up when this service has an incident."""

    model_config = STRICT

    integration: Name
    target: str
    about: dict[str, str] = Field(
        default={}, description="which part of the target is the service's, such as a project"
    )
    queries: dict[str, str] = Field(
        default={}, description="title → query; left out: what the integration asks by itself"
    )
    link: str = Field(
        default="", pattern=r"^(https?://\S+)?$",
        description="a page to look on; $since and $until are the window in milliseconds",
    )  # fmt: skip


class Service(BaseModel):
    """One service: who owns it, how much it matters, what it needs."""

    model_config = STRICT

    id: Name
    title: str
    tier: Literal["p0", "p1", "p2"]
    owner: str = ""
    depends_on: list[Annotated[str, AfterValidator(service_or_node)]] = Field(
        default=[], description="services, and kind:name"
    )
    cost_per_minute: float | None = Field(default=None, ge=0, allow_inf_nan=False)
    currency: str = "USD"
    slo: float | None = Field(default=None, gt=0, lt=1)
    slo_days: int = Field(default=30, ge=1, le=366, description="the window of `slo`, such as 28")
    cost_share: list[Annotated[float, Field(ge=0, le=1)]] = Field(
        default=[1, 1, 1], min_length=3, max_length=3,
        description="low, expected and high share of its traffic that an outage takes; left out: all",
    )  # fmt: skip
    returns: float = Field(
        default=0, ge=0, le=1, description="which share of the demand comes back later"
    )
    public: str = Field(
        default="", max_length=100,
        description="what customers call it; left out: no draft for customers names it",
    )  # fmt: skip
    workspace: str = Field(
        default="", pattern=r"^((E[A-Z0-9]{2,20}:)?T[A-Z0-9]{2,20})?$",
        description="the Slack workspace where its incidents' channels are opened, such as T0123, "
        "or E0123:T0456 where the app is installed for a whole enterprise; left out: that of the "
        "bot token",
    )  # fmt: skip
    checks: list[Check] = []
    evidence: list[Evidence] = []
    links: dict[
        Annotated[str, Field(min_length=1, max_length=100)],
        Annotated[str, Field(pattern=r"^https?://[^\s|<>\"@]{1,900}$")],
    ] = Field(
        default={}, description="title → address: bookmarked in its incidents' channels, such as "
        "the call and the document",
    )  # fmt: skip

    @field_validator("cost_share")
    @classmethod
    def _low_to_high(cls, value: list[float]) -> list[float]:
        if value != sorted(value):
            raise ValueError("must not fall: low, expected, high")
        return value
