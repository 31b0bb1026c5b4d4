"""The users: a steady stream of requests to the edge, and what came of them.

`python -m bot.practice.load --edge-url URL --port N` sends at the normal rate at once; it does
not slow down when answers do, since users do not know each other. Over HTTP it offers

    POST /rate/normal, POST /rate/peak   switch the rate
    GET  /rate                           {"rate": "normal", "per_second": {…}}
    GET  /metrics                        Prometheus text
    GET  /series?seconds=300             per service, one point a second (see series.py)
    GET  /acknowledged                   ids of the payments that were answered with success
"""

import argparse
import asyncio
import contextlib
import itertools
import time
import uuid
from collections.abc import AsyncIterator, Mapping

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.practice.series import Outcome, Recorder

# Requests a second. What payments must do is its own stream plus two for each social feed:
# 31 in normal times and 84 at peak, of which 36 are left once social is shed.
RATES: Mapping[str, Mapping[str, float]] = {
    "normal": {"payments": 15, "pricing": 6, "social": 8},
    "peak": {"payments": 36, "pricing": 12, "social": 24},
}
_TIMEOUT = 3.5  # a little over the edge's own, so that the edge's answer is the one seen
_BEFORE_OPENING = 0.1


class Users:
    """One stream of requests per service."""

    def __init__(self, edge: httpx.AsyncClient, recorder: Recorder) -> None:
        self._edge = edge
        self._recorder = recorder
        self._open: set[asyncio.Task[None]] = set()
        self.rate = "normal"

    async def stream(self, service: str) -> None:
        """Send for ever, each request when it is due, whether or not the last was answered."""
        while await self._ask(service, None) != "ok":  # noqa: ASYNC110 - another process opens
            await asyncio.sleep(_BEFORE_OPENING)  # starting up is not an outage
        due = time.monotonic()
        for turn in itertools.count():
            due = max(due + 1 / RATES[self.rate][service], time.monotonic() - 1)
            await asyncio.sleep(max(0.0, due - time.monotonic()))
            task = asyncio.create_task(self._one(service, turn))
            self._open.add(task)
            task.add_done_callback(self._open.discard)

    async def _one(self, service: str, turn: int) -> None:
        payment_id = str(uuid.uuid4()) if service == "payments" and turn % 2 == 0 else None
        began = time.monotonic()
        outcome = await self._ask(service, payment_id)
        took = time.monotonic() - began
        self._recorder.record(service, outcome, at=time.time(), seconds=took)
        if payment_id is not None and outcome == "ok":
            self._recorder.acknowledged.append(payment_id)

    async def _ask(self, service: str, payment_id: str | None) -> Outcome:
        try:
            if payment_id is None:
                answer = await self._edge.get(f"/{service}")
            else:
                order = {"id": payment_id, "pence": 499}
                answer = await self._edge.post(f"/{service}", json=order)
        except httpx.HTTPError:
            return "error"
        if answer.is_success:
            return "ok"
        return "shed" if "x-shed" in answer.headers else "error"


def build(edge_url: str) -> Starlette:
    """The control and reading side; its lifespan is the stream of requests."""
    recorder = Recorder(list(RATES["normal"]))
    edge = httpx.AsyncClient(
        base_url=edge_url,
        timeout=_TIMEOUT,
        trust_env=False,
        limits=httpx.Limits(max_connections=500, max_keepalive_connections=100),
    )
    users = Users(edge, recorder)

    async def set_rate(request: Request) -> Response:
        rate = request.path_params["rate"]
        if rate not in RATES:
            return JSONResponse({"error": f"rates are {', '.join(RATES)}"}, status_code=404)
        users.rate = rate
        return await show_rate(request)

    async def show_rate(_request: Request) -> Response:
        return JSONResponse({"rate": users.rate, "per_second": dict(RATES[users.rate])})

    async def metrics(_request: Request) -> Response:
        return Response(recorder.prometheus(), media_type="text/plain; version=0.0.4")

    async def series(request: Request) -> Response:
        try:
            seconds = int(request.query_params.get("seconds", "300"))
        except ValueError:
            return JSONResponse({"error": "seconds is a whole number"}, status_code=400)
        return JSONResponse(recorder.series(seconds, time.time()))

    async def acknowledged(_request: Request) -> Response:
        return JSONResponse(list(recorder.acknowledged))

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with edge:
            streams = [asyncio.create_task(users.stream(s)) for s in RATES["normal"]]
            yield
            for stream in streams:
                stream.cancel()
            await asyncio.gather(*streams, return_exceptions=True)

    routes = [
        Route("/rate/{rate}", set_rate, methods=["POST"]),
        Route("/rate", show_rate),
        Route("/metrics", metrics),
        Route("/series", series),
        Route("/acknowledged", acknowledged),
    ]
    return Starlette(routes=routes, lifespan=lifespan)


def main() -> None:
    parser = argparse.ArgumentParser(description="The users of the practice fintech.")
    parser.add_argument("--edge-url", required=True)
    parser.add_argument("--port", type=int, required=True)
    options = parser.parse_args()
    uvicorn.run(
        build(options.edge_url),
        host="127.0.0.1",
        port=options.port,
        access_log=False,
        log_level="warning",
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
