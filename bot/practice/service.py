"""One service of the fintech: `python -m bot.practice.service --name payments --role primary …`.

`payments` takes and reads payments, `pricing` quotes, and `social` builds a feed whose cards
each ask `payments` something, through the edge: that fan-in is why shedding `social` gives
`payments` its capacity back. Every answer says who gave it (`X-Served-By`). `/healthz` does not
queue: a busy service is not a sick one.
"""

import argparse
import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bot.practice.capacity import SIZES, Gate, Overloaded
from bot.practice.ledger import Ledger

CARDS = 2  # feed cards, each one request to payments
_CARD_TIMEOUT = 2.0


@dataclass(frozen=True, slots=True)
class Options:
    name: str
    role: str
    port: int
    ledger: Path
    edge_url: str

    @property
    def served_by(self) -> str:
        return f"{self.name}-{self.role}" if self.role else self.name


class Payments:
    """Reads and writes cost the same: one worker for one service time."""

    def __init__(self, gate: Gate, ledger: Ledger, beat: Path) -> None:
        self._gate = gate
        self._ledger = ledger
        self._beat = beat

    async def take(self, request: Request) -> Response:
        """201 once it is on the disk, 200 for one that was there already."""
        try:
            order = await request.json()
            payment_id, pence = str(order["id"]), int(order["pence"])
        except (ValueError, TypeError, KeyError):
            return JSONResponse({"error": "a payment has an id and pence"}, status_code=400)
        async with self._gate.work():
            new = await asyncio.to_thread(self._ledger.accept, payment_id, pence)
        return JSONResponse({"id": payment_id, "new": new}, status_code=201 if new else 200)

    async def totals(self, _request: Request) -> Response:
        async with self._gate.work():
            return JSONResponse(self._ledger.summary())

    async def one(self, request: Request) -> Response:
        payment_id = request.path_params["payment_id"]
        async with self._gate.work():
            pence = self._ledger.find(payment_id)
        if pence is None:
            return JSONResponse({"error": "no such payment"}, status_code=404)
        return JSONResponse({"id": payment_id, "pence": pence})

    async def healthz(self, _request: Request) -> Response:
        try:
            await asyncio.to_thread(self._ledger.check_writable, self._beat)
        except OSError as error:
            return JSONResponse({"ok": False, "why": str(error)}, status_code=503)
        return JSONResponse({"ok": True})

    def routes(self) -> list[Route]:
        return [
            Route("/payments", self.take, methods=["POST"]),
            Route("/payments", self.totals),
            Route("/payments/{payment_id}", self.one),
            Route("/healthz", self.healthz),
        ]


class Social:
    """A feed is only worth showing whole: one card missing fails it."""

    def __init__(self, gate: Gate, edge: httpx.AsyncClient) -> None:
        self._gate = gate
        self._edge = edge

    async def feed(self, _request: Request) -> Response:
        async with self._gate.work():
            pass
        cards = await asyncio.gather(*(self._card() for _ in range(CARDS)))
        if not all(cards):
            return JSONResponse({"error": "a card is missing"}, status_code=502)
        return JSONResponse({"cards": len(cards)})

    async def _card(self) -> bool:
        try:
            answer = await self._edge.get("/payments")
        except httpx.HTTPError:
            return False
        return answer.is_success

    def routes(self) -> list[Route]:
        return [Route("/social", self.feed), Route("/healthz", _always_well)]


def pricing_routes(gate: Gate) -> list[Route]:
    async def quote(_request: Request) -> Response:
        async with gate.work():
            return JSONResponse({"pence": 1999})

    return [Route("/pricing", quote), Route("/healthz", _always_well)]


async def _always_well(_request: Request) -> Response:
    """For services whose health hangs on nothing but themselves."""
    return JSONResponse({"ok": True})


def build(options: Options) -> Starlette:
    """The application for one name and role."""
    gate = Gate(SIZES[options.served_by])
    edge = httpx.AsyncClient(base_url=options.edge_url, timeout=_CARD_TIMEOUT, trust_env=False)

    @contextlib.asynccontextmanager
    async def lifespan(_app: Starlette) -> AsyncIterator[None]:
        async with edge:
            yield

    return Starlette(
        routes=_routes(options, gate, edge),
        exception_handlers={Overloaded: _refuse},
        lifespan=lifespan,
    )


def _routes(options: Options, gate: Gate, edge: httpx.AsyncClient) -> list[Route]:
    match options.name:
        case "pricing":
            return pricing_routes(gate)
        case "social":
            return Social(gate, edge).routes()
        case _:
            beat = options.ledger.with_suffix(f".{options.role}.beat")
            return Payments(gate, Ledger(options.ledger), beat).routes()


async def _refuse(_request: Request, _error: Exception) -> Response:
    return JSONResponse({"error": "overloaded"}, status_code=503)


def main() -> None:
    parser = argparse.ArgumentParser(description="One service of the practice fintech.")
    parser.add_argument("--name", required=True, choices=["payments", "pricing", "social"])
    parser.add_argument("--role", default="", help="payments only: primary or standby")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--ledger", type=Path, required=True)
    parser.add_argument("--edge-url", required=True)
    options = Options(**vars(parser.parse_args()))
    if options.served_by not in SIZES:
        parser.error(f"no service is called {options.served_by}")
    uvicorn.run(
        build(options),
        host="127.0.0.1",
        port=options.port,
        access_log=False,
        log_level="warning",
        headers=[("X-Served-By", options.served_by)],
        timeout_graceful_shutdown=1,
    )


if __name__ == "__main__":
    main()
