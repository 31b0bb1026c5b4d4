"""The stub is judged by Slack's own Python client: the same bolt app by socket and by signed HTTP."""

import asyncio
import contextlib
import json
import sys
import time
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.http_retry.builtin_async_handlers import AsyncRateLimitErrorRetryHandler
from slack_sdk.web.async_client import AsyncWebClient

from tests.slackstub import C_GENERAL, C_INCIDENTS, U_ANA, U_BEN, HumanError, RemoteStub, SlackStub


def plain(text):
    return {"type": "plain_text", "text": text}


MODAL = {
    "type": "modal",
    "callback_id": "declare",
    "title": plain("Declare"),
    "submit": plain("Go"),
    "blocks": [
        {
            "type": "input",
            "block_id": "title",
            "label": plain("Title"),
            "element": {"type": "plain_text_input", "action_id": "t", "max_length": 20},
        },
        {
            "type": "input",
            "block_id": "sev",
            "label": plain("Severity"),
            "element": {
                "type": "static_select",
                "action_id": "s",
                "options": [{"text": plain(f"SEV{n}"), "value": f"sev{n}"} for n in (1, 2)],
            },
        },
    ],
}


def make_app(slack: SlackStub, seen: list) -> AsyncApp:
    """A small incident bot: all that the path from command to button needs."""
    app = AsyncApp(client=client_of(slack), signing_secret=slack.signing_secret)

    @app.command("/incident")
    async def incident(ack, body, client):
        await ack(f"opening {body['text']}")
        await client.views_open(
            trigger_id=body["trigger_id"],
            view={**MODAL, "private_metadata": body["channel_id"]},
        )

    @app.command("/late")
    async def late(ack, respond):
        await ack()
        await respond("first")
        await respond(text="second", replace_original=True)

    @app.command("/never")
    async def never(body):
        seen.append(body["command"])

    @app.view("declare")
    async def declare(ack, view, client):
        values = view["state"]["values"]
        if values["title"]["t"]["value"] == "bad":
            await ack(response_action="errors", errors={"title": "say more"})
            return
        await ack()
        button = {"type": "button", "action_id": "resolve", "text": plain("Resolve"), "value": "7"}
        await client.chat_postMessage(
            channel=view["private_metadata"],
            text=f"{values['sev']['s']['selected_option']['value']} {values['title']['t']['value']}",
            blocks=[{"type": "actions", "elements": [button]}],
            metadata={"event_type": "incident", "event_payload": {"id": 7}},
        )

    @app.action("resolve")
    async def resolve(ack, body, client):
        await ack()
        where = {"channel": body["channel"]["id"], "ts": body["message"]["ts"]}
        await client.chat_update(**where, text=f"resolved {body['actions'][0]['value']}", blocks=[])

    @app.event("app_mention")
    async def mention(event, body, say):
        seen.append(body["event_id"])
        await say(f"heard {event['text']}", thread_ts=event["ts"])

    @app.event("message")
    async def message(event):
        seen.append(event.get("text"))

    @app.event("reaction_added")
    async def reaction(event):
        seen.append(event["reaction"])

    return app


def client_of(slack: SlackStub, **more) -> AsyncWebClient:
    return AsyncWebClient(token=slack.bot_token, base_url=slack.api_url, **more)


@contextlib.asynccontextmanager
async def by_socket(slack: SlackStub, seen: list) -> AsyncIterator[AsyncSocketModeHandler]:
    handler = AsyncSocketModeHandler(make_app(slack, seen), slack.app_token)
    await handler.connect_async()
    try:
        await slack.wait_sockets()
        yield handler
    finally:
        await handler.close_async()


@contextlib.asynccontextmanager
async def by_http(slack: SlackStub, seen: list) -> AsyncIterator[str]:
    server = make_app(slack, seen).server(port=0).web_app
    runner = web.AppRunner(server, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    url = f"http://127.0.0.1:{runner.addresses[0][1]}/slack/events"
    slack.configure(delivery="http", events_url=url, commands_url=url, interactivity_url=url)
    try:
        yield url
    finally:
        await runner.cleanup()


@pytest.fixture
async def slack():
    async with SlackStub(retry_delays=(0.0, 0.05, 0.1)) as stub:
        yield stub


@pytest.mark.parametrize("way", [by_socket, by_http])
async def test_the_whole_path_from_command_to_button(slack, way):
    """Command, ack, modal, a refused and a good submission, message, button, update: either way."""
    seen = []
    async with way(slack, seen):
        done = await slack.command("/incident declare db down", channel=C_GENERAL, wait=2)
        assert (done.acked, done.text) == (True, "opening declare db down")
        view = done.views[0]
        assert (await slack.submit_view(view["id"], {"title": "x"})).errors == {"sev": "required"}
        bad = await slack.submit_view(view["id"], {"title": "bad", "sev": "SEV1"})
        assert bad.errors == {"title": "say more"}
        good = await slack.submit_view(view["id"], {"title": "db down", "s": "sev1"})
        assert good.acked
        assert not good.errors
        posted = await slack.wait_message(C_GENERAL, "sev1 db down")
        clicked = await slack.click(C_GENERAL, posted.ts, "resolve", user=U_BEN)
        assert clicked.acked
        await slack.wait_message(C_GENERAL, "resolved 7")
        await slack.mention(C_GENERAL, "status")
        await slack.wait_message(C_GENERAL, "heard")
        await slack.react(C_GENERAL, posted.ts, "pushpin")
        await slack.wait_for(lambda: "pushpin" in seen)
        await slack.wait_quiet()
    with pytest.raises(HumanError, match="not open"):
        await slack.submit_view(view["id"], {})


async def test_response_url_says_and_replaces_to_one_person(slack):
    """Two posts to a response URL: the second takes the place of the first, and only Ana sees it."""
    async with by_socket(slack, []):
        done = await slack.command("/late", wait=2)
        await slack.wait_for(lambda: len(done.responses) == 2)
        assert [m.text for m in slack.ephemerals(C_GENERAL, U_ANA)] == ["second"]


async def test_response_url_is_good_five_times(slack):
    """The sixth post to one response URL is refused."""
    async with by_socket(slack, []), aiohttp.ClientSession() as http:
        done = await slack.command("/late")
        await slack.wait_for(lambda: len(done.responses) == 2)
        answers = []
        for _ in range(4):
            async with http.post(done.response_url, json={"text": "more"}) as answer:
                answers.append(answer.status)
        assert answers == [200, 200, 200, 404]


async def test_triggers_expire_and_work_once(slack):
    """A view needs a fresh trigger: unknown, spent and late ones have codes of their own."""
    client, trigger = client_of(slack), slack.ws.new_trigger(U_ANA, "none")
    slack.responses.interactions["none"] = slack.begin("test", U_ANA)
    assert await refusal(client.views_open(trigger_id="1.2.x", view=MODAL)) == "invalid_trigger_id"
    await client.views_open(trigger_id=trigger.id, view=MODAL)
    spent = await refusal(client.views_open(trigger_id=trigger.id, view=MODAL))
    assert spent == "exchanged_trigger_id"
    late = slack.ws.new_trigger(U_ANA, "none")
    late.born -= 4
    assert await refusal(client.views_open(trigger_id=late.id, view=MODAL)) == "expired_trigger_id"


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]


async def test_codes_of_refused_calls(slack):
    """Each wrong call has Slack's own code, for the app decides by it."""
    client = client_of(slack)
    made = (await client.conversations_create(name="inc-1"))["channel"]["id"]
    secret = slack.add_channel("secret", is_private=True).id
    said = await slack.message(C_GENERAL, "by a person")
    expected = {
        "name_taken": client.conversations_create(name="inc-1"),
        "invalid_name_specials": client.conversations_create(name="Inc 1"),
        "invalid_name_maxlength": client.conversations_create(name="x" * 81),
        "invalid_name_required": client.conversations_create(name=""),
        "channel_not_found": client.chat_postMessage(channel=secret, text="x"),
        "not_in_channel": client.chat_postMessage(channel=C_INCIDENTS, text="x"),
        "no_text": client.api_call("chat.postMessage", json={"channel": made}),
        "msg_too_long": client.chat_postMessage(channel=made, text="x" * 40_001),
        "message_not_found": client.chat_update(channel=made, ts="1.2", text="x"),
        "cant_update_message": client.chat_update(channel=C_GENERAL, ts=said.ts, text="x"),
        "users_not_found": client.users_lookupByEmail(email="nobody@example.test"),
        "already_in_channel": client.conversations_invite(channel=C_GENERAL, users=U_ANA),
        "cant_invite_self": client.conversations_invite(channel=made, users=slack.bot_user_id),
        "unknown_method": client.api_call("nothing.here"),
        "invalid_auth": AsyncWebClient(token="xoxb-no", base_url=slack.api_url).auth_test(),
        "not_authed": AsyncWebClient(base_url=slack.api_url).users_list(),
        "not_allowed_token_type": client.apps_connections_open(app_token=slack.bot_token),
        "invalid_blocks_format": client.chat_postMessage(channel=made, text="x", blocks="[{"),
    }
    assert {code: await refusal(call) for code, call in expected.items()} == {
        c: c for c in expected
    }
    await client.conversations_archive(channel=made)
    assert await refusal(client.chat_postMessage(channel=made, text="x")) == "is_archived"
    assert await refusal(client.conversations_create(name="inc-1")) == "name_taken"


def button(**more):
    return {"type": "button", "action_id": "a", "text": plain("b"), **more}


def select(**option):
    made = {"text": plain("o"), "value": "v", **option}
    return {"type": "static_select", "action_id": "s", "options": [made]}


def actions(*elements, **more):
    return {"type": "actions", "elements": list(elements), **more}


def section(text="x", **more):
    return {"type": "section", "text": {"type": "mrkdwn", "text": text}, **more}


FIELD = {"type": "mrkdwn", "text": "f"}
BAD_BLOCKS = {
    "/blocks": [{"type": "divider"}] * 51,
    "/blocks/0/text/text": [section("x" * 3001)],
    "/blocks/1/text/text": [section(), {"type": "header", "text": plain("x" * 151)}],
    "/blocks/0/fields": [{"type": "section", "fields": [FIELD] * 11}],
    "/blocks/0/fields/0/text": [{"type": "section", "fields": [{**FIELD, "text": "x" * 2001}]}],
    "/blocks/0/elements": [actions(*[button(action_id=str(n)) for n in range(26)])],
    "/blocks/1/elements": [section(), {"type": "context", "elements": [FIELD] * 11}],
    "/blocks/0/elements/0/text/text": [actions(button(text=plain("x" * 76)))],
    "/blocks/0/elements/0/value": [actions(button(value="x" * 2001))],
    "/blocks/0/elements/0/options/0/text/text": [actions(select(text=plain("x" * 76)))],
    "/blocks/0/elements/0/options/0/value": [actions(select(value="x" * 151))],
    "/blocks/0/elements/0/action_id": [actions(button(action_id="x" * 256))],
    "/blocks/0/block_id": [section(block_id="x" * 256)],
    "/blocks/1/block_id": [section(block_id="b"), section(block_id="b")],
    "/blocks/0/elements/1/action_id": [actions(button(), button())],
    "/blocks/0": [{"type": "sektion"}],
    "/blocks/2": [section(), section(), {"type": "section"}],
    "/blocks/0/accessory": [section(accessory={"type": "plain_text_input"})],
    "/blocks/0/text": [section(text="x") | {"text": "not an object"}],
}


@pytest.mark.parametrize("pointer", BAD_BLOCKS)
async def test_block_limits_name_the_pointer(slack, pointer):
    """A message over one of Block Kit's limits is refused, and the answer says where."""
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).chat_postMessage(
            channel=C_GENERAL, text="x", blocks=BAD_BLOCKS[pointer]
        )
    answer = caught.value.response
    assert answer["error"] == "invalid_blocks"
    found = " ".join(answer["response_metadata"]["messages"])
    assert f"[json-pointer:{pointer}]" in found


BAD_VIEWS = {
    "/view/title/text": {"title": plain("x" * 25)},
    "/view/submit/text": {"submit": plain("x" * 25)},
    "/view/close/text": {"close": plain("x" * 25)},
    "/view/private_metadata": {"private_metadata": "x" * 3001},
    "/view/callback_id": {"callback_id": "x" * 256},
    "/view/blocks": {"blocks": [{"type": "divider"}] * 101},
    "/view": {"submit": None},
}


@pytest.mark.parametrize("pointer", BAD_VIEWS)
async def test_view_limits_name_the_pointer(slack, pointer):
    """A view over a limit is refused as Slack refuses views: with `invalid_arguments`."""
    trigger = slack.ws.new_trigger(U_ANA, slack.begin("test", U_ANA).id)
    with pytest.raises(SlackApiError) as caught:
        await client_of(slack).views_open(
            trigger_id=trigger.id, view={**MODAL, **BAD_VIEWS[pointer]}
        )
    answer = caught.value.response
    assert answer["error"] == "invalid_arguments"
    assert f"[json-pointer:{pointer}]" in " ".join(answer["response_metadata"]["messages"])


async def test_metadata_comes_back_only_when_asked_for(slack):
    """History shows a message's metadata to those who ask; the payload is unchanged."""
    client = client_of(slack)
    data = {"event_type": "incident", "event_payload": {"id": 7, "tags": ["a"]}}
    await client.chat_postMessage(channel=C_GENERAL, text="x", metadata=data)
    silent = await client.conversations_history(channel=C_GENERAL)
    told = await client.conversations_history(channel=C_GENERAL, include_all_metadata=True)
    assert "metadata" not in silent["messages"][0]
    assert told["messages"][0]["metadata"] == data


async def test_listing_goes_by_pages(slack):
    """The SDK's own iteration over cursors finds each channel once."""
    client = client_of(slack)
    for number in range(7):
        await client.conversations_create(name=f"inc-{number}")
    names = []
    async for answer in await client.conversations_list(limit=2):
        names += [c["name"] for c in answer["channels"]]
    assert names == ["general", "incidents", *[f"inc-{n}" for n in range(7)]]


async def test_a_file_goes_up_and_comes_down(slack):
    """upload_v2 in three steps; the content can be fetched with the token, and not without."""
    client = client_of(slack)
    answer = await client.files_upload_v2(
        filename="graph.png",
        content=b"\x89PNG not really",
        channel=C_GENERAL,
        initial_comment="see",
    )
    assert slack.messages(C_GENERAL)[-1].files == [answer["file"]["id"]]
    shared = (await client.conversations_history(channel=C_GENERAL))["messages"][0]["files"][0]
    async with aiohttp.ClientSession() as http:
        bearer = {"Authorization": f"Bearer {slack.bot_token}"}
        async with http.get(shared["url_private"], headers=bearer) as got:
            assert await got.read() == b"\x89PNG not really"
        async with http.get(shared["url_private"], allow_redirects=False) as got:
            assert got.status == 302


async def test_marks_on_a_channel(slack):
    """Bookmarks, pins and reactions: added, listed, taken away, and refused the second time."""
    client = client_of(slack)
    ts = (await client.chat_postMessage(channel=C_GENERAL, text="x"))["ts"]
    item = {"channel": C_GENERAL, "timestamp": ts}
    await client.pins_add(**item)
    await client.reactions_add(**item, name="white_check_mark")
    assert await refusal(client.pins_add(**item)) == "already_pinned"
    assert await refusal(client.reactions_add(**item, name="white_check_mark")) == "already_reacted"
    assert (await client.pins_list(channel=C_GENERAL))["items"][0]["message"]["ts"] == ts
    mark = await client.bookmarks_add(
        channel_id=C_GENERAL, title="call", type="link", link="https://example.test"
    )
    ident = mark["bookmark"]["id"]
    await client.bookmarks_edit(bookmark_id=ident, channel_id=C_GENERAL, title="bridge")
    assert (await client.bookmarks_list(channel_id=C_GENERAL))["bookmarks"][0]["title"] == "bridge"
    await client.bookmarks_remove(bookmark_id=ident, channel_id=C_GENERAL)
    await client.pins_remove(**item)
    assert await refusal(client.pins_remove(**item)) == "not_pinned"


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


async def test_the_sdk_as_it_comes_posts_twice(slack):
    """Its default retry after a broken connection repeats a post that had gone through."""
    slack.fault("chat.postMessage", "drop_after")
    await client_of(slack).chat_postMessage(channel=C_GENERAL, text="twin")
    assert [m.text for m in slack.messages(C_GENERAL)] == ["twin", "twin"]


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
