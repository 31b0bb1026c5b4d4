"""DNS messages, signed, over the access path: what they ask, and what a refusal means."""

import base64
from dataclasses import dataclass

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

from bot.contract import Connection
from bot.errors import AuthFailed, Rejected, Retryable, TargetError, Unknown

from .params import RecordParams

_NO_ANSWER = "The name server gave no answer that can be used"
_PATIENCE = 5.0  # seconds for one answer
_ALGORITHMS = ("hmac-sha256", "hmac-sha384", "hmac-sha512")
_GOOD = (dns.rcode.NOERROR, dns.rcode.NXDOMAIN)
_BUSY = (dns.rcode.SERVFAIL,)
_CHANGED = (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.YXDOMAIN, dns.rcode.NXDOMAIN)
_CLOCK = (dns.tsig.PeerBadTime, dns.tsig.BadTime)
_HINTS = {
    dns.rcode.REFUSED: "It does not serve the zone, or its policy does not let the key do this.",
    dns.rcode.NOTAUTH: "It is not the primary of that zone.",
    dns.rcode.NOTZONE: "The name is not in that zone.",
    dns.rcode.NOTIMP: "It takes no dynamic updates.",
}


@dataclass(frozen=True)
class Records:
    """All records of one name and type; None for the TTL where there is none."""

    values: tuple[str, ...]
    ttl: int | None

    @property
    def shown(self) -> str:
        """For a person."""
        return f"{', '.join(self.values)} (TTL {self.ttl} s)" if self.values else "no record"


async def records(connection: Connection, params: RecordParams) -> Records:
    """What the server itself has for the name; what it only remembers of others is refused."""
    question = dns.message.make_query(params.owner, params.type, flags=0)
    answer = await _ask(connection, question, read=True)
    if not answer.flags & dns.flags.AA:
        raise Rejected(
            f"The name server does not answer for {params.owner} itself.",
            hint="Name the zone's primary in the catalog, and a zone that it serves.",
        )
    found = _of(answer, params.owner, params.type)
    if found is None:
        return Records((), None)
    return Records(tuple(sorted(item.to_text().lower() for item in found)), found.ttl)


async def serves(connection: Connection, params: RecordParams) -> None:
    """Raises `Rejected` unless the server has the zone, and it is a zone of its own."""
    question = dns.message.make_query(params.origin, "SOA", flags=0)
    answer = await _ask(connection, question, read=True)
    if not answer.flags & dns.flags.AA or _of(answer, params.origin, "SOA") is None:
        raise Rejected(f"The name server has no zone {params.origin}.")


async def replace(
    connection: Connection, params: RecordParams, before: Records, after: Records
) -> None:
    """Makes ``after`` the records of the name, if they still are ``before``: else nothing.

    A server silently leaves out a CNAME beside other records, and others beside a CNAME: that is
    forbidden here, so that it is told.
    """
    update = dns.update.UpdateMessage(params.origin)
    if before.values:
        update.present(params.owner, params.type, *before.values)
    elif params.type == "CNAME":
        update.absent(params.owner)
    else:
        update.absent(params.owner, params.type)
        update.absent(params.owner, "CNAME")
    update.delete(params.owner, params.type)
    if after.values:
        update.add(params.owner, after.ttl, params.type, *after.values)
    await _ask(connection, update, read=False)


def _of(answer: dns.message.Message, name: dns.name.Name, kind: str) -> dns.rrset.RRset | None:
    wanted = dns.rdatatype.from_text(kind)
    of_name = (r for r in answer.answer if r.name == name and r.rdtype == wanted)
    return next(of_name, None)


async def _ask(
    connection: Connection, message: dns.message.Message, *, read: bool
) -> dns.message.Message:
    """The answer, its signature checked. ``read``: asking again would do no harm."""
    _sign(connection, message)
    async with connection.forward() as (host, port):
        try:
            answer = await dns.asyncquery.tcp(message, host, port=port, timeout=_PATIENCE)
        except _CLOCK as error:
            raise AuthFailed(
                "The name server's clock and ours differ too much for a signature."
            ) from error
        except dns.tsig.PeerError as error:
            raise AuthFailed(f"The name server refused the key: {error}") from error
        except (dns.tsig.BadSignature, dns.tsig.BadKey, dns.message.UnknownTSIGKey) as error:
            raise AuthFailed(f"The answer does not bear the key's signature: {error}") from error
        except (dns.exception.DNSException, OSError, EOFError) as error:
            why = str(error).rstrip(".") or type(error).__name__
            raise _lost(f"{_NO_ANSWER}: {why}.", read=read) from error
    if not answer.had_tsig:  # newer versions of dnspython have raised by now
        raise _lost(f"{_NO_ANSWER}: it is not signed, and may be anybody's.", read=read)
    rcode = answer.rcode()
    if rcode not in _GOOD or (rcode == dns.rcode.NXDOMAIN and not read):
        raise _refusal(rcode, read=read)
    return answer


def _sign(connection: Connection, message: dns.message.Message) -> None:
    found = connection.settings
    missing = [name for name in ("key_name", "key_secret") if not found.get(name)]
    if missing:
        raise AuthFailed(f"{connection.target} has no setting {missing[0]} in the catalog.")
    algorithm = found.get("key_algorithm", _ALGORITHMS[0]).lower().rstrip(".")
    if algorithm not in _ALGORITHMS:
        raise AuthFailed(
            f"{connection.target}: there is no key_algorithm {algorithm!r}.",
            hint=f"There are {', '.join(_ALGORITHMS)}.",
        )
    try:
        secret = base64.b64decode(found["key_secret"], validate=True)
        key = dns.tsig.Key(found["key_name"], secret, algorithm)
    except (ValueError, dns.exception.DNSException):
        raise AuthFailed(f"{connection.target}: the key's name or secret is none.") from None
    message.use_tsig(key)


def _refusal(rcode: dns.rcode.Rcode, *, read: bool) -> TargetError:
    word = dns.rcode.to_text(rcode)
    if rcode in _BUSY:
        return _lost(f"The name server answered {word}.", read=read)
    if rcode in _CHANGED:
        return Rejected(
            f"The name server answered {word}: the name is no longer as it was just read.",
            hint="Somebody changed it meanwhile, or it has records of a kind that cannot stand "
            "beside these. Plan again.",
        )
    return Rejected(f"The name server answered {word}.", hint=_HINTS.get(rcode, ""))


def _lost(said: str, *, read: bool) -> TargetError:
    return Retryable(said) if read else Unknown(said)
