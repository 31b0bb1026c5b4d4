"""Jackline as a process of its own, and what the demo asks of its API."""

import asyncio
import os
import secrets
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Self

import httpx

from bot.chat.console import signin_link
from bot.errors import Unavailable
from bot.practice.children import free_ports
from bot.store import load_key

Row = dict[str, Any]


class BotProcess:
    """``jackline serve`` on SQLite in a scratch folder, without Slack."""

    def __init__(self, folder: Path, runbooks: Path, port: int) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.port = port or free_ports(1)[0]
        self.url = f"http://127.0.0.1:{self.port}"
        self._token = secrets.token_hex(16)
        self._env = {k: v for k, v in os.environ.items() if not k.startswith("JACKLINE_")} | {
            "JACKLINE_HTTP_LISTEN": f"127.0.0.1:{self.port}",
            "JACKLINE_DATA_DIR": str(self.data_dir),
            "JACKLINE_RUNBOOKS_DIR": str(runbooks),
            "JACKLINE_WEBHOOKS__API__SECRETS": f'["{self._token}"]',
            "JACKLINE_LOG_LEVEL": "info",
        }
        self._http = httpx.AsyncClient(
            base_url=self.url, headers={"Authorization": f"Bearer {self._token}"}, trust_env=False
        )
        self._process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        log = (self.folder / "jackline.log").open("wb")
        self._process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "bot.cli", "serve", stdout=log, stderr=log, env=self._env,
            start_new_session=True,
        )  # fmt: skip
        log.close()
        try:
            await self._until(self._ready, "Jackline to start", 30)
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), 8)
            except TimeoutError:
                process.kill()
                await process.wait()

    def signin_link(self, person: str) -> str:
        """What ``jackline signin PERSON`` prints, without waiting for another process."""
        return signin_link(load_key(None, self.data_dir, "session"), person, self.url)

    async def wait_for(self, wanted: Callable[[Row], object], what: str, limit: float) -> Row:
        """The newest incident once ``wanted`` holds for it."""

        async def look() -> Row | None:
            found = await self._get("/api/v1/incidents")
            return found[0] if found and wanted(found[0]) else None

        return await self._until(look, what, limit)

    async def wait_status(self, number: int, status: str, limit: float) -> Row:
        """The incident once it has that status."""
        return await self.wait_for(
            lambda i: i["id"] == number and i["status"] == status, f"status {status}", limit
        )

    async def wait_run(self, number: int, states: tuple[str, ...], limit: float) -> Row:
        """The incident's newest run once it is in one of the states."""

        async def look() -> Row | None:
            runs = (await self._get(f"/api/v1/incidents/{number}"))["runs"]
            return next((r for r in runs if r["state"] in states), None)

        return await self._until(look, f"a run that is {' or '.join(states)}", limit)

    async def follow_run(
        self, number: int, states: tuple[str, ...], limit: float, say: Callable[[str], None]
    ) -> Row:
        """Like `wait_run`, telling each step of the timeline on the way."""
        told = 0

        async def look() -> Row | None:
            nonlocal told
            found = await self._get(f"/api/v1/incidents/{number}")
            for row in found["timeline"]:
                if row["seq"] > told and row["kind"].startswith(
                    ("step_", "guard_", "run_approved")
                ):
                    say(f"  {row['text']}")
                told = max(told, row["seq"])
            return next((r for r in found["runs"] if r["state"] in states), None)

        return await self._until(look, f"the run to end ({' or '.join(states)})", limit)

    async def wait_row(self, number: int, kind: str, limit: float) -> Row:
        """The first timeline row of a kind."""

        async def look() -> Row | None:
            rows = (await self._get(f"/api/v1/incidents/{number}"))["timeline"]
            return next((r for r in rows if r["kind"] == kind), None)

        return await self._until(look, kind, limit)

    def log_tail(self) -> str:
        """The end of the process's log, for an error message."""
        lines = (self.folder / "jackline.log").read_text("utf-8", "replace").splitlines()
        return "\n".join(lines[-15:])

    async def _ready(self) -> Row | None:
        if self._process is not None and self._process.returncode is not None:
            raise Unavailable("Jackline did not start.", hint=self.log_tail())
        answer = await self._http.get("/readyz")
        return {"ready": True} if answer.is_success else None

    async def _get(self, path: str) -> Any:  # noqa: ANN401 - JSON
        answer = await self._http.get(path)
        answer.raise_for_status()
        return answer.json()

    async def _until(self, look: Callable[[], Any], what: str, limit: float) -> Row:
        """An answer that does not come, or comes as 503, is asked for again until then."""
        deadline, wrong = time.monotonic() + limit, ""
        while time.monotonic() < deadline:
            try:
                found: Row | None = await look()
            except httpx.HTTPError as error:
                if isinstance(error, httpx.HTTPStatusError) and error.response.is_client_error:
                    raise
                found, wrong = None, f" Last: {error or type(error).__name__}."
            if found is not None:
                return found
            await asyncio.sleep(0.2)
        raise Unavailable(f"Waited {limit:.0f} s for {what}.{wrong}", hint=self.log_tail())
