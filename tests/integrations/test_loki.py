"""Loki's lines, from a server that answers as Loki's documentation says and checks what it is asked."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from urllib.parse import parse_qs

import pytest

from bot.errors import AuthFailed, NotSent, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.asking import UNTIL, asked
from tests.servers.http_app import Answer, HttpApp, http_app
from tests.servers.process import HOST, free_port

pytestmark = pytest.mark.server
PATH = "/loki/api/v1/query_range"


def at(minutes: float) -> str:
    """Nanoseconds, as Loki writes them."""
    return f"{int((UNTIL - timedelta(minutes=minutes)).timestamp())}000000123"


def streams(*result: dict[str, Any], kind: str = "streams") -> Answer:
    body = {"status": "success", "data": {"resultType": kind, "result": list(result), "stats": {}}}
    return Answer(body=json.dumps(body))


@pytest.fixture
def server() -> Iterator[HttpApp]:
    with http_app("loki") as app:
        app.answers[PATH] = streams(
            {"stream": {"app": "checkout"}, "values": [[at(1), "error: a"], [at(2), "error: b"]]},
            {"stream": {"app": "checkout", "pod": "x"},
             "values": [[at(3), "fatal: c", {"detected_level": "fatal"}]]},
        )  # fmt: skip
        yield app


async def test_the_newest_error_lines_of_the_window(registry: Registry, server: HttpApp) -> None:
    """Of all streams, each with its time; what is asked is a log query over the window."""
    headers = {"X-Scope-OrgID": "shop"}
    found = await asked(registry, "loki", server.url, headers=headers)
    assert [item.text for item in found.items] == ["error: a", "error: b", "fatal: c"]
    assert found.items[0].at is not None
    assert abs(found.items[0].at - (UNTIL - timedelta(minutes=1))) < timedelta(seconds=1)
    assert (found.kind, found.title, found.more) == ("logs", "Error lines", False)
    (request,) = server.received
    assert (request.method, request.headers["x-scope-orgid"]) == ("GET", "shop")
    query = {name: value for name, (value,) in parse_qs(request.query).items()}
    assert query == {
        "query": '{service_name="checkout"} |~ "(?i)\\\\b(error|fatal|panic|exception|critical)"',
        "start": f"{int((UNTIL - timedelta(minutes=15)).timestamp())}000000000",
        "end": f"{int(UNTIL.timestamp())}000000000", "limit": "1000", "direction": "backward",
    }  # fmt: skip


async def test_labels_are_data(registry: Registry, server: HttpApp) -> None:
    """A value with a quote in it stays a value."""
    await asked(registry, "loki", server.url, about={"app": 'a"} or {b="c\\'})
    query = parse_qs(server.received[0].query)["query"][0]
    assert query.startswith('{app="a\\"} or {b=\\"c\\\\"} |~ ')


async def test_queries_of_the_catalog_take_its_place(registry: Registry, server: HttpApp) -> None:
    found = await asked(registry, "loki", server.url, queries={"Refusals": '{a="b"} |= "no"'})
    assert found.title == "Refusals"
    assert parse_qs(server.received[0].query)["query"] == ['{a="b"} |= "no"']


async def test_more_lines_than_are_asked_for(registry: Registry, server: HttpApp) -> None:
    values = [[at(1), f"error {n}"] for n in range(1000)]
    server.answers[PATH] = streams({"stream": {}, "values": values})
    assert (await asked(registry, "loki", server.url)).more


@pytest.mark.parametrize(
    ("answer", "error", "words"),
    [
        (Answer(status=400, body="parse error at line 1"), Rejected, "parse error at line 1"),
        (Answer(status=401, body="no org id"), AuthFailed, "no org id"),
        (Answer(status=429, body="too many outstanding requests"), Retryable, "too many"),
        (Answer(status=503, body=""), Retryable, "503"),
        (Answer(body="<html>"), Rejected, "no JSON"),
        (Answer(body="[]"), Rejected, "shape"),
        (Answer(body='{"data": {"resultType": "streams", "result": [{}]}}'), Rejected, "shape"),
        (streams(kind="matrix"), Rejected, "numbers, not lines"),
        (Answer(drop=True), Retryable, "did not answer"),
    ],
)
async def test_what_its_failures_mean(
    registry: Registry, server: HttpApp, answer: Answer, error: type[Exception], words: str
) -> None:
    server.answers[PATH] = answer
    with pytest.raises(error, match=words):
        await asked(registry, "loki", server.url)


async def test_nobody_there(registry: Registry) -> None:
    with pytest.raises(NotSent):
        await asked(registry, "loki", f"http://{HOST}:{free_port()}")
