"""A notice as a text message, and as what a voice reads out. Pure."""

import re
from xml.sax.saxutils import escape

from bot.contract import Notice

_SMS = 480  # three segments of GSM-7; carriers drop what is much longer
_SPOKEN = 380  # as XML, twice, under the 4,000 of a call's script
_NOT_XML = re.compile(r"[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def sms(notice: Notice) -> str:
    """Subject and text, cut to three segments; a link stays whole."""
    asked = f"\nAcknowledge: {notice.link}" if notice.link else ""
    return _cut(f"{notice.subject}\n{notice.text}".strip(), _SMS - len(asked)) + asked


def twiml(notice: Notice) -> str:
    """The call's script: said twice, as people who wake up miss the first time."""
    spoken = _cut(" ".join(f"{notice.subject}. {notice.text}".split()), _SPOKEN)
    said = f"<Say>{escape(_NOT_XML.sub(' ', spoken))}</Say>"
    return f'<Response>{said}<Pause length="2"/>{said}</Response>'


def _cut(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1] + "…"
