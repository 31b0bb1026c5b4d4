"""Structured logs: static event names, ids as fields, secrets never.

The context (``incident_id``, ``run_id``) is bound once where the work starts, with
``structlog.contextvars``, and every line below it carries it.
"""

import logging
import re
import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

_SECRET_NAME = re.compile(r"(token|secret|password|authorization|cookie|api_?key)", re.IGNORECASE)
_SECRET_VALUE = re.compile(
    r"\b(xox[abeoprs]-|xapp-)[A-Za-z0-9-]+|(?i:bearer)\s+[A-Za-z0-9._~+/=-]+"
    r"|(?<=://)[^/\s:@]*:[^/\s@]+(?=@)"  # the user and password of an address
)


def redact_text(text: str) -> str:
    """Replaces what looks like a credential inside free text."""
    return _SECRET_VALUE.sub("[redacted]", text)


def _redact(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    for key, value in event.items():
        if _SECRET_NAME.search(key):
            event[key] = "[redacted]"
        elif isinstance(value, str):
            event[key] = redact_text(value)
    return event


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
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    logging.basicConfig(level=logging.WARNING, stream=sys.stderr, format="%(name)s: %(message)s")


def get(name: str) -> Any:  # noqa: ANN401 - structlog's loggers have no useful static type
    """A logger named after the room it belongs to."""
    return structlog.get_logger(room=name)
