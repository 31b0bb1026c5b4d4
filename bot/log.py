"""Structured logs: static event names, ids as fields, secrets never.

The context (``incident_id``, ``run_id``) is bound once where the work starts, with
``structlog.contextvars``, and every line below it carries it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from contextlib import suppress
from typing import Any, TextIO, cast

import structlog

_SECRET_NAME = re.compile(r"(token|secret|password|authorization|cookie|api_?key)", re.IGNORECASE)
_SHORTEST = 6  # characters of a credential that is cut out by its text
_SECRET_VALUE = re.compile(
    r"\b(xox[abeoprs]-|xapp-)[A-Za-z0-9-]+|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # the user and password of an address
)
_HINTS = (
    "xox",
    "xapp-",
    "bearer",
    "://",
)  # in lower case; without one of them nothing looks like that

_known: set[str] = set()  # credentials that this process has used


def keep_secret(value: str) -> None:
    """Has a credential cut out of all that is written from now on, as a server may echo it.

    Of one under six characters nothing is cut: it would be found in ordinary words.
    """
    if len(value) >= _SHORTEST:
        _known.add(value)


def redact_text(text: str) -> str:
    """Replaces what is known to be a credential, or looks like one, inside free text."""
    for secret in sorted((each for each in _known if each in text), key=len, reverse=True):
        text = text.replace(secret, "[redacted]")
    lower = text.lower()
    if any(hint in lower for hint in _HINTS):
        text = _SECRET_VALUE.sub("[redacted]", text)
    return text


def redacted(value: Any) -> Any:  # noqa: ANN401 - JSON of any shape
    """JSON with the credentials in its texts replaced."""
    if isinstance(value, str):
        return redact_text(value)
    if isinstance(value, dict):
        return {redact_text(str(k)): redacted(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [redacted(v) for v in value]
    return value


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_NAME.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = redact_text(value)
    return event


class _Unfailing:
    """Where lines go; one that cannot be written, as on a full disk, is lost and ends nobody's work.

    A worker that could not say what failed ended with that, and Jackline with it.
    """

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> None:
        """Writes, or not."""
        with suppress(OSError, ValueError):  # the disk is full, who read it is gone, it is closed
            self._stream.write(text)

    def flush(self) -> None:
        """As `write`."""
        with suppress(OSError, ValueError):
            self._stream.flush()


def configure(level: str = "info", *, as_json: bool | None = None) -> None:
    """Sends logs to stderr: JSON for machines, coloured lines for a terminal."""
    machine = not sys.stderr.isatty() if as_json is None else as_json
    renderer: Any = (
        structlog.processors.JSONRenderer() if machine else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            _redact,
            renderer,
        ],
        wrapper_class=structlog.make_filtering_bound_logger(
            logging.getLevelNamesMapping()[level.upper()]
        ),
        logger_factory=structlog.PrintLoggerFactory(cast("TextIO", _Unfailing(sys.stderr))),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def get(name: str) -> Any:  # noqa: ANN401 - structlog's loggers have no useful static type
    """A logger named after the room it belongs to."""
    return structlog.get_logger(room=name)
