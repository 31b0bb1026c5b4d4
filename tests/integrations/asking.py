"""What a source of evidence is asked, as an incident of just now asks it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.contract import EvidenceSource, Findings, Question
from bot.registry import Registry
from tests.integrations.direct import direct

UNTIL = datetime.now(UTC).replace(microsecond=0)


def question(**more: Any) -> Question:
    """The last 15 minutes, and two hours of changes, of the service `checkout`."""
    until = more.pop("until", UNTIL)
    window = {
        "since": until - timedelta(minutes=15),
        "changes_since": until - timedelta(hours=2),
    }
    return Question.model_validate({"service": "checkout", "until": until, **window, **more})


async def asked(
    registry: Registry, integration: str, url: str, *, headers: dict[str, str] | None = None,
    timeout: float = 5.0, **more: Any,
) -> Findings:  # fmt: skip
    """The one list that the source finds."""
    source: EvidenceSource = registry.evidence[integration]
    async with direct(f"{integration}/main", url, headers=headers, timeout=timeout) as connection:
        (found,) = await source.collect(question(**more), connection)
    assert isinstance(found, Findings)
    return found
