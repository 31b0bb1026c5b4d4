"""The stub is judged by Slack's own Python client: the same bolt app by socket and by signed HTTP."""

import aiohttp
import pytest
from slack_sdk.web.async_client import AsyncWebClient

from tests.chat.stub_app import MODAL, by_http, by_socket, client_of, refusal
from tests.slackstub import C_GENERAL, C_INCIDENTS, U_ANA, U_BEN, HumanError


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
    assert await refusal(client.pins_remove(**item)) == "no_pin"
