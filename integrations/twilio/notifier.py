"""Sends a notice as a text message, or reads it out in a call."""

import re
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from bot.contract import Connection, Notice, Receipt
from bot.errors import Rejected, Unknown

from .api import create, fetch, listed
from .words import sms, twiml

_TO = re.compile(r"(sms|voice):(\+[1-9][0-9]{6,14})")
_NUMBER = re.compile(r"\+[1-9][0-9]{6,14}")
_ARRIVED = {"delivered", "read", "completed"}
_LOST = {"undelivered", "failed", "canceled", "busy", "no-answer"}
_KIND = {"SM": "Messages", "MM": "Messages", "CA": "Calls"}
_EARLIER = timedelta(minutes=1)  # clocks differ


class Phone:
    """A phone: ``sms:+4930…`` or ``voice:+4930…``."""

    async def notify(self, notice: Notice, to: str, connection: Connection) -> Receipt:
        """Twilio queues it; `confirm` reads what became of it."""
        how, number = _split(to)
        sender = _sender(connection)
        if how == "sms":
            form = {"To": number, "From": sender, "Body": sms(notice)}
            made = await create(connection, "Messages", form)
        else:
            form = {"To": number, "From": sender, "Twiml": twiml(notice), "Timeout": "45"}
            made = await create(connection, "Calls", form)
        return _receipt(made)

    async def find(self, notice: Notice, to: str, connection: Connection) -> Receipt | None:
        """A text message is known by its words; a call since then may be ours or not."""
        how, number = _split(to)
        if how == "sms":
            found = await listed(connection, "Messages", To=number, From=_sender(connection))
            ours = [m for m in found if m.get("body") == sms(notice)]
            return _receipt(ours[0]) if ours else None
        # by their own times: Twilio's filter has whole days, and leaves out what has not begun yet
        found = await listed(connection, "Calls", To=number, From=_sender(connection))
        if any(_since(call, notice.at - _EARLIER) for call in found):
            raise Unknown("Twilio called that number since; whether for this, it cannot tell.")
        return None

    async def confirm(self, receipt: Receipt, connection: Connection) -> bool | None:
        """What Twilio knows by now: arrived, lost, or on its way."""
        kind = _KIND.get(receipt.reference[:2])
        if kind is None:
            return None
        return _arrived(str((await fetch(connection, kind, receipt.reference)).get("status")))


def _split(to: str) -> tuple[str, str]:
    found = _TO.fullmatch(to)
    if found is None:
        raise Rejected(f"`to` must be sms:+… or voice:+…: {to[:80]!r} is neither.")
    return found[1], found[2]


def _sender(connection: Connection) -> str:
    sender = connection.settings.get("from", "")
    if not _NUMBER.fullmatch(sender):
        raise Rejected("from of the target must be a number of the account, such as +15005550006.")
    return sender


def _since(call: dict[str, Any], at: datetime) -> bool:
    """Whether it was asked for at that time or later; one that does not say may have been."""
    try:
        made = parsedate_to_datetime(str(call.get("date_created")))
    except ValueError:
        return True
    return made.replace(tzinfo=made.tzinfo or UTC) >= at


def _receipt(made: dict[str, object]) -> Receipt:
    status = str(made.get("status"))
    return Receipt(
        confirmed=_arrived(status),
        reference=str(made.get("sid") or ""),
        detail=f"Twilio: {status}",
    )


def _arrived(status: str) -> bool | None:
    return True if status in _ARRIVED else False if status in _LOST else None
