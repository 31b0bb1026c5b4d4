"""HTTP checks and calls against a real server that a test controls."""

import json
from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pydantic import ValidationError

from bot.contract import Effect
from bot.errors import AuthFailed, NotSent, Rejected, Retryable, TargetError, Unknown
from bot.registry import Registry
from integrations.http.actions import p95
from tests.integrations.direct import Scripted
from tests.integrations.doing import Doing
from tests.servers.http_app import Answer, HttpApp

LOOK = {"target": "shop", "path": "/healthz"}
PUT = {"target": "shop", "path": "/mode", "body": {"mode": "read-only"}}


async def test_check_says_how_the_service_answers(on_http: Doing, shop: HttpApp) -> None:
    """Ratio, status, time, and who answered."""
    out = await on_http.apply("http.check", **LOOK, count=20, contains="ok", max_ms=5000)

    assert out["ok"] is True
    assert (out["ok_ratio"], out["status"], out["statuses"]) == (1.0, 200, {"200": 20})
    assert out["served_by"] == {"shop": 20}
    assert 0 < out["p95_ms"] < 5000
    assert shop.count("/healthz") == 20
    assert (await on_http.preview("http.check", **LOOK)).changes == []
    assert await on_http.verify("http.check", **LOOK) is True


@pytest.mark.parametrize(
    ("answer", "params", "ok"),
    [
        (Answer(500), {}, False),
        (Answer(500), {"expect_status": [200, 500]}, True),
        (Answer(204, body=""), {}, True),
        (Answer(204, body=""), {"expect_status": 200}, False),
        (Answer(200, body="maintenance"), {"contains": "welcome"}, False),
        (Answer(200, latency=0.05), {"max_ms": 20}, False),
        (Answer(302, headers={"Location": "http://127.0.0.1:1/"}), {}, False),
        (Answer(302), {"expect_status": 302}, True),
        (Answer(500), {"min_ok": 0}, True),
        (Answer(401), {}, False),
    ],
)
async def test_a_bad_answer_is_a_result(
    on_http: Doing, shop: HttpApp, answer: Answer, params: dict[str, Any], ok: bool
) -> None:
    """The runbook decides what follows from it; a redirect is never followed."""
    shop.default = answer
    out = await on_http.apply("http.check", **LOOK, **params)
    assert (out["ok"], out["status"]) == (ok, answer.status)


async def test_requests_without_an_answer_count_as_failed(on_http: Doing, shop: HttpApp) -> None:
    """Unless there was no answer at all: then the path is the suspect."""
    shop.default = Answer(drop=True)
    with pytest.raises(Retryable):
        await on_http.apply("http.check", **LOOK)
    shop.down()
    with pytest.raises(NotSent):
        await on_http.apply("http.check", **LOOK, count=2)


async def test_some_lost_answers_lower_the_ratio(registry: Registry) -> None:
    """Half of the requests fail on the way."""
    turns = iter([True, False] * 5)

    def reply(_: httpx.Request) -> httpx.Response:
        if next(turns):
            return httpx.Response(200, text="ok")
        raise httpx.ReadTimeout("late")

    transport = httpx.MockTransport(reply)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        doing = Doing(registry, Scripted([], [], client, "http/shop"))
        out = await doing.apply("http.check", **LOOK, count=10, min_ok=0.5)
    assert (out["ok"], out["ok_ratio"], out["no_answer"]) == (True, 0.5, 5)


async def test_call_sends_once(on_http: Doing, shop: HttpApp) -> None:
    """Body, status and answer; a plan sends nothing."""
    shop.default = Answer(201, body='{"id": 7}')
    params = {"target": "shop", "path": "/v1/x?dry=0", "body": {"a": [1, None]}}
    preview = await on_http.preview("http.call", **params, expect_status=201)
    assert preview.changes[0].what == "POST /v1/x?dry=0"
    assert shop.received == []

    out = await on_http.apply("http.call", **params, expect_status=201)
    assert (out["status"], out["body"]) == (201, {"id": 7})
    (got,) = shop.received
    assert (got.method, got.path, got.query, got.json()) == (
        "POST",
        "/v1/x",
        "dry=0",
        params["body"],
    )
    assert await on_http.verify("http.call", **params) is None
    assert on_http.undo(preview, "http.call", **params) is None
    assert on_http.action("http.call").effect is Effect.ONCE


async def test_confirm_tells_after_a_crash(on_http: Doing, shop: HttpApp) -> None:
    """Whether a call took effect is read, not guessed."""
    confirm = {"path": "/v1/x/7", "contains": "open"}
    params = {"target": "shop", "path": "/v1/x", "confirm": confirm}
    shop.answers["/v1/x/7"] = Answer(404)
    assert await on_http.verify("http.call", **params) is False
    shop.answers["/v1/x/7"] = Answer(200, body='{"state": "open"}')
    assert await on_http.verify("http.call", **params) is True


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (Answer(drop=True), Unknown),
        (Answer(latency=60), Unknown),
        (Answer(502), Unknown),
        (Answer(504), Unknown),
        (Answer(401), AuthFailed),
        (Answer(403), AuthFailed),
        (Answer(429, headers={"Retry-After": "12"}), Retryable),
        (Answer(503), Retryable),
        (Answer(422, body="y" * 900), Rejected),
        (Answer(500), Rejected),
        (Answer(302, headers={"Location": "/"}), Rejected),
    ],
)
async def test_what_a_failed_call_means(
    on_http: Doing, shop: HttpApp, answer: Answer, error: type[TargetError]
) -> None:
    """And in no case was it sent twice."""
    shop.default = answer
    for name in ("http.call", "http.put"):
        shop.received.clear()
        with pytest.raises(error) as caught:
            await on_http.apply(name, **PUT)
        assert len(caught.value.message) < 300
        assert shop.count() == 1
    if answer.headers.get("Retry-After"):
        assert isinstance(caught.value, Retryable)
        assert caught.value.retry_after == 12


async def test_a_closed_port_was_not_sent_to(on_http: Doing, shop: HttpApp) -> None:
    """The next access path may be tried."""
    shop.down()
    with pytest.raises(NotSent):
        await on_http.apply("http.call", **PUT)


@pytest.fixture
async def store(registry: Registry) -> AsyncIterator[tuple[Doing, dict[str, Any]]]:
    """A service that keeps what is put."""
    kept: dict[str, Any] = {}

    def reply(request: httpx.Request) -> httpx.Response:
        if request.method == "PUT":
            kept[request.url.path] = json.loads(request.content)
        if request.url.path not in kept:
            return httpx.Response(404)
        return httpx.Response(200, json=kept[request.url.path])

    transport = httpx.MockTransport(reply)
    async with httpx.AsyncClient(transport=transport, base_url="http://shop") as client:
        yield Doing(registry, Scripted([], [], client, "http/shop")), kept


async def test_put_there_and_back(store: tuple[Doing, dict[str, Any]]) -> None:
    """The former resource is read before, and put back after."""
    doing, kept = store
    kept["/mode"] = {"mode": "normal"}
    preview = await doing.preview("http.put", **PUT)
    assert [(c.before, c.after) for c in preview.changes] == [
        ('{"mode": "normal"}', '{"mode": "read-only"}')
    ]
    assert await doing.verify("http.put", **PUT) is None
    await doing.apply("http.put", **PUT)
    assert await doing.verify("http.put", **PUT) is True
    assert (await doing.preview("http.put", **PUT)).changes == []
    await doing.take_back(preview, "http.put", **PUT)
    assert kept == {"/mode": {"mode": "normal"}}


async def test_put_of_something_new_has_no_undo(store: tuple[Doing, dict[str, Any]]) -> None:
    """There is nothing to put back, and the plan says so."""
    doing, _ = store
    preview = await doing.preview("http.put", **PUT)
    assert preview.changes[0].before == "not known"
    assert doing.undo(preview, "http.put", **PUT) is None


async def test_what_is_too_large_to_be_put_back_has_no_undo(
    store: tuple[Doing, dict[str, Any]],
) -> None:
    """The plan says so, and not the way back when it is needed."""
    doing, kept = store
    kept["/mode"] = {"list": "x" * 70_000}
    preview = await doing.preview("http.put", **PUT)
    assert preview.changes[0].before.startswith('{"list": "xxx')
    assert doing.undo(preview, "http.put", **PUT) is None


@pytest.mark.parametrize(
    "change",
    [
        *[{"path": p} for p in ("", "x", "//evil.test/", "/a b", "/a#b", "/a\\b", "/a\nb")],
        *[{"path": p} for p in ("/../admin", "/a/%2e%2E/b", "/a/..", "/./x", "http://evil.test/")],
        *[{"target": t} for t in ("", "-x", "a/b/c", "A", "a/-b", "http://evil.test")],
        {"expect_status": 99},
        {"expect_status": [200, 600]},
        {"expect_status": []},
        {"expect_status": "all"},
        {"surprise": 1},
        {"body": "x" * 70_000},
    ],
)
def test_bad_params_are_refused(registry: Registry, change: dict[str, Any]) -> None:
    """A step stays below its target."""
    for name in ("http.call", "http.put"):
        with pytest.raises(ValidationError):
            registry.action(name).Params.model_validate(PUT | change)


def test_a_target_is_named_short_or_in_full(registry: Registry) -> None:
    """`shop` is http/shop; anything else in the catalog goes by its whole name."""
    check = registry.action("http.check")
    for given, meant in (("shop", "http/shop"), ("envoy/edge", "envoy/edge")):
        assert check.target(check.Params.model_validate({**LOOK, "target": given})) == meant


def test_p95() -> None:
    """By the nearest rank."""
    assert p95([5.0]) == 5.0
    assert p95([float(n) for n in range(1, 101)]) == 95.0
    assert p95([float(n) for n in range(20, 0, -1)]) == 19.0
