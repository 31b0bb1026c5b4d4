"""Regular expressions out of the catalog, by RE2: linear in the text, so none can hold Jackline up."""

from collections.abc import Mapping
from functools import lru_cache
from typing import Any

import re2

from bot.errors import BadInput

MAX_EXPRESSION = 1_000  # characters
_MEMORY = 1 << 20  # bytes that a compiled one may take


@lru_cache(maxsize=256)
def compiled(name: str, text: str) -> Any:  # noqa: ANN401 - the library has no types
    """The setting's expression. Raises `BadInput` whose field is the setting."""
    if len(text) > MAX_EXPRESSION:
        raise BadInput(f"longer than {MAX_EXPRESSION} characters", field=name)
    options = re2.Options()
    options.max_mem = _MEMORY
    options.log_errors = False
    try:
        return re2.compile(text, options)
    except re2.error as error:
        said = error.args[0] if error.args else error
        reason = said.decode("utf-8", "replace") if isinstance(said, bytes) else str(said)
        raise BadInput(f"no expression that RE2 takes: {reason}"[:300], field=name) from None


def groups(name: str, settings: Mapping[str, str], text: str) -> dict[str, str]:
    """What the named groups of a setting's expression find; nothing where it does not fit."""
    if name not in settings:
        return {}
    found = compiled(name, settings[name]).search(text)
    return {k: v.strip() for k, v in found.groupdict().items() if v} if found else {}


def fits(name: str, settings: Mapping[str, str], text: str) -> bool:
    """Whether a setting's expression is found in the text."""
    return compiled(name, settings[name]).search(text) is not None
