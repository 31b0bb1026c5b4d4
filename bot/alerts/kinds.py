"""What each kind of check asks, once, over one open access path.

Each takes the check, the link and the registry, and returns '' or a warning about what answers
well. It raises when it does not: a `JacklineError` that says why, or what its library raises.
"""

import asyncio
import ssl
import time
from collections.abc import Awaitable, Callable, Mapping
from urllib.parse import urlsplit

import dns.asyncquery
import dns.exception
import dns.message
import dns.rcode
import dns.rdatatype
from redis.asyncio import Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import AuthenticationError, RedisError, ResponseError

from bot.access import Link
from bot.access.forward import closed
from bot.access.ways import trusted
from bot.alerts.journey import walk
from bot.catalog import Check
from bot.errors import Rejected
from bot.registry import Registry

_DAY = 86_400


async def _http(check: Check, link: Link, _: Registry) -> str:
    await walk(check, link)
    return ""


async def _tcp(_: Check, link: Link, __: Registry) -> str:
    async with link.forward():
        return ""


async def _tls(check: Check, link: Link, __: Registry) -> str:
    """The certificate is verified against the name in the address, and how long it lasts is seen."""
    name = urlsplit(link.entry.url).hostname
    async with link.forward() as (host, port):
        try:
            _, writer = await asyncio.open_connection(
                host, port, ssl=trusted("tls"), server_hostname=name
            )
        except ssl.SSLCertVerificationError as error:
            raise Rejected(f"the certificate is refused: {error.verify_message}") from error
        except ssl.SSLError as error:
            raise Rejected(f"no TLS: {error.reason}") from error
        found = writer.get_extra_info("ssl_object").getpeercert()
        await closed(writer)
    ends = ssl.cert_time_to_seconds(found["notAfter"])
    left = ends - time.time()
    if left > check.expires_within:
        return ""
    until = time.strftime("%Y-%m-%d %H:%M", time.gmtime(ends))
    return f"the certificate of {name} ends in {left / _DAY:.0f} days, on {until} UTC"


async def _dns(check: Check, link: Link, _: Registry) -> str:
    """By TCP, which every name server speaks, and every access path carries."""
    question = dns.message.make_query(check.name, check.type)
    async with link.forward() as (host, port):
        try:
            answer = await dns.asyncquery.tcp(question, host, port=port, timeout=check.timeout)
        except (dns.exception.DNSException, EOFError) as error:
            raise Rejected(f"no answer of DNS: {type(error).__name__}") from error
    if answer.rcode() != dns.rcode.NOERROR:
        raise Rejected(f"{check.name}: {dns.rcode.to_text(answer.rcode())}")
    kind = dns.rdatatype.from_text(check.type)
    found = {item for rrset in answer.answer if rrset.rdtype == kind for item in rrset}
    if not found or (check.expect and found != check.expected):
        values = ", ".join(sorted(item.to_text() for item in found)) or "nothing"
        raise Rejected(f"{check.name} {check.type} is {values}")
    return ""


async def _postgres(check: Check, link: Link, registry: Registry) -> str:
    """The integration logs in and reads."""
    action = registry.action("postgres.status")
    server = check.target.partition("/")[2]
    await action.apply(action.Params.model_validate({"server": server}), link)
    return ""


async def _redis(check: Check, link: Link, _: Registry) -> str:
    user, password = link.settings.get("username"), link.settings.get("password")
    async with link.forward() as (host, port):
        server = Redis(
            host=host,
            port=port,
            username=user,
            password=password,
            socket_timeout=check.timeout,
            protocol=2,  # which every version speaks
            retry=Retry(NoBackoff(), 0),  # a check is repeated anyway, and says what it saw
        )
        try:
            await server.ping()
        except (AuthenticationError, ResponseError) as error:
            raise Rejected(f"no PONG: {error}") from error
        except RedisError as error:  # its words may quote an answer
            raise Rejected(f"no PONG: {type(error).__name__}") from error
        finally:
            await server.aclose()
    return ""


LOOKS: Mapping[str, Callable[[Check, Link, Registry], Awaitable[str]]] = {
    "http": _http, "tcp": _tcp, "tls": _tls, "dns": _dns, "postgres": _postgres, "redis": _redis,
}  # fmt: skip
