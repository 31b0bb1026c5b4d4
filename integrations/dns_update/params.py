"""What the verbs on a zone are told: names and values are checked before anything is sent."""

import ipaddress
import re
from typing import Annotated, Literal, Self

import dns.exception
import dns.name
from pydantic import Field, model_validator

from bot.contract import Frozen

_LABEL = r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?"
_HOST = rf"{_LABEL}(?:\.{_LABEL})*\.?"
_LONGEST_TTL = 2**31 - 1  # RFC 2181: whatever a server may have, undo can put back

DnsName = Annotated[str, Field(max_length=254, pattern=rf"^{_HOST}$")]


class RecordParams(Frozen):
    """Which records."""

    server: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")] = Field(
        description="The name server: `ns1` is the target `dns_update/ns1` of the catalog."
    )
    zone: DnsName = Field(description="The zone, such as `shop.example`.")
    name: DnsName = Field(description="The full name, such as `www.shop.example`.")
    type: Literal["A", "AAAA", "CNAME"] = Field(description="The kind of record.")

    @model_validator(mode="after")
    def _inside(self) -> Self:
        try:
            inside = self.owner.is_subdomain(self.origin)
        except dns.exception.DNSException:
            raise ValueError("name: longer than DNS allows") from None
        if not inside:
            raise ValueError(f"name: {self.name} is not inside the zone {self.zone}")
        if self.type == "CNAME" and self.owner == self.origin:
            raise ValueError("name: the top of a zone cannot be a CNAME")
        return self

    @property
    def origin(self) -> dns.name.Name:
        """The zone, complete and in lower case."""
        return dns.name.from_text(self.zone).canonicalize()

    @property
    def owner(self) -> dns.name.Name:
        """The name, complete and in lower case."""
        return dns.name.from_text(self.name).canonicalize()


class LookupParams(RecordParams):
    """The records to look at."""


class SetRecordParams(RecordParams):
    """All the values of a name; none takes the name away."""

    values: list[Annotated[str, Field(max_length=254)]] = Field(
        max_length=50, description="Addresses, or one name for a CNAME; an empty list deletes it."
    )
    ttl: Annotated[int, Field(ge=0, le=_LONGEST_TTL)] = Field(
        default=60, description="Seconds that resolvers may keep the answer."
    )

    @model_validator(mode="after")
    def _fitting(self) -> Self:
        if self.type == "CNAME" and len(self.values) > 1:
            raise ValueError("values: a CNAME has one value")
        if len(set(self.contents)) != len(self.values):
            raise ValueError("values: one is given twice")
        return self

    @property
    def contents(self) -> list[str]:
        """The values as a name server shows them. Raises `ValueError` for one that is none."""
        return sorted(self._content(value) for value in self.values)

    def _content(self, value: str) -> str:
        try:
            if self.type == "A":
                return str(ipaddress.IPv4Address(value))
            if self.type == "AAAA":
                return str(ipaddress.IPv6Address(value))
            if re.fullmatch(_HOST, value):
                return dns.name.from_text(value).canonicalize().to_text()
        except (ValueError, dns.exception.DNSException):
            pass
        raise ValueError(f"values: {value!r} does not fit a record of type {self.type}")
