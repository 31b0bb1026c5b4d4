"""What only a person can mend in Slack is said, and unsaid when it works again."""

import pytest

from tests.delivery.conftest import Post

pytestmark = pytest.mark.server  # the stub listens on a port


async def test_token_and_scope_as_the_calls_find_them(post: Post) -> None:
    """Refused, taken again, and a scope that is missing: each is said, and the first is taken back."""
    surface = post.worker().surface
    standing = surface.standing
    post.slack.fault("auth.test", "error", error="token_revoked")
    await surface.look()
    assert "Install the app again" in standing.words()
    await surface.look()
    assert standing.words() == ""
    post.slack.fault("pins.add", "error", error="missing_scope")
    await post.declare()
    worker = post.worker()
    await post.drain(worker)
    assert "lacks the scope" in worker.surface.standing.words()
    assert post.channel() == "inc-1-search-is-slow"
