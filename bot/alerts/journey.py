"""A check over HTTP: one request, or several in a row as a user makes them, cookies kept.

What an answer holds is never repeated in an error: it may be a user's, or a secret.
"""

import asyncio
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from string import Template
from typing import Any
from urllib.parse import quote, quote_plus

import httpx
import jmespath
from jmespath.exceptions import JMESPathError
from pydantic import JsonValue

from bot.access import Link
from bot.catalog import Check, CheckStep
from bot.catalog.checks import pattern_of
from bot.errors import Rejected

_FORM = {"Content-Type": "application/x-www-form-urlencoded"}


async def walk(check: Check, link: Link) -> None:
    """Raises `Rejected` with what was wrong, in a journey with its step; or httpx's own errors."""
    own = replace(link)  # a client of its own on the same path: nobody shares the cookies
    try:
        if not check.steps:
            request = own.http.build_request("GET", link.entry.url, timeout=check.timeout)
            await _text(own.http, request, check.expect_status, check.timeout)
        values = dict(link.settings)
        for number, step in enumerate(check.steps, 1):
            try:
                values |= await _step(own, step, values, check.timeout)
            except (httpx.HTTPError, httpx.InvalidURL, TimeoutError, Rejected) as problem:
                said = problem.message if isinstance(problem, Rejected) else type(problem).__name__
                raise Rejected(f"step {number}, {step.method} {step.path}: {said}") from problem
    finally:
        await own.http.aclose()


async def _step(
    link: Link, step: CheckStep, values: Mapping[str, str], limit: float
) -> dict[str, str]:
    """One request; what was saved from its answer."""
    url = link.entry.url.rstrip("/") + _filled(step.path, values, lambda v: quote(v, safe="/"))
    request = link.http.build_request(step.method, url, timeout=limit, **_sent(step, values))
    text = await _text(link.http, request, step.expect_status, limit)
    if _filled(step.contains, values, str) not in text:
        raise Rejected(f"the answer does not contain {step.contains!r}")
    return {name: _picked(name, picked, text) for name, picked in step.save.items()}


async def _text(http: httpx.AsyncClient, request: httpx.Request, status: int, limit: float) -> str:
    """The answer's text, if it has the status.

    httpx's own time limit is for each read: a target that trickles would never end.
    """
    async with asyncio.timeout(limit):
        answer = await http.send(request)
    if answer.status_code != status:
        raise Rejected(f"HTTP {answer.status_code}")
    return answer.text


def _sent(step: CheckStep, values: Mapping[str, str]) -> dict[str, Any]:
    """The body as httpx takes it."""
    if isinstance(step.body, str):
        return {"content": _filled(step.body, values, quote_plus), "headers": _FORM}
    return {} if step.body is None else {"json": _json_filled(step.body, values)}


def _filled(text: str, values: Mapping[str, str], quoted: Callable[[str], str]) -> str:
    return Template(text).substitute({name: quoted(value) for name, value in values.items()})


def _json_filled(value: JsonValue, values: Mapping[str, str]) -> JsonValue:
    match value:
        case dict():
            return {key: _json_filled(each, values) for key, each in value.items()}
        case list():
            return [_json_filled(each, values) for each in value]
        case str():
            return _filled(value, values, str)
    return value


def _picked(name: str, picked: str, text: str) -> str:
    pattern = pattern_of(picked)
    if pattern is not None:
        found = re.search(pattern, text)
        value = found.group(1) if found else None
    else:
        try:
            value = jmespath.search(picked, json.loads(text))
        except (JMESPathError, ValueError, RecursionError):
            value = None
    if isinstance(value, bool) or not isinstance(value, (str, int, float)):
        raise Rejected(f"the answer has no {name}")
    return str(value)
