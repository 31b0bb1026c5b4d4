"""The stub in another process, with the same methods: all of them awaited, results as JSON."""

import base64
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, Self

import aiohttp

from .errors import HumanError
from .responses import Interaction
from .server import SlackStub


class RemoteStub:
    """`RemoteStub(control_url)`, from the line that `python -m tests.slackstub` prints."""

    def __init__(self, control_url: str) -> None:
        self.control_url = control_url
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession()
        return self

    async def __aexit__(self, *exc: object) -> None:
        if self._session is not None:
            await self._session.close()

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        if name.startswith("_") or not hasattr(SlackStub, name):
            raise AttributeError(name)
        known = getattr(SlackStub, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            given = (
                inspect.signature(known).bind(None, *args, **kwargs) if callable(known) else None
            )
            values = dict(list(given.arguments.items())[1:]) if given else {}
            values |= values.pop("values", {}) if name == "configure" else {}
            if isinstance(values.get("content"), bytes):
                values["content"] = base64.b64encode(values["content"]).decode()
            return await self._call(name, values)

        return call

    async def _call(self, name: str, values: dict[str, Any]) -> Any:
        if self._session is None:
            self._session = aiohttp.ClientSession()
        async with self._session.post(f"{self.control_url}{name}", json=values) as answer:
            body = await answer.json()
        if not body["ok"]:
            raise HumanError(body["error"])
        result = body["result"]
        if isinstance(result, dict) and {"trigger_id", "acked", "views"} <= result.keys():
            return Interaction(**result)
        return result
