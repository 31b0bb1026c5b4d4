"""Routes of the HTTP app. Each does one call into a room below and answers."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Header, Request, Response
from fastapi import Path as PathParam
from sqlalchemy import text
from sqlmodel import col, select
from starlette.datastructures import QueryParams
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import PlainTextResponse
from starlette.routing import BaseRoute
from starlette.types import Receive, Scope, Send

from bot.alerts import Heartbeats
from bot.alerts.arrivals import count_alerts
from bot.contract import RawRequest
from bot.contract.source import known
from bot.errors import AuthFailed, Unavailable
from bot.incidents import Incident
from bot.incidents.shown import incident_json
from bot.settings import Settings
from bot.store import Store
from bot.timeline import Ledger
from bot.web.api import verified, whole_incident
from bot.web.limit import BodyLimit, whole
from bot.web.metrics import Metrics
from bot.web.problems import DESCRIBED, install, problem_of
from bot.web.reception import Reception, live_secrets

READY_LIMIT = 2.0  # seconds for the database to answer
_HOOKS = "/webhooks/"
_SECONDS = re.compile(r"[0-9]{1,12}")


class _Web(FastAPI):
    """FastAPI, past which alerts go straight in: its way to a function costs as much as theirs."""

    hook: Callable[[str, Scope, Receive], Awaitable[int]]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        direct = scope["type"] == "http" and scope["method"] == "POST"
        name = scope["path"].removeprefix(_HOOKS) if direct else "/"
        if "/" in name:
            await super().__call__(scope, receive, send)
            return
        try:
            count = await self.hook(name, scope, receive)
        except ClientDisconnect:
            return
        except Exception as error:  # noqa: BLE001 - answered, and in the log
            await problem_of(error, scope["path"])(scope, receive, send)
            return
        body = b'{"accepted":%d}' % count
        head = [(b"content-type", b"application/json"), (b"content-length", b"%d" % len(body))]
        await send({"type": "http.response.start", "status": 200, "headers": head})
        await send({"type": "http.response.body", "body": body})


def build_web(
    *,
    settings: Settings,
    store: Store,
    reception: Reception,
    heartbeats: Heartbeats,
    ledger: Ledger,
    metrics: Metrics,
    console: Sequence[BaseRoute],
    standing: Callable[[], dict[str, str]],
    slack: Callable[[Request], Awaitable[Response]] | None,
) -> FastAPI:
    """The whole app. ``slack`` is given when Slack reaches us over HTTP.

    ``standing`` is what ``/readyz`` says besides: none of it makes Jackline less ready.
    """
    app = _Web(
        title="Jackline",
        version="1",
        docs_url=None,
        redoc_url=None,
        openapi_url="/api/v1/openapi.json",
        responses=DESCRIBED,
    )
    install(app)
    app.add_middleware(BodyLimit)
    _webhooks(app, reception)
    _heartbeats(app, settings, heartbeats)
    _health(app, store, metrics, standing)
    _api(app, settings, store, ledger)
    if slack is not None:
        _slack(app, slack)
    app.router.routes.extend(console)
    return app


def _webhooks(app: "_Web", reception: Reception) -> None:
    async def taken(name: str, scope: Scope, receive: Receive) -> int:
        reception.reader(name)
        try:
            body = await whole(receive)
        except HTTPException as error:
            slow = error.status_code == HTTPStatus.REQUEST_TIMEOUT
            reception.refused(name, "too_slow" if slow else "too_large")
            raise
        # of a header that is there twice, the first counts
        headers = {k.decode("latin-1"): v.decode("latin-1") for k, v in reversed(scope["headers"])}
        query = dict(QueryParams(scope["query_string"])) if scope["query_string"] else {}
        return await reception.take(name, RawRequest(headers, body, query))

    @app.post(f"{_HOOKS}{{name}}", summary="Alerts in")
    async def webhook(name: str, request: Request) -> dict[str, int]:
        return {"accepted": await taken(name, request.scope, request.receive)}

    app.hook = taken


def _heartbeats(app: FastAPI, settings: Settings, heartbeats: Heartbeats) -> None:
    def authorised(authorization: Annotated[str, Header()] = "") -> None:
        _require_bearer(settings, "heartbeat", authorization)

    path, asked = "/heartbeats/{heartbeat}", [Depends(authorised)]

    @app.get(path, dependencies=asked, operation_id="beat_by_get", summary="A sign of life")
    @app.post(path, dependencies=asked, summary="A sign of life")
    async def beat(heartbeat: str) -> dict[str, str]:
        """What a cron job calls at its end. It wants a token of `JACKLINE_WEBHOOKS__HEARTBEAT__SECRETS`."""
        await heartbeats.beat(heartbeat)
        return {"heartbeat": heartbeat}


def _require_bearer(settings: Settings, source: str, authorization: str) -> None:
    """Raises `AuthFailed` unless it is one of the live secrets."""
    scheme, _, token = authorization.partition(" ")
    given = token.strip() if scheme.lower() == "bearer" else ""
    if not known(given, live_secrets(settings, source)):
        raise AuthFailed("This needs a bearer token.", hint="Send Authorization: Bearer …")


def _slack(app: FastAPI, handle: Callable[[Request], Awaitable[Response]]) -> None:
    @app.post("/slack/events", include_in_schema=False)
    async def events(request: Request) -> Response:
        # What checks the signature takes the time for a number, and breaks if it is none.
        if not _SECONDS.fullmatch(request.headers.get("x-slack-request-timestamp", "")):
            raise AuthFailed("The request carries no time that Slack could have signed.")
        return await handle(request)


def _health(
    app: FastAPI, store: Store, metrics: Metrics, standing: Callable[[], dict[str, str]]
) -> None:
    @app.get("/healthz", summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="The database answers")
    async def readyz() -> dict[str, str]:
        try:
            async with asyncio.timeout(READY_LIMIT), store.read() as session:
                await session.execute(text("SELECT 1"))
        except Exception as error:
            raise Unavailable("The database does not answer.") from error
        return {"status": "ready", **standing()}

    @app.get("/metrics", summary="Prometheus metrics", response_class=PlainTextResponse)
    async def exposition() -> Response:
        return Response(await metrics.render(), media_type="text/plain; version=0.0.4")


def _api(app: FastAPI, settings: Settings, store: Store, ledger: Ledger) -> None:
    def authorised(authorization: Annotated[str, Header()] = "") -> None:
        """The API wants a bearer token of `JACKLINE_WEBHOOKS__API__SECRETS`."""
        _require_bearer(settings, "api", authorization)

    api = APIRouter(prefix="/api/v1", dependencies=[Depends(authorised)])

    @api.get("/alerts/count", summary="What is stored")
    async def alerts_count() -> dict[str, Any]:
        return await count_alerts(store)

    @api.get("/incidents", summary="All incidents, newest first")
    async def incidents() -> list[dict[str, Any]]:
        query = select(Incident).order_by(col(Incident.id).desc()).limit(500)
        async with store.read() as session:
            return [incident_json(i) for i in (await session.execute(query)).scalars()]

    @api.get("/incidents/{number}", summary="One incident with its timeline and runs")
    async def incident(number: Annotated[int, PathParam(ge=1, le=2**31 - 1)]) -> dict[str, Any]:
        async with store.read() as session:
            return await whole_incident(session, number)

    @api.get("/audit", summary="Whether the record is whole")
    async def audit() -> dict[str, Any]:
        async with store.read() as session:
            problems = await verified(session, ledger)
        return {"ok": not problems, "problems": [vars(p) for p in problems]}

    app.include_router(api)
