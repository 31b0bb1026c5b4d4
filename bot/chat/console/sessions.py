"""Sign-in that needs no SSO, no Slack and no database: signed links and a signed cookie.

Whoever can run `jackline signin` on the machine vouches for the person; the link is short-lived
and works once in this process. Who a person is and may do is read from the catalog each time.
"""

import secrets
import time
from collections.abc import Callable

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Catalog, Person
from bot.errors import NotAllowed

COOKIE = "jackline_session"
LINK_AGE, SESSION_AGE = 15 * 60, 12 * 3600


def signin_link(session_key: bytes, person_id: str, base_url: str) -> str:
    """A link that signs ``person_id`` in once, within 15 minutes. For `jackline signin`."""
    token = _serializer(session_key, "signin").dumps([person_id, secrets.token_urlsafe(12)])
    return f"{base_url.rstrip('/')}/signin?token={token}"


class Sessions:
    """Turns links into cookies and cookies into people."""

    def __init__(self, key: bytes, catalog: Callable[[], Catalog]) -> None:
        self.catalog = catalog
        self._links = _serializer(key, "signin")
        self._cookies = _serializer(key, "session")
        self._ended: dict[str, float] = {}  # used links and signed-out sessions → forget after

    def redeem(self, token: str) -> Person:
        """The person a link is for; the link is worth nothing afterwards. Raises `NotAllowed`."""
        try:
            person_id, nonce = self._links.loads(token, max_age=LINK_AGE)
        except SignatureExpired:
            raise NotAllowed("This sign-in link is too old.", hint="Ask for a new one.") from None
        except (BadSignature, ValueError, TypeError):
            raise NotAllowed("This is not a sign-in link.", hint="Ask for a new one.") from None
        if nonce in self._ended:
            raise NotAllowed("This sign-in link was used.", hint="Ask for a new one.")
        person = self.catalog().person(str(person_id))
        if person is None:
            raise NotAllowed(f"The catalog does not know {person_id!r}.")
        self._end(nonce, LINK_AGE)
        return person

    def start(self, request: Request, response: Response, person: Person) -> None:
        """Sets the cookie. Lax, since the link is followed from a terminal or another site."""
        value = self._cookies.dumps([person.id, secrets.token_urlsafe(12)])
        response.set_cookie(
            COOKIE, value, max_age=SESSION_AGE, path="/", httponly=True, samesite="lax",
            secure=request.url.scheme == "https",
        )  # fmt: skip

    def person(self, request: Request) -> Person | None:
        """Who is signed in, or None: no cookie, too old, signed out, or gone from the catalog."""
        found = self._read(request)
        return self.catalog().person(found[0]) if found and found[1] not in self._ended else None

    def stop(self, request: Request, response: Response) -> None:
        """Signs out: the cookie is dropped, and refused here even if somebody kept a copy."""
        if found := self._read(request):
            self._end(found[1], SESSION_AGE)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")

    def _read(self, request: Request) -> tuple[str, str] | None:
        try:
            person_id, nonce = self._cookies.loads(
                request.cookies.get(COOKIE, ""), max_age=SESSION_AGE
            )
        except (BadSignature, ValueError, TypeError):
            return None
        return str(person_id), str(nonce)

    def _end(self, nonce: str, seconds: float) -> None:
        moment = time.monotonic()
        self._ended = {n: until for n, until in self._ended.items() if until > moment}
        self._ended[nonce] = moment + seconds + 60


def _serializer(key: bytes, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt=salt)
