"""One request to an HTTP API over the access path, and what its failure means: the same for all.

Every failure is one of `bot.errors`, in words that name the API and say what it said, cut to a
bound; nothing of what was sent is in them.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import httpx

from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown

if TYPE_CHECKING:
    from bot.contract import Connection

_NEVER_LEFT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout, httpx.ProxyError)
_WORDS = 400  # characters of an API's own words
_FAULT = 500  # and above: not what was asked is wrong, but who was asked
_BODY = 200  # characters of a body that has none
_SECOND = re.compile(r"[1-9][0-9]{9}")  # since 1970; what is shorter counts from now
_LONGEST = 86_400.0  # seconds that a server may ask us to wait


@dataclass(frozen=True)
class Api:
    """How one API is spoken of, and which of its statuses mean what.

    ``hint`` is for a refused credential, ``hints`` for other statuses; ``words`` takes the API's
    own words out of the JSON of a refusal. By a ``busy`` status it asks to come back, having done
    nothing, after ``pause`` seconds where it does not say when (by a 403 only where it does); a
    ``broken`` one tells of a change neither that it happened nor that it did not. Other refusals
    are final; a server's own fault may have come in the middle of a change.

    ``once`` says of a request that sending it again may do harm, as all but GET may: when it is
    lost, that is `Unknown`, else `Retryable`.
    """

    name: str
    hint: str = ""
    hints: Mapping[int, str] = field(default_factory=dict)
    words: Callable[[Any], object] | None = None
    busy: Container[int] = frozenset({429, 503})
    broken: Container[int] = range(500, 600)
    pause: float | None = None

    async def json(
        self,
        connection: Connection,
        method: str,
        url: str,
        *,
        lacking: bool = False,
        once: bool | None = None,
        **more: Any,  # noqa: ANN401 - those of `call`
    ) -> Any:  # noqa: ANN401 - the vendor's own data
        """The JSON of an answer; None for a 404 where what is asked for may be ``lacking``."""
        once = method != "GET" if once is None else once
        accept = {404} if lacking else ()
        answer = await self.call(connection, method, url, accept=accept, once=once, **more)
        if not answer.is_success:
            return None
        try:
            return answer.json()
        except (ValueError, RecursionError) as error:
            said = f"{self.name}'s answer is no JSON: a proxy may have answered instead."
            raise _lost(said, once=once) from error

    async def call(
        self,
        connection: Connection,
        method: str,
        url: str,
        *,
        accept: Container[int] = (),
        once: bool | None = None,
        **more: Any,  # noqa: ANN401 - httpx's own arguments
    ) -> httpx.Response:
        """An answer that is a success, or has a status that the caller judges by itself."""
        once = method != "GET" if once is None else once
        with self.reaching(once=once):
            answer = await connection.http.request(method, url, **more)
        if answer.is_success or answer.status_code in accept:
            return answer
        raise self.refusal(answer, once=once)

    @contextmanager
    def reaching(self, *, once: bool) -> Iterator[None]:
        """Turns httpx's errors into ours: nothing left, or no answer came."""
        try:
            yield
        except _NEVER_LEFT as error:
            said = f"{self.name} was not reached: {str(error) or type(error).__name__}"
            raise NotSent(f"{said.rstrip('.')}.", hint=_trust(error)) from error
        except httpx.RequestError as error:
            said = f"{self.name} did not answer: {type(error).__name__}."
            raise _lost(said, once=once) from error

    def refusal(self, answer: httpx.Response, *, once: bool) -> TargetError:
        """The error for an answer that is no success."""
        return self.judged(answer.status_code, answer.headers, self.said(answer), once=once)

    def said(self, answer: httpx.Response) -> str:
        """The API's own words, cut; the body where there are none."""
        try:
            found = str(self.words(answer.json()) or "") if self.words else ""
        except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
            found = ""
        return " ".join(found[:_WORDS].split()) or " ".join(answer.text[:_BODY].split())

    def judged(
        self, status: int, headers: Mapping[str, str], said: str, *, once: bool
    ) -> TargetError:
        """The error for a status that is no success."""
        said = f"{self.name} answered {status}: {said}".rstrip(": ")
        hint = self.hints.get(status, "")
        wait = retry_after(headers)
        if status in {401, 403} and (status not in self.busy or wait is None):
            return AuthFailed(said, hint=hint or self.hint)
        if status in self.busy:
            return Retryable(said, retry_after=self.pause if wait is None else wait, hint=hint)
        if status in self.broken:
            return _lost(said, once=once)
        return Rejected(said, hint=hint, partly=once and status >= _FAULT)


def _lost(said: str, *, once: bool) -> Retryable | Unknown:
    return Unknown(said) if once else Retryable(said)


def _trust(error: Exception) -> str:
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return "Trust the authority that signed its certificate, by SSL_CERT_FILE."
    return ""


def retry_after(headers: Mapping[str, str]) -> float | None:
    """The seconds that a server asks us to wait; None where it says neither a number nor a time.

    Where its quota is used up, until that is renewed, as GitHub says it: at a second since 1970.
    """
    text = headers.get("retry-after", "").strip()
    reset = headers.get("x-ratelimit-reset", "")
    if not text and headers.get("x-ratelimit-remaining") == "0" and _SECOND.fullmatch(reset):
        return min(max(int(reset) - datetime.now(UTC).timestamp(), 0.0), _LONGEST)
    if text.isascii() and text.isdigit():
        return min(float(text), _LONGEST)
    try:
        at = parsedate_to_datetime(text)
        left = (at if at.tzinfo else at.replace(tzinfo=UTC)) - datetime.now(UTC)
    except (ValueError, OverflowError):
        return None
    return min(max(left.total_seconds(), 0.0), _LONGEST)


def an_object(answer: httpx.Response) -> dict[str, Any] | None:
    """The JSON object of an answer; None where it is anything else."""
    try:
        found = answer.json()
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None
