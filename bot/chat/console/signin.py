"""The pages by which people come in, and where they set up their password and code."""

import re

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.catalog import Person
from bot.chat.console import factors
from bot.chat.console.desk import Desk
from bot.chat.console.posts import word
from bot.chat.console.sessions import Session
from bot.errors import BadInput, NotAllowed
from bot.store import now

_PLAIN = re.compile(r"[a-z0-9_.-]{0,63}")
_SEAL_AGE = 30 * 60  # seconds that a set-up page may stay open


async def signin(desk: Desk, request: Request) -> Response:
    """Follows a sign-in link, or shows the form. HEAD (a link preview) uses nothing up."""
    token = request.query_params.get("token", "")
    if not token or request.method == "HEAD":
        return _form(desk, await desk.person(request))
    if len(token) > 1000:  # noqa: PLR2004 - far longer than any link of ours
        raise BadInput("This is not a sign-in link.")
    person, made = desk.sessions.redeem(token)
    await desk.passwords.look(person.id)
    if made + 1 <= desk.passwords.since(person.id):  # a link tells whole seconds alone
        raise NotAllowed(
            "This sign-in link is older than the end of your sessions.", hint="Ask for a new one."
        )
    return _let_in(desk, request, person, by_link=True)


async def enter(desk: Desk, request: Request) -> Response:
    """The form with person, password and code."""
    form = await request.form()
    who = word(form, "person").strip().lower()  # phones begin with a capital
    try:
        person = await desk.passwords.prove(
            who, word(form, "password"), word(form, "code"), signing_in=True
        )
    except NotAllowed as error:
        return _form(desk, None, who, error)
    return _let_in(desk, request, person, by_link=False)


async def own(desk: Desk, request: Request, person: Person) -> Response:
    """Where a person sets up a password and a code; each time with a secret of its own."""
    seal = desk.passwords.seals.sealed(factors.new_secret(), person.id)
    return await _own(desk, _session(desk, request), person, seal)


async def set_up(desk: Desk, request: Request, person: Person) -> Response:
    """Stores both, once the app's first code shows that it has the secret."""
    form, session = await request.form(), _session(desk, request)
    seal, password = word(form, "seal"), word(form, "password")
    secret = desk.passwords.seals.opened(seal, person.id, _SEAL_AGE)
    if secret is None:
        raise BadInput("The page is out of date.", hint="Open it again, and scan the new picture.")
    try:
        factors.check_password(password, word(form, "again"), person)
        step = factors.first_step(secret, word(form, "code"), now())
        if not session.by_link:
            await desk.passwords.prove(person.id, word(form, "present"), word(form, "present_code"))
        await desk.passwords.set_up(
            person, password, seal, step, began=session.began, by_link=session.by_link
        )
    except BadInput as error:
        return await _own(desk, session, person, seal, error)
    response = RedirectResponse("/me/signin", status_code=303)
    desk.sessions.start(request, response, person, by_link=False)
    return response


def _session(desk: Desk, request: Request) -> Session:
    session = desk.sessions.read(request)
    if session is None:  # signed out since the guard looked
        raise NotAllowed("This session has ended.", hint="Sign in again.")
    return session


def _let_in(desk: Desk, request: Request, person: Person, *, by_link: bool) -> Response:
    response = RedirectResponse("/", status_code=303)
    desk.sessions.start(request, response, person, by_link=by_link)
    return response


def _form(
    desk: Desk, person: Person | None, who: str = "", problem: NotAllowed | None = None
) -> Response:
    known = who if _PLAIN.fullmatch(who) else ""
    page = desk.draw("signin.html", me=person, who=known, problem=problem)
    return HTMLResponse(page, 403 if problem else 200)


async def _own(
    desk: Desk, session: Session, person: Person, seal: str, problem: BadInput | None = None
) -> Response:
    secret = desk.passwords.seals.opened(seal, person.id) or ""
    kept = await desk.passwords.kept(person)
    address = factors.address_of(secret, person)
    page = desk.draw(
        "own_signin.html", me=person, problem=problem, seal=seal, address=address,
        secret=" ".join(re.findall(".{4}", secret)), picture=factors.picture_of(address),
        since=kept.since if kept else None, by_link=session.by_link,
    )  # fmt: skip
    status = 200 if problem is None else 403 if isinstance(problem, NotAllowed) else 422
    return HTMLResponse(page, status)
