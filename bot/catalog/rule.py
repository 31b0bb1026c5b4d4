"""A routing rule: from an alert to what is done about it. Pure data, checked when it is read."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.catalog.durations import Duration
from bot.catalog.entry import STRICT, Name

Severity = Literal["sev1", "sev2", "sev3", "sev4"]
_WHO = re.compile(r"@?[a-z0-9][a-z0-9_.-]{0,62}")


def _who(value: str) -> str:
    if not _WHO.fullmatch(value):
        raise ValueError(f'{value!r} must be the id of a person, or "@group" in quotes')
    return value


Who = Annotated[str, AfterValidator(_who)]


class Rule(BaseModel):
    """Alert → incident: the first rule whose labels all match decides.

    ``people``, ``runbook`` and ``visibility`` are for the incident that it opens.
    """

    model_config = STRICT

    match: dict[str, str] = {}
    severity: Severity | None = None
    service: Name | None = None
    group: list[Annotated[str, Field(min_length=1, max_length=100)]] = Field(
        default=[],
        max_length=10,
        description="labels: alerts with the same values are one incident",
    )
    declare: Literal["auto", "ask", "no"] = "auto"
    ask_within: Duration = Field(
        default=600.0, description="`declare: ask`: declared by itself, if nobody has answered"
    )
    people: list[Who] = Field(
        default=[],
        max_length=50,
        description='persons and "@groups" who are invited, besides those who own the service',
    )
    runbook: Name | None = Field(default=None, description="proposed first")
    visibility: Literal["public", "private"] = "public"
    resolve: Literal["auto", "no"] = Field(
        default="no", description="whether Jackline resolves it when all its alerts have ended"
    )
    quiet: Duration = Field(
        default=600.0, description="for how long they must have: `resolve: auto`"
    )

    @model_validator(mode="after")
    def _only_where_it_counts(self) -> "Rule":
        if "ask_within" in self.model_fields_set and self.declare != "ask":
            raise ValueError("ask_within: only a rule with declare: ask has one")
        if self.resolve == "auto" and self.declare == "no":
            raise ValueError("resolve: a rule with `declare: no` opens nothing to resolve")
        if "quiet" in self.model_fields_set and self.resolve == "no":
            raise ValueError("quiet: only a rule with `resolve: auto` has it")
        return self
