"""The test's side: settings, faults, who exists, and everything that can be looked at."""

from dataclasses import asdict, fields
from typing import Any

from .faults import Call, Fault
from .forms import Forms
from .render import channel_json, file_json, message_json, user_json, view_json
from .responses import Interaction
from .settings import Settings
from .state import Json, Message, User, Usergroup


class Controls(Forms):
    @property
    def team_id(self) -> str:
        return self.ws.team_id

    @property
    def bot_user_id(self) -> str:
        return self.ws.bot_user_id

    @property
    def bot_token(self) -> str:
        return self.ws.bot_token

    def configure(self, **values: Any) -> Json:
        """Change settings while it runs; `down=True` also breaks the sockets that are open."""
        known = {f.name for f in fields(Settings)}
        if unknown := set(values) - known:
            raise TypeError(f"no such settings: {sorted(unknown)}; there are {sorted(known)}")
        for name, value in values.items():
            setattr(self.settings, name, tuple(value) if isinstance(value, list) else value)
        if self.settings.down:
            self.hub.cut()
        return asdict(self.settings)

    def fault(
        self,
        method: str,
        kind: str = "error",
        *,
        times: int = 1,
        error: str = "fatal_error",
        retry_after: int = 1,
        skip: int = 0,
    ) -> None:
        """The next calls of `method` (or `*`) fail; kinds are in `faults.KINDS`."""
        self.api.faults.add(Fault(method, kind, times, error, retry_after, skip))

    def clear_faults(self) -> None:
        self.api.faults.faults.clear()

    def calls(self, method: str | None = None) -> list[Call]:
        return [c for c in self.api.log.calls if method in {None, c.method}]

    def clear_calls(self) -> None:
        self.api.log.calls.clear()

    @property
    def in_flight(self) -> int:
        return self.api.log.in_flight

    @property
    def max_in_flight(self) -> int:
        return self.api.log.max_in_flight

    def add_user(
        self,
        name: str,
        email: str = "",
        *,
        is_bot: bool = False,
        real_name: str = "",
        is_admin: bool = False,
        user_id: str = "",
    ) -> User:
        ident = user_id or self.ws.new_id("U")
        user = User(ident, name, real_name or name.title(), email, is_bot, is_admin)
        user.updated = self.ws.now()
        self.ws.users[ident] = user
        return user

    def add_usergroup(self, handle: str, users: list[str], name: str = "") -> Usergroup:
        group = Usergroup(self.ws.new_id("S"), handle, name or handle, list(users), self.ws.now())
        self.ws.usergroups[group.id] = group
        return group

    def messages(self, channel: str, contains: str = "", thread_ts: str = "") -> list[Message]:
        """What stands in a channel, oldest first; `contains` looks in the text and the blocks."""
        place = self.ws.any_channel(channel)
        return [
            m
            for m in place.messages.values()
            if contains in f"{m.text} {m.blocks} {m.attachments}"
            and (not thread_ts or m.thread_ts == thread_ts)
        ]

    def ephemerals(self, channel: str, user: str = "") -> list[Message]:
        place = self.ws.any_channel(channel)
        return [m for m in place.ephemerals.values() if not user or m.ephemeral_to == user]

    async def wait_message(
        self, channel: str, contains: str = "", timeout: float = 20.0
    ) -> Message:
        """The newest message of the bot that holds this text, as soon as there is one."""

        def newest() -> Message | None:
            if not any(channel in {c.id, c.name, f"#{c.name}"} for c in self.ws.channels.values()):
                return None
            own = [m for m in self.messages(channel, contains) if m.bot_id]
            return own[-1] if own else None

        found = await self.wait_for(newest, timeout, f"message {contains!r} in {channel}")
        assert isinstance(found, Message)
        return found

    async def wait_sockets(self, count: int = 1, timeout: float = 20.0) -> int:
        """Until the app has connected: before that, commands fail as they do at Slack."""
        await self.wait_for(lambda: len(self.hub.sockets) >= count, timeout, f"{count} sockets")
        return len(self.hub.sockets)

    async def wait_view(self, interaction_id: str, timeout: float = 20.0) -> Json:
        done = self.responses.interactions[interaction_id]
        await self.wait_for(lambda: done.views, timeout, "a view")
        return done.views[-1]

    async def wait_response(self, interaction_id: str, timeout: float = 20.0) -> Json:
        done = self.responses.interactions[interaction_id]
        await self.wait_for(lambda: done.responses, timeout, "a post to the response URL")
        return done.responses[-1]

    async def wait_quiet(self, timeout: float = 20.0) -> None:
        """Until no call is being answered and no delivery awaits its ack."""
        await self.wait_for(
            lambda: not self.in_flight and not self.deliverer.busy, timeout, "quiet"
        )

    def interaction(self, interaction_id: str) -> Interaction:
        return self.responses.interactions[interaction_id]

    async def disconnect_sockets(
        self, reason: str = "refresh_requested", every: bool = True
    ) -> int:
        return await self.hub.disconnect(reason, every)

    async def cut_sockets(self) -> int:
        return self.hub.cut()

    async def verify_url(self, url: str) -> bool:
        return await self.deliverer.verify_url(url)

    async def emit_event(self, event: Json, copies: int = 1) -> str:
        """Any event at all, as it is given, subscribed to or not."""
        payload = self.deliverer.wrap(event)
        for _ in range(copies):
            self.deliverer.start_event(payload)
        return str(payload["event_id"])

    def deliveries(self, kind: str | None = None, event_type: str | None = None) -> list[Json]:
        """Every attempt to reach the app, with its outcome."""
        return [
            asdict(d)
            for d in self.deliverer.log
            if kind in {None, d.kind}
            and event_type in {None, d.payload.get("event", {}).get("type")}
        ]

    def state(self) -> Json:
        """The whole workspace as JSON: what a test in another process asserts on."""
        ws = self.ws
        channels = {}
        for channel in ws.channels.values():
            channels[channel.id] = channel_json(ws, channel) | {
                "name": channel.name,
                "members": list(channel.members),
                "messages": [message_json(ws, m, metadata=True) for m in channel.messages.values()],
                "ephemerals": [
                    message_json(ws, m) | {"ephemeral_to": m.ephemeral_to}
                    for m in channel.ephemerals.values()
                ],
                "bookmarks": list(channel.bookmarks.values()),
                "pins": dict(channel.pins),
            }
        return {
            "channels": channels,
            "users": {u.id: user_json(ws, u) for u in ws.users.values()},
            "views": {v.id: view_json(ws, v) | {"open": v.open} for v in ws.views.values()},
            "files": {f.id: file_json(ws, f) for f in ws.files.values()},
            "settings": asdict(self.settings),
            "sockets": len(self.hub.sockets),
            "connections": self.hub.connections,
            "in_flight": self.in_flight,
            "max_in_flight": self.max_in_flight,
            "calls": len(self.api.log.calls),
        }
