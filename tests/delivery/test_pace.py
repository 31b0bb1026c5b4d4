"""Many incidents at once: within Slack's tiers as the stub counts them, the critical ones first."""

import pytest

from tests.delivery.conftest import Post, stop
from tests.slackstub.faults import PER_MINUTE
from tests.slackstub.webapi import TIERS

pytestmark = pytest.mark.server  # the stub listens on a port
MINUTE = 4.0


@pytest.mark.slow
async def test_forty_incidents_at_once(post: Post) -> None:
    """Slack refuses nothing, every channel gets its card, topic and pin, and the severe ones lead."""
    post.slack.configure(rate_limits=True, rate_window=MINUTE, post_interval=MINUTE / 60)
    severities = {}
    for n in range(40):
        severity = ("sev4", "sev3", "sev2", "sev1")[n // 10]  # the worst news comes last
        severities[await post.declare(f"Number {n}", severity)] = severity
    await post.drain(post.worker(minute=MINUTE), limit=60)

    assert [c.error for c in post.slack.calls() if c.status == 429] == []
    for method, tier in TIERS.items():
        ended = [c.ended for c in post.slack.calls(method)]
        if tier in PER_MINUTE and method != "chat.postMessage":
            top = PER_MINUTE[tier]
            pairs = zip(ended, ended[top:], strict=False)
            assert all(late - early >= MINUTE * 0.9 for early, late in pairs), method
    made = [int(c.args["name"].split("-")[1]) for c in post.calls("conversations.create")]
    assert len(set(made)) == len(made) == 40
    order = [severities[number] for number in made]
    assert order[:20] == ["sev1"] * 10 + ["sev2"] * 10
    for number in range(1, 41):
        channel = post.slack.ws.any_channel(post.channel(number))
        assert len(channel.pins) == 1
        assert channel.topic["value"]


async def test_a_critical_incident_need_not_wait(post: Post) -> None:
    """The minute's ordinary calls are used up: a SEV1's channel is opened all the same."""
    post.slack.configure(rate_limits=True, rate_window=60.0)
    worker = post.worker(minute=60.0)
    for n in range(20):
        await post.declare(f"Number {n}", "sev3")
    claimed = await worker.claim()
    for job, _ in claimed:
        if job.op == "open_channel":
            await worker._work(job, resumed=False)
    assert len(post.calls("conversations.create")) == 16
    await post.declare("The shop is down", "sev1")
    claimed = await worker.claim()
    assert [job.severity for job, _ in claimed if job.op == "open_channel"] == ["sev1"]
    for job, _ in claimed:
        if job.op == "open_channel":
            await worker._work(job, resumed=False)
    assert post.channel(21) == "inc-21-the-shop-is-down"
    assert [c for c in post.slack.calls() if c.status == 429] == []
    await stop(*worker._busy)
