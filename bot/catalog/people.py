"""People and what they may do, and whom to reach outside chat."""

from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, Field, field_validator, model_validator

from bot.catalog.entry import STRICT, Name, Seconds
from bot.catalog.escalation import Reach
from bot.catalog.rule import Severity
from bot.catalog.schedule import check_timezone

Role = Literal["responder", "commander", "approver", "admin"]


class Person(BaseModel):
    """A person and what they may do; (workspace, user id) leads here."""

    model_config = STRICT

    id: Name
    name: str
    email: str = ""
    slack: list[str] = Field(default=[], description="workspace:user, such as T012:U345")
    groups: list[Name] = []
    roles: list[Role] = ["responder"]
    timezone: Annotated[str, AfterValidator(check_timezone)] = Field(
        default="UTC", description="in which this person's times are read: Europe/Berlin"
    )
    reach: list[Reach] = Field(default=[], description="how the person is paged")
    age: str = Field(
        default="", pattern=r"^(age1[0-9a-z]{58})?$",
        description="the person's own age recipient: their go-bag codes are encrypted to it",
    )  # fmt: skip

    @field_validator("slack")
    @classmethod
    def _workspace_and_user(cls, value: list[str]) -> list[str]:
        for entry in value:
            if entry.count(":") != 1:
                raise ValueError(f"{entry!r} must be workspace:user, such as T012:U345")
        return value

    def has(self, who: str) -> bool:
        """Whether the person has the role, or is in the ``@group``; an admin has every role."""
        if who.startswith("@"):
            return who[1:] in self.groups
        return who in self.roles or "admin" in self.roles


class Notifier(BaseModel):
    """Who is told outside Slack, and by what. ``to`` is an address of the integration's medium."""

    model_config = STRICT

    id: Name
    integration: Name
    target: str
    to: list[Annotated[str, Field(min_length=1, max_length=200)]] = []
    when: Literal["slack_down", "always", "pages"] = Field(
        default="slack_down", description="pages: only who is paged hears by it"
    )
    after: Seconds = Field(default=60.0, description="seconds Slack may be late: `slack_down`")
    severity: list[Severity] = Field(default=["sev1", "sev2"], min_length=1)
    per_minute: int = Field(default=6, ge=1, le=600, description="notices, to all of `to` together")

    @model_validator(mode="after")
    def _somebody(self) -> "Notifier":
        if not self.to and self.when != "pages":
            raise ValueError("to: only a notifier with `when: pages` has none")
        return self


class Contact(BaseModel):
    """Whom to reach when chat is down: a person, a vendor, a bridge to meet on."""

    model_config = STRICT

    name: str = Field(min_length=1, max_length=100)
    how: Literal["phone", "bridge", "radio", "mail", "chat", "place", "other"] = "phone"
    value: str = Field(min_length=1, max_length=300)
    note: str = Field(default="", max_length=500)
