"""What prints to a terminal: what strangers wrote is shown there, and never obeyed."""

import re
from typing import Any

from rich.console import Console
from rich.text import Text

# Controls (an escape sequence begins with one), and marks that turn the direction of what follows.
_OBEYED = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def harmless(text: str) -> str:
    """The text, without what a terminal would do and not show."""
    return _OBEYED.sub("\ufffd", text)


class Printer(Console):
    """A terminal retitles itself, moves or wipes lines for an alert's text that says so."""

    def render_str(self, text: str, **how: Any) -> Text:  # noqa: ANN401 - handed on as it is
        return super().render_str(harmless(text), **how)
