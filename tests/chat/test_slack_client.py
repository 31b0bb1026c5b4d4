"""The client through which everything goes to Slack: fitted, and as text where Slack still refuses."""

import logging
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer
from slack_sdk.errors import SlackApiError

from bot.chat.blocks import actions, button, header, section
from bot.chat.slack.calls import slack_errors
from bot.chat.slack.client import SlackClient, respond
from bot.chat.slack.views import declare_view
from bot.errors import Rejected, Retryable, Unknown
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


@pytest.mark.parametrize(
    ("status", "kind", "body"),
    [
        (200, "text/plain", "Blocked by policy"),
        (200, "text/html", "<h1>Sign in</h1>"),
        (200, "application/json", '{"ok": tr'),
        (200, "application/json", '"later"'),
        (200, "application/json", "[]"),
        (200, "application/json", ""),
        (403, "text/html", "<h1>Forbidden</h1>"),
        (407, "text/plain", "Proxy Authentication Required"),
        (502, "text/html", "<h1>Bad gateway</h1>"),
    ],
)
async def test_what_is_not_slacks_answer_refuses_nothing(status: int, kind: str, body: str) -> None:
    """Nobody knows whether Slack did it: it is looked for or tried again, and ends no worker."""
    for once, lost in ((True, Unknown), (False, Retryable)):
        with pytest.raises(lost):
            await answered_by_a_proxy(web.Response(status=status, content_type=kind, text=body), once=once)  # fmt: skip


@pytest.mark.parametrize(
    ("said", "pause"), [("7", 7), ("Wed, 21 Oct 2020 07:28:00 GMT", 1), ("soon", 1), ("", 1)]
)
async def test_a_limit_in_words(said: str, pause: float) -> None:
    """When to come again may be said as a date, or not so that we understand it."""
    headers = {"Retry-After": said}
    with pytest.raises(Retryable) as caught:
        await answered_by_a_proxy(web.Response(status=429, headers=headers, text="slow down"))
    assert caught.value.retry_after == pause


async def test_an_attribute_that_is_not_there_is_our_fault() -> None:
    with pytest.raises(AttributeError):
        async with slack_errors("auth.test", once=False):
            None.get  # type: ignore[attr-defined]  # noqa: B018 - what is tested


@pytest.mark.parametrize(("status", "kind"), [(503, Unknown), (413, Rejected)])
async def test_a_file_that_is_not_taken(status: int, kind: type[Exception]) -> None:
    """Where its bytes go fails like the rest of Slack, and is tried again; what is too large is not."""

    async def told(request: web.Request) -> web.Response:
        url = str(request.url.with_path("/bytes"))
        return web.json_response({"ok": True, "upload_url": url, "file_id": "F1"})

    async def bytes_(request: web.Request) -> web.Response:
        del request
        return web.Response(status=status, text="no")

    app = web.Application()
    app.router.add_route("*", "/api/files.getUploadURLExternal", told)
    app.router.add_post("/bytes", bytes_)
    async with TestServer(app) as server:
        client = SlackClient("xoxb-x", base_url=str(server.make_url("/api/")), retry_handlers=[])
        try:
            with pytest.raises(kind):
                async with slack_errors("files.completeUploadExternal", once=True):
                    await client.files_upload_v2(channel=C_GENERAL, content="x", filename="x.txt")
        finally:
            await client.close()


async def answered_by_a_proxy(answer: web.Response, *, once: bool = False) -> None:
    async def instead(request: web.Request) -> web.Response:
        del request
        return answer

    app = web.Application()
    app.router.add_post("/api/{method}", instead)
    async with TestServer(app) as server:
        client = SlackClient("xoxb-x", base_url=str(server.make_url("/api/")), retry_handlers=[])
        try:
            async with slack_errors("chat.postMessage", once=once):
                await client.chat_postMessage(channel=C_GENERAL, text="x", blocks=CARD)
        finally:
            await client.close()
