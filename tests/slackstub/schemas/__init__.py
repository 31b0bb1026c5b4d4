"""What Slack's own types say of a message's blocks and of a view: `blocks.json`, and how it is made."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

from jsonschema import Draft7Validator

HERE = Path(__file__).parent
Part = Literal["message", "modal", "home"]
_noted: list[str] = []


def note(part: Part, value: Any) -> None:
    """Keeps what is wrong: told when the stub stops, for the bot would get over a refusal."""
    _noted.extend(faults(part, value))


def noted() -> list[str]:
    """What was wrong since this was last asked."""
    found, _noted[:] = _noted[:], []
    return found


@cache
def _validator(part: Part) -> Draft7Validator:
    whole = json.loads((HERE / "blocks.json").read_text("utf-8"))
    return Draft7Validator(
        {**whole["definitions"]["Sent"]["properties"][part], "definitions": whole["definitions"]}
    )


def faults(part: Part, value: Any) -> list[str]:
    """Where `value` is not what Slack's types allow, each with its pointer."""
    if _validator(part).is_valid(value):  # far quicker than looking for what is wrong
        return []
    return [
        f"{part}: {_words(error)} [/{'/'.join(map(str, error.absolute_path))}]"
        for error in _validator(part).iter_errors(value)
    ]


def _words(error: Any) -> str:
    """The message of the alternative that came nearest."""
    best = min(
        error.context or [error], key=lambda e: (len(e.context or []), -len(e.absolute_path))
    )
    return str(best.message)[:300]
