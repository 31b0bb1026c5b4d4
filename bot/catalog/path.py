"""Access paths, and the credentials they are opened with."""

from ipaddress import ip_address
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, Field, model_validator

from bot.catalog.entry import STRICT, Name
from bot.catalog.nodes import NodeId
from bot.catalog.spans import UtcTime

Kind = Literal["direct", "pinned", "proxy", "ssh", "interface", "bmc", "cloud"]
# kind → the fields of its own; the first of them is needed
_OWN: dict[str, tuple[str, ...]] = {
    "direct": (),
    "pinned": ("connect_to",),
    "proxy": ("proxy",),
    "ssh": ("hops",),
    "interface": ("bind", "connect_to"),
    "bmc": ("", "bind", "connect_to"),
    "cloud": (),
}
_MEANS = {"connect_to", "proxy", "hops", "bind"}


def is_address(host: str) -> bool:
    """Whether no name server need be asked for it."""
    try:
        ip_address(host)
    except ValueError:
        return False
    return True


def _reachable(value: str) -> str:
    """Reading the port is what finds it wrong."""
    if value and (urlsplit(value).hostname is None or urlsplit(value).port == 0):
        raise ValueError("it names no host and port")
    return value


class Credential(BaseModel):
    """A secret by reference, used elsewhere as ``credential:NAME``.

    ``emergency``: made beforehand for the day when nothing else works; it must not come from SSO.
    """

    model_config = STRICT

    name: Name
    ref: str = Field(pattern=r"^(env|file|age|vault):\S+$")
    expires: UtcTime | None = None
    emergency: bool = False
    owner: str = ""
    depends_on: list[NodeId] = []


class Hop(BaseModel):
    """A host that SSH jumps over: its address, the key to log in with, its own public key."""

    model_config = STRICT

    url: Annotated[str, Field(pattern=r"^ssh://[^\s/@:]+@[^\s/@]+$"), AfterValidator(_reachable)]
    key: str = Field(description="a reference to the private key")
    host_key: str = Field(description='such as "ssh-ed25519 AAAA…"')


class Path(BaseModel):
    """A named way to open a TCP connection to (host, port).

    ``direct`` as the machine does; ``pinned`` by address instead of DNS, certificates still
    checked against the name; ``proxy`` over SOCKS5 or HTTP CONNECT; ``ssh`` over one or more
    bastions; ``interface`` from an out-of-band address or network card; ``bmc`` and ``cloud``
    lead to a machine's management controller and to a provider's control plane.
    """

    model_config = STRICT

    name: Name
    kind: Kind = "direct"
    connect_to: dict[str, str] = Field(default={}, description="host → address")
    proxy: Annotated[
        str, Field(pattern=r"^((socks5|http)://[^\s/@]+:[0-9]{1,5})?$"), AfterValidator(_reachable)
    ] = ""
    hops: list[Hop] = Field(default=[], max_length=5)
    bind: str = Field(default="", pattern=r"^[A-Za-z0-9.:_-]{0,64}$")
    credential: Name | None = Field(default=None, description="user:password of a proxy")
    depends_on: list[NodeId] = []
    rank: int = Field(default=0, ge=0, le=1000, description="a lower one is tried first")
    owner: str = ""

    @model_validator(mode="after")
    def _means_of_its_kind(self) -> "Path":
        own = _OWN[self.kind]
        given = {name for name in _MEANS if getattr(self, name)}
        if wrong := sorted(given - set(own)):
            raise ValueError(f"{wrong[0]}: a path of kind {self.kind} has none")
        if own[:1] not in ((), ("",)) and own[0] not in given:
            raise ValueError(f"{own[0]}: a path of kind {self.kind} needs it")
        if self.credential and self.kind != "proxy":
            raise ValueError(f"credential: a path of kind {self.kind} has none; a hop has its key")
        return self
