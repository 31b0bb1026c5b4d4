"""One system of a BMC: found, read, and told to change its power."""

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bot.contract import Connection
from bot.errors import Rejected, TargetError

from .api import at, fetch, fetch_whole, linked, send
from .params import SystemParams

SYSTEMS = "/redfish/v1/Systems"
EVERY = 0.5  # seconds between two looks
_SETTLED = {"On": "on", "PoweringOn": "on", "Paused": "on", "Off": "off", "PoweringOff": "off"}


@dataclass(frozen=True)
class Host:
    """What the BMC says about a system; ``raw`` is its resource, ``tag`` its version."""

    link: str
    raw: dict[str, Any]
    tag: str

    @property
    def power(self) -> str:
        """In Redfish's words, such as ``On`` or ``PoweringOff``."""
        return str(self.raw.get("PowerState") or "")

    @property
    def settled(self) -> str:
        """``on`` or ``off``; on its way, where it goes. Raises `Rejected` where it is not said."""
        if self.power not in _SETTLED:
            raise Rejected(f"The BMC does not say whether it is on: {self.power or 'no word'}.")
        return _SETTLED[self.power]

    @property
    def last_reset(self) -> str:
        """When it was last started or reset, as the BMC writes it; many do not."""
        return str(self.raw.get("LastResetTime") or "")

    @property
    def reset(self) -> str:
        """Where orders about its power go."""
        return str(at(self.raw, "Actions", "#ComputerSystem.Reset", "target") or "")

    def order(self, *kinds: str) -> str:
        """The first of these that the BMC knows. Raises `Rejected` if it says it knows none."""
        known = at(
            self.raw, "Actions", "#ComputerSystem.Reset", "ResetType@Redfish.AllowableValues"
        )
        if not self.reset:
            raise Rejected("The BMC lets nobody change the power of this system.")
        if not isinstance(known, list):
            return kinds[0]  # it does not say: it will refuse what it cannot do
        for kind in kinds:
            if kind in known:
                return kind
        raise Rejected(
            f"The BMC cannot do {' or '.join(kinds)}.",
            hint=f"It can do {', '.join(map(str, known))}.",
        )


async def host(connection: Connection, params: SystemParams) -> Host:
    """The system that is meant: the named one, or the only one."""
    members = at(await fetch(connection, SYSTEMS), "Members")
    links = [linked(member) for member in members] if isinstance(members, list) else []
    named = {link.rstrip("/").rpartition("/")[2]: link for link in links}
    known = ", ".join(named) or "none"
    if params.system is None and len(links) != 1:
        raise Rejected(f"The BMC has {len(links)} systems.", hint=f"Name one of {known}.")
    link = links[0] if params.system is None else named.get(params.system)
    if link is None:
        raise Rejected(f"The BMC has no system {params.system}.", hint=f"It has {known}.")
    return await again(connection, link)


async def again(connection: Connection, link: str) -> Host:
    """One more look at it."""
    raw, tag = await fetch_whole(connection, link)
    return Host(link, raw, tag)


async def tell(connection: Connection, found: Host, kind: str) -> None:
    """Orders a change of power; it comes true seconds later, if at all."""
    await send(connection, "POST", found.reset, json={"ResetType": kind})


async def watch(
    connection: Connection, link: str, patience: float, done: Callable[[Host], bool]
) -> bool:
    """Looks until it is ``done``; False when ``patience`` ran out.

    What goes wrong while looking says nothing about the order, which has been sent: look again.
    """
    deadline = time.monotonic() + patience
    while True:
        try:
            if done(await again(connection, link)):
                return True
        except TargetError:
            pass
        if time.monotonic() + EVERY > deadline:
            return False
        await asyncio.sleep(EVERY)
