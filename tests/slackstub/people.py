"""The people: they type commands, talk, react, pin, press buttons, and rename channels.

Each method does what Slack's own client would do, and refuses (`HumanError`) what it would refuse.
"""

from typing import Any

from .base import Parts
from .render import message_json
from .responses import Interaction
from .state import C_GENERAL, U_ANA, Channel, File, Json, Message
from .values import action, find_element, state_of
from .webapi_chat import change, erase
from .webapi_conversations import check_name, set_archived, set_name
from .webapi_marks import add_reaction, pin, take_reaction, unpin


class People(Parts):
    async def command(
        self, line: str, user: str = U_ANA, channel: str = C_GENERAL, wait: float = 0.0
    ) -> Interaction:
        """Type a slash command. `wait` gives the app that long to open a view or to respond."""
        place = self.ws.any_channel(channel)
        self.may_see(place, user)
        done = self.begin("slash_commands", user, place)
        name, _, text = line.strip().partition(" ")
        shown = (
            "directmessage" if place.is_im else "privategroup" if place.is_private else place.name
        )
        payload = {
            "token": self.ws.verification_token,
            "team_id": self.ws.team_id,
            "team_domain": self.ws.domain,
            "channel_id": place.id,
            "channel_name": shown,
            "user_id": user,
            "user_name": self.ws.users[user].name,
            "command": name,
            "text": text.strip(),
            "api_app_id": self.ws.app_id,
            "is_enterprise_install": "false",
            "response_url": done.response_url,
            "trigger_id": done.trigger_id,
        }
        await self.interact(done, "slash_commands", payload, 0)
        if done.acked:
            self.responses.answered(done, place)
        await self._give_time(done, wait)
        return done

    async def _give_time(self, done: Interaction, wait: float) -> None:
        if wait and done.acked and not (done.views or done.responses):
            try:
                await self.wait_for(lambda: done.views or done.responses, wait)
            except AssertionError:
                return  # the caller looks at what is there, and nothing is an answer too

    async def message(
        self,
        channel: str,
        text: str,
        user: str = U_ANA,
        thread_ts: str | None = None,
        *,
        copies: int = 1,
        new_event_ids: bool = False,
    ) -> Message:
        """Say something. With `copies` the app hears it so often: as Slack does when it stutters."""
        place = self.ws.any_channel(channel)
        self.may_see(place, user)
        if user not in place.members:
            self.ws.join(place, user)
        before = len(self.deliverer.events)
        said = Message(self.ws.new_ts(), place.id, user, text, thread_ts=thread_ts)
        said.client_msg_id = self.ws.new_id("cm")
        self.ws.post(said)
        told = list(self.deliverer.events)[before:]
        for _ in range(copies - 1):
            for ident in told:
                await self.redeliver(ident, new_event_ids)
        return said

    async def mention(
        self,
        channel: str,
        text: str,
        user: str = U_ANA,
        thread_ts: str | None = None,
        *,
        copies: int = 1,
        new_event_ids: bool = False,
    ) -> Message:
        said = f"<@{self.ws.bot_user_id}> {text}"
        return await self.message(
            channel, said, user, thread_ts, copies=copies, new_event_ids=new_event_ids
        )

    async def dm(self, text: str, user: str = U_ANA) -> Message:
        return await self.message(self.ws.im(user).id, text, user)

    async def redeliver(self, event_id: str, new_event_id: bool = False) -> str:
        """The same event once more: under its own id, or (Slack does that too) under another."""
        payload = self.deliverer.events[event_id]
        if new_event_id:
            payload = self.deliverer.wrap(payload["event"])
        self.deliverer.start_event(payload)
        return str(payload["event_id"])

    async def edit(self, channel: str, ts: str, text: str) -> None:
        _, message = self.message_of(channel, ts)
        change(self.ws, message, message.user, {"text": text})

    async def delete(self, channel: str, ts: str) -> None:
        erase(self.ws, self.message_of(channel, ts)[1])

    async def react(self, channel: str, ts: str, emoji: str, user: str = U_ANA) -> None:
        add_reaction(self.ws, self.message_of(channel, ts)[1], emoji.strip(":"), user)

    async def unreact(self, channel: str, ts: str, emoji: str, user: str = U_ANA) -> None:
        take_reaction(self.ws, self.message_of(channel, ts)[1], emoji.strip(":"), user)

    async def pin(self, channel: str, ts: str, user: str = U_ANA) -> None:
        pin(self.ws, self.message_of(channel, ts)[1], user)

    async def unpin(self, channel: str, ts: str, user: str = U_ANA) -> None:
        unpin(self.ws, self.message_of(channel, ts)[1], user)

    async def join(self, channel: str, user: str, inviter: str | None = None) -> None:
        self.ws.join(self.ws.any_channel(channel), user, inviter)

    async def leave(self, channel: str, user: str) -> None:
        place = self.ws.any_channel(channel)
        place.members.remove(user)
        self.ws.emit({"type": "member_left_channel", "user": user, "channel": place.id})

    async def archive(self, channel: str, user: str = U_ANA) -> None:
        set_archived(self.ws, self.ws.any_channel(channel), user, True)

    async def unarchive(self, channel: str, user: str = U_ANA) -> None:
        set_archived(self.ws, self.ws.any_channel(channel), user, False)

    async def rename(self, channel: str, name: str) -> None:
        place = self.ws.any_channel(channel)
        set_name(self.ws, place, check_name(self.ws, name, but=place))

    async def upload(
        self, channel: str, name: str, content: bytes, user: str = U_ANA, text: str = ""
    ) -> Message:
        """Share a file (a screenshot, say) in a channel."""
        place = self.ws.any_channel(channel)
        file = File(self.ws.new_id("F"), name, name, user, len(content), self.ws.now(), content)
        file.complete, file.shared_in = True, [place.id]
        self.ws.files[file.id] = file
        said = Message(self.ws.new_ts(), place.id, user, text, files=[file.id])
        return self.ws.post(said)

    async def open_home(self, user: str = U_ANA) -> None:
        place = self.ws.im(user).id
        event: Json = {"type": "app_home_opened", "user": user, "channel": place, "tab": "home"}
        self.ws.emit(event)

    async def click(
        self,
        channel: str,
        ts: str,
        action_id: str,
        user: str = U_ANA,
        *,
        value: Any = None,
        values: Json | None = None,
        wait: float = 0.0,
    ) -> Interaction:
        """Press or choose in a message. `value` picks an option, or one of several like buttons."""
        place, message = self.message_of(channel, ts)
        self.may_see(place, user)
        inside = [b for a in message.attachments for b in a.get("blocks", [])]
        blocks = message.blocks + inside
        block, element = find_element(blocks, action_id, value)
        done = self.begin("block_actions", user, place, ts)
        hidden = message.ephemeral_to is not None
        container = {"type": "message", "message_ts": ts, "channel_id": place.id}
        if message.thread_ts:
            container["thread_ts"] = message.thread_ts
        payload = self.envelope("block_actions", user, done.trigger_id) | {
            "container": container | {"is_ephemeral": hidden},
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "state": {"values": state_of(blocks, values)},
            "response_url": done.response_url,
            "actions": [action(block, element, value, self.ws.new_ts())],
        }
        if not hidden:
            payload["message"] = message_json(self.ws, message)
        await self.interact(done, "interactive", payload, wait)
        return done

    async def shortcut(self, callback_id: str, user: str = U_ANA, wait: float = 0.0) -> Interaction:
        """A global shortcut, from the lightning menu."""
        done = self.begin("shortcut", user)
        payload = self.envelope("shortcut", user, done.trigger_id)
        payload |= {"callback_id": callback_id, "action_ts": self.ws.new_ts()}
        await self.interact(done, "interactive", payload, wait)
        return done

    async def message_shortcut(
        self, callback_id: str, channel: str, ts: str, user: str = U_ANA, wait: float = 0.0
    ) -> Interaction:
        """A shortcut from a message's own menu."""
        place, message = self.message_of(channel, ts)
        self.may_see(place, user)
        done = self.begin("message_action", user, place, ts)
        payload = self.envelope("message_action", user, done.trigger_id) | {
            "callback_id": callback_id,
            "action_ts": self.ws.new_ts(),
            "message_ts": ts,
            "channel": {"id": place.id, "name": place.name or "directmessage"},
            "message": message_json(self.ws, message),
            "response_url": done.response_url,
        }
        await self.interact(done, "interactive", payload, wait)
        return done

    def add_channel(
        self,
        name: str,
        members: list[str] | None = None,
        creator: str = U_ANA,
        is_private: bool = False,
    ) -> Channel:
        """A channel made by a person; the bot is in it only if it is named among the members."""
        check_name(self.ws, name)
        place = Channel(self.ws.new_id("C"), name, creator, self.ws.now(), is_private=is_private)
        place.members = list(dict.fromkeys([creator, *(members or [])]))
        self.ws.channels[place.id] = place
        return place
