"""Load balancers: how a listener or a rule of it shares its requests among target groups."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, ClassVar

from pydantic import Field, field_validator

from bot.contract import Call, Connection, Effect, Preview
from bot.errors import Rejected

from .api import change, look
from .params import AccountParams, Name, Weights

_ARN = (
    r"^arn:aws[a-z-]*:elasticloadbalancing:[a-z0-9-]+:[0-9]{12}:listener(-rule)?"
    r"/(app|net|gwy)(/[A-Za-z0-9-]+){3,4}$"
)


class WeightsParams(AccountParams):
    """Whose requests, and how they are to be shared."""

    listener: Annotated[str, Field(max_length=500, pattern=_ARN)] = Field(
        description="The ARN of a listener, for its default action, or of one of its rules."
    )
    weights: dict[Name, Annotated[int, Field(ge=0, le=999)]] = Field(
        min_length=1,
        max_length=5,
        description="Target group's name → weight, each of the action's groups named.",
    )
    allow_unhealthy: bool = Field(
        default=False,
        description="Send more even to a group without a healthy target.",
    )

    @field_validator("weights")
    @classmethod
    def _somebody(cls, value: dict[str, int]) -> dict[str, int]:
        if not any(value.values()):
            raise ValueError("one weight at least must be above 0: else nobody answers")
        return value

    @property
    def is_rule(self) -> bool:
        """Whether it is a rule, not a listener's default action."""
        return ":listener-rule/" in self.listener


@dataclass(frozen=True)
class Forwarding:
    """The actions of a listener or rule, one of which forwards to groups."""

    actions: list[dict[str, Any]]

    @property
    def groups(self) -> list[dict[str, Any]]:
        """The target groups with their weights; a single one has weight 1."""
        action = next((a for a in self.actions if a["Type"] == "forward"), None)
        if action is None:
            raise Rejected("Nothing is forwarded there: it has no target groups.")
        alone = [{"TargetGroupArn": action.get("TargetGroupArn"), "Weight": 1}]
        groups: list[dict[str, Any]] = action.get("ForwardConfig", {}).get("TargetGroups") or alone
        return groups

    @property
    def weights(self) -> dict[str, int]:
        """Group's name → weight."""
        return {_name(g["TargetGroupArn"]): int(g.get("Weight", 1)) for g in self.groups}

    def arn(self, name: str) -> str:
        """A group's ARN."""
        return next(str(a) for g in self.groups if _name(a := g["TargetGroupArn"]) == name)

    def changed(self, weights: Mapping[str, int]) -> list[dict[str, Any]]:
        """The same actions with other weights: stickiness, sign-in and order stay."""
        return [self._action(action, weights) for action in self.actions]

    def _action(self, action: Mapping[str, Any], weights: Mapping[str, int]) -> dict[str, Any]:
        kept = dict(action)
        if action["Type"] == "forward":
            kept.pop("TargetGroupArn", None)
            groups = [{**g, "Weight": weights[_name(g["TargetGroupArn"])]} for g in self.groups]
            kept["ForwardConfig"] = {**action.get("ForwardConfig", {}), "TargetGroups": groups}
        elif action["Type"] == "authenticate-oidc":  # its secret is never shown, so never sent back
            kept["AuthenticateOidcConfig"] = {
                **action["AuthenticateOidcConfig"], "UseExistingClientSecret": True,
            }  # fmt: skip
        return kept


class SetWeights:
    """Sets how a listener's default action, or a rule, shares requests among its target groups."""

    name: ClassVar[str] = "aws.elb_weights"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[WeightsParams]] = WeightsParams

    def target(self, params: WeightsParams) -> str:
        return f"aws/{params.account}.elb"

    async def preview(self, params: WeightsParams, connection: Connection) -> Preview:
        wanted, healthy = await self._checked(params, await _read(params, connection), connection)
        serving = sum(healthy[name] for name, weight in wanted.after.items() if weight)
        return wanted.preview(self.target(params), healthy_after=serving)

    async def apply(self, params: WeightsParams, connection: Connection) -> dict[str, Any]:
        now = await _read(params, connection)
        wanted, _ = await self._checked(params, now, connection)
        if wanted.before != wanted.after:
            if params.is_rule:
                operation, key, name = "ModifyRule", "RuleArn", "Actions"
            else:
                operation, key, name = "ModifyListener", "ListenerArn", "DefaultActions"
            more = {key: params.listener, name: now.changed(wanted.after)}
            await change(connection, "elbv2", operation, **more)
        return {"before": dict(wanted.before), "after": dict(wanted.after)}

    async def verify(self, params: WeightsParams, connection: Connection) -> bool | None:
        return (await _read(params, connection)).weights == params.weights

    def undo(self, params: WeightsParams, state: Mapping[str, Any]) -> Call | None:
        """Back to where it was, also where nobody is healthy now: it was so before."""
        if not any(state["weights"].values()):
            return None
        before = {"weights": state["weights"], "allow_unhealthy": True}
        return Call(action=self.name, params={**params.model_dump(), **before})

    async def _checked(
        self, params: WeightsParams, now: Forwarding, connection: Connection
    ) -> tuple[Weights, dict[str, int]]:
        """What would change, and group → healthy targets. No more requests to a dead group."""
        short = params.listener.partition("listener")[2].partition("/")[2]
        wanted = Weights(short, now.weights, params.weights)
        healthy = {name: await _healthy(now.arn(name), connection) for name in wanted.after}
        dead = [name for name in wanted.gaining if not healthy[name]]
        if dead and not params.allow_unhealthy:
            raise Rejected(
                f"No healthy target in {', '.join(dead)}, which would get more requests.",
                hint="Set allow_unhealthy: true if you know better than the health checks.",
            )
        return wanted, healthy


async def _read(params: WeightsParams, connection: Connection) -> Forwarding:
    if params.is_rule:
        found = await look(connection, "elbv2", "DescribeRules", RuleArns=[params.listener])
        return Forwarding(found["Rules"][0]["Actions"])
    found = await look(connection, "elbv2", "DescribeListeners", ListenerArns=[params.listener])
    return Forwarding(found["Listeners"][0]["DefaultActions"])


async def _healthy(arn: str, connection: Connection) -> int:
    found = await look(connection, "elbv2", "DescribeTargetHealth", TargetGroupArn=arn)
    states = [row["TargetHealth"]["State"] for row in found["TargetHealthDescriptions"]]
    return states.count("healthy")


def _name(arn: str) -> str:
    return arn.split("/")[1]
