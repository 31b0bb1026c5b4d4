"""Errors as ``application/problem+json`` (RFC 9457): never a traceback, never a 500 for bad input."""

from collections.abc import Mapping
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.exceptions import HTTPException

from bot.errors import (
    AuthFailed,
    BadInput,
    Conflict,
    JacklineError,
    NotAllowed,
    NotFound,
    Unavailable,
)
from bot.log import get

log = get("web")
DESCRIBED: dict[int | str, dict[str, Any]] = {  # for OpenAPI: whatever is not a success
    "default": {
        "description": "What is wrong, where, and what to do (RFC 9457).",
        "content": {
            "application/problem+json": {
                "schema": {
                    "type": "object",
                    "required": ["type", "status", "title", "detail"],
                    "properties": {
                        "type": {"type": "string"},
                        "status": {"type": "integer"},
                        "title": {"type": "string"},
                        "detail": {"type": "string"},
                        "field": {"type": "string"},
                    },
                }
            }
        },
    }
}
_STATUS: tuple[tuple[type[JacklineError], int], ...] = (
    (NotAllowed, 403),
    (AuthFailed, 401),
    (BadInput, 400),
    (NotFound, 404),
    (Conflict, 409),
    (Unavailable, 503),
)


def problem(
    status: int,
    title: str,
    detail: str,
    *,
    field: str = "",
    headers: Mapping[str, str] | None = None,
) -> JSONResponse:
    """One problem document; 503 says when to come back, 401 how to prove oneself."""
    body = {"type": "about:blank", "status": status, "title": title, "detail": detail}
    if field:
        body["field"] = field
    known = {503: {"Retry-After": "5"}, 401: {"WWW-Authenticate": "Bearer"}}.get(status, {})
    return JSONResponse(
        body, status, headers={**known, **(headers or {})}, media_type="application/problem+json"
    )


def status_of(error: JacklineError) -> int:
    """The HTTP status that says what the error says."""
    return next((status for kind, status in _STATUS if isinstance(error, kind)), 500)


def install(app: FastAPI) -> None:
    """Has every error of the app answered as a problem document."""

    async def answer(request: Request, error: Exception) -> JSONResponse:
        return problem_of(error, request.url.path)

    for kind in (JacklineError, HTTPException, DBAPIError, PoolTimeout, OSError,
                 RequestValidationError, Exception):  # fmt: skip
        app.add_exception_handler(kind, answer)


def problem_of(error: Exception, path: str) -> JSONResponse:
    """An error as a problem document; what is a bug of ours, or the database's, is in the log."""
    match error:
        case JacklineError():
            return problem(status_of(error), type(error).__name__, str(error), field=error.field)
        case HTTPException():
            return problem(
                error.status_code, "HTTP error", str(error.detail), headers=error.headers
            )
        case RequestValidationError():
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            return problem(400, "Bad request", f"{field}: {first['msg']}", field=field)
        case IntegrityError() | DataError() | ProgrammingError():
            pass
        # No bug: worth asking again. An OSError is also that the database's name is not found.
        case DBAPIError() | PoolTimeout() | OSError():
            log.error("database_away", path=path, error=str(error))
            return problem(503, "Unavailable", "The database does not answer. Ask again.")
    log.error("request_crashed", path=path, exc_info=error)
    return problem(500, "Jackline's fault", "Something is wrong in Jackline; see its log.")
