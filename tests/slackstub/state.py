"""One workspace in memory: people, channels, messages, views and files, and what is known of each.

Nothing here speaks HTTP. Whatever changes the workspace calls `emit`, and the server decides
whether the app hears of it.
"""

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from .errors import HumanError, SlackError
from .settings import Settings

Json = dict[str, Any]

U_ANA = "U0ANA00001"
U_BEN = "U0BEN00002"
U_CAROL = "U0CAROL003"
C_GENERAL = "C0GENERAL1"
C_INCIDENTS = "C0INCIDEN2"

_DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass
class User:
    id: str
    name: str
    real_name: str
    email: str
    is_bot: bool = False
    is_admin: bool = False
    deleted: bool = False
    tz: str = "Europe/Amsterdam"
    updated: int = 0


@dataclass
class Message:
    ts: str
    channel: str
    user: str
    text: str = ""
    blocks: list[Json] = field(default_factory=list)
    attachments: list[Json] = field(default_factory=list)
    thread_ts: str | None = None
    bot_id: str | None = None
    username: str | None = None
    subtype: str | None = None
    metadata: Json | None = None
    edited: Json | None = None
    reactions: dict[str, list[str]] = field(default_factory=dict)
    files: list[str] = field(default_factory=list)
    ephemeral_to: str | None = None
    client_msg_id: str | None = None


@dataclass
class Channel:
    id: str
    name: str
    creator: str
    created: int
    is_private: bool = False
    is_im: bool = False
    is_mpim: bool = False
    is_general: bool = False
    is_archived: bool = False
    members: list[str] = field(default_factory=list)
    topic: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    purpose: Json = field(default_factory=lambda: {"value": "", "creator": "", "last_set": 0})
    previous_names: list[str] = field(default_factory=list)
    messages: dict[str, Message] = field(default_factory=dict)
    ephemerals: dict[str, Message] = field(default_factory=dict)
    bookmarks: dict[str, Json] = field(default_factory=dict)
    pins: dict[str, Json] = field(default_factory=dict)


@dataclass
class View:
    id: str
    user: str
    source: Json
    hash: str
    root_view_id: str
    previous_view_id: str | None = None
    external_id: str = ""
    open: bool = True


@dataclass
class File:
    id: str
    name: str
    title: str
    user: str
    length: int
    created: int
    content: bytes | None = None
    shared_in: list[str] = field(default_factory=list)
    complete: bool = False


@dataclass
class Usergroup:
    id: str
    handle: str
    name: str
    users: list[str]
    created: int


@dataclass
class Trigger:
    """A person's action lets the app open one view, soon; `interaction` says whose action it was."""

    id: str
    user: str
    born: float
    interaction: str
    view_id: str | None = None
    used: bool = False


@dataclass
class ResponseUrl:
    id: str
    channel: str
    user: str
    born: float
    interaction: str
    message_ts: str | None = None
    uses: int = 0


@dataclass
class Grant:
    """A code of the authorize page: for which workspace, which scopes, and where it was led to."""

    ws: "Workspace"
    scopes: str
    redirect_uri: str
    user: str
    born: float


@dataclass
class App:
    """What all workspaces have in common: the app, and who is about to install it."""

    id: str = "A0STUB0001"
    app_token: str = field(default_factory=lambda: f"xapp-1-{secrets.token_hex(12)}")
    signing_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    verification_token: str = field(default_factory=lambda: secrets.token_hex(12))
    client_id: str = "1000000001.2000000002"
    client_secret: str = field(default_factory=lambda: secrets.token_hex(16))
    grants: dict[str, Grant] = field(default_factory=dict)
    code_ttl: float = 600.0
    chosen: str = ""
    allowed: bool = True


class Workspace:
    """The state, the look-ups that fail with Slack's codes, and the few shared mutations.

    The ``number``-th; the app is installed in the ``first`` from the beginning, in others not yet.
    """

    def __init__(
        self, settings: Settings, number: int = 1, first: "Workspace | None" = None
    ) -> None:
        self.settings = settings
        self.app = first.app if first else App()
        self.base_url = first.base_url if first else ""
        self.team_id = f"T0STUB000{number}"
        self.app_id = self.app.id
        self.bot_id = f"B0STUB000{number}"
        self.bot_user_id = f"U0JACKBOT{number}"
        self.team_name = f"Stub Works {number}" if first else "Stub Works"
        self.domain = f"stub-works-{number}" if first else "stub-works"
        self.bot_token = "" if first else f"xoxb-{secrets.token_hex(12)}"
        self.revoked: set[str] = set()
        self.scopes = ""  # what its token may, where that is not what the settings say
        self.app_token = self.app.app_token
        self.signing_secret = self.app.signing_secret
        self.verification_token = self.app.verification_token
        self.users: dict[str, User] = {}
        self.channels: dict[str, Channel] = {}
        self.views: dict[str, View] = {}
        self.homes: dict[str, str] = {}
        self.tickets: set[str] = set()
        self.files: dict[str, File] = {}
        self.usergroups: dict[str, Usergroup] = {}
        self.triggers: dict[str, Trigger] = {}
        self.response_urls: dict[str, ResponseUrl] = {}
        self.emit: Callable[[Json], None] = lambda _event: None
        self.opened: Callable[[View, str], None] = lambda _view, _interaction: None
        self._serial = 0
        self._last_micros = 0
        self._populate()

    def _populate(self) -> None:
        for user in (
            User(U_ANA, "ana", "Ana Alvarez", "ana@example.test", is_admin=True),
            User(U_BEN, "ben", "Ben Bakker", "ben@example.test"),
            User(U_CAROL, "carol", "Carol Chen", "carol@example.test"),
            User(self.bot_user_id, "jackline", "Jackline", "", is_bot=True),
        ):
            user.updated = self.now()
            self.users[user.id] = user
        people = [U_ANA, U_BEN, U_CAROL]
        general = Channel(C_GENERAL, "general", U_ANA, self.now(), is_general=True)
        general.members = [*people, self.bot_user_id]
        self.channels[general.id] = general
        incidents = Channel(C_INCIDENTS, "incidents", U_ANA, self.now(), members=[*people])
        self.channels[incidents.id] = incidents

    @staticmethod
    def now() -> int:
        return int(time.time())

    def new_id(self, prefix: str) -> str:
        """A fresh id in Slack's shape; counted, so that two runs of a test see the same ids."""
        self._serial += 1
        number, digits = self._serial, ""
        while number:
            number, rest = divmod(number, 36)
            digits = _DIGITS[rest] + digits
        return f"{prefix}0{digits.rjust(9, '0')}"

    def new_ts(self) -> str:
        """A message's time and name; never the same twice, even when a test stops the clock."""
        micros = max(int(time.time() * 1_000_000), self._last_micros + 1)
        self._last_micros = micros
        return f"{micros // 1_000_000:010d}.{micros % 1_000_000:06d}"

    def new_trigger(self, user: str, interaction: str, view_id: str | None = None) -> Trigger:
        ident = f"{self.now()}.{self._last_micros % 10**9}.{secrets.token_hex(16)}"
        trigger = Trigger(ident, user, time.monotonic(), interaction, view_id)
        self.triggers[ident] = trigger
        return trigger

    def spend_trigger(self, ident: str) -> Trigger:
        """A trigger works once and only for a few seconds: the limit that slow handlers hit."""
        trigger = self.triggers.get(ident)
        if trigger is None:
            raise SlackError("invalid_trigger_id")
        if trigger.used:
            raise SlackError("exchanged_trigger_id")
        if time.monotonic() - trigger.born > self.settings.trigger_ttl:
            raise SlackError("expired_trigger_id")
        return trigger

    def new_response_url(
        self, channel: str, user: str, interaction: str, message_ts: str | None = None
    ) -> str:
        ident = f"{self.team_id}/{self.new_id('R')}/{secrets.token_hex(12)}"
        self.response_urls[ident] = ResponseUrl(
            ident, channel, user, time.monotonic(), interaction, message_ts
        )
        return f"{self.base_url}/actions/{ident}"

    def user(self, ident: str, code: str = "user_not_found") -> User:
        try:
            return self.users[ident]
        except KeyError:
            raise SlackError(code) from None

    def channel(self, ident: str) -> Channel:
        """A channel that the bot can see: somebody else's private channel does not exist for it."""
        channel = self.channels.get(ident)
        if channel is None or (channel.is_private and self.bot_user_id not in channel.members):
            raise SlackError("channel_not_found")
        return channel

    def any_channel(self, ident_or_name: str) -> Channel:
        """A channel as a person or a test names it: by id or by name, private or not."""
        name = ident_or_name.lstrip("#")
        for channel in self.channels.values():
            if channel.id == ident_or_name or (channel.name == name and not channel.is_im):
                return channel
        raise HumanError(f"there is no channel {ident_or_name!r}")

    def im(self, user: str) -> Channel:
        """The direct conversation of the bot with one person, made on first use."""
        for channel in self.channels.values():
            if channel.is_im and set(channel.members) == {user, self.bot_user_id}:
                return channel
        channel = Channel(self.new_id("D"), "", self.bot_user_id, self.now(), is_im=True)
        channel.members = [user, self.bot_user_id]
        self.channels[channel.id] = channel
        return channel

    def message(self, channel: Channel, ts: str) -> Message:
        try:
            return channel.messages[ts]
        except KeyError:
            raise SlackError("message_not_found") from None

    def post(self, message: Message) -> Message:
        """Keep a message and tell of it. The one way in which anything appears in a channel."""
        channel = self.channels[message.channel]
        channel.messages[message.ts] = message
        self.emit({"type": "message", "_message": message})
        return message

    def join(self, channel: Channel, user: str, inviter: str | None = None) -> None:
        if user in channel.members:
            return
        channel.members.append(user)
        event = {"type": "member_joined_channel", "user": user, "channel": channel.id}
        event |= {"channel_type": channel_kind(channel), "team": self.team_id}
        self.emit(event | ({"inviter": inviter} if inviter else {}))


def channel_kind(channel: Channel) -> str:
    """The letter by which membership events tell public from private."""
    return "G" if channel.is_private or channel.is_mpim else "D" if channel.is_im else "C"
