"""The HTTP server around it all: `/api/` for the Web API, `/link/` for sockets, `/_stub/` for tests."""

import base64
from dataclasses import asdict, is_dataclass
from inspect import isawaitable
from typing import Any, Self

from aiohttp import web

from . import (  # noqa: F401  (the webapi_ ones register their methods)
    schemas,
    webapi_chat,
    webapi_conversations,
    webapi_files,
    webapi_history,
    webapi_marks,
    webapi_oauth,
    webapi_people,
    webapi_views,
)
from .errors import HumanError, SlackError
from .settings import Settings
from .state import Json
from .teams import Teams
from .webapi import cut

MAX_UPLOAD = 64 * 1024 * 1024
# what must not be called from another process
_LOCAL = {"wait_for", "begin", "interact", "envelope", "message_of", "may_see", "open_view"}


class SlackStub(Teams):
    """Slack, as far as one app can see it. `async with SlackStub() as slack:` starts and stops it."""

    def __init__(self, port: int = 0, host: str = "127.0.0.1", **settings: Any) -> None:
        super().__init__(Settings())
        self.configure(**settings)
        self.host = host
        self.port = port
        self.teams = {}
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        return self.ws.base_url

    @property
    def api_url(self) -> str:
        return f"{self.ws.base_url}/api/"

    @property
    def app_token(self) -> str:
        return self.ws.app_token

    @property
    def signing_secret(self) -> str:
        return self.ws.signing_secret

    @property
    def client_id(self) -> str:
        return self.ws.app.client_id

    @property
    def client_secret(self) -> str:
        return self.ws.app.client_secret

    def connection(self) -> dict[str, str]:
        """All that an app in another process needs in order to connect."""
        return {
            "url": self.url,
            "api_url": self.api_url,
            "control_url": f"{self.url}/_stub/",
            "bot_token": self.bot_token,
            "app_token": self.app_token,
            "signing_secret": self.signing_secret,
            "team_id": self.team_id,
            "bot_user_id": self.bot_user_id,
        }

    async def start(self) -> None:
        app = web.Application(client_max_size=MAX_UPLOAD)
        app.router.add_route("*", "/api/{method}", self._api)
        app.router.add_get("/oauth/v2/authorize", self._authorize)
        app.router.add_get("/link/", self.hub.link)
        app.router.add_post("/actions/{ident:.+}", self._respond)
        app.router.add_post("/upload/v1/{file}", self._upload)
        app.router.add_get("/files-pri/{file}/{rest:.+}", self._download)
        app.router.add_get("/_stub/{name}", self._control)
        app.router.add_post("/_stub/{name}", self._control)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.2)
        await self._runner.setup()
        site = web.TCPSite(self._runner, self.host, self.port)
        await site.start()
        self.port = self._runner.addresses[0][1]
        self.ws.base_url = f"http://{self.host}:{self.port}"

    async def stop(self) -> None:
        for each in (self, *self.teams.values()):
            await each.deliverer.close()
        await self.hub.close()
        if self._runner is not None:
            await self._runner.cleanup()
        if found := schemas.noted():
            raise AssertionError(f"not what Slack's own types allow: {found[:5]}")

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *exc: object) -> None:
        await self.stop()

    async def _api(self, request: web.Request) -> web.Response:
        of = self.of_token(request.headers.get("Authorization", ""))
        return await of.api.handle(request)

    async def _respond(self, request: web.Request) -> web.Response:
        if self.settings.down:
            return cut(request)
        try:
            body = await request.json()
        except ValueError:
            return web.json_response({"ok": False, "error": "invalid_payload"}, status=400)
        ident = request.match_info["ident"]
        of = self.teams.get(ident.partition("/")[0], self)
        status, answer = of.responses.take(ident, body)
        return web.json_response(answer, status=status)

    async def _upload(self, request: web.Request) -> web.Response:
        of = self.teams.get(request.query.get("team", ""), self)
        return cut(request) if self.settings.down else await webapi_files.receive(of.ws, request)

    async def _download(self, request: web.Request) -> web.Response:
        of = self.of_token(request.headers.get("Authorization", ""))
        return cut(request) if self.settings.down else await webapi_files.serve(of.ws, request)

    async def _control(self, request: web.Request) -> web.Response:
        """Call one of this object's own public methods: the same as in process, over HTTP."""
        name = request.match_info["name"]
        method = getattr(self, name, None)
        if name.startswith("_") or name in _LOCAL | {"start", "stop"} or method is None:
            return web.json_response({"ok": False, "error": f"no method {name}"}, status=404)
        given: Json = await request.json() if request.can_read_body else dict(request.query)
        if isinstance(given.get("content"), str):
            given["content"] = base64.b64decode(given["content"])
        try:
            result = method(**given) if callable(method) else method
            if isawaitable(result):
                result = await result
        except (HumanError, SlackError, TypeError, ValueError, KeyError) as exc:
            text = f"{type(exc).__name__}: {exc}"
            return web.json_response({"ok": False, "error": text}, status=400)
        return web.json_response({"ok": True, "result": plain(result)})


def plain(value: Any) -> Any:
    """A result as JSON can carry it."""
    if is_dataclass(value) and not isinstance(value, type):
        return plain(asdict(value))
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return base64.b64encode(value).decode()
    return value
