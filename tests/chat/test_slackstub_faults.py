"""The stub on a bad day: faults, rate limits, outages, retries."""

import asyncio
import json
import sys
import time

import aiohttp
import pytest
from aiohttp import web
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.chat.stub_app import by_http, by_socket, client_of, refusal
from tests.slackstub import C_GENERAL, U_BEN, HumanError, RemoteStub


async def test_faults_one_after_another(slack):
    """Each kind of fault shows itself to the client, and is spent after its number of calls."""
    client = client_of(slack, retry_handlers=[])
    slack.fault("auth.test", "error", error="fatal_error")
    slack.fault("auth.test", "ratelimited", retry_after=7)
    slack.fault("auth.test", "http_500")
    slack.fault("auth.test", "drop_before")
    assert await refusal(client.auth_test()) == "fatal_error"
    with pytest.raises(SlackApiError) as caught:
        await client.auth_test()
    assert caught.value.response.status_code == 429
    assert caught.value.response.headers["Retry-After"] == "7"
    with pytest.raises(SlackApiError):
        await client.auth_test()
    with pytest.raises(aiohttp.ClientError):
        await client.auth_test()
    assert (await client.auth_test())["ok"]
    faults = [c.fault for c in slack.calls("auth.test")]
    assert faults == ["error", "ratelimited", "http_500", "drop_before", None]
    assert slack.in_flight == 0


async def test_a_drop_after_leaves_the_message_posted(slack):
    """The client saw a broken connection, and yet the message stands: the case to reconcile."""
    client = client_of(slack, retry_handlers=[])
    slack.fault("chat.postMessage", "drop_after")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=C_GENERAL, text="ghost")
    slack.fault("chat.postMessage", "drop_before")
    with pytest.raises(aiohttp.ClientError):
        await client.chat_postMessage(channel=C_GENERAL, text="never")
    assert [m.text for m in slack.messages(C_GENERAL)] == ["ghost"]


@pytest.mark.slow
async def test_the_sdk_as_it_comes_posts_twice(slack):
    """Its default retry after a broken connection repeats a post that had gone through."""
    slack.fault("chat.postMessage", "drop_after")
    await client_of(slack).chat_postMessage(channel=C_GENERAL, text="twin")
    assert [m.text for m in slack.messages(C_GENERAL)] == ["twin", "twin"]


@pytest.mark.slow
async def test_rate_limits_are_honoured_by_the_sdk(slack):
    """With limits on, the 21st create in the window gets 429, and the SDK waits and succeeds."""
    slack.configure(rate_limits=True, rate_window=1.0)
    client = client_of(slack, retry_handlers=[AsyncRateLimitErrorRetryHandler(max_retry_count=3)])
    for number in range(21):
        await client.conversations_create(name=f"inc-{number}")
    codes = [c.status for c in slack.calls("conversations.create")]
    assert codes.count(429) >= 1
    assert codes.count(200) == 21


async def test_posts_are_limited_per_channel(slack):
    """A burst into one channel is stopped, while another channel still takes messages."""
    slack.configure(rate_limits=True, post_burst=2, post_interval=60)
    client = client_of(slack, retry_handlers=[])
    other = (await client.conversations_create(name="other"))["channel"]["id"]
    for _ in range(2):
        await client.chat_postMessage(channel=C_GENERAL, text="x")
    assert await refusal(client.chat_postMessage(channel=C_GENERAL, text="x")) == "ratelimited"
    assert (await client.chat_postMessage(channel=other, text="x"))["ok"]


async def test_latency_and_calls_in_flight(slack):
    """Calls take the time that was set, side by side, and the log knows how many there were."""
    slack.configure(latency=0.1)
    client = client_of(slack)
    await asyncio.gather(*[client.api_test() for _ in range(5)])
    assert slack.max_in_flight == 5
    assert all(0.09 < c.ended - c.started < 2 for c in slack.calls("api.test"))


async def test_an_outage_cuts_calls_and_sockets(slack):
    """Down means down: calls break, sockets close; afterwards the app comes back by itself."""
    async with by_socket(slack, []) as handler:
        handler.client.ping_interval = 0.2
        slack.configure(down=True)
        with pytest.raises(aiohttp.ClientError):
            await client_of(slack, retry_handlers=[]).auth_test()
        await slack.wait_for(lambda: not slack.hub.sockets)
        assert "dispatch_failed" in (await slack.command("/late")).error
        slack.configure(down=False)
        await slack.wait_sockets(1, timeout=20)
        assert (await slack.command("/late")).acked


async def test_a_refresh_moves_the_app_to_a_new_socket(slack):
    """Slack says goodbye to a socket every few hours; a command right after it still arrives."""
    async with by_socket(slack, []):
        await slack.disconnect_sockets("refresh_requested")
        await slack.wait_for(lambda: slack.hub.connections == 2, 10)
        assert (await slack.command("/late")).acked


async def test_a_frozen_socket_looks_open_and_loses_everything(slack):
    """The dead socket of a healthy process: no ack ever comes, and Slack tells the person so."""
    async with by_socket(slack, []):
        slack.configure(sockets_frozen=True, ack_timeout=0.1)
        assert (await slack.command("/late")).error == "operation_timeout"


@pytest.mark.parametrize("way", [by_socket, by_http])
async def test_an_unanswered_command_times_out(slack, way):
    """No ack in time means an error for the person, and a command is not tried twice."""
    seen = []
    slack.configure(ack_timeout=0.3)
    async with way(slack, seen):
        assert not (await slack.command("/never")).acked
        assert seen == ["/never"]


async def test_an_event_without_ack_is_tried_four_times(slack):
    """Once and three retries, each with its number, as Slack does."""
    slack.configure(ack_timeout=0.05)
    await slack.message(C_GENERAL, "is anybody there")
    await slack.wait_for(lambda: len(slack.deliveries(event_type="message")) == 4)
    assert [d["attempt"] for d in slack.deliveries(event_type="message")] == [0, 1, 2, 3]


async def test_http_retries_carry_their_number(slack):
    """A 500 is retried with the headers by which the app can tell, under the same event id."""
    heads = []

    async def refuse_twice(request: web.Request) -> web.Response:
        body = await request.json()
        number = request.headers.get("X-Slack-Retry-Num")
        heads.append((number, request.headers.get("X-Slack-Retry-Reason"), body["event_id"]))
        return web.Response(status=500 if len(heads) < 3 else 200)

    app = web.Application()
    app.router.add_post("/", refuse_twice)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    slack.configure(delivery="http", events_url=url)
    await slack.message(C_GENERAL, "hello")
    await slack.wait_for(lambda: len(heads) == 3)
    await slack.wait_quiet()
    await runner.cleanup()
    assert [h[:2] for h in heads] == [(None, None), ("1", "http_error"), ("2", "http_error")]
    assert len({h[2] for h in heads}) == 1


async def test_url_verification_and_signatures(slack):
    """bolt answers the challenge of a signed request and refuses one that is old or forged."""
    async with by_http(slack, []) as url, aiohttp.ClientSession() as http:
        assert await slack.verify_url(url)
        for at, secret in ((int(time.time()) - 400, None), (None, "wrong")):
            right = slack.ws.signing_secret
            slack.ws.signing_secret = secret or right
            headers = slack.deliverer.sign("{}", at)
            slack.ws.signing_secret = right
            async with http.post(url, data=b"{}", headers=headers) as answer:
                assert answer.status == 401


async def test_the_same_message_twice(slack):
    """bolt dedupes nothing, so the app must: by event id, and by the message's ts as well."""
    seen = []
    async with by_socket(slack, seen):
        await slack.mention(C_GENERAL, "one", copies=2)
        await slack.wait_for(lambda: sum(str(s).startswith("Ev") for s in seen) == 2)
        assert len({s for s in seen if str(s).startswith("Ev")}) == 1
        seen.clear()
        await slack.mention(C_GENERAL, "two", copies=2, new_event_ids=True)
        await slack.wait_for(lambda: sum(str(s).startswith("Ev") for s in seen) == 2)
        assert len({s for s in seen if str(s).startswith("Ev")}) == 2


async def test_private_channels_are_unseen_from_outside(slack):
    """Nothing of a private channel reaches a bot that is not in it: no call, no event, no list."""
    room = slack.add_channel("hush", is_private=True)
    await slack.message(room.id, "secret")
    assert slack.deliveries() == []
    with pytest.raises(HumanError):
        await slack.message(room.id, "me too", user=U_BEN)
    found = await client_of(slack).conversations_list(types="public_channel,private_channel")
    assert "hush" not in {c["name"] for c in found["channels"]}


@pytest.mark.server
async def test_the_stub_in_another_process():
    """Standalone, it prints how to connect, and takes the same methods over HTTP."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.slackstub", stdout=asyncio.subprocess.PIPE
    )
    try:
        about = json.loads(await child.stdout.readline())
        token, url = about["bot_token"], about["api_url"]
        client = AsyncWebClient(token=token, base_url=url, retry_handlers=[])
        async with RemoteStub(about["control_url"]) as remote:
            dan = await remote.add_user("dan", email="dan@example.test")
            assert (await client.users_info(user=dan["id"]))["user"]["name"] == "dan"
            await remote.configure(latency=0.01)
            await remote.fault("chat.postMessage", "drop_after")
            with pytest.raises(aiohttp.ClientError):
                await client.chat_postMessage(channel=C_GENERAL, text="ghost")
            done = await remote.command("/incident", user=dan["id"])
            assert "dispatch_failed" in done.error
            state = await remote.state()
            assert state["channels"][C_GENERAL]["messages"][0]["text"] == "ghost"
            assert (await remote.calls("chat.postMessage"))[0]["fault"] == "drop_after"
            with pytest.raises(HumanError, match="no channel"):
                await remote.message("nowhere", "x")
    finally:
        child.terminate()
        assert await child.wait() == 0
