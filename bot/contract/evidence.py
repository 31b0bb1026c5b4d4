"""What a source of evidence is asked and what it finds; and how such sources ask over HTTP.

A source finds and says nothing about what it means: grouping log lines, cutting credentials out,
drawing and telling are Jackline's, the same for all sources.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from pydantic import Field

from bot.contract.frozen import Frozen
from bot.contract.http import Api
from bot.errors import Rejected

if TYPE_CHECKING:
    from bot.contract import Connection

_BUSY = frozenset({429, 502, 503, 504})
_LOGIN = "Look at the headers of the target, and what they may read."

Signal = Literal["", "latency", "traffic", "errors", "saturation"]


class Question(Frozen):
    """What is looked for: a service, over a window. Times are UTC-aware.

    ``about`` says which part of the target is the service's (a project, a namespace, labels), and
    ``queries`` are title → query; both as the catalog has them, and either may be empty. What
    changed is asked for since ``changes_since``, which is earlier than ``since``.
    """

    service: str
    about: dict[str, str] = Field(default={})
    queries: dict[str, str] = Field(default={})
    since: datetime
    until: datetime
    changes_since: datetime


class Series(Frozen):
    """One line of a graph; points are (unix seconds, value)."""

    label: str
    points: list[tuple[float, float]]


class Graph(Frozen):
    """A graph to be drawn, not a picture: drawing is Jackline's.

    ``signal`` is which of the four golden signals it shows, if it is one of them.
    """

    title: str
    unit: str
    series: list[Series]
    link: str = ""
    signal: Signal = ""


class Finding(Frozen):
    """One thing that was found, in one line of plain text.

    ``key`` is the same for the same thing, whoever saw it: for a deployment
    ``deploy:REPOSITORY:ENVIRONMENT:COMMIT``.
    """

    text: str
    at: datetime | None = None
    link: str = ""
    key: str = ""


class Findings(Frozen):
    """What a source found of one kind.

    ``logs`` are raw lines, in any order; ``errors`` are error groups, the most frequent first;
    ``changes`` are deployments and flags, ``experiments`` are chaos experiments that run now.
    None found is an answer too. ``more``: there is more than was fetched.
    """

    kind: Literal["logs", "errors", "changes", "experiments"]
    title: str
    items: list[Finding] = Field(default=[])
    link: str = ""
    more: bool = False


async def ask(
    connection: Connection,
    vendor: str,
    path: str,
    params: Mapping[str, Any] | None = None,
    *,
    json: Any = None,  # noqa: ANN401 - any JSON
    headers: Mapping[str, str] | None = None,
) -> Any:  # noqa: ANN401 - the vendor's own data
    """The JSON of an answer: GET, or POST where there is ``json`` to send.

    Asking again does no harm, so what is lost is `Retryable`. Raises `NotSent`, `Retryable`,
    `AuthFailed` or `Rejected`, each in words that name the vendor.
    """
    method = "GET" if json is None else "POST"
    api = Api(vendor, hint=_LOGIN, busy=_BUSY, broken=())
    answer = await api.call(
        connection, method, path, once=False, params=params, json=json, headers=headers
    )
    try:
        return answer.json()
    except ValueError as error:
        said = f"The answer is none of {vendor}'s: it is no JSON."
        raise Rejected(said, hint="Look at the url of the target.") from error


def shaped(vendor: str, error: Exception) -> Rejected:
    """What to raise where an answer is JSON, but not in the vendor's shape."""
    said = f"The answer is not in {vendor}'s shape ({type(error).__name__})."
    return Rejected(said, hint="Look at the url of the target, and at its version.")


def instant(text: Any) -> datetime | None:  # noqa: ANN401 - of an answer: it may be anything
    """A time as vendors write it (ISO 8601 with a zone); None where it is none."""
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


@runtime_checkable
class EvidenceSource(Protocol):
    """Looks up what a responder would look up first. Reads only."""

    async def collect(
        self, question: Question, connection: Connection
    ) -> Sequence[Graph | Findings]:
        """What there is; raises the errors of `ask`."""
