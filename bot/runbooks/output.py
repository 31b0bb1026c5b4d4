"""What a step gave back, as text for people. Pure."""

import json
from typing import Any

_SHORT = 240  # characters


def words(out: dict[str, Any]) -> str:
    """A line for each value, by name; one of several lines stands below its name, as it came, last."""
    texts = {name: _text(value) for name, value in sorted(out.items())}
    lines = [f"{name}: {text}" for name, text in texts.items() if "\n" not in text]
    lines += [f"{name}:\n{text.rstrip()}" for name, text in texts.items() if "\n" in text]
    return "\n".join(lines)


def _text(value: Any) -> str:  # noqa: ANN401 - any JSON
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def one_line(out: dict[str, Any]) -> str:
    """The same with commas."""
    return ", ".join(words(out).splitlines())


def is_long(out: dict[str, Any]) -> bool:
    """Whether it is more than a line of the run's message can hold: it then has a message of its own."""
    return len(words(out)) > _SHORT or any(
        isinstance(value, str) and "\n" in value.strip() for value in out.values()
    )
