"""What the verbs on a Deployment are told: checked before anything is read or sent."""

from typing import Annotated, Self

from pydantic import Field, model_validator

from bot.contract import Frozen

_LABEL = r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"
Label = Annotated[str, Field(pattern=rf"^{_LABEL}$")]
Subdomain = Annotated[str, Field(max_length=253, pattern=rf"^{_LABEL}(\.{_LABEL})*$")]
Replicas = Annotated[int, Field(ge=0, le=1000)]


class DeploymentParams(Frozen):
    """Which Deployment."""

    cluster: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The cluster: `main` is the target `kubernetes/main` of the catalog."
    )
    namespace: Label = Field(default="default", description="Its namespace.")
    deployment: Subdomain = Field(description="The Deployment's name.")

    @property
    def shown(self) -> str:
        """For a person."""
        return f"{self.namespace}/{self.deployment}"


class RollbackParams(DeploymentParams):
    """Where to go back to: the release before the newest one, unless something is named."""

    revision: Annotated[int, Field(ge=1)] | None = Field(
        default=None,
        description="A revision's number, also one that it had before it moved by a rollback; "
        "the one before the newest release if left out.",
    )
    replica_set: Subdomain | None = Field(
        default=None,
        description="The ReplicaSet that holds the revision: its name does not move.",
    )

    @model_validator(mode="after")
    def _one_name(self) -> Self:
        if self.revision is not None and self.replica_set is not None:
            raise ValueError("name the revision or the ReplicaSet, not both")
        return self


class ScaleParams(DeploymentParams):
    """How many replicas, and within which bounds."""

    replicas: Replicas = Field(description="How many there are to be.")
    at_least: Replicas = Field(
        default=1, description="Fewer are refused; 0 must be said to turn a service off."
    )
    at_most: Replicas = Field(default=100, description="More are refused.")

    @model_validator(mode="after")
    def _within(self) -> Self:
        if not self.at_least <= self.replicas <= self.at_most:
            raise ValueError(
                f"replicas: {self.replicas} is not between {self.at_least} and {self.at_most}"
            )
        return self
