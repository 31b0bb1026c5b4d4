"""Log lines over an incident's window, by Elasticsearch's search."""

import asyncio
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, instant, shaped

_LIMIT = 500  # lines of an answer: enough to group
_ERRORS = "log.level:(error OR fatal OR critical)"
_LINE = 4000  # characters that are kept of a line
_ALSO = ("error.message", "event.original")  # where a line is told that has no message


class Lines:
    """Runs each query over the window; without one, asks for errors by the fields of ECS."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list for each query, of the newest lines."""
        own = f"{_ERRORS} AND service.name:{_quoted(question.service)}"
        queries = question.queries or {"Error lines": own}
        asked = (_one(title, query, question, connection) for title, query in queries.items())
        return list(await asyncio.gather(*asked))


async def _one(title: str, query: str, question: Question, connection: Connection) -> Findings:
    about = question.about
    path = f"/{quote(about['index'], safe='*,-')}/_search"
    answer = await ask(
        connection, "Elasticsearch", path, {"allow_no_indices": "false"},
        json=body(query, question),
    )  # fmt: skip
    try:
        hits = answer["hits"]["hits"]
        found = [f for hit in hits if (f := _finding(hit["_source"], about)) is not None]
        partly = answer["timed_out"] or answer["_shards"]["failed"] > 0
    except (KeyError, TypeError, AttributeError) as error:
        raise shaped("Elasticsearch", error) from error
    more = bool(partly) or len(hits) >= _LIMIT
    return Findings(kind="logs", title=title, items=found, more=more)


def body(query: str, question: Question) -> dict[str, Any]:
    """The request: nothing is scored, and no total is counted that nobody needs."""
    time, message = _fields(question.about)
    window = {
        "gte": int(question.since.timestamp() * 1000),
        "lte": int(question.until.timestamp() * 1000),
        "format": "epoch_millis",
    }
    return {
        "size": _LIMIT,
        "timeout": "2s",
        "track_total_hits": False,
        "sort": [{time: {"order": "desc"}}],
        "_source": [time, message, *_ALSO],
        "query": {"bool": {"filter": [{"range": {time: window}}, {"query_string": {"query": query}}]}},
    }  # fmt: skip


def _fields(about: Mapping[str, str]) -> tuple[str, str]:
    return about.get("time", "@timestamp"), about.get("message", "message")


def _finding(source: dict[str, Any], about: Mapping[str, str]) -> Finding | None:
    time, message = _fields(about)
    texts = (_at(source, name) for name in (message, *_ALSO))
    text = next((t for t in texts if isinstance(t, str) and t), None)
    return Finding(text=text[:_LINE], at=instant(_at(source, time))) if text else None


def _at(source: Any, name: str) -> Any:  # noqa: ANN401 - a document holds any JSON
    """A field by its dotted name, whether the document has it flat or nested."""
    if not isinstance(source, dict):
        return None
    if name in source:
        return source[name]
    head, _, rest = name.partition(".")
    return _at(source.get(head), rest) if rest else None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
