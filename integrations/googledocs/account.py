"""A service account of Google's: its JSON key, and the token that the key gets for an hour (RFC 7523)."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import RSAKey

from bot.contract import Connection
from bot.contract.http import Api, an_object
from bot.errors import AuthFailed, Retryable

_SCOPE = "https://www.googleapis.com/auth/drive"  # drive.file does not let it into a shared folder
_GRANT = "urn:ietf:params:oauth:grant-type:jwt-bearer"
_LASTS = 600  # seconds that what we sign is good for; Google allows an hour
_TOKENS_AT = "https://oauth2.googleapis.com/token"
_SIGN_IN = Api(
    "Google's sign-in",
    words=lambda body: f"{body['error']}: {body.get('error_description', '')}",
    busy={429},
)
_HOW = (
    "Make a JSON key for the service account and put the whole file where key of the target points."
)


@dataclass(frozen=True)
class Account:
    """What a key file says; ``email`` is what folders are shared with."""

    email: str
    private_key: str = field(repr=False)
    key_id: str
    tokens_at: str

    async def token(self, connection: Connection) -> str:
        """Asked for over the same path. Raises `AuthFailed`, `NotSent`, `Retryable`."""
        form = {"grant_type": _GRANT, "assertion": self._signed()}
        answer = await _SIGN_IN.call(
            connection, "POST", self.tokens_at, data=form, accept={400, 401, 403}, once=False
        )
        if not answer.is_success:
            raise self._refused(answer)
        token = (an_object(answer) or {}).get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise Retryable("Google's sign-in answers without a token: a proxy may have answered.")
        return token

    def _signed(self) -> str:
        head = {"alg": "RS256", "typ": "JWT"} | ({"kid": self.key_id} if self.key_id else {})
        began = int(time.time())
        claims = {
            "iss": self.email, "scope": _SCOPE, "aud": self.tokens_at,
            "iat": began, "exp": began + _LASTS,
        }  # fmt: skip
        try:
            return jwt.encode(head, claims, RSAKey.import_key(self.private_key))
        except (JoseError, ValueError, TypeError) as error:  # their text may quote the key
            raise AuthFailed(
                "key of the target holds no private key that can be used.", hint=_HOW
            ) from error

    def _refused(self, answer: httpx.Response) -> AuthFailed:
        said = f"Google refuses the key of {self.email}: {_SIGN_IN.said(answer)}".rstrip(": ")
        return AuthFailed(
            said,
            hint="Look whether the key was deleted, and whether this machine's clock is right.",
        )


def account_of(settings: Mapping[str, str]) -> Account:
    """The key of the target's settings. Raises `AuthFailed`, which never quotes it."""
    try:
        found = json.loads(settings.get("key", ""))
        if found["type"] != "service_account":
            raise AuthFailed("key of the target is the key of no service account.", hint=_HOW)
        return Account(
            str(found["client_email"]), str(found["private_key"]),
            str(found.get("private_key_id") or ""), str(found.get("token_uri") or _TOKENS_AT),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError, RecursionError):
        raise AuthFailed("key of the target is no JSON key of Google's.", hint=_HOW) from None
