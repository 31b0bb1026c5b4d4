"""The bolt app: Slack's requests → commands and clicks. No rules live here.

Everything is stored before it is acknowledged, and everything has a key under which a second
delivery (another attempt, or another event id for the same message) changes nothing.
"""

import re
from collections.abc import Callable
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp, AsyncRespond
from slack_sdk.web.async_client import AsyncWebClient
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.chat.blocks import escape
from bot.chat.clicks import INCIDENT_CLICKS, RUN_CLICKS, Clicks
from bot.chat.commands import Command, Commands, Reply
from bot.chat.slack.views import declare_view, read_declare
from bot.delivery import Binding
from bot.errors import JacklineError
from bot.incidents import Incidents
from bot.log import get
from bot.store import Store

log = get("slack")
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+>\s*")
COMMANDS = {"/incident": "incident", "/inc": "incident", "/runbook": "runbook"}


class SlackIn:
    """What arrives from Slack."""

    def __init__(
        self,
        store: Store,
        commands: Commands,
        clicks: Clicks,
        incidents: Incidents,
        catalog: Callable[[], Catalog],
    ) -> None:
        self.store = store
        self.commands = commands
        self.clicks = clicks
        self.incidents = incidents
        self.catalog = catalog

    async def command(self, ack: AsyncAck, body: dict[str, Any], client: AsyncWebClient) -> None:
        """A slash command: done, then acknowledged with the answer, seen by its sender alone."""
        name = COMMANDS[body["command"]]
        person = self._person(body["team_id"], body["user_id"])
        incident = await self._incident_of(body["channel_id"])
        key = f"slack:command:{body['trigger_id']}"
        command = Command(name, body.get("text", ""), person, key, "slack", incident)
        reply = await self._try(self.commands.handle(command))
        if reply.menu:
            await ack()
            await client.views_open(
                trigger_id=body["trigger_id"], view=declare_view(body["channel_id"])
            )
            return
        await ack(response_type="ephemeral", text=escape(reply.text), blocks=reply.blocks or None)

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The declare form. A refusal is shown beside the field."""
        severity, title = read_declare(body["view"])
        person = self._person(body["team"]["id"], body["user"]["id"])
        command = Command("incident", "", person, f"slack:view:{body['view']['id']}", "slack")
        try:
            await self.commands.declare(command, severity, title)
        except JacklineError as error:
            await ack(response_action="errors", errors={"title": str(error)})
            return
        await ack()

    async def clicked(self, ack: AsyncAck, body: dict[str, Any], respond: AsyncRespond) -> None:
        """A button. What it did shows on the card; a refusal is told to the clicker alone."""
        action = body["actions"][0]
        person = self._person(body["team"]["id"], body["user"]["id"])
        try:
            await self.clicks.handle(action["action_id"], action.get("value", ""), person, "slack")
        except JacklineError as error:
            await ack()
            await respond(
                text=escape(str(error)), response_type="ephemeral", replace_original=False
            )
            return
        await ack()

    async def mentioned(
        self, event: dict[str, Any], body: dict[str, Any], client: AsyncWebClient
    ) -> None:
        """``@jackline declare …``: the same commands, also in threads."""
        text = _MENTION.sub("", event.get("text", ""))
        head, _, rest = text.partition(" ")
        name, text = ("runbook", rest) if head == "runbook" else ("incident", text)
        person = self._person(body["team_id"], event["user"])
        key = f"slack:message:{event['channel']}:{event['ts']}"
        incident = await self._incident_of(event["channel"])
        command = Command(name, text or "help", person, key, "slack", incident)
        reply = await self._try(self.commands.handle(command))
        await client.chat_postEphemeral(
            channel=event["channel"], user=event["user"], text=escape(reply.text),
            blocks=reply.blocks or None, thread_ts=event.get("thread_ts"),
        )  # fmt: skip

    async def said(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """What people write in an incident's channel belongs to its record."""
        text = event.get("text", "").strip()
        if event.get("subtype") or event.get("bot_id") or not text or _MENTION.match(text):
            return
        number = await self._incident_of(event["channel"])
        person = self._person(body["team_id"], event.get("user", ""))
        if number is None:
            return
        actor = f"person:{person.id}" if person else f"source:slack:{event.get('user', '?')}"
        key = f"slack:{event['channel']}:{event['ts']}"
        async with self.store.write() as session:
            incident = await self.incidents.get(session, number)
            await self.incidents.note(
                session, incident, text[:3000], actor, key=key, origin="slack"
            )

    def _person(self, team: str, user: str) -> Person | None:
        return self.catalog().person_of_slack(team, user)

    async def _incident_of(self, channel: str) -> int | None:
        """The incident whose channel this is."""
        query = (
            select(Binding.key)
            .where(Binding.surface == "slack", col(Binding.key).startswith("channel:"))
            .where(col(Binding.value)["channel"].as_string() == channel)
        )
        async with self.store.read() as session:
            key = (await session.execute(query)).scalar()
        return int(key.removeprefix("channel:")) if key else None

    async def _try(self, answer: Any) -> Reply:  # noqa: ANN401 - a coroutine of Reply
        try:
            reply: Reply = await answer
        except JacklineError as error:
            return Reply(str(error))
        return reply


def build_app(client: AsyncWebClient, signing_secret: str, incoming: SlackIn) -> AsyncApp:
    """The bolt app with its listeners; it runs over Socket Mode and over HTTP alike."""
    app = AsyncApp(client=client, signing_secret=signing_secret or None)
    for name in COMMANDS:
        app.command(name)(incoming.command)
    app.view("declare")(incoming.submitted)
    for action_id in (*INCIDENT_CLICKS, *RUN_CLICKS):
        app.action(action_id)(incoming.clicked)
    app.event("app_mention")(incoming.mentioned)
    app.event("message")(incoming.said)
    app.event(re.compile(".+"))(_ignore)  # other subscribed events, which bolt would complain about
    return app


async def _ignore(ack: AsyncAck) -> None:
    await ack()
