"""What the human side and the controls both stand on: the parts of the stub, and how to wait."""

import asyncio
import time
from collections.abc import Callable

from .delivery import Deliverer
from .errors import HumanError
from .events import EventFeed
from .render import view_json
from .responses import Interaction, Responses
from .settings import Settings
from .sockets import SocketHub
from .state import Channel, Json, Message, View, Workspace
from .webapi import WebApi


class Parts:
    """The wiring, once, in the order in which a call or an event passes through."""

    def __init__(
        self, settings: Settings, ws: Workspace | None = None, hub: SocketHub | None = None
    ) -> None:
        self.settings = settings
        self.ws = ws or Workspace(settings)
        self.api = WebApi(self.ws)
        self.hub = hub or SocketHub(self.ws)
        self.deliverer = Deliverer(self.ws, self.hub)
        self.responses = Responses(self.ws)
        self.ws.emit = EventFeed(self.ws, self.deliverer)
        self.ws.opened = self._opened

    def _opened(self, view: View, interaction: str) -> None:
        self.responses.interactions[interaction].views.append(view_json(self.ws, view))

    async def wait_for(
        self, ready: Callable[[], object], timeout: float = 20.0, what: str = ""
    ) -> object:
        """Wait until `ready()` is true and return what it gave; fail with words when it is not."""
        until = time.monotonic() + timeout
        while not (found := ready()):
            if time.monotonic() > until:
                raise HumanError(f"not seen within {timeout} s: {what or ready}")
            await asyncio.sleep(0.005)
        return found

    def message_of(self, channel: str, ts: str) -> tuple[Channel, Message]:
        place = self.ws.any_channel(channel)
        found = place.messages.get(ts) or place.ephemerals.get(ts)
        if found is None:
            raise HumanError(f"there is no message {ts} in {place.name}")
        return place, found

    def may_see(self, channel: Channel, user: str) -> None:
        if user not in self.ws.users:
            raise HumanError(f"there is no user {user}")
        if (channel.is_private or channel.is_im) and user not in channel.members:
            raise HumanError(f"{user} is not in {channel.name or channel.id}")

    def begin(
        self,
        kind: str,
        user: str,
        channel: Channel | None = None,
        message_ts: str | None = None,
        view_id: str | None = None,
    ) -> Interaction:
        ident = self.ws.new_id("I")
        trigger = self.ws.new_trigger(user, ident, view_id)
        done = Interaction(ident, kind, user, trigger.id)
        if channel is not None:
            done.response_url = self.ws.new_response_url(channel.id, user, ident, message_ts)
        self.responses.interactions[ident] = done
        return done

    async def interact(self, done: Interaction, envelope: str, payload: Json, wait: float) -> None:
        """Send it, note the ack, and give the app `wait` seconds to open a view or to answer."""
        delivery = await self.deliverer.once(envelope, payload)
        done.acked = delivery.acked
        done.seconds = (delivery.ended or delivery.started) - delivery.started
        done.ack = delivery.body
        if not done.acked:
            # what Slack shows to the person in these cases
            late = delivery.outcome == "timeout"
            done.error = "operation_timeout" if late else f"dispatch_failed ({delivery.outcome})"
        until = time.monotonic() + wait
        while done.acked and time.monotonic() < until and not (done.views or done.responses):
            await asyncio.sleep(0.005)

    def envelope(self, kind: str, user: str, trigger_id: str) -> Json:
        """The head that all interactive payloads share."""
        name = self.ws.users[user].name
        return {
            "type": kind,
            "user": {"id": user, "username": name, "name": name, "team_id": self.ws.team_id},
            "api_app_id": self.ws.app_id,
            "token": self.ws.verification_token,
            "trigger_id": trigger_id,
            "team": {"id": self.ws.team_id, "domain": self.ws.domain},
            "enterprise": None,
            "is_enterprise_install": False,
        }
