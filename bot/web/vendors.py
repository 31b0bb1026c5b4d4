"""Asks the vendors of sources what a request cannot be judged without, over access paths.

Only where the source says so of a request that proved a secret. What proved one is kept on disk: it
must be there when Jackline starts anew in an outage in which the vendor cannot be reached.
"""

import asyncio
import hashlib
from pathlib import Path
from time import monotonic
from urllib.parse import urlsplit

import httpx
from httpx import codes

from bot.access import Dialer
from bot.catalog import Source, Target
from bot.contract import VendorForm
from bot.errors import AuthFailed, BadInput, JacklineError, Unavailable
from bot.log import get

log = get("web")
LIMIT = 64 * 1024  # bytes of an answer
PATIENCE = 8.0  # seconds for one question over one path
_PAUSE = 2.0  # seconds in which what just failed is not tried again


class Vendors:
    """``folder`` keeps the documents that proved something."""

    def __init__(self, dialer: Dialer, folder: Path) -> None:
        self._dialer = dialer
        self._folder = folder
        self._kept: dict[str, bytes] = {}
        self._one_at_a_time = asyncio.Lock()  # a storm behind a new certificate fetches it once
        self._failed = ("", 0.0)

    async def document(self, url: str, entry: Source) -> bytes:
        """What stands at an https address: kept, or fetched.

        Raises `Unavailable` when it cannot be had now, `AuthFailed` when it is not there.
        """
        if url in self._kept:  # nor does anybody wait for what somebody else needs
            return self._kept[url]
        async with self._one_at_a_time:
            if url in self._kept:
                return self._kept[url]
            found = await asyncio.to_thread(self._read, url)
            return found if found is not None else await self._fetched(url, entry)

    async def keep(self, url: str, document: bytes) -> None:
        """From now on it is not asked for again: it proved a request."""
        if url in self._kept:
            return
        self._kept[url] = document
        try:
            await asyncio.to_thread(self._write, url, document)
        except OSError as error:  # it is fetched again after the next start
            log.warning("document_not_kept", url=url, error=str(error))

    async def ask(self, form: VendorForm, entry: Source) -> None:
        """Posts a form. Raises `Unavailable` where it may be tried again, `BadInput` where not."""
        status, body = await self._answer("POST", form.url, entry, dict(form.fields))
        if codes.is_success(status):
            log.info("vendor_asked", source=entry.name, host=urlsplit(form.url).hostname)
            return
        said = body.decode("utf-8", "replace")[:500]
        log.error("vendor_refused", source=entry.name, status=status, said=said)
        if not codes.is_client_error(status):
            raise Unavailable(f"The vendor of {entry.name} answered {status}.")
        text = f"The vendor of {entry.name} answered {status}; the log has its words."
        raise BadInput(text, hint="Let it send the request anew.", field="$")

    async def _fetched(self, url: str, entry: Source) -> bytes:
        """Within seconds of a failure it is not tried again: the senders would all wait for it."""
        if self._failed[0] == url and monotonic() < self._failed[1]:
            raise _away(entry)
        try:
            status, document = await self._answer("GET", url, entry)
            if not (codes.is_success(status) or codes.is_client_error(status)):
                log.error("vendor_refused", source=entry.name, url=url, status=status)
                raise _away(entry)
        except Unavailable:
            self._failed = (url, monotonic() + _PAUSE)
            raise
        if codes.is_client_error(status):
            raise AuthFailed(f"The vendor of {entry.name} has no such document: {url}.")
        return document

    async def _answer(
        self, method: str, url: str, entry: Source, form: dict[str, str] | None = None
    ) -> tuple[int, bytes]:
        """Status and body, over the first path that leads there. Raises `Unavailable`."""
        target = Target(name=f"source/{entry.name}", url=f"https://{urlsplit(url).netloc}")
        for path in entry.via or [""]:
            try:
                async with asyncio.timeout(PATIENCE), self._dialer.connect(target, path) as link:
                    return await _exchange(link.http, method, url, form)
            except (httpx.HTTPError, TimeoutError, JacklineError) as error:
                reason = str(error) or type(error).__name__
                log.warning("vendor_not_reached", source=entry.name, path=path, error=reason)
        raise _away(entry)

    def _read(self, url: str) -> bytes | None:
        try:
            found = (self._folder / _name(url)).read_bytes()
        except OSError:
            return None
        self._kept[url] = found
        return found

    def _write(self, url: str, document: bytes) -> None:
        self._folder.mkdir(parents=True, exist_ok=True)
        new = self._folder / f"{_name(url)}.new"
        new.write_bytes(document)
        new.replace(self._folder / _name(url))


async def _exchange(
    http: httpx.AsyncClient, method: str, url: str, form: dict[str, str] | None
) -> tuple[int, bytes]:
    received = bytearray()
    async with http.stream(method, url, data=form) as answer:
        async for chunk in answer.aiter_bytes():
            received += chunk
            if len(received) > LIMIT:
                raise Unavailable(f"The vendor's answer is larger than {LIMIT} bytes.")
    return answer.status_code, bytes(received)


def _away(entry: Source) -> Unavailable:
    hint = "Can Jackline reach it? See `via` of the source in the catalog. Send again."
    return Unavailable(f"The vendor of {entry.name} could not be asked.", hint=hint)


def _name(url: str) -> str:
    return hashlib.sha256(url.encode()).hexdigest()
