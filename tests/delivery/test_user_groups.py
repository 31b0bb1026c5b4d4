"""Members of Slack's user groups come to the channel, also when Slack does not say who they are."""

from tests.delivery.conftest import Post
from tests.slackstub import U_ANA, U_BEN


async def invite(post: Post, number: int, group: str) -> None:
    async with post.store.write() as session:
        await post.outbox.invite(session, number, [], [group])
    await post.drain()


def members(post: Post, number: int) -> list[str]:
    channels = post.slack.state()["channels"].values()
    (found,) = [c["members"] for c in channels if c["name"] == post.channel(number)]
    return [user for user in found if user in (U_ANA, U_BEN)]


async def test_members_are_invited(post: Post) -> None:
    """As Slack says now; else as it said last; and one that nobody knows invites nobody."""
    group = post.slack.add_usergroup("oncall", [U_ANA])
    first = await post.opened("First")
    await invite(post, first, group.id)
    assert members(post, first) == [U_ANA]
    post.slack.ws.usergroups.clear()  # as where the scope is taken away
    second = await post.opened("Second")
    await invite(post, second, group.id)
    await invite(post, second, "S0GONE")
    assert members(post, second) == [U_ANA]
    assert [row.state for row in await post.rows("invite")] == ["sent"] * 5
