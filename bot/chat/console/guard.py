"""What stands before every page: session, same-origin check, security headers, words for errors."""

import asyncio
from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.errors import (
    BadInput,
    Conflict,
    JacklineError,
    NotAllowed,
    NotFound,
    Unavailable,
)
from bot.log import get

log = get("console")
Open = Callable[[Desk, Request], Awaitable[Response]]
Private = Callable[[Desk, Request, Person], Awaitable[Response]]
Endpoint = Callable[[Request], Awaitable[Response]]
PATIENCE = 30.0  # seconds for an answer: no page of ours takes so long by itself
DRAWING = 120.0  # the same, where a document is drawn: a PDF is given up after 90
_STATUS = (
    (NotAllowed, 403), (BadInput, 422), (NotFound, 404), (Conflict, 409), (Unavailable, 503),
)  # fmt: skip
_CSP = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
# Not `no-referrer`: under that policy browsers send `Origin: null` with our own forms.
_HEADERS = {
    "Content-Security-Policy": _CSP,
    "X-Frame-Options": "DENY",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


def private(desk: Desk, handler: Private, *, drawn: bool = False) -> Endpoint:
    """A page for signed-in people only. ``drawn``: a document, which may take its time."""

    async def behind(desk: Desk, request: Request) -> Response:
        person = await desk.person(request)
        return _sign_in(request) if person is None else await handler(desk, request, person)

    return open_to_all(desk, behind, drawn=drawn)


def open_to_all(desk: Desk, handler: Open, *, drawn: bool = False) -> Endpoint:
    """A page that needs no session; everything else is as strict."""

    async def endpoint(request: Request) -> Response:
        response = await _answer(desk, handler, request, DRAWING if drawn else PATIENCE)
        for name, value in _HEADERS.items():
            response.headers.setdefault(name, value)
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return endpoint


def by_htmx(request: Request) -> bool:
    """Whether htmx asked, and so wants a fragment and not a page."""
    return request.headers.get("hx-request") == "true"


async def _answer(desk: Desk, handler: Open, request: Request, seconds: float) -> Response:
    try:
        if request.method == "POST":
            _same_origin(request)
        async with asyncio.timeout(seconds):  # a database may hang, too
            return await handler(desk, request)
    except JacklineError as error:
        return _problem(desk, request, error)
    except OverflowError:
        return _problem(desk, request, BadInput("There is no such number."))
    except (DBAPIError, PoolTimeout, OSError) as error:
        log.error("console_store_away", path=request.url.path, error=_why(error))
        away = Unavailable("The database does not answer.", hint="Try again in a moment.")
        return _problem(desk, request, away)


def _why(error: Exception) -> str:
    """In the driver's words: SQLAlchemy's hold what was to be written, passwords' hashes as well."""
    return str(getattr(error, "orig", error))


def _same_origin(request: Request) -> None:
    """Refuses a form that another site sent. Raises `NotAllowed`."""
    source = request.headers.get("origin") or request.headers.get("referer", "")
    host = request.headers.get("host", "")
    try:
        own = bool(host) and urlsplit(source).netloc.lower() == host.lower()
    except ValueError:  # such as http://[
        own = False
    if not own:
        raise NotAllowed("This came from another site.", hint="Open the console and try there.")


def _sign_in(request: Request) -> Response:
    if by_htmx(request):
        return Response(status_code=401, headers={"HX-Redirect": "/signin"})
    return RedirectResponse("/signin", status_code=303)


def _problem(desk: Desk, request: Request, error: JacklineError) -> Response:
    status = next((code for kind, code in _STATUS if isinstance(error, kind)), 502)
    if by_htmx(request):
        body = desk.draw("toast.html", message=error.message, hint=error.hint, good=False)
        keep = {} if request.method == "POST" else {"HX-Reswap": "none"}
        return HTMLResponse(body, status, headers=keep)
    page = desk.draw(
        "problem.html", me=desk.sessions.person(request), message=error.message, hint=error.hint
    )
    return HTMLResponse(page, status)
