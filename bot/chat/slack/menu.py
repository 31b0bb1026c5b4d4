"""The menu that a bare ``/incident`` opens: each of its choices is a command for the inbox.

What opens a modal is good for three seconds, so it is opened first, by what a short look at the
database says; its forms then take the menu's place, for which Slack sets no time.
"""

import asyncio
from typing import Any

from slack_bolt.async_app import AsyncAck
from sqlalchemy.exc import SQLAlchemyError

from bot.chat.slack.calls import slack_errors
from bot.chat.slack.inbox import Inbox
from bot.chat.slack.menu_views import (
    AT_ONCE,
    UPDATE,
    menu_view,
    offered,
    read_menu,
    step_view,
    told_view,
    typed,
    wrong_step,
)
from bot.chat.slack.views import declare_view
from bot.chat.slack.who import asked_in, who
from bot.chat.update_form import update_view
from bot.errors import TargetError, Unavailable
from bot.incidents import Incident
from bot.incidents.drafts import audience_of
from bot.log import get
from bot.store import now

log = get("slack")
_PATIENCE, _OPENING = 1.0, 1.0  # seconds for the look and for Slack: together less than it waits


class Menu:
    """`open`, `clicked` and `submitted` are listeners; nothing is done here, all goes to the inbox."""

    def __init__(self, inbox: Inbox) -> None:
        self.inbox = inbox

    async def open(self, body: dict[str, Any]) -> bool:
        """Whether it is open: in an incident's channel what can be done there, else the declare form."""
        channel, by = body["channel_id"], who(body)
        incident = await self._incident(by, channel)
        view = declare_view(answer=body["response_url"])
        if incident is not None:
            view = menu_view(channel, incident, self.inbox.catalog(), self._runbooks())
        try:
            async with slack_errors("views.open", once=True), asyncio.timeout(_OPENING):
                await self.inbox.at(asked_in(by)).client.views_open(
                    trigger_id=body["trigger_id"], view=view
                )
        except TargetError as error:
            log.warning("form_not_opened", error=str(error))
            return False
        return True

    async def clicked(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A choice of the menu: done at once, or the form of what it needs in the menu's place."""
        action, view = body["actions"][0], body["view"]
        channel, step = view["private_metadata"], action["action_id"]
        if step in AT_ONCE:
            await self._ask(f"{view['id']}:{step}", body, channel, "incident", AT_ONCE[step])
            await ack()
            await self._show(body, told_view(AT_ONCE[step]))
            return
        chosen = action.get("value") or (action.get("selected_option") or {}).get("value", "")
        form = await self._form(step, body, channel, chosen)
        if form is None:  # the command says in words why there is none
            text = f"update {audience_of(chosen)[0]}" if step == UPDATE else "this"
            await self._ask(f"{view['id']}:{step}", body, channel, "incident", text)
            form = told_view(text)
        await ack()
        await self._show(body, form)

    async def submitted(self, ack: AsyncAck, body: dict[str, Any]) -> None:
        """A step's form. What is wrong with a field is shown beside it; the rest is said in words."""
        step, channel, given = read_menu(body["view"])
        person = self.inbox.person(who(body))
        if errors := wrong_step(given, now(), person.timezone if person else "UTC"):
            await ack(response_action="errors", errors=errors)
            return
        name, text = typed(step, given)
        try:
            await self._ask(body["view"]["id"], body, channel, name, text)
        except Unavailable as error:
            first = next(iter(given))
            await ack(response_action="errors", errors={first: str(error)})
            return
        await ack(response_action="clear")

    async def _form(
        self, step: str, body: dict[str, Any], channel: str, chosen: str
    ) -> dict[str, Any] | None:
        if step == UPDATE:
            audience, _, _ = audience_of(chosen)
            text = await self.inbox.draft(who(body), channel, audience)
            return None if text is None else update_view(channel, audience, text)
        incident = await self._incident(who(body), channel)
        catalog, runbooks = self.inbox.catalog(), self._runbooks()
        if incident is None or step not in offered(incident, catalog, runbooks):
            return None
        return step_view(step, channel, incident, catalog, runbooks)

    async def _ask(
        self, key: str, body: dict[str, Any], channel: str, name: str, text: str
    ) -> None:
        asked = {"name": name, "text": text, **who(body), "channel": channel}
        await self.inbox.accept("mention", f"menu:{key}", asked)

    async def _show(self, body: dict[str, Any], form: dict[str, Any]) -> None:
        """In the menu's place, unless that was closed meanwhile."""
        try:
            async with slack_errors("views.update", once=False):
                there = self.inbox.at(asked_in(who(body)))
                await there.client.views_update(view_id=body["view"]["id"], view=form)
        except TargetError as error:
            log.warning("form_not_opened", error=str(error))

    async def _incident(self, by: dict[str, str], channel: str) -> Incident | None:
        """Whose channel it is; None also where the database does not say it in time."""
        try:
            async with asyncio.timeout(_PATIENCE), self.inbox.store.read() as session:
                number = await self.inbox.incident_of(session, {**by, "channel": channel})
                return await session.get(Incident, number) if number else None
        except (SQLAlchemyError, OSError) as error:
            log.warning("menu_without_incident", error=str(error))
            return None

    def _runbooks(self) -> dict[str, str]:
        found = self.inbox.requests.clicks.runs.library.runbooks.values()
        return {each.id: each.front.title for each in found}
