"""Log lines over an incident's window, by `query_range`."""

import asyncio
from datetime import UTC, datetime
from typing import Any

from bot.contract import Connection, Finding, Findings, Question
from bot.contract.evidence import ask, shaped
from bot.errors import Rejected

_LIMIT = 1000  # lines of an answer: enough to group, and within Loki's own limit of 5,000
_ERRORS = r"(?i)\b(error|fatal|panic|exception|critical)"
_LINE = 4000  # characters that are kept of a line


class Lines:
    """Runs each query over the window; without one, asks for lines that speak of errors."""

    async def collect(self, question: Question, connection: Connection) -> list[Findings]:
        """One list for each query, of the newest lines."""
        queries = question.queries or {"Error lines": errors(question.service, question.about)}
        asked = (_one(title, query, question, connection) for title, query in queries.items())
        return list(await asyncio.gather(*asked))


def errors(service: str, about: dict[str, str]) -> str:
    """LogQL for a service's errors: of the streams with these labels, or its ``service_name``."""
    labels = ", ".join(f"{k}={_quoted(v)}" for k, v in (about or {"service_name": service}).items())
    return f"{{{labels}}} |~ {_quoted(_ERRORS)}"


async def _one(title: str, query: str, question: Question, connection: Connection) -> Findings:
    params = {
        "query": query, "start": _nanoseconds(question.since), "end": _nanoseconds(question.until),
        "limit": str(_LIMIT), "direction": "backward",
    }  # fmt: skip
    answer = await ask(connection, "Loki", "/loki/api/v1/query_range", params)
    try:
        data = answer["data"]
        if data["resultType"] != "streams":
            said = f"The query {title!r} gives numbers, not lines."
            raise Rejected(said, hint="Ask for a log query here, and for numbers at Prometheus.")
        found = [_finding(value) for stream in data["result"] for value in stream["values"]]
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise shaped("Loki", error) from error
    return Findings(kind="logs", title=title, items=found, more=len(found) >= _LIMIT)


def _finding(value: list[Any]) -> Finding:
    at = datetime.fromtimestamp(int(value[0]) / 1e9, UTC)
    return Finding(text=str(value[1])[:_LINE], at=at)


def _nanoseconds(at: datetime) -> str:
    return f"{int(at.timestamp() * 1_000_000)}000"


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return f'"{escaped}"'
