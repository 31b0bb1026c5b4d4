"""Which changes of the workspace the app hears of, and in which words."""

from .delivery import Deliverer
from .render import message_json
from .state import Channel, Json, Message, Workspace

# told even to an app that is not in the channel
_EVERYWHERE = {
    "app_home_opened",
    "channel_created",
    "channel_archive",
    "channel_unarchive",
    "channel_rename",
}


class EventFeed:
    def __init__(self, ws: Workspace, deliverer: Deliverer) -> None:
        self.ws = ws
        self.deliverer = deliverer

    def __call__(self, event: Json) -> None:
        message = event.pop("_message", None)
        if message is not None:
            self._tell(self._message_event(message))
            mention = f"<@{self.ws.bot_user_id}>"
            if mention in message.text and message.user != self.ws.bot_user_id:
                self._tell(self._message_event(message) | {"type": "app_mention"})
        else:
            self._tell(event)

    def _message_event(self, message: Message) -> Json:
        channel = self.ws.channels[message.channel]
        body = message_json(self.ws, message, metadata=True)
        if message.files and not message.subtype:
            body["subtype"] = "file_share"
        kind = {"channel_type": channel_type(channel), "event_ts": message.ts}
        return body | {"channel": channel.id, **kind}

    def _tell(self, event: Json) -> None:
        settings = self.ws.settings
        if not self.ws.bot_token or self.ws.bot_token in self.ws.revoked:
            return  # the app is not installed there
        if event["type"] not in settings.subscriptions:
            return
        place = event.get("channel") or event.get("item", {}).get("channel")
        channel = self.ws.channels.get(place) if isinstance(place, str) else None
        outside = channel is not None and self.ws.bot_user_id not in channel.members
        if outside and (event["type"] not in _EVERYWHERE or (channel and channel.is_private)):
            return
        if event.get("user") == self.ws.bot_user_id and not settings.echo_own_events:
            return
        event.setdefault("event_ts", event.get("ts") or self.ws.new_ts())
        if channel is not None and event["type"] == "message":
            event.setdefault("channel_type", channel_type(channel))
        self.deliverer.start_event(self.deliverer.wrap(event))


def channel_type(channel: Channel) -> str:
    if channel.is_im:
        return "im"
    if channel.is_mpim:
        return "mpim"
    return "group" if channel.is_private else "channel"
