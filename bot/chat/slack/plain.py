"""What Slack sends of what was typed, as it was typed: addresses and signs unescaped. Pure."""

import re

_ADDRESS = re.compile(r"<((?:https?://|mailto:)[^\s<>|]+)(?:\|([^<>]*))?>")


def plain(text: str) -> str:
    """Mentions stay as they are: they say who is meant, which no name does."""
    text = _ADDRESS.sub(_typed, text)
    return text.replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")


def _typed(match: re.Match[str]) -> str:
    """``<mailto:a@b|a@b>`` is an address that was typed without its scheme."""
    address = match[1].removeprefix("mailto:")
    return match[2] if match[2] and match[1].startswith("mailto:") else address
