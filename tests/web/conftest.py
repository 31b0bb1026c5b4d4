"""The whole ASGI app as `bot.app` wires it, over each database, asked without a socket."""

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from bot.app import Jackline
from bot.settings import load
from tests.e2e.harness import ALERTS, TOKEN

Open = Callable[..., AbstractAsyncContextManager["Web"]]


class Web:
    """Jackline's app with its intake at work, and what a client says to it."""

    def __init__(self, jackline: Jackline) -> None:
        self.jackline = jackline
        # As uvicorn does: what nobody caught is answered, not raised at the client.
        transport = httpx.ASGITransport(app=jackline.web, raise_app_exceptions=False)
        self.http = httpx.AsyncClient(transport=transport, base_url="http://jackline.test")

    async def alert(self, body: Any, secret: str | None = ALERTS, **kw: Any) -> httpx.Response:
        """Posts to the Alertmanager webhook: JSON, or bytes as they are."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        headers = {"Authorization": f"Bearer {secret}"} if secret is not None else {}
        return await self.http.post(
            "/webhooks/alertmanager", content=kw.get("content", content), headers=headers
        )

    async def api(self, path: str, token: str | None = TOKEN) -> httpx.Response:
        """One GET of the API."""
        headers = {"Authorization": f"Bearer {token}"} if token is not None else {}
        return await self.http.get(f"/api/v1{path}", headers=headers)

    async def metric(self, name: str, **labels: str) -> float:
        """One figure of the exposition; 0 where it does not stand there yet."""
        text = (await self.http.get("/metrics")).text
        samples = (s for family in text_string_to_metric_families(text) for s in family.samples)
        found = (s.value for s in samples if s.name == name and s.labels == labels)
        return next(found, 0.0)

    async def refused(self, reason: str) -> float:
        """How many Alertmanager requests were refused for a reason."""
        return await self.metric(
            "jackline_requests_refused_total", source="alertmanager", reason=reason
        )


@pytest.fixture
def open_alone(tmp_path: Path, migrated: Path) -> Open:
    """`open_alone(SLACK__MODE="http", …)`: the app with these settings, without the prefix.

    Its database is SQLite in a folder of its own, if none is given.
    """

    own = tmp_path / "own" / "j.db"

    @asynccontextmanager
    async def opened(**settings: str) -> AsyncIterator[Web]:
        if not own.exists() and "DATABASE_URL" not in settings:
            own.parent.mkdir(mode=0o700)
            shutil.copy(migrated, own)
        given = {
            "DATABASE_URL": f"sqlite+aiosqlite:///{own}",
            "DATA_DIR": str(tmp_path / "data"),
            "RUNBOOKS_DIR": str(tmp_path / "runbooks"),
            "WEBHOOKS__API__SECRETS": json.dumps([TOKEN]),
            "WEBHOOKS__ALERTMANAGER__SECRETS": json.dumps([ALERTS, "older"]),
        } | settings
        jackline = Jackline(load({f"JACKLINE_{k}": v for k, v in given.items()}))
        await jackline.store.migrate()
        writers = [asyncio.create_task(jackline.intake.run())]
        if jackline.slack is not None:
            writers.append(asyncio.create_task(jackline.slack.inbox.run()))
        web = Web(jackline)
        try:
            yield web
        finally:
            for writer in writers:
                writer.cancel()
            await asyncio.gather(*writers, return_exceptions=True)
            await web.http.aclose()
            await jackline.close()

    return opened


@pytest.fixture
def open_web(database_url: str, open_alone: Open) -> Open:
    """The same over each database."""
    return partial(open_alone, DATABASE_URL=database_url)


@pytest.fixture
async def web(open_web: Open) -> AsyncIterator[Web]:
    async with open_web() as opened:
        yield opened


def is_problem(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The answer as a problem document (RFC 9457), once it is one."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["title"]
    assert "Traceback" not in answer.text
    return body
