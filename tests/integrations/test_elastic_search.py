"""Elasticsearch's search, on an emulator that takes only what our schema of a search allows."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import jsonschema
import pytest

from bot.errors import AuthFailed, Rejected, Retryable
from bot.registry import Registry
from tests.integrations.asking import UNTIL, asked
from tests.servers.http_app import Answer, HttpApp, http_app

pytestmark = pytest.mark.server
ABOUT = {"index": "logs-*"}
PATH = "/logs-*/_search"
# Written by hand after Elastic's documentation, of the parts that are used: not its specification.
REQUEST = {
    "type": "object",
    "additionalProperties": False,
    "required": ["query", "size", "sort"],
    "properties": {
        "size": {"type": "integer", "maximum": 10_000},
        "timeout": {"type": "string", "pattern": r"^\d+(ms|s|m)$"},
        "track_total_hits": {"type": ["boolean", "integer"]},
        "_source": {"type": "array", "items": {"type": "string"}},
        "sort": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": {"properties": {"order": {"enum": ["asc", "desc"]}}},
            },
        },
        "query": {
            "type": "object", "required": ["bool"],
            "properties": {"bool": {"properties": {"filter": {"type": "array", "items": {"oneOf": [
                {"type": "object", "additionalProperties": False, "required": ["range"],
                 "properties": {"range": {"minProperties": 1, "maxProperties": 1, "additionalProperties": {
                     "type": "object", "additionalProperties": False,
                     "properties": {"gte": {"type": "integer"}, "lte": {"type": "integer"},
                                    "format": {"type": "string"}}}}}},
                {"type": "object", "additionalProperties": False, "required": ["query_string"],
                 "properties": {"query_string": {
                     "type": "object", "required": ["query"],
                     "properties": {"query": {"type": "string"}}}}},
            ]}}}}},
        },
    },
}  # fmt: skip


def hit(minutes: float, **source: Any) -> dict[str, Any]:
    at = UNTIL - timedelta(minutes=minutes)
    whole = {"@timestamp": at.isoformat().replace("+00:00", ".000Z"), **source}
    return {"_index": "logs-shop", "_id": str(minutes), "_score": None, "_source": whole,
            "sort": [int(at.timestamp() * 1000)]}  # fmt: skip


def answer(*hits: dict[str, Any], timed_out: bool = False, failed: int = 0) -> Answer:
    shards = {"total": 3, "successful": 3 - failed, "skipped": 0, "failed": failed}
    body = {"took": 3, "timed_out": timed_out, "_shards": shards, "hits": {"max_score": None, "hits": list(hits)}}  # fmt: skip
    return Answer(body=json.dumps(body))


@pytest.fixture
def server() -> Iterator[HttpApp]:
    with http_app("elastic") as app:
        app.answers[PATH] = answer(
            hit(1, message="timeout after 30 s"),
            hit(2, error={"message": "no route"}),
            hit(3, **{"error.message": "flat"}),
            hit(4, labels={"message": 5}),
        )
        yield app


async def test_the_newest_error_lines_of_the_window(registry: Registry, server: HttpApp) -> None:
    """Whether the document has its fields flat or nested; one without a line is left out."""
    headers = {"Authorization": "ApiKey of-the-tests"}
    found = await asked(registry, "elastic", server.url, about=ABOUT, headers=headers)
    assert [item.text for item in found.items] == ["timeout after 30 s", "no route", "flat"]
    assert found.items[0].at == UNTIL - timedelta(minutes=1)
    assert (found.kind, found.more) == ("logs", False)
    (request,) = server.received
    assert (request.method, request.path) == ("POST", PATH)
    assert request.headers["authorization"] == "ApiKey of-the-tests"
    body = request.json()
    jsonschema.validate(body, REQUEST)
    window, query = body["query"]["bool"]["filter"]
    assert window["range"]["@timestamp"] == {
        "gte": int((UNTIL - timedelta(minutes=15)).timestamp() * 1000),
        "lte": int(UNTIL.timestamp() * 1000), "format": "epoch_millis",
    }  # fmt: skip
    assert query["query_string"]["query"] == (
        'log.level:(error OR fatal OR critical) AND service.name:"checkout"'
    )


async def test_other_fields_and_queries(registry: Registry, server: HttpApp) -> None:
    server.answers[PATH] = answer(hit(1, text="x", ts="2026-11-26T10:00:00Z"))
    about = {**ABOUT, "time": "ts", "message": "text"}
    queries = {"Refused": "level:warn"}
    found = await asked(registry, "elastic", server.url, about=about, queries=queries)
    assert [(item.text, str(item.at)) for item in found.items] == [
        ("x", "2026-11-26 10:00:00+00:00")
    ]
    body = server.received[0].json()
    jsonschema.validate(body, REQUEST)
    assert body["sort"] == [{"ts": {"order": "desc"}}]


async def test_an_index_does_not_leave_its_place(registry: Registry, server: HttpApp) -> None:
    """What the catalog says becomes one part of the path."""
    server.default = Answer(status=404, body="no such index")
    with pytest.raises(Rejected, match="no such index"):
        await asked(registry, "elastic", server.url, about={"index": "../_cluster/settings?x="})
    assert server.received[0].path.endswith("/_search")
    assert server.received[0].path.count("/") == 4  # decoded by the server: it was sent as %2F


@pytest.mark.parametrize("partly", [{"timed_out": True}, {"failed": 1}])
async def test_a_part_of_the_answer_says_so(
    registry: Registry, server: HttpApp, partly: dict[str, Any]
) -> None:
    server.answers[PATH] = answer(hit(1, message="x"), **partly)
    assert (await asked(registry, "elastic", server.url, about=ABOUT)).more


@pytest.mark.parametrize(
    ("given", "error", "words"),
    [
        (Answer(status=400, body='{"error": {"reason": "Failed to parse query"}}'), Rejected, "Failed to parse"),
        (Answer(status=404, body='{"error": "index_not_found_exception"}'), Rejected, "not_found"),
        (Answer(status=403, body="unauthorized"), AuthFailed, "unauthorized"),
        (Answer(status=429, body="es_rejected_execution_exception"), Retryable, "rejected"),
        (Answer(body="{}"), Rejected, "shape"),
        (Answer(body='"x"'), Rejected, "shape"),
    ],
)  # fmt: skip
async def test_what_its_failures_mean(
    registry: Registry, server: HttpApp, given: Answer, error: type[Exception], words: str
) -> None:
    server.answers[PATH] = given
    with pytest.raises(error, match=words):
        await asked(registry, "elastic", server.url, about=ABOUT)
