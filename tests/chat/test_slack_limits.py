"""Slack's limits are kept before Slack has to say so, and what it says is heeded."""

import asyncio

import pytest
from slack_sdk.errors import SlackApiError
from slack_sdk.web import SlackResponse

from bot.chat.slack.methods import METHODS
from bot.chat.slack.pace import Limits
from bot.errors import Retryable


class Clock:
    """The event loop's clock, moved by hand."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.at = 100.0
        monkeypatch.setattr(asyncio.get_running_loop(), "time", lambda: self.at)


@pytest.fixture
async def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    return Clock(monkeypatch)


def refusal(seconds: int) -> SlackApiError:
    answer = SlackResponse(
        client=None, http_verb="POST", api_url="", req_args={}, data={"error": "ratelimited"},
        headers={"Retry-After": str(seconds)}, status_code=429,
    )  # fmt: skip
    return SlackApiError("limited", answer)


async def ask(
    limits: Limits,
    method: str = "chat.postMessage",
    channel: str = "C1",
    refused: int | None = None,
    severity: str = "sev1",
    job: int = 0,
) -> float:
    """0 when the call was made, else after how many seconds to come back."""
    given = {
        "burst": 2,
        "channel": channel if method == "chat.postMessage" else "",
        "severity": severity,
        "job": job,
    }
    try:
        async with limits.calling(method, once=True, **given):  # type: ignore[arg-type]  # as named
            if refused is not None:
                raise refusal(refused)
    except Retryable as error:
        return error.retry_after or 0.0
    return 0.0


async def test_a_refusal_is_heeded_and_remembered(clock: Clock) -> None:
    """No call while Slack says to wait, then one at a time; other channels are not held up."""
    limits = Limits()
    assert await ask(limits) == 0
    assert await ask(limits, refused=3) == 3
    clock.at += 2
    assert await ask(limits) == pytest.approx(1)
    assert await ask(limits, channel="C2") == 0
    clock.at += 1
    assert await ask(limits) == 0
    assert await ask(limits) == pytest.approx(1.2)
    clock.at += 1.2
    assert await ask(limits) == 0
    clock.at += 60
    assert [await ask(limits) for _ in range(2)] == [0, 0]


async def test_posts_in_a_channel_are_one_a_second_after_a_short_burst(clock: Clock) -> None:
    limits = Limits()
    assert [await ask(limits) for _ in range(2)] == [0, 0]
    assert 1 < await ask(limits) < 1.1
    assert await ask(limits, channel="C2") == 0
    clock.at += 1.1
    assert await ask(limits) == 0
    assert await ask(limits) > 0


@pytest.mark.parametrize("method", [m for m, about in METHODS.items() if about.per_minute])
async def test_a_method_is_never_called_more_often_than_its_tier_allows(
    method: str, clock: Clock
) -> None:
    """In any minute; a call counts from its end, for Slack may have counted it as late as then."""
    limits, top = Limits(), METHODS[method].per_minute
    assert [await ask(limits, method) for _ in range(top)] == [0] * top
    assert await ask(limits, method) == pytest.approx(60)
    clock.at += 59
    assert await ask(limits, method) == pytest.approx(1.2)
    clock.at += 1.2
    assert await ask(limits, method) == 0


async def test_who_waits_for_a_channel_is_given_a_moment_of_its_own(clock: Clock) -> None:
    """Forty lines for the digest come one a second, not all again every second."""
    limits = Limits()
    waits = [await ask(limits, job=job) for job in range(1, 41)]
    assert waits[:2] == [0, 0]
    assert waits[2:] == pytest.approx([n * 60 / 57 for n in range(1, 39)])
    for job in range(3, 41):
        clock.at += 60 / 57
        assert await ask(limits, job=job) == 0


async def test_what_is_under_way_counts(clock: Clock) -> None:
    limits = Limits()
    calls = [limits.calling("pins.add", once=False, severity="sev1") for _ in range(20)]
    for call in calls:
        await call.__aenter__()
    assert await ask(limits, "pins.add") > 0
    clock.at += 300
    assert await ask(limits, "pins.add") > 0
    for call in calls:
        await call.__aexit__(None, None, None)


async def test_critical_incidents_go_first(clock: Clock) -> None:
    """The others leave a fifth of the calls free, and who waits is not overtaken by less severe ones."""
    limits, method = Limits(), "conversations.create"
    waits = [await ask(limits, method, severity="sev3", job=n) for n in range(1, 21)]
    assert [w == 0 for w in waits] == [True] * 16 + [False] * 4
    assert [await ask(limits, method, severity="sev1", job=n) for n in range(31, 35)] == [0] * 4
    assert await ask(limits, method, severity="sev2", job=41) > 0
    assert await ask(limits, method, severity="sev1", job=42) > 0
    clock.at += 60
    assert await ask(limits, method, severity="sev1", job=42) == 0
    assert await ask(limits, method, severity="sev3", job=17) == 0


async def test_the_last_free_call_is_the_most_severe_ones(clock: Clock) -> None:
    limits, method = Limits(), "conversations.create"
    assert [await ask(limits, method) for _ in range(19)] == [0] * 19
    clock.at += 30
    assert await ask(limits, method) == 0
    assert await ask(limits, method, severity="sev1", job=1) > 0
    assert await ask(limits, method, severity="sev2", job=2) > 0
    clock.at += 30.5  # nineteen are free again
    assert [await ask(limits, method, severity="sev2", job=n) for n in range(3, 20)] == [0] * 17
    assert await ask(limits, method, severity="sev2", job=20) > 0, "two wait who go before"
    assert await ask(limits, method, severity="sev1", job=1) == 0


async def test_who_does_not_come_again_is_not_waited_for(clock: Clock) -> None:
    """Its process died, or its incident needs the call no more."""
    limits, method = Limits(), "conversations.create"
    assert [await ask(limits, method) for _ in range(20)] == [0] * 20
    assert await ask(limits, method, severity="sev1", job=1) > 0
    clock.at += 60 + 15
    assert [await ask(limits, method, severity="sev2", job=n) for n in range(2, 22)] == [0] * 20
