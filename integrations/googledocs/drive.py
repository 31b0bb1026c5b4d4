"""Google Drive's API v3 as a service account: reads, upload sessions, and what a refusal means for people."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from bot.contract import Connection
from bot.contract.http import Api, an_object, retry_after
from bot.errors import AuthFailed, Rejected, Retryable, TargetError

from .account import Account, account_of

_API = Api("Google Drive", words=lambda body: body["error"]["message"], busy={429})
_JUDGED = {401, 403, 404}
_SECONDS = 30.0  # for an upload: Google converts it before it answers
_BUSY = {"rateLimitExceeded", "userRateLimitExceeded", "dailyLimitExceeded"}
_FULL = {
    "storageQuotaExceeded", "quotaExceeded", "teamDriveFileLimitExceeded",
    "numChildrenInNonRootLimitExceeded", "activeItemCreationLimitExceeded",
}  # fmt: skip
_OFF = {"accessNotConfigured", "SERVICE_DISABLED"}


@dataclass(frozen=True)
class Drive:
    """One connection with a token."""

    connection: Connection
    account: Account
    token: str = field(repr=False)

    async def read(
        self, path: str, params: Mapping[str, str], *, lacking: bool = False
    ) -> dict[str, Any] | None:
        """A JSON object; None where it may be ``lacking`` and is."""
        answer = await self._call("GET", path, once=False, params=params)
        if lacking and answer.status_code == httpx.codes.NOT_FOUND:
            return None
        self._judge(answer)
        found = an_object(answer)
        if found is None:
            raise Retryable("Google Drive's answer is no JSON: a proxy may have answered instead.")
        return found

    async def session(
        self, method: str, path: str, about: dict[str, Any], kind: str, size: int, fields: str
    ) -> str:
        """Begins an upload, which makes nothing yet: where its content is to be sent."""
        answer = await self._call(
            method, path, once=False, json=about,
            params={"uploadType": "resumable", "fields": fields},
            headers={"X-Upload-Content-Type": kind, "X-Upload-Content-Length": str(size)},
        )  # fmt: skip
        self._judge(answer)
        base, there = self.connection.http.base_url, httpx.URL(answer.headers.get("Location", ""))
        if (there.scheme, there.host, there.port) != (base.scheme, base.host, base.port):
            raise Retryable("Google Drive's answer has no place for an upload.")
        return str(there)

    async def send(
        self, session: str, content: bytes, headers: Mapping[str, str]
    ) -> httpx.Response:
        """Raises `Unknown` where nobody can tell whether it arrived, `Retryable` for a session that ended."""
        answer = await _API.call(
            self.connection, "PUT", session, content=content, headers=self._signed(headers),
            timeout=_SECONDS, accept=_JUDGED | {308},
        )  # fmt: skip
        if answer.status_code == httpx.codes.NOT_FOUND:
            raise Retryable("Google Drive has ended the upload.")
        self._judge(answer)
        return answer

    async def _call(
        self, method: str, path: str, *, once: bool, params: Mapping[str, str],
        headers: Mapping[str, str] | None = None, **more: Any,  # noqa: ANN401 - httpx's own
    ) -> httpx.Response:  # fmt: skip
        return await _API.call(
            self.connection, method, path, accept=_JUDGED, once=once,
            params={**params, "supportsAllDrives": "true"}, headers=self._signed(headers or {}), **more,
        )  # fmt: skip

    def _signed(self, headers: Mapping[str, str]) -> dict[str, str]:
        return {**headers, "Authorization": f"Bearer {self.token}"}

    def _judge(self, answer: httpx.Response) -> None:
        """Raises what a 401, 403 or 404 means, with what to do about it."""
        if answer.status_code in _JUDGED:
            raise self._refusal(answer)

    def _refusal(self, answer: httpx.Response) -> TargetError:
        said = f"Google Drive answered {answer.status_code}: {_API.said(answer)}".rstrip(": ")
        why = _reasons(answer)
        if answer.status_code == httpx.codes.UNAUTHORIZED:
            return AuthFailed(
                said, hint=f"Look whether the key of {self.account.email} was deleted."
            )
        if why & _BUSY:
            wait = retry_after(answer.headers)
            return Retryable(said, retry_after=30.0 if wait is None else wait)
        if why & _FULL:
            return Rejected(
                said,
                hint="A service account has no storage of its own: the folder must be in a shared "
                "drive, and that must have room.",
            )
        if why & _OFF:
            return AuthFailed(said, hint="Enable the Google Drive API in the project of the key.")
        share = f"Share the folder, or its shared drive, with {self.account.email} as Contributor or more."
        if answer.status_code == httpx.codes.NOT_FOUND:
            return Rejected(said, hint=f"Look at folder of the target. {share}")
        return AuthFailed(said, hint=share)


async def opened(connection: Connection) -> Drive:
    """Signs in. Raises `AuthFailed`, `NotSent`, `Retryable`."""
    account = account_of(connection.settings)
    return Drive(connection, account, await account.token(connection))


def _reasons(answer: httpx.Response) -> set[str]:
    """Google's words for machines: of the older form, and of the newer one."""
    try:
        error = answer.json()["error"]
        found = [*error.get("errors", []), *error.get("details", [])]
        return {str(each["reason"]) for each in found if "reason" in each}
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        return set()
