"""The Web API's front: token, faults, limits and the log around each method's own function.

Methods live in `webapi_*.py` and register themselves with `@method(name, tier)`.
"""

import asyncio
import json
import math
from collections.abc import Callable
from typing import Any

from aiohttp import BasicAuth, web

from .args import Args, read_args
from .errors import SlackError
from .faults import Call, CallLog, Fault, FaultList, RateLimiter
from .state import Json, Workspace

Handler = Callable[[Workspace, Args], Json]

METHODS: dict[str, Handler] = {}
TIERS: dict[str, int] = {}
# an app-level token opens sockets and does nothing else
APP_TOKEN_METHODS = {"apps.connections.open"}
NO_TOKEN_METHODS = {"api.test", "oauth.v2.access"}


def method(name: str, tier: int) -> Callable[[Handler], Handler]:
    def register(handler: Handler) -> Handler:
        METHODS[name] = handler
        TIERS[name] = tier
        return handler

    return register


def cut(request: web.Request) -> web.Response:
    """Close the connection with no answer, as a network that fails does."""
    if request.transport is not None:
        request.transport.abort()
    return web.Response(status=500)


class WebApi:
    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.log = CallLog()
        self.faults = FaultList()
        self.limits = RateLimiter(ws.settings)

    async def handle(self, request: web.Request) -> web.Response:
        name = request.match_info["method"]
        try:
            values, refused = await read_args(request), None
        except SlackError as exc:
            values, refused = {}, exc
        call = self.log.begin(name, {k: _loggable(v) for k, v in values.items() if k != "token"})
        status = 0
        error: str | None = "cancelled"
        try:
            status, error, response = await self._answer(request, call, values, refused)
        finally:
            # a call is over in the log before its answer is on the wire, so that a test which
            # has the answer finds the call
            self.log.end(call, status, error)
        return cut(request) if status == 0 else response

    async def _answer(
        self, request: web.Request, call: Call, values: Json, refused: SlackError | None
    ) -> tuple[int, str | None, web.Response]:
        settings = self.ws.settings
        if settings.down:
            return 0, "down", web.Response()
        if delay := settings.latencies.get(call.method, settings.latency):
            await asyncio.sleep(delay)
        fault = self.faults.take(call.method)
        call.fault = fault.kind if fault else None
        if early := await self._fail_early(fault):
            return early
        try:
            if refused:
                raise refused
            if limited := self._limited(call.method, values):
                return limited
            body = self._run(request, call.method, Args(values))
            status, error = 200, None
        except SlackError as exc:
            body, status, error = exc.body(), 200, exc.code
        if fault and fault.kind == "drop_after":
            return 0, "drop_after", web.Response()
        headers = {"x-slack-req-id": "stub"}
        if scopes := self.ws.scopes or settings.scopes:
            headers["x-oauth-scopes"] = scopes
        return status, error, web.json_response(body, headers=headers)

    async def _fail_early(self, fault: Fault | None) -> tuple[int, str | None, web.Response] | None:
        match fault.kind if fault else None:
            case "drop_before":
                return 0, "drop_before", web.Response()
            case "hang":
                await asyncio.sleep(3600)
            case "http_500":
                return 500, "http_500", web.Response(status=500, text="internal error")
            case "ratelimited" if fault:
                return _too_many(fault.retry_after)
            case "error" if fault:
                return 200, fault.error, web.json_response(SlackError(fault.error).body())
        return None

    def _limited(self, name: str, values: Json) -> tuple[int, str | None, web.Response] | None:
        wait = self.limits.wait(name, TIERS.get(name, 4), str(values.get("channel", "")))
        return _too_many(math.ceil(wait)) if wait > 0 else None

    def _run(self, request: web.Request, name: str, args: Args) -> Json:
        handler = METHODS.get(name)
        if handler is None:
            raise SlackError("unknown_method", req_method=name)
        self._check_token(request, name, args)
        if (header := request.headers.get("Authorization", "")).startswith("Basic "):
            basic = BasicAuth.decode(header)  # the app itself, not one of its tokens
            args.values |= {"client_id": basic.login, "client_secret": basic.password}
        return {"ok": True, **handler(self.ws, args)}

    def _check_token(self, request: web.Request, name: str, args: Args) -> None:
        header = request.headers.get("Authorization", "")
        bearer = header.removeprefix("Bearer ").strip() if header.startswith("Bearer ") else ""
        if name in NO_TOKEN_METHODS:
            return
        token = bearer if name in APP_TOKEN_METHODS else bearer or args.text("token")
        if not token:
            raise SlackError("not_authed")
        if token in self.ws.revoked:
            raise SlackError("account_inactive")
        if token not in {self.ws.bot_token, self.ws.app_token}:
            raise SlackError("invalid_auth")
        right = self.ws.app_token if name in APP_TOKEN_METHODS else self.ws.bot_token
        if token != right:
            raise SlackError("not_allowed_token_type")


def _too_many(seconds: int) -> tuple[int, str, web.Response]:
    headers = {"Retry-After": str(max(1, seconds))}
    body = {"ok": False, "error": "ratelimited"}
    return 429, "ratelimited", web.json_response(body, status=429, headers=headers)


def _loggable(value: Any) -> Any:
    """Structures that came as JSON in a string are logged as structures: tests read them often."""
    if isinstance(value, bytes):
        return f"({len(value)} bytes)"
    if isinstance(value, str) and value[:1] in {"[", "{"}:
        try:
            return json.loads(value)
        except ValueError:
            return value
    return value
