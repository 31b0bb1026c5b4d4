"""A mail as it came, into its subject, sender, time and text: whatever is wrong with it.

Python's parser copes with nearly everything; what it would take too long for is refused or cut first.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email import message_from_bytes
from email.errors import MessageError
from email.header import decode_header
from email.message import Message
from email.utils import parseaddr, parsedate_to_datetime
from html import unescape

import re2

from bot.errors import BadInput

MAX_PARTS = 100
MAX_BORDERS = 2_000  # lines that may begin a part; some only look so
MAX_LOOKS = 2_000_000
MAX_HEADER = 50_000  # characters of one header
MAX_TEXT = 64 * 1024  # bytes of the text that is read
_READ_HEADER = 2_000  # characters of a header that is read
_MAX_ADDRESS = 320
# Not idna, punycode or unicode_escape, nor what is no character set at all: they take forever.
_CHARSET = re.compile(
    r"(utf[-_]?(8|16|32)([-_]?[bl]e)?|(us-)?ascii|iso-?8859[-_]\d{1,2}|iso-2022-\w{2}|latin[-_]?\d"
    r"|windows-?\d{3,4}|cp\d{3,4}|koi8-\w|gb\w{1,6}|big5|euc[-_]\w{2}|shift[-_]?jis)",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Mail:
    """What a person would see. ``at`` is None where the mail has no time that is one."""

    subject: str
    sender: str
    at: datetime | None
    text: str


def read(body: bytes) -> Mail:
    """Raises `BadInput` where there is too much of it to look through."""
    _require_little(body)
    try:
        return _read(message_from_bytes(body))
    except (MessageError, ValueError, LookupError, TypeError, RecursionError) as error:
        text = f"The mail cannot be read: {type(error).__name__}."
        raise BadInput(text, field="$") from None


def _require_little(body: bytes) -> None:
    """Parts may lie in each other, and then each line is compared with the borders of all."""
    parts = body.lower().count(b"content-type:")
    looks = parts * body.count(b"\n")
    if parts > MAX_PARTS or body.count(b"\n--") > MAX_BORDERS or looks > MAX_LOOKS:
        text = f"Field Content-Type: too many parts: {parts}, of at most {MAX_PARTS}, less in a long mail."
        raise BadInput(text, field="Content-Type")


def _read(message: Message) -> Mail:
    for part in message.walk():
        for name, value in part.raw_items():
            if len(value) > MAX_HEADER:
                text = f"Field {name[:60]}: longer than {MAX_HEADER} characters."
                raise BadInput(text, field=name[:60] or "$")
    return Mail(
        subject=_one_line(_decoded(_header(message, "subject"))),
        sender=_one_line(_sender(_header(message, "from"))),
        at=_time(_header(message, "date")),
        text=_text(message).strip(),
    )


def _header(message: Message, name: str) -> str:
    """As it was sent, also in UTF-8 without the ceremony."""
    raw = next((str(v) for k, v in message.raw_items() if k.lower() == name), "")
    return raw[:_READ_HEADER].encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def _decoded(header: str) -> str:
    try:
        parts = decode_header(header)
    except (MessageError, ValueError):
        return header
    return "".join(
        part if isinstance(part, str) else _characters(part, charset or "utf-8")
        for part, charset in parts
    )


def _sender(header: str) -> str:
    """The address alone: names change."""
    return parseaddr(header[:_MAX_ADDRESS])[1] or header


def _time(header: str) -> datetime | None:
    try:
        at = parsedate_to_datetime(header)
        return (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _text(message: Message) -> str:
    """The plain text, or else the HTML's; of attachments nothing."""
    parts = [
        part
        for part in message.walk()
        if not part.is_multipart() and part.get_content_disposition() != "attachment"
    ]
    for kind in ("text/plain", "text/html"):
        for part in parts:
            if part.get_content_type() == kind and (text := _content(part)).strip():
                return _seen(text) if kind == "text/html" else text
    return ""


def _content(part: Message) -> str:
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes):
        return ""
    charset = part.get_param("charset", "utf-8")
    return _characters(payload[:MAX_TEXT], charset if isinstance(charset, str) else "utf-8")


def _characters(text: bytes, charset: str) -> str:
    known = charset if _CHARSET.fullmatch(charset.strip()) else "utf-8"
    try:
        return text.decode(known.strip(), "replace")
    except LookupError:
        return text.decode("utf-8", "replace")


def _one_line(text: str) -> str:
    return " ".join(text.split())


# RE2, as Python's own parser and expressions take quadratic time for some of it.
_INVISIBLE = re2.compile(
    r"(?is)<!--.*?-->|<script\b.*?</script[^<>]*>|<style\b.*?</style[^<>]*>|<head\b.*?</head[^<>]*>"
)
_LINK = re2.compile(r"""(?is)<a\b[^<>]*\bhref\s*=\s*["']?(https?://[^"'\s<>]+)[^<>]*>""")
_BREAK = re2.compile(r"(?i)</?(?:br|div|h[1-6]|li|p|table|tr)\b[^<>]*>")
_TAG = re2.compile(r"</?[a-zA-Z!?][^<>]*>")


def _seen(html: str) -> str:
    """What people would see of it, and where its links lead."""
    text = _LINK.sub(r" \1 ", _INVISIBLE.sub(" ", html))
    text = unescape(_TAG.sub(" ", _BREAK.sub("\n", text)))
    return "\n".join(line for each in text.splitlines() if (line := _one_line(each)))
