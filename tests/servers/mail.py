"""A relay that keeps the mail it is given: aiosmtpd in a thread of its own."""

import contextlib
import ssl
from collections.abc import Iterator
from dataclasses import dataclass, field
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, LoginPassword

from tests.servers.process import HOST, free_port, wait_for

USER, PASSWORD = "jackline", "mail-password"


@dataclass
class Mailbox:
    """`refuse` gives an answer to each RCPT, or to each DATA, instead of taking it."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    envelopes: list[tuple[str, list[str]]] = field(default_factory=list)
    refuse: dict[str, str] = field(default_factory=dict)
    cut: bool = False  # after the mail was taken, before the answer

    @property
    def url(self) -> str:
        return f"tcp://{HOST}:{self.port}"

    async def handle_RCPT(  # noqa: N802 - aiosmtpd's name
        self, server: SMTP, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if answer := self.refuse.get("RCPT"):
            return answer
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Any, envelope: Any) -> str:  # noqa: N802 - same
        if answer := self.refuse.get("DATA"):
            return answer
        mail = message_from_bytes(envelope.content, policy=policy.default)
        assert isinstance(mail, EmailMessage)
        self.mails.append(mail)
        self.envelopes.append((envelope.mail_from, envelope.rcpt_tos))
        if self.cut and server.transport is not None:
            server.transport.abort()
        return "250 kept as 1"

    def wait_for(self, count: int, timeout: float = 20) -> list[EmailMessage]:
        wait_for(
            lambda: len(self.mails) >= count, timeout=timeout, what=f"{count} mails ({self.mails})"
        )
        return self.mails


def _login(*_: Any) -> AuthResult:
    given = _[-1]
    good = isinstance(given, LoginPassword) and (given.login, given.password) == (
        USER.encode(), PASSWORD.encode(),
    )  # fmt: skip
    return AuthResult(success=good, handled=False)


@contextlib.contextmanager
def mailbox(tls: ssl.SSLContext | None = None, *, implicit: bool = False) -> Iterator[Mailbox]:
    """With a context: STARTTLS and a login are asked for; `implicit`: TLS from the first byte."""
    box = Mailbox(free_port())
    more: dict[str, Any] = {}
    if tls is not None and implicit:
        more = {"ssl_context": tls}
    elif tls is not None:
        more = {
            "tls_context": tls, "require_starttls": True, "authenticator": _login,
            "auth_required": True,
        }  # fmt: skip
    controller = Controller(box, hostname=HOST, port=box.port, ready_timeout=30, **more)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()
