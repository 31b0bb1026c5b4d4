"""A bolt app and a client to judge the stub with."""

import contextlib
from collections.abc import AsyncIterator

import pytest
from aiohttp import web
from slack_bolt.adapter.socket_mode.aiohttp import AsyncSocketModeHandler
from slack_bolt.async_app import AsyncApp
from slack_sdk.errors import SlackApiError
from slack_sdk.web.async_client import AsyncWebClient

from tests.slackstub import SlackStub


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


async def refusal(call) -> str:
    with pytest.raises(SlackApiError) as caught:
        await call
    return caught.value.response["error"]
