"""What the app says back to a person's action: in the ack itself, or later by the response URL."""

import time
from dataclasses import dataclass, field
from typing import Any

from .args import Args
from .errors import SlackError
from .render import message_json
from .state import Channel, Json, Message, ResponseUrl, Workspace
from .webapi_chat import change, content, ephemeral, erase


@dataclass
class Interaction:
    """A person's action and all that came of it; the lists go on growing while the app works."""

    id: str
    kind: str
    user: str
    trigger_id: str
    response_url: str = ""
    acked: bool = False
    seconds: float = 0.0
    error: str | None = None
    ack: Any = None
    views: list[Json] = field(default_factory=list)
    responses: list[Json] = field(default_factory=list)
    # of a form: what the app, or before it Slack's own client, found wrong, by block id
    errors: dict[str, str] = field(default_factory=dict)
    form: str = ""

    @property
    def body(self) -> Json:
        return self.ack if isinstance(self.ack, dict) else {"text": self.ack or ""}

    @property
    def text(self) -> str:
        return str(self.body.get("text") or "")

    @property
    def blocks(self) -> list[Json]:
        return list(self.body.get("blocks") or [])


class Responses:
    def __init__(self, ws: Workspace) -> None:
        self.ws = ws
        self.interactions: dict[str, Interaction] = {}

    def answered(self, interaction: Interaction, channel: Channel) -> None:
        """Show what a command's ack said: to one person, unless it asks for the whole channel."""
        if not (interaction.text or interaction.blocks or interaction.body.get("attachments")):
            return
        try:
            self._say(interaction.body, channel, interaction.user)
        except SlackError as exc:
            interaction.error = exc.code

    def _say(self, body: Json, channel: Channel, user: str) -> Message:
        parts, thread = content(Args(body)), body.get("thread_ts")
        if body.get("response_type") != "in_channel":
            return ephemeral(self.ws, channel, user, parts, thread)
        message = Message(self.ws.new_ts(), channel.id, self.ws.bot_user_id, **parts)
        message.bot_id, message.thread_ts = self.ws.bot_id, thread
        return self.ws.post(message)

    def take(self, ident: str, body: Json) -> tuple[int, Json]:
        """A POST to a response URL: good five times within half an hour."""
        url, settings = self.ws.response_urls.get(ident), self.ws.settings
        if url is None:
            return 404, {"ok": False, "error": "no_such_url"}
        if time.monotonic() - url.born > settings.response_url_ttl:
            return 404, {"ok": False, "error": "expired_url"}
        if url.uses >= settings.response_url_uses:
            return 404, {"ok": False, "error": "used_url"}
        url.uses += 1
        self.interactions[url.interaction].responses.append(body)
        try:
            self._apply(url, body)
        except SlackError as exc:
            return 400, exc.body()
        return 200, {"ok": True}

    def _apply(self, url: ResponseUrl, body: Json) -> None:
        channel = self.ws.channels[url.channel]
        ts = url.message_ts or ""
        original = channel.messages.get(ts) or channel.ephemerals.get(ts)
        if _true(body, "delete_original") and original:
            if original.ephemeral_to:
                del channel.ephemerals[ts]
            else:
                erase(self.ws, original)
        elif _true(body, "replace_original") and original:
            parts = content(Args(body))
            if original.ephemeral_to:
                for name, value in parts.items():
                    setattr(original, name, value)
            else:
                change(self.ws, original, self.ws.bot_user_id, parts)
        else:
            said = self._say(body, channel, url.user)
            # what a command's URL said first is what it may later replace
            url.message_ts = url.message_ts or said.ts

    def show(self, message: Message) -> Json:
        return message_json(self.ws, message)


def _true(body: Json, name: str) -> bool:
    return str(body.get(name)).lower() == "true"
