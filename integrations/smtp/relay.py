"""A session with a relay, over the access path: TLS by the relay's own name, then the login."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import aiosmtplib as smtp

from bot.contract import Connection
from bot.contract.tls import server_name, trusting
from bot.errors import AuthFailed, NotSent, Rejected


@asynccontextmanager
async def session(connection: Connection, sender: str, seconds: float) -> AsyncIterator[smtp.SMTP]:
    """Ready to take a mail. Raises `NotSent` where it cannot be had, `AuthFailed`, `Rejected`."""
    settings = connection.settings
    tls = settings.get("tls", "starttls")
    if tls not in {"starttls", "verify", "off"}:
        raise Rejected(f"tls is {tls!r}.", hint="It is `starttls`, `verify` or `off`.")
    if tls == "off" and settings.get("username"):
        raise Rejected("A password is not sent without TLS.", hint="Set tls to `starttls`.")
    context = (
        None if tls == "off" else trusting(connection, ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT))
    )
    async with connection.forward() as local:
        relay = smtp.SMTP(
            hostname=server_name(connection),
            sock=await _connected(local),
            use_tls=tls == "verify",
            start_tls=False,
            tls_context=context,
            local_hostname=sender.rpartition("@")[2],  # the default asks the DNS, which may be down
            timeout=seconds,
        )
        try:
            await _begin(relay, connection, starttls=tls == "starttls")
            yield relay
        finally:
            relay.close()


async def _connected(local: tuple[str, int]) -> socket.socket:
    opened = socket.socket()
    opened.setblocking(False)
    try:
        await asyncio.get_running_loop().sock_connect(opened, local)
    except OSError as error:
        opened.close()
        raise NotSent(f"The forward broke: {error}.") from error
    return opened


async def _begin(relay: smtp.SMTP, connection: Connection, *, starttls: bool) -> None:
    target, settings = connection.target, connection.settings
    try:
        await relay.connect()
        if starttls:
            await relay.starttls()
    except smtp.SMTPException as error:
        if "STARTTLS extension not supported" in str(error):
            raise Rejected(
                f"{target} does not offer STARTTLS, and no mail goes in clear."
            ) from error
        raise NotSent(f"{target}: no session: {words(error)}.") from error
    except OSError as error:  # the certificate, or the line broke in the handshake
        raise NotSent(f"{target}: no TLS: {words(error)}.") from error
    if not settings.get("username"):
        return
    try:
        await relay.login(settings["username"], settings.get("password", ""))
    except smtp.SMTPAuthenticationError as error:
        raise AuthFailed(f"{target} refuses the login: {words(error)}.") from error
    except (smtp.SMTPServerDisconnected, smtp.SMTPTimeoutError, OSError) as error:
        raise NotSent(f"{target}: no login: {words(error)}.") from error
    except smtp.SMTPException as error:
        raise Rejected(f"{target} takes no login: {words(error)}.") from error


def words(error: BaseException) -> str:
    """What the relay or the line said, in one line."""
    if isinstance(error, smtp.SMTPResponseException):
        return " ".join(f"{error.code} {error.message}".split())[:300].rstrip(".")
    return " ".join(str(error).split())[:300].rstrip(".") or type(error).__name__
