"""The client through which everything goes to Slack: fitted, and as text where Slack still refuses."""

import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackApiError

from bot.chat.blocks import actions, button, header, section
from bot.chat.slack.client import SlackClient, respond
from bot.chat.slack.views import declare_view
from tests.chat.test_slackstub_limits import BAD_BLOCKS
from tests.slackstub import C_GENERAL, U_ANA, SlackStub

pytestmark = pytest.mark.server  # the stub listens on a port
CARD = [section("*SEV1* the shop"), actions(button("Resolve", "incident_resolve", "1"))]


@pytest.fixture
async def client(slack: SlackStub) -> AsyncIterator[SlackClient]:
    made = SlackClient(token=slack.bot_token, base_url=slack.api_url, retry_handlers=[])
    yield made
    await made.close()


async def test_no_limit_stops_a_message(slack: SlackStub, client: SlackClient) -> None:
    """Everything that Slack is known to refuse arrives, cut: nothing is tried twice."""
    for blocks in BAD_BLOCKS.values():
        await client.chat_postMessage(channel=C_GENERAL, text="x", blocks=blocks)
    posted = slack.calls("chat.postMessage")
    assert [call.error for call in posted] == [None] * len(BAD_BLOCKS)


async def test_refused_all_the_same_the_text_goes_out(
    slack: SlackStub, client: SlackClient, caplog: pytest.LogCaptureFixture
) -> None:
    """A rule that we do not know: the words are posted and edited in place, and the log names it."""
    caplog.set_level(logging.ERROR)
    slack.fault("chat.postMessage", "error", error="invalid_blocks")
    answer = await client.chat_postMessage(channel=C_GENERAL, text="SEV1 the shop", blocks=CARD)
    (message,) = slack.messages(C_GENERAL)
    assert (message.text, message.blocks) == ("SEV1 the shop\n*SEV1* the shop", [])
    await client.chat_update(channel=C_GENERAL, ts=answer["ts"], text="card", blocks=CARD)
    slack.fault("chat.update", "error", error="msg_blocks_too_long")
    await client.chat_update(channel=C_GENERAL, ts=answer["ts"], text="now", blocks=CARD)
    assert (message.text, message.blocks) == ("now\n*SEV1* the shop", [])


async def test_as_text_it_calls_nobody(slack: SlackStub, client: SlackClient) -> None:
    """What an alert wrote into a headline is plain there; in the text beside it would be a mention."""
    for blocks in ([header("<!channel> & co")], [{**header("<!here>"), "type": "unknown"}]):
        slack.fault("chat.postMessage", "error", error="invalid_blocks")
        await client.chat_postMessage(channel=C_GENERAL, text="x", blocks=blocks)
    shown = [message.text for message in slack.messages(C_GENERAL)]
    assert shown == ["x\n&lt;!channel&gt; &amp; co", "x\n&lt;!here&gt;"]


async def test_what_is_refused_for_another_reason_is_not_tried_again(
    slack: SlackStub, client: SlackClient
) -> None:
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel="C0NOWHERE", text="x", blocks=CARD)
    slack.fault("chat.postMessage", "http_500")  # its answer is no JSON
    with pytest.raises(SlackApiError):
        await client.chat_postMessage(channel=C_GENERAL, text="x", blocks=CARD)
    assert len(slack.calls("chat.postMessage")) == 2


async def test_a_form_that_is_refused_says_what_to_do(
    slack: SlackStub, client: SlackClient
) -> None:
    trigger = slack.ws.new_trigger(U_ANA, slack.begin("test", U_ANA).id)
    slack.fault("views.open", "error", error="invalid_arguments")
    opened = await client.views_open(trigger_id=trigger.id, view=declare_view())
    assert "/incident help" in str(opened["view"]["blocks"])


async def test_long_texts(slack: SlackStub, client: SlackClient) -> None:
    """The text beside the blocks has its own limits, an edit's is a tenth."""
    answer = await client.chat_postMessage(channel=C_GENERAL, text="x" * 50_000)
    await client.chat_update(channel=C_GENERAL, ts=answer["ts"], text="y" * 50_000)
    assert len(slack.messages(C_GENERAL)[0].text) == 4000


async def test_an_answer_by_its_url(slack: SlackStub) -> None:
    """Fitted like the rest; a URL that is used up ends nothing; Slack's own failure is told."""
    done = slack.begin("slash_commands", U_ANA, slack.ws.any_channel(C_GENERAL))
    await respond(done.response_url, "x", BAD_BLOCKS["/blocks"])
    assert len(done.responses[0]["blocks"]) == 50
    for _ in range(6):
        await respond(done.response_url, "again", [])
    slack.configure(down=True)
    with pytest.raises(aiohttp.ClientError):
        await respond(done.response_url, "x", [])


async def test_an_answer_that_comes_too_soon() -> None:
    """Slack limits answers as well: one that it put off is worth trying again, whole."""
    tried: list[web.Request] = []

    async def limited(request: web.Request) -> web.Response:
        tried.append(request)
        return web.Response(status=429, headers={"Retry-After": "1"}, text="rate_limited")

    app = web.Application()
    app.router.add_post("/answer", limited)
    async with TestServer(app) as server:
        with pytest.raises(OSError, match="429"):
            await respond(str(server.make_url("/answer")), "x", CARD)
    assert len(tried) == 1
