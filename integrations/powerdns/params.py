"""What the verbs on a PowerDNS are told: names and values are checked before anything is sent."""

import ipaddress
import re
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from bot.contract import Frozen

_LABEL = r"(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?)"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_NAME = re.compile(_HOST)
_LONGEST = 253
_LONGEST_TTL = 2**31 - 1  # RFC 2181: whatever a server may have, undo can put back

DnsName = Annotated[str, Field(max_length=254, pattern=rf"^{_HOST}$")]


class RecordParams(Frozen):
    """Which records."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The PowerDNS: `ns1` is the target `powerdns/ns1` of the catalog."
    )
    zone: DnsName = Field(description="The zone, such as `shop.example`.")
    name: DnsName = Field(description="The full name, such as `www.shop.example`.")
    type: Literal["A", "AAAA", "CNAME"] = Field(description="The kind of record.")

    @model_validator(mode="after")
    def _inside(self) -> Self:
        if self.full != self.zone_id and not self.full.endswith(f".{self.zone_id}"):
            raise ValueError(f"name: {self.name} is not inside the zone {self.zone}")
        if self.type == "CNAME" and self.full == self.zone_id:
            raise ValueError("name: the top of a zone cannot be a CNAME")
        return self

    @property
    def zone_id(self) -> str:
        """The zone with its final dot, in lower case."""
        return self.zone.lower().rstrip(".") + "."

    @property
    def full(self) -> str:
        """The name with its final dot, in lower case."""
        return self.name.lower().rstrip(".") + "."


class LookupParams(RecordParams):
    """The records to look at."""


class SetRecordParams(RecordParams):
    """All the values of a name; none takes the name away."""

    values: list[Annotated[str, Field(max_length=254)]] = Field(
        max_length=50, description="Addresses, or one name for a CNAME; an empty list deletes it."
    )
    ttl: Annotated[int, Field(ge=5, le=_LONGEST_TTL)] = Field(
        default=60, description="Seconds that resolvers may keep the answer."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        for value in self.values:
            if self.type == "CNAME":
                if len(value) > _LONGEST or not _NAME.fullmatch(value):
                    raise ValueError(f"values: {value!r} is no name")
                continue
            try:
                address = ipaddress.ip_address(value)
            except ValueError:
                raise ValueError(f"values: {value!r} is no address") from None
            if address.version != {"A": 4, "AAAA": 6}[self.type]:
                raise ValueError(f"values: {value} does not fit a record of type {self.type}")
        if len(set(self.values)) != len(self.values):
            raise ValueError("values: one is given twice")
        if self.type == "CNAME" and len(self.values) > 1:
            raise ValueError("values: a CNAME has one value")
        return self

    @property
    def contents(self) -> list[str]:
        """The values as the server keeps them."""
        if self.type == "CNAME":
            return [value.lower().rstrip(".") + "." for value in self.values]
        return sorted(str(ipaddress.ip_address(value)) for value in self.values)
