"""What Slack has told us to slow down is left alone, and then done at a distance."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.chat.slack.calls import Limits
from bot.errors import Retryable


class Clock:
    """The event loop's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.at)


def refusal(seconds: int) -> SlackApiError:
    answer = SlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data={"error": "ratelimited"},
        headers={"Retry-After": str(seconds)}, status_code=429,
    )  # fmt: skip
    return SlackApiError("limited", answer)


async def ask(limits: Limits, channel: str = "C1", refused: int | None = None) -> float:
    """0 when the call was made, else after how many seconds to come back."""
    try:
        async with limits.calling("chat.postMessage", once=True, channel=channel):
            if refused is not None:
                raise refusal(refused)
    except Retryable as error:
        return error.retry_after or 0.0
    return 0.0


async def test_a_refusal_is_heeded_and_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    """No call while Slack says to wait, then one at a time; other channels are not held up."""
    clock, limits = Clock(monkeypatch), Limits()
    for _ in range(5):
        assert await ask(limits) == 0
    assert await ask(limits, refused=3) == 3
    clock.at += 2
    assert await ask(limits) == pytest.approx(1)
    assert await ask(limits, "C2") == 0
    clock.at += 1
    assert await ask(limits) == 0
    assert await ask(limits) == pytest.approx(1.2)
    clock.at += 1.2
    assert await ask(limits) == 0
    clock.at += 60
    for _ in range(5):
        assert await ask(limits) == 0
