"""Alerts by e-mail: a small SMTP listener that takes mail for Jackline's sources, and for nobody else.

An address is ``SOURCE+SECRET@`` and any domain. Who does not know one is refused before a mail is
taken, so nothing is relayed and nothing is read. 250 means that the alert is on disk; 4xx that the
sender is to come again; 5xx says what is wrong, and the sender's own server tells its people.
"""

import asyncio
import logging
import socket
import ssl
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from bot.contract import RawRequest
from bot.errors import AuthFailed, BadInput, BadSetting, NotFound, Unavailable
from bot.log import get
from bot.settings import MailIn, host_and_port
from bot.web.listening import listening
from bot.web.reception import Reception

log = get("web")
SIZE = 1024 * 1024  # bytes of a mail
LINE = 100_000  # bytes of a line: more than the standard allows, as some senders do
CONNECTIONS = 50
COMMANDS = 100  # of a kind on one connection
IDLE, LIFE = 60.0, 600.0  # seconds for one command and its mail; for one connection
BYTES = 4 * SIZE  # that are read of one mail
GUESSES = 3  # wrong addresses on one connection
_SHOWN = 400  # characters of a reply
_NOBODY = "550 5.1.1 Nobody here has this address."
# The library logs whole commands, and in those stand the addresses with their secrets.
logging.getLogger("mail.log").addFilter(lambda _: False)  # `disabled` is undone by any dictConfig


class MailListener:
    """Listens; ``run`` takes mail until it is cancelled."""

    def __init__(self, settings: MailIn, reception: Reception) -> None:
        """Raises `BadSetting` where the address or the certificate cannot be used."""
        self._reception = reception
        # A key alone is a mistake, and does not mean mail in the clear.
        tls = settings.certificate or settings.key
        self._certificate = Certificate(settings) if tls else None
        self._socket = listening(*host_and_port(settings.listen), "JACKLINE_MAIL__LISTEN")
        self._host = socket.gethostname()
        self.open: set[_Connection] = set()

    def close(self) -> None:
        """Listens no more."""
        self._socket.close()

    async def run(self) -> None:
        """Each connection is answered by itself; at the end each is told to come again."""
        loop = asyncio.get_running_loop()
        server = await loop.create_server(self._answering, sock=self._socket)
        log.info("mail_is_taken", starttls=self._certificate is not None)
        try:
            await loop.create_future()
        finally:
            server.close()
            for connection in tuple(self.open):
                connection.leave(b"421 4.3.2 Shutting down. Come again.\r\n")

    def _answering(self) -> asyncio.BaseProtocol:
        if len(self.open) >= CONNECTIONS:
            return _Busy()
        tls = self._certificate.context() if self._certificate else None
        return _Connection(_Handler(self._reception), self.open, self._host, tls)


class Certificate:
    """STARTTLS's context, made anew when the files have changed."""

    def __init__(self, settings: MailIn) -> None:
        self._files = (Path(settings.certificate), Path(settings.key or settings.certificate))
        self._seen: tuple[float, ...] = ()
        self._context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        try:
            self._load()
        except (OSError, ValueError) as error:
            raise BadSetting(
                f"JACKLINE_MAIL__CERTIFICATE: it cannot be used: {error}.",
                hint="It and JACKLINE_MAIL__KEY must be PEM files that belong together.",
                field="JACKLINE_MAIL__CERTIFICATE",
            ) from None

    def context(self) -> ssl.SSLContext:
        """The newest one that can be used."""
        try:
            self._load()
        except (OSError, ValueError) as error:  # an ssl.SSLError is an OSError
            log.error("mail_certificate_not_read", error=str(error))
        return self._context

    def _load(self) -> None:
        seen = tuple(file.stat().st_mtime for file in self._files)
        if seen == self._seen:
            return
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*self._files)
        self._context, self._seen = context, seen


class _Handler:
    """What the library asks about one connection; the names are the library's."""

    def __init__(self, reception: Reception) -> None:
        self._reception = reception
        self._wrong = 0

    async def handle_EHLO(  # noqa: N802 - the library's name
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, said: list[str]
    ) -> list[str]:
        """There is nothing to log in for."""
        session.host_name = hostname
        return [line for line in said if not line.startswith("250-AUTH")]

    async def handle_MAIL(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Here one mail begins, and is counted by itself."""
        if isinstance(server, _Connection):
            server.received = 0
        envelope.mail_from = address
        envelope.mail_options.extend(options)
        return "250 2.1.0 Ok"

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """One source a mail: what becomes of it has one answer. A sender's server sends it again."""
        if envelope.rcpt_tos:
            return "452 4.5.3 One recipient at a time. Send it again to the others."
        name, request = _addressed(address)
        try:
            self._reception.require_proven(name, request)
        except (NotFound, AuthFailed, BadInput):
            self._wrong += 1
            if self._wrong >= GUESSES and server.transport is not None:
                asyncio.get_running_loop().call_later(1, server.transport.close)
            return _NOBODY
        envelope.rcpt_tos.append(address)
        return "250 2.1.5 Ok"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - the library's name
        """Answered when the alert is on disk."""
        body = envelope.content
        name, request = _addressed(envelope.rcpt_tos[0], body if isinstance(body, bytes) else b"")
        try:
            await self._reception.take(name, request)
        except Unavailable as error:
            return _reply("451 4.3.0", str(error))
        except BadInput as error:
            return _reply("554 5.6.0", str(error))
        except (AuthFailed, NotFound):  # it was good a moment ago
            return _NOBODY
        return "250 2.0.0 Ok: stored"

    async def handle_exception(self, error: Exception) -> str:
        """A bug of ours is no reason to lose a mail."""
        log.error("mail_crashed", exc_info=error)
        return "451 4.3.0 Something is wrong in Jackline; see its log."


class _Connection(SMTP):
    """The library's server within limits of its whole connection."""

    line_length_limit = LINE

    def __init__(
        self, handler: _Handler, others: "set[_Connection]", host: str,
        tls: ssl.SSLContext | None,
    ) -> None:  # fmt: skip
        super().__init__(
            handler, data_size_limit=SIZE, enable_SMTPUTF8=True, hostname=host, ident="Jackline",
            tls_context=tls, require_starttls=tls is not None, timeout=IDLE,
            auth_exclude_mechanism=["LOGIN", "PLAIN"], command_call_limit=COMMANDS,
            loop=asyncio.get_running_loop(),
        )  # fmt: skip
        self._others = others
        self.received = 0
        self._end: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Called a second time when TLS begins."""
        super().connection_made(transport)
        self._others.add(self)
        if self._end is None:
            self._end = self.loop.call_later(LIFE, self.leave, b"421 4.4.2 Too long.\r\n")

    def connection_lost(self, error: Exception | None) -> None:
        self._others.discard(self)
        if self._end is not None:
            self._end.cancel()
        super().connection_lost(error)

    def data_received(self, data: bytes) -> None:
        """The library drains a mail that is too large to its end, and keeps a line that has none."""
        self.received += len(data)
        if self.received > BYTES:
            self.leave(b"552 5.3.4 Too much.\r\n")
        else:
            super().data_received(data)

    def leave(self, word: bytes) -> None:
        """Says it, and hangs up."""
        if isinstance(self.transport, asyncio.WriteTransport) and not self.transport.is_closing():
            self.transport.write(word)
            self.transport.close()
            self.loop.call_later(5, self.transport.abort)  # who reads nothing is not waited for


class _Busy(asyncio.Protocol):
    """Tells one more that there are enough."""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        if isinstance(transport, asyncio.WriteTransport):
            transport.write(b"421 4.3.2 Too many connections. Come again.\r\n")
            transport.close()


def _addressed(address: str, body: bytes = b"") -> tuple[str, RawRequest]:
    """``alarms+SECRET@…`` → the source, and a request that carries the secret and the mail."""
    name, _, secret = address.rpartition("@")[0].partition("+")
    return name.lower(), RawRequest({"authorization": f"Bearer {secret}"}, body)


def _reply(code: str, text: str) -> str:
    """One line of printable ASCII."""
    plain = "".join(c if " " <= c <= "~" else "?" for c in " ".join(text.split()))
    return f"{code} {plain[:_SHOWN]}"
