"""References to secrets in the catalog, resolved at the moment they are needed."""

import os
from pathlib import Path

from bot.errors import AuthFailed


def resolved(value: str) -> str:
    """``env:NAME`` and ``file:PATH`` give what they refer to; all else stands for itself.

    Raises `AuthFailed` naming the reference, never what it holds.
    """
    if value.startswith("env:"):
        return _from_environment(value.removeprefix("env:"))
    if value.startswith("file:"):
        path = Path(value.removeprefix("file:"))
        try:
            return path.read_text("utf-8").rstrip("\n")
        except (OSError, UnicodeDecodeError) as error:
            raise AuthFailed(
                f"The credential {value} cannot be read: {type(error).__name__}."
            ) from None
    return value


def resolved_header(value: str) -> str:
    """A header's value, with ``env:NAME`` at its end read from the environment."""
    head, mark, name = value.rpartition("env:")
    return head + _from_environment(name) if mark else value


def _from_environment(name: str) -> str:
    if name not in os.environ:
        raise AuthFailed(f"The credential env:{name} is not set.", hint=f"Set {name}.")
    return os.environ[name]
