"""Says a notice in an IRC channel, or to a nick."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import asyncio

from bot.contract import Connection, Notice, Receipt
from bot.errors import NotSent, Rejected, Unknown

from .lines import CHANNEL, NICK, said
from .visit import visit

_SECONDS = 8.0  # for the coming in, and again for the saying


class Irc:
    """A channel or a nick of an IRC server."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Confirmed once the server has passed it on and somebody is there."""
        nick, password, key = _settings(connection)
        to_channel = bool(CHANNEL.fullmatch(to))
        if not to_channel and not NICK.fullmatch(to):
            raise Rejected(f"`to` must be a #channel or a nick: {to[:80]!r} is neither.")
        async with visit(connection, _SECONDS) as there:
            try:
                async with asyncio.timeout(_SECONDS):
                    await there.enter(nick, password)
                    others = await there.join(to, key) if to_channel else 1
            except (OSError, TimeoutError) as error:
                raise NotSent(f"{connection.target} did not let us in: {_why(error)}.") from error
            try:
                async with asyncio.timeout(_SECONDS):
                    await there.say(to, said(notice))
            except (OSError, TimeoutError) as error:
                why = f"{connection.target} did not say whether it took it: {_why(error)}."
                raise Unknown(why) from error
            await there.leave()
        if not others:
            return Receipt(confirmed=False, detail=f"it was said in {to}, and nobody is there")
        where = f"{others} in {to}" if to_channel else to
        return Receipt(confirmed=True, detail=f"the server passed it on to {where}")

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """IRC keeps no record, and its lines have no id."""
        raise Unknown("IRC cannot be asked whether something was said.")

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """What was said is all there is to know."""
        return receipt.confirmed


def _settings(connection: Connection) -> tuple[str, str, str]:
    """Nick, server password and channel key."""
    settings = connection.settings
    nick = settings.get("nick", "jackline")
    if not NICK.fullmatch(nick):
        raise Rejected(f"{nick[:40]!r} is no nick.")
    for name in ("password", "channel_key"):
        value = settings.get(name, "")
        if any(c.isspace() or not c.isprintable() for c in value) or value.startswith(":"):
            raise Rejected(f"The setting {name} holds what IRC cannot carry.")
    return nick, settings.get("password", ""), settings.get("channel_key", "")


def _why(error: BaseException) -> str:
    return str(error).rstrip(".") or "no answer in time"
