"""Where the platform team installs Jackline in a further workspace of Slack."""

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.catalog import Person
from bot.chat.console.desk import Desk
from bot.chat.console.sessions import over_https
from bot.chat.slack.installations import STATE_AGE
from bot.chat.slack.oauth import Installer, may_install
from bot.errors import NotFound

COOKIE, _PATH = "jackline_slack_install", "/slack"
_LONGEST = 1000  # of what Slack leads back with


async def install(desk: Desk, request: Request, person: Person) -> Response:
    """Off to Slack; the cookie is what shows afterwards that it was this browser."""
    address, state = await _installer(desk, person).begin(person)
    response = RedirectResponse(address, status_code=303)
    response.set_cookie(
        COOKIE, state, max_age=int(STATE_AGE.total_seconds()), path=_PATH, httponly=True,
        samesite="lax", secure=over_https(request),
    )  # fmt: skip
    return response


async def back(desk: Desk, request: Request, person: Person) -> Response:
    """Slack led back here. HEAD (a link preview) uses nothing up."""
    if request.method == "HEAD":
        return HTMLResponse()
    installer = _installer(desk, person)
    given = {n: request.query_params.get(n, "")[:_LONGEST] for n in ("state", "code", "error")}
    if not any(given.values()):
        return RedirectResponse("/slack/install", status_code=303)  # opened by hand
    done = await installer.finish(person, kept=request.cookies.get(COOKIE, ""), **given)
    response = HTMLResponse(desk.draw("installed.html", me=person, done=done))
    response.delete_cookie(COOKIE, path=_PATH, httponly=True, samesite="lax")
    return response


def _installer(desk: Desk, person: Person) -> Installer:
    may_install(person)
    if desk.installer is None:
        raise NotFound(
            "No Slack is connected, so Jackline cannot be installed in a workspace.",
            hint="Set JACKLINE_SLACK__BOT_TOKEN first: docs/slack.md says how.",
        )
    return desk.installer
