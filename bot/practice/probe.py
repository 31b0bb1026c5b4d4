"""An outside look at the edge: what a user gets now, and who gave it."""

import asyncio
import time
from collections import Counter
from dataclasses import dataclass

import httpx

from bot.practice.series import percentile_ms

_TIMEOUT = 4.0


@dataclass(frozen=True, slots=True)
class ProbeResult:
    """`served_by` counts successful answers by their `X-Served-By`; `p95_ms` is of those too."""

    ok: int
    failed: int
    served_by: Counter[str]
    p95_ms: float | None


async def probe(edge_url: str, path: str = "/payments", count: int = 20) -> ProbeResult:
    """Ask `count` times, five at once: a look, not another load."""
    five = asyncio.Semaphore(5)
    async with httpx.AsyncClient(base_url=edge_url, timeout=_TIMEOUT, trust_env=False) as client:
        answers = await asyncio.gather(*(_ask(client, path, five) for _ in range(count)))
    good = [answer for answer in answers if answer is not None]
    return ProbeResult(
        ok=len(good),
        failed=count - len(good),
        served_by=Counter(who for who, _ in good),
        p95_ms=percentile_ms(sorted(took for _, took in good), 95),
    )


async def _ask(
    client: httpx.AsyncClient, path: str, turn: asyncio.Semaphore
) -> tuple[str, float] | None:
    async with turn:
        began = time.monotonic()
        try:
            answer = await client.get(path)
        except httpx.HTTPError:
            return None
        if not answer.is_success:
            return None
        return answer.headers.get("x-served-by", "unknown"), time.monotonic() - began
