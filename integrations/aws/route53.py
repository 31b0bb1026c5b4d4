"""Route 53: the records of a name, and the weights by which its weighted records are given out."""

from collections.abc import Mapping
from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, field_validator

from bot.contract import Call, Connection, Effect, Preview
from bot.contract.looking import Looking
from bot.errors import Rejected

from .api import change, look
from .params import AccountParams, Weights

_LABEL = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)"
_SetName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9 _.:/-]{0,127}$")]
_PAGE = 300


class RecordsParams(AccountParams):
    """Which records."""

    zone: Annotated[str, Field(pattern=r"^[A-Z0-9]{1,32}$")] = Field(
        description="The hosted zone's id, such as `Z0123456789ABC`."
    )
    name: Annotated[str, Field(max_length=254, pattern=rf"^{_LABEL}(?:\.{_LABEL})*\.?$")] = Field(
        description="The full name, such as `www.shop.example`."
    )
    type: Literal["A", "AAAA", "CNAME"] = Field(description="The kind of record.")

    @property
    def full(self) -> str:
        """The name with its final dot, in lower case."""
        return self.name.lower().rstrip(".") + "."


class WeightsParams(RecordsParams):
    """How the name's answers are to be given out."""

    weights: dict[_SetName, Annotated[int, Field(ge=0, le=255)]] = Field(
        min_length=2,
        max_length=50,
        description="Set identifier → weight, each of the name's weighted records named.",
    )

    @field_validator("weights")
    @classmethod
    def _somebody(cls, value: dict[str, int]) -> dict[str, int]:
        """Route 53 takes all zeros as all alike."""
        if not any(value.values()):
            raise ValueError("one weight at least must be above 0")
        return value


class _Zone:
    """What every verb here shares."""

    def target(self, params: RecordsParams) -> str:
        return f"aws/{params.account}.route53"


class Look(Looking, _Zone):
    """What Route 53 has for a name: each record set with its weight and values."""

    name: ClassVar[str] = "aws.route53_records"
    Params: ClassVar[type[RecordsParams]] = RecordsParams

    async def apply(self, params: RecordsParams, connection: Connection) -> dict[str, Any]:
        sets = await _sets(params, connection)
        weights = {s["SetIdentifier"]: s["Weight"] for s in sets if "Weight" in s}
        return {"found": bool(sets), "weights": weights, "sets": [_row(s) for s in sets]}


class SetWeights(_Zone):
    """Sets the weights of a name's weighted records, all of them in one change."""

    name: ClassVar[str] = "aws.route53_weights"
    effect: ClassVar[Effect] = Effect.IDEMPOTENT
    reverts: ClassVar[bool] = True
    Params: ClassVar[type[WeightsParams]] = WeightsParams

    async def preview(self, params: WeightsParams, connection: Connection) -> Preview:
        """The share is that of new answers: resolvers keep an old one for its TTL."""
        sets = await self._weighted(params, connection)
        return self._wanted(params, sets).preview(self.target(params))

    async def apply(self, params: WeightsParams, connection: Connection) -> dict[str, Any]:
        """Everything else of each record stays as it is."""
        sets = await self._weighted(params, connection)
        wanted = self._wanted(params, sets)
        changes = [
            {"Action": "UPSERT", "ResourceRecordSet": {**s, "Weight": wanted.after[name]}}
            for name, s in sets.items()
            if wanted.before[name] != wanted.after[name]
        ]
        if changes:
            await change(
                connection, "route53", "ChangeResourceRecordSets",
                HostedZoneId=params.zone, ChangeBatch={"Changes": changes},
            )  # fmt: skip
        return {"before": dict(wanted.before), "after": dict(wanted.after)}

    async def verify(self, params: WeightsParams, connection: Connection) -> bool | None:
        sets = await self._weighted(params, connection)
        return {name: s["Weight"] for name, s in sets.items()} == params.weights

    def undo(self, params: WeightsParams, state: Mapping[str, Any]) -> Call | None:
        """None where all had 0: that means all alike, and cannot be told from a mistake."""
        if not any(state["weights"].values()):
            return None
        return Call(action=self.name, params={**params.model_dump(), "weights": state["weights"]})

    async def _weighted(
        self, params: WeightsParams, connection: Connection
    ) -> dict[str, dict[str, Any]]:
        sets = await _sets(params, connection)
        weighted = {s["SetIdentifier"]: s for s in sets if "Weight" in s}
        if not weighted:
            raise Rejected(f"{params.full} has no weighted records of type {params.type}.")
        return weighted

    def _wanted(self, params: WeightsParams, sets: Mapping[str, Mapping[str, Any]]) -> Weights:
        before = {name: int(s["Weight"]) for name, s in sets.items()}
        return Weights(f"{params.type} {params.full}", before, params.weights)


async def _sets(params: RecordsParams, connection: Connection) -> list[dict[str, Any]]:
    """All of the name and type. Raises `Rejected` where there are more than a page of them."""
    found = await look(
        connection, "route53", "ListResourceRecordSets", HostedZoneId=params.zone,
        StartRecordName=params.full, StartRecordType=params.type, MaxItems=str(_PAGE),
    )  # fmt: skip
    listed = found["ResourceRecordSets"]
    mine = [s for s in listed if (s["Name"].lower(), s["Type"]) == (params.full, params.type)]
    if len(mine) == _PAGE and found.get("IsTruncated"):
        raise Rejected(f"{params.full} has more than {_PAGE} records: they cannot all be seen.")
    return mine


def _row(record: Mapping[str, Any]) -> dict[str, Any]:
    alias = record.get("AliasTarget", {}).get("DNSName")
    values = [r["Value"] for r in record.get("ResourceRecords", [])]
    return {
        "set": record.get("SetIdentifier"),
        "weight": record.get("Weight"),
        "ttl": record.get("TTL"),
        "values": [alias] if alias else values,
        "health_check": record.get("HealthCheckId"),
    }
