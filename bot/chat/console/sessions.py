"""Sign-in that needs no SSO, no Slack and no database: signed links and a signed cookie.

Whoever can run `jackline signin` on the machine vouches for the person; the link is short-lived
and works once in this process. Who a person is and may do is read from the catalog each time.
Sign-in with a password and a code (`passwords.py`) ends in the same cookie.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from itsdangerous import BadSignature, SignatureExpired, URLSafeTimedSerializer
from starlette.requests import Request
from starlette.responses import Response

from bot.catalog import Catalog, Person
from bot.errors import NotAllowed
from bot.store import now

COOKIE = "jackline_session"
LINK_AGE, SESSION_AGE = 15 * 60, 12 * 3600


def signin_link(session_key: bytes, person_id: str, base_url: str) -> str:
    """A link that signs ``person_id`` in once, within 15 minutes. For `jackline signin`."""
    token = _serializer(session_key, "signin").dumps([person_id, secrets.token_urlsafe(12)])
    return f"{base_url.rstrip('/')}/signin?token={token}"


@dataclass(frozen=True)
class Session:
    """What a cookie says."""

    person_id: str
    nonce: str
    began: float  # seconds of the epoch
    by_link: bool


class Sessions:
    """Turns links into cookies and cookies into people.

    ``since`` says of a person which sessions have ended: those begun before it, in seconds of the
    epoch.
    """

    def __init__(
        self, key: bytes, catalog: Callable[[], Catalog], since: Callable[[str], float]
    ) -> None:
        self.catalog = catalog
        self.since = since
        self._links = _serializer(key, "signin")
        self._cookies = _serializer(key, "session")
        self._ended: dict[str, float] = {}  # used links and signed-out sessions → forget after

    def redeem(self, token: str) -> tuple[Person, float]:
        """The person a link is for, and when it was made, in seconds of the epoch.

        The link is worth nothing afterwards. Raises `NotAllowed`.
        """
        try:
            (person_id, nonce), made = _opened(self._links, token, LINK_AGE)
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
        return person, made

    def start(self, request: Request, response: Response, person: Person, *, by_link: bool) -> None:
        """Sets the cookie. Lax, since the link is followed from a terminal or another site."""
        # another replica's clock may be ahead of ours: not ended before it began
        began = max(now().timestamp(), self.since(person.id))
        value = self._cookies.dumps([person.id, secrets.token_urlsafe(12), began, by_link])
        response.set_cookie(
            COOKIE, value, max_age=SESSION_AGE, path="/", httponly=True, samesite="lax",
            secure=over_https(request),
        )  # fmt: skip

    def person(self, request: Request) -> Person | None:
        """Who is signed in, or None: no session, ended by ``since``, or gone from the catalog."""
        found = self.read(request)
        if found is None or found.began < self.since(found.person_id):
            return None
        return self.catalog().person(found.person_id)

    def stop(self, request: Request, response: Response) -> None:
        """Signs out: the cookie is dropped, and refused here even if somebody kept a copy."""
        if found := self.read(request):
            self._end(found.nonce, SESSION_AGE)
        response.delete_cookie(COOKIE, path="/", httponly=True, samesite="lax")

    def read(self, request: Request) -> Session | None:
        """The request's session, or None: no cookie, not ours, too old, or signed out."""
        try:
            found = Session(
                *_opened(self._cookies, request.cookies.get(COOKIE, ""), SESSION_AGE)[0]
            )
        except (BadSignature, ValueError, TypeError):
            return None
        return None if found.nonce in self._ended else found

    def _end(self, nonce: str, seconds: float) -> None:
        moment = time.monotonic()
        self._ended = {n: until for n, until in self._ended.items() if until > moment}
        self._ended[nonce] = moment + seconds + 60


def over_https(request: Request) -> bool:
    """Whether the browser came by https, which usually ends at a proxy before us.

    Only its own cookie becomes stricter by the header, so whoever sends it may.
    """
    outside = request.headers.get("x-forwarded-proto", "").partition(",")[0].strip().lower()
    return "https" in (request.url.scheme, outside)


def _opened(serializer: URLSafeTimedSerializer, token: str, longest: float) -> tuple[Any, float]:
    """What was signed, and when, in seconds of the epoch.

    The library refuses what was signed a second ahead of our clock. But clocks differ between
    replicas and the machine of `jackline signin`, and they are set back: then nobody could come in.
    """
    found, made = serializer.loads(token, return_timestamp=True)
    if abs(time.time() - made.timestamp()) > longest:
        raise SignatureExpired("too long ago, or ahead")
    return found, made.timestamp()


def _serializer(key: bytes, salt: str) -> URLSafeTimedSerializer:
    return URLSafeTimedSerializer(key, salt=salt)
