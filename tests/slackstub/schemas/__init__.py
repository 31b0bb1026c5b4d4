"""What Slack's own types say of a message's blocks and of a view: `blocks.json`, and how it is made."""

import json
from functools import cache
from pathlib import Path
from typing import Any, Literal

import jsonschema_rs
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
def _schema(part: Part) -> dict[str, Any]:
    whole = json.loads((HERE / "blocks.json").read_text("utf-8"))
    return {
        **whole["definitions"]["Sent"]["properties"][part], "definitions": whole["definitions"]
    }  # fmt: skip


@cache
def _quick(part: Part) -> jsonschema_rs.Draft7Validator:
    """Asked for each message of each test; the other one, which has the words, takes 40 ms."""
    return jsonschema_rs.Draft7Validator(_schema(part))


def faults(part: Part, value: Any) -> list[str]:
    """Where `value` is not what Slack's types allow, each with its pointer."""
    if _quick(part).is_valid(value):
        return []
    found = Draft7Validator(_schema(part)).iter_errors(value)
    return [
        f"{part}: {_words(error)} [/{'/'.join(map(str, error.absolute_path))}]" for error in found
    ] or [f"{part}: refused by one reader of the schema, taken by the other"]


def _words(error: Any) -> str:
    """The message of the alternative that came nearest."""
    best = min(
        error.context or [error], key=lambda e: (len(e.context or []), -len(e.absolute_path))
    )
    return str(best.message)[:300]
