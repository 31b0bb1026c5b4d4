"""The bolt app: Slack's requests → the inbox. No rules live here.

Everything is stored before it is acknowledged, and everything has a key under which a second
delivery (another attempt, or another event id for the same message) changes nothing.
"""

import asyncio
import re
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import Any

from slack_bolt.async_app import AsyncAck, AsyncApp
from slack_sdk.web.async_client import AsyncWebClient

from bot.chat.clicks import INCIDENT_CLICKS, RUN_CLICKS, STEP_CLICKS
from bot.chat.clock_card import CLOCK_CLICKS
from bot.chat.command import Command, person_of
from bot.chat.life_clicks import LIFE_CLICKS
from bot.chat.page_card import PAGE_CLICKS
from bot.chat.paper_card import PAPER_CLICKS
from bot.chat.question_card import QUESTION_CLICKS
from bot.chat.regroup import REGROUP_CLICKS
from bot.chat.reminder_card import REMINDER_CLICKS
from bot.chat.slack.calls import slack_errors
from bot.chat.slack.channel_events import ChannelEvents
from bot.chat.slack.client import respond
from bot.chat.slack.door import Door
from bot.chat.slack.inbox import Inbox
from bot.chat.slack.manifest import COMMANDS, EVENTS, HAPPENED, SHORTCUTS
from bot.chat.slack.marks import link_to, meant, told
from bot.chat.slack.menu import Menu
from bot.chat.slack.menu_views import MENU_CLICKS
from bot.chat.slack.plain import plain
from bot.chat.slack.views import declare_view, read_declare
from bot.chat.slack.who import asked_in, who
from bot.chat.slack.workspaces import Workspaces
from bot.chat.update_card import UPDATE_CLICKS
from bot.chat.update_form import read_update, typed, update_view, wrong
from bot.errors import JacklineError, TargetError, Unavailable
from bot.incidents import check_severity, check_title
from bot.incidents.drafts import audience_of
from bot.log import get
from bot.settings import REACTIONS, Mark
from bot.store import now

log = get("slack")
_OF_PEOPLE = ("", "file_share", "thread_broadcast")  # kinds of messages that people write
_CLOSED = ("privategroup", "directmessage")  # how Slack names a channel where not everybody reads
_MENTION = re.compile(r"^\s*<@[A-Z0-9]+>\s*")
_OPENING = 1.0  # seconds for a form: with the draft's, less than Slack waits for us
_NO_FORM = "Slack did not open the form. Type `/incident declare TITLE` instead."
_BARE_UPDATE = re.compile(r"(?:update|say)(?:\s+(internal|executives|customers))?", re.IGNORECASE)


class SlackIn:
    """What arrives from Slack."""

    def __init__(
        self, inbox: Inbox, workspaces: Workspaces, reactions: Mapping[str, Mark] = REACTIONS
    ) -> None:
        self.inbox = inbox
        self.menu = Menu(inbox)
        self.reactions = reactions
        self.workspaces = workspaces

    async def command(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A slash command. Its answer follows by the response URL; a bare one opens the menu."""
        name, text = COMMANDS[body["command"]].name, plain(body.get("text", "").strip())
        if name == "incident" and not text:
            if await self.menu.open(body):
                await ack()
                return
            text = "help"
        if name == "incident" and (found := _BARE_UPDATE.fullmatch(text)):
            trigger, channel = body["trigger_id"], body["channel_id"]
            if await self._open_update(trigger, found[1] or "", who(body), channel):
                await ack()
                return
        asked = {
            "name": name, "text": text, **who(body), "channel": body["channel_id"], "response_url": body["response_url"],
        }  # fmt: skip
        try:
            await self.inbox.accept("command", body["trigger_id"], asked)
        except Unavailable as error:
            await ack(response_type="ephemeral", text=str(error))
            return
        await ack()

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """The declare form. A refusal is shown beside the field."""
        severity, title, source, answer = read_declare(body["view"])
        asked = {
            "severity": severity, "title": title, **who(body), "source": source,
            **({"response_url": answer} if answer else {}),
        }  # fmt: skip
        try:
            person_of(Command("incident", "", self.inbox.person(who(body)), "", "slack"))
            check_title(title)
            check_severity(severity)
            await self.inbox.accept("form", body["view"]["id"], asked)
        except JacklineError as error:
            await ack(response_action="errors", errors={"title": str(error)})
            return
        await ack()

    async def wrote(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """An update's form: the same as the command that it stands for."""
        channel, audience, text, ahead = read_update(body["view"])
        person = self.inbox.person(who(body))
        if errors := wrong(text, ahead, now(), person.timezone if person else "UTC"):
            await ack(response_action="errors", errors=errors)
            return
        asked = {
            "name": "incident", "text": typed(audience, text, ahead), **who(body),
            "channel": channel,
        }  # fmt: skip
        try:
            await self.inbox.accept("mention", body["view"]["id"], asked)
        except Unavailable as error:
            await ack(response_action="errors", errors={"text": str(error)})
            return
        await ack()

    async def _open_update(self, trigger: str, said: str, by: dict[str, str], channel: str) -> bool:
        """Whether a form with a draft could be opened; else the command says the same in words."""
        audience, _, _ = audience_of(said)
        text = await self.inbox.draft(by, channel, audience)
        if text is None:
            return False
        try:
            async with slack_errors("views.open", once=True), asyncio.timeout(_OPENING):
                await self.inbox.at(asked_in(by)).client.views_open(
                    trigger_id=trigger, view=update_view(channel, audience, text)
                )
        except TargetError as error:
            log.warning("form_not_opened", error=str(error))
            return False
        return True

    async def clicked(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A button. What it did shows on the card; a refusal is told to the clicker alone."""
        action = body["actions"][0]
        if action["action_id"] == "update_write":
            said, channel = action["value"].partition("|")[2], body["channel"]["id"]
            if await self._open_update(body["trigger_id"], said, who(body), channel):
                await ack()
                return
        asked = {
            "action": action["action_id"], "value": action.get("value", ""),
            **who(body),
            "channel": body.get("channel", {}).get("id", ""),  # none where it is no message's
            **_answered_where(body),
        }  # fmt: skip
        await self.inbox.accept("click", body["trigger_id"], asked)
        await ack()

    async def shortcut(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """From a message's menu: a form to declare from it, or its place on the timeline."""
        channel, message = body["channel"]["id"], body["message"]
        ts = body.get("message_ts") or message["ts"]
        if body["callback_id"] == "declare_from_message":
            await ack()
            closed = body["channel"].get("name") in _CLOSED
            by = {**who(body), "channel": channel, "ts": ts}
            source = {"text": told(message), "link": link_to(by), "channel": channel}
            url = body["response_url"]
            view = declare_view(source, keep=not closed, answer=url)
            try:
                async with slack_errors("views.open", once=True):
                    await self.inbox.at(asked_in(by)).client.views_open(
                        trigger_id=body["trigger_id"], view=view
                    )
            except TargetError as error:
                log.warning("form_not_opened", error=str(error))
                await respond(url, _NO_FORM, [])
            return
        asked = {
            "mark": "timeline", "channel": channel, "ts": ts, **who(body),
            "message": _of_message(message),
            "response_url": body["response_url"],
        }  # fmt: skip
        await self.inbox.accept("mark", f"shortcut:{channel}:{ts}:{body['trigger_id']}", asked)
        await ack()

    async def reacted(
        self, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """📌, 🎫 and the like, at a message in an incident's channel."""
        item, mark = event["item"], meant(event["reaction"], self.reactions)
        if mark and item.get("type") == "message" and await self._known(body, item["channel"]):
            asked = {
                "mark": mark, "channel": item["channel"], "ts": item["ts"],
                **who(body), "react": True,
            }  # fmt: skip
            key = f"{mark}:{item['channel']}:{item['ts']}:{event['user']}"
            await self.inbox.accept("mark", key, asked)
        await next_()

    async def home(
        self, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """Somebody opened the home tab. That changes nothing, so there is nothing to store."""
        if event.get("tab", "home") == "home":
            self.inbox.show_home(who(body))
        await next_()

    async def mentioned(
        self, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """``@jackline declare …``: the same commands, also in threads."""
        text = plain(_MENTION.sub("", event.get("text", "")))
        head, _, rest = text.partition(" ")
        name, text = (head, rest) if head in ("runbook", "access") else ("incident", text)
        asked = {
            "name": name, "text": text.strip() or "help", **who(body),
            "channel": event["channel"], "thread": event.get("thread_ts"),
        }  # fmt: skip
        await self.inbox.accept("mention", f"{event['channel']}:{event['ts']}", asked)
        await next_()

    async def said(
        self, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """What people write in an incident's channel belongs to its record; the rest is not kept."""
        channel, subtype = event["channel"], event.get("subtype", "")
        if subtype in ("message_changed", "message_deleted"):
            await self._corrected(event, body)
        elif subtype in _OF_PEOPLE and not event.get("bot_id"):
            text = told(event)
            if text and not await self._for_us(body, text) and await self._known(body, channel):
                asked = {
                    "text": text, **who(body), "channel": channel,
                }  # fmt: skip
                await self.inbox.accept("said", f"{channel}:{event['ts']}", asked)
        await next_()

    async def _corrected(self, event: dict[str, Any], body: dict[str, Any]) -> None:
        """An edit or a deletion by a person; Slack also sends the first for a preview of a link."""
        channel, before = event["channel"], event.get("previous_message") or {}
        after = event.get("message") or {}
        if after.get("subtype") == "tombstone":  # deleted, but for the thread below it
            after = {"ts": after.get("ts", "")}
        ts = event.get("deleted_ts") or after.get("ts", "")
        text = told(after)
        of_people = not before.get("bot_id") and before.get("subtype", "") in _OF_PEOPLE
        same = text == told(before) or await self._for_us(body, told(before))
        if not ts or not of_people or same or not await self._known(body, channel):
            return
        at = (after.get("edited") or {}).get("ts") or event.get("event_ts") or event["ts"]
        asked = {
            "text": text, "edited": at, "channel": channel, "ts": ts, **who(body),
            "user": after.get("user") or before.get("user") or "",
        }  # fmt: skip
        await self.inbox.accept("corrected", f"{channel}:{ts}:{at if text else 'deleted'}", asked)

    async def _for_us(self, body: dict[str, Any], text: str) -> bool:
        """Whether it begins with our own name: a command, which `mentioned` takes."""
        me = await self.workspaces.at(asked_in(who(body))).me()
        return text.startswith(f"<@{me['user']}>")

    async def _known(self, body: dict[str, Any], channel: str) -> bool:
        """Whether it is an incident's channel; of the others nothing is kept."""
        async with self.inbox.store.read() as session:
            asked = {**who(body), "channel": channel}
            return await self.inbox.incident_of(session, asked) is not None

    async def uninstalled(
        self, event: dict[str, Any], body: dict[str, Any], next_: Callable[[], Awaitable[None]]
    ) -> None:
        """The app was taken out, or its bot token revoked: it shows in the console."""
        if event["type"] == "app_uninstalled" or event.get("tokens", {}).get("bot"):
            at = datetime.fromtimestamp(body.get("event_time") or now().timestamp(), UTC)
            await self.workspaces.removed(asked_in(who(body)), at)
        await next_()


def build_app(api_url: str, signing_secret: str, incoming: SlackIn) -> AsyncApp:
    """The bolt app with its listeners; it runs over Socket Mode and over HTTP alike.

    bolt acknowledges an event before its listener runs; what stores it is therefore middleware,
    which runs before. When that fails, nothing is acknowledged and Slack sends the event again.
    """
    door = Door(incoming.workspaces)
    app = AsyncApp(
        client=AsyncWebClient(base_url=api_url), signing_secret=signing_secret or None,
        before_authorize=door.enter, authorize=door,
        name="jackline",  # else bolt reads the source of every caller for the name of one file
    )  # fmt: skip
    for name in COMMANDS:
        app.command(name)(incoming.command)
    app.view("declare")(incoming.submitted)
    app.view("update")(incoming.wrote)
    app.view("menu")(incoming.menu.submitted)
    for callback in SHORTCUTS:
        app.shortcut({"type": "message_action", "callback_id": callback})(incoming.shortcut)
    clicks = (
        *INCIDENT_CLICKS, *LIFE_CLICKS, *REGROUP_CLICKS, *RUN_CLICKS, *STEP_CLICKS,
        *QUESTION_CLICKS, *PAGE_CLICKS, *UPDATE_CLICKS, *REMINDER_CLICKS, *CLOCK_CLICKS,
        *PAPER_CLICKS,
    )  # fmt: skip
    for action_id in clicks:
        app.action(action_id)(incoming.clicked)
    for action_id in MENU_CLICKS:
        app.action(action_id)(incoming.menu.clicked)
    places = ChannelEvents(incoming.inbox)
    listeners: dict[str, Callable[..., Awaitable[None]]] = {
        "app_home_opened": incoming.home, "app_mention": incoming.mentioned, "app_uninstalled": incoming.uninstalled,
        "message": incoming.said, "reaction_added": incoming.reacted, "tokens_revoked": incoming.uninstalled,
        "member_joined_channel": places.joined,
        **{f"{kind}_{what}": places.changed for kind in ("channel", "group") for what in HAPPENED},
    }  # fmt: skip
    for event in EVENTS:
        app.event(event, middleware=[listeners[event]])(_stored)
    app.event(re.compile(".+"))(_stored)  # other subscribed events, which bolt would complain about
    return app


def _of_message(message: dict[str, Any]) -> dict[str, Any]:
    """What of a message is kept until it is worked off."""
    kept = {key: message[key] for key in ("text", "user") if message.get(key)}
    files = [{k: f.get(k) for k in ("name", "permalink")} for f in message.get("files") or []]
    return kept | ({"files": files} if files else {})


def _answered_where(body: dict[str, Any]) -> dict[str, Any]:
    """In the home tab there is no response URL: there the tab itself says what came of a click."""
    if body.get("response_url"):
        return {"response_url": body["response_url"]}
    return {"home": True} if body.get("container", {}).get("type") == "view" else {}


async def _stored(ack: AsyncAck) -> None:
    await ack()
