"""The YAML at the head of a postmortem's Markdown, taken off and read. Pure."""

import re
from typing import Any

import yaml

_FRONT = re.compile(r"---\n(.*?)\n---(?:\n|\Z)", re.DOTALL)


def cut(markdown: str) -> tuple[str, str]:
    """The front matter's YAML and the body; "" where there is none."""
    text = markdown.replace("\r\n", "\n")
    found = _FRONT.match(text)
    return (found[1], text[found.end() :]) if found else ("", text)


def read(front: str) -> dict[str, Any]:
    """What it says; nothing where it is no YAML, or no mapping."""
    try:
        found = yaml.safe_load(front)
    except (yaml.YAMLError, ValueError, RecursionError):  # a date that never was is a ValueError
        return {}
    return found if isinstance(found, dict) else {}
