"""Bringing events, commands and clicks to the app: by socket or signed HTTP, and again if need be.

Events are tried up to four times; commands and clicks once, for a person is waiting.
"""

import asyncio
import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

import aiohttp

from .sockets import SocketHub
from .state import Json, Workspace


@dataclass
class Delivery:
    """One attempt, as it went. `outcome` is acked, timeout, no_target, closed, down, http_<code>…"""

    kind: str
    payload: Json
    attempt: int
    started: float
    reason: str = ""
    ended: float | None = None
    outcome: str = "pending"
    body: Any = None

    @property
    def acked(self) -> bool:
        return self.outcome == "acked"


_HTTP_REASONS = {"timeout": "http_timeout", "closed": "connection_failed"}


class Deliverer:
    def __init__(self, ws: Workspace, hub: SocketHub) -> None:
        self.ws = ws
        self.hub = hub
        self.log: list[Delivery] = []
        self.events: dict[str, Json] = {}
        self._tasks: set[asyncio.Task[Any]] = set()
        self._session: aiohttp.ClientSession | None = None

    def wrap(self, event: Json) -> Json:
        """The callback around an event, with the id by which the app may know a repeat."""
        ident = self.ws.new_id("Ev")
        bot = {"team_id": self.ws.team_id, "user_id": self.ws.bot_user_id, "is_bot": True}
        payload: Json = {
            "token": self.ws.verification_token,
            "team_id": self.ws.team_id,
            "context_team_id": self.ws.team_id,
            "context_enterprise_id": None,
            "api_app_id": self.ws.app_id,
            "event": event,
            "type": "event_callback",
            "event_id": ident,
            "event_time": self.ws.now(),
            "authorizations": [bot | {"enterprise_id": None, "is_enterprise_install": False}],
            "is_ext_shared_channel": False,
            "event_context": f"4-{ident}",
        }
        self.events[ident] = payload
        return payload

    def start_event(self, payload: Json) -> None:
        task = asyncio.get_running_loop().create_task(self._event(payload))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _event(self, payload: Json) -> None:
        reason = ""
        for attempt, delay in enumerate((0.0, *self.ws.settings.retry_delays)):
            if delay:
                await asyncio.sleep(delay)
            done = await self.once("events_api", payload, attempt, reason)
            if done.outcome in {"acked", "no_retry"}:
                return
            http = self.ws.settings.delivery == "http"
            reason = _HTTP_REASONS.get(done.outcome, "http_error") if http else "timeout"

    async def once(self, kind: str, payload: Json, attempt: int = 0, reason: str = "") -> Delivery:
        done = Delivery(kind, payload, attempt, time.monotonic(), reason)
        self.log.append(done)
        if self.ws.settings.down:
            done.outcome = "down"
        elif self.ws.settings.delivery == "http":
            done.outcome, done.body = await self._post(kind, payload, attempt, reason)
        else:
            done.outcome, done.body = await self.hub.send(kind, payload, attempt, reason)
        done.ended = time.monotonic()
        return done

    async def _post(self, kind: str, payload: Json, attempt: int, reason: str) -> tuple[str, Any]:
        settings = self.ws.settings
        if kind == "events_api":
            url, mime, body = settings.events_url, "application/json", json.dumps(payload)
        elif kind == "slash_commands":
            url, mime, body = settings.commands_url, _FORM, urlencode(payload)
        else:
            url, mime = settings.interactivity_url, _FORM
            body = urlencode({"payload": json.dumps(payload)})
        headers = {"Content-Type": mime, **self.sign(body)}
        if attempt:
            headers |= {"X-Slack-Retry-Num": str(attempt), "X-Slack-Retry-Reason": reason}
        return await self._send(url, body, headers) if url else ("no_target", None)

    async def _send(self, url: str, body: str, headers: dict[str, str]) -> tuple[str, Any]:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        limit = aiohttp.ClientTimeout(total=self.ws.settings.ack_timeout)
        try:
            async with self._session.post(
                url, data=body.encode(), headers=headers, timeout=limit
            ) as answer:
                text = await answer.text()
                if not 200 <= answer.status < 300:
                    stop = answer.headers.get("X-Slack-No-Retry") == "1"
                    return ("no_retry" if stop else f"http_{answer.status}"), text
                is_json = answer.content_type == "application/json"
                return "acked", (json.loads(text) if is_json and text else text or None)
        except TimeoutError:
            return "timeout", None
        except aiohttp.ClientError:
            return "closed", None

    def sign(self, body: str, at: int | None = None) -> dict[str, str]:
        """Slack's v0 signature over the time and the exact bytes; `at` lets a test be late."""
        stamp = str(int(time.time()) if at is None else at)
        base = f"v0:{stamp}:{body}".encode()
        digest = hmac.new(self.ws.signing_secret.encode(), base, hashlib.sha256).hexdigest()
        return {"X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": f"v0={digest}"}

    async def verify_url(self, url: str) -> bool:
        """The challenge with which Slack makes sure that an events URL is the app's own."""
        challenge = self.ws.new_id("CH")
        token = self.ws.verification_token
        question = {"token": token, "challenge": challenge, "type": "url_verification"}
        body = json.dumps(question)
        headers = {"Content-Type": "application/json", **self.sign(body)}
        outcome, answer = await self._send(url, body, headers)
        given = answer.get("challenge") if isinstance(answer, dict) else answer
        return outcome == "acked" and given == challenge

    @property
    def busy(self) -> bool:
        return any(d.ended is None for d in self.log[-200:])

    async def close(self) -> None:
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._session is not None:
            await self._session.close()


_FORM = "application/x-www-form-urlencoded"
