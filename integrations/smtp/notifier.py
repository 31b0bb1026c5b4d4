"""Sends a notice as a mail. Nothing of it leaves before the relay has proved its name."""
# ruff: noqa: ARG002 - the contract gives every verb the same arguments, and not all are needed

import re
from contextlib import suppress
from typing import NoReturn

import aiosmtplib as smtp

from bot.contract import Connection, Notice, Receipt
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, Unknown

from .letter import letter
from .relay import session, words

_ADDRESS = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+-]{0,63}@[A-Za-z0-9][A-Za-z0-9.-]{0,190}")
_FOR_GOOD = 500  # from here on a relay's no is final
_SECONDS = 8.0  # for each answer of the relay


class Mail:
    """Mail through a relay."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """The relay's 250 is the receipt: whether the mail is read, SMTP cannot tell."""
        sender = connection.settings.get("from", "")
        for address, whose in ((to, "`to`"), (sender, "`from`")):
            if not _ADDRESS.fullmatch(address):
                raise Rejected(f"{whose} must be one mail address: {address[:80]!r} is none.")
        mail = letter(notice, to, sender)
        async with session(connection, sender, _SECONDS) as relay:
            try:
                await relay.mail(sender)
                await relay.rcpt(to)
            except smtp.SMTPException as error:
                _refused(connection, error)
            try:
                answer = await relay.data(mail)
            except smtp.SMTPResponseException as error:
                _refused(connection, error)
            except (smtp.SMTPException, OSError) as error:
                raise Unknown(
                    f"{connection.target} did not say whether it took the mail: {words(error)}."
                ) from error
            with suppress(smtp.SMTPException, OSError):
                await relay.quit(timeout=1)  # it has the mail already
        said = " ".join(answer.message.split())[:200]
        return Receipt(detail=f"the relay took it: {said}")

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """A relay tells nothing afterwards; the same Message-ID shows mail programs one mail."""
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """SMTP has no answer to that."""
        return None


def _refused(connection: Connection, error: smtp.SMTPException) -> NoReturn:
    """A no before the mail was taken. Without an answer nothing of the mail has left either."""
    said = f"{connection.target}: {words(error)}."
    if isinstance(error, smtp.SMTPResponseException):
        if error.code in {530, 535}:
            raise AuthFailed(said, hint="Set `username` and `password` of the target.") from error
        raise (Rejected if error.code >= _FOR_GOOD else Retryable)(said) from error
    raise NotSent(said) from error
