"""People in modals: they fill in and submit, press what is inside, or close."""

from typing import Any

from .errors import HumanError, SlackError
from .people import People
from .render import view_json
from .responses import Interaction
from .state import U_ANA, Json, View
from .values import action, check_form, find_element, state_of
from .webapi_views import push_view, read_view, replace_view, stack


class Forms(People):
    def open_view(self, view_id: str) -> View:
        view = self.ws.views.get(view_id)
        if view is None or not view.open:
            raise HumanError(f"the view {view_id} is not open")
        if view.source["type"] == "modal" and stack(self.ws, view.root_view_id)[-1] is not view:
            raise HumanError(f"the view {view_id} lies under another")
        return view

    async def submit_view(
        self, view_id: str, values: Json | None = None, user: str | None = None, wait: float = 0.0
    ) -> Interaction:
        """Fill in a modal and send it. What the client would complain of is never sent.

        `errors` says, by block, what the client or the app found wrong; then the modal stays open.
        """
        view = self.open_view(view_id)
        if not view.source.get("submit"):
            raise HumanError("this modal has no submit button")
        blocks = view.source["blocks"]
        state = state_of(blocks, values)
        done = self.begin("view_submission", user or view.user, view_id=view_id)
        done.form = view_id
        done.errors = check_form(blocks, state)
        if done.errors:
            done.error = "refused by the client"
            return done
        payload = self.envelope("view_submission", done.user, done.trigger_id)
        payload |= {"view": view_json(self.ws, view, state), "response_urls": []}
        await self.interact(done, "interactive", payload, 0)
        if done.acked:
            try:
                self._react_to(done, view)
            except SlackError as exc:
                done.error = "; ".join([exc.code, *exc.messages])
        await self._give_time(done, wait)
        return done

    def _react_to(self, done: Interaction, view: View) -> None:
        """The `response_action` of a submission's ack; none at all closes the modal."""
        answer = done.body
        match answer.get("response_action"):
            case None:
                self._close(view)
            case "clear":
                for each in stack(self.ws, view.root_view_id):
                    self._close(each)
            case "errors":
                self._take_errors(done, view, answer.get("errors") or {})
            case "update":
                replace_view(self.ws, view, read_view(answer.get("view"), "modal"))
                done.views.append(view_json(self.ws, view))
            case "push":
                pushed = push_view(self.ws, view, read_view(answer.get("view"), "modal"))
                done.views.append(view_json(self.ws, pushed))
            case other:
                done.error = f"unknown response_action {other!r}"

    def _take_errors(self, done: Interaction, view: View, errors: dict[str, str]) -> None:
        known = {b["block_id"] for b in view.source["blocks"] if b["type"] == "input"}
        if not errors or set(errors) - known:
            done.error = f"errors name no input block: {sorted(set(errors) - known)}"
        done.errors = errors

    def _close(self, view: View) -> None:
        view.open = False

    async def close_view(self, view_id: str, user: str | None = None) -> Interaction | None:
        """Close a modal; the app hears of it only if the view asked to be told."""
        view = self.open_view(view_id)
        self._close(view)
        if not view.source.get("notify_on_close"):
            return None
        done = self.begin("view_closed", user or view.user)
        payload = self.envelope("view_closed", done.user, done.trigger_id)
        payload |= {"view": view_json(self.ws, view), "is_cleared": False}
        await self.interact(done, "interactive", payload, 0)
        return done

    async def click_view(
        self,
        view_id: str,
        action_id: str,
        value: Any = None,
        *,
        values: Json | None = None,
        user: str | None = None,
        wait: float = 0.0,
    ) -> Interaction:
        """Press or choose inside a modal or a home tab; `values` is what was filled in so far."""
        view = self.open_view(view_id)
        blocks = view.source["blocks"]
        block, element = find_element(blocks, action_id, value)
        done = self.begin("block_actions", user or view.user, view_id=view_id)
        payload = self.envelope("block_actions", done.user, done.trigger_id)
        payload |= {
            "container": {"type": "view", "view_id": view_id},
            "view": view_json(self.ws, view, state_of(blocks, values)),
            "actions": [action(block, element, value, self.ws.new_ts())],
        }
        await self.interact(done, "interactive", payload, wait)
        return done

    def view(self, view_id: str) -> Json:
        """A view as it looks now, open or not."""
        return view_json(self.ws, self.ws.views[view_id])

    def home(self, user: str = U_ANA) -> Json | None:
        ident = self.ws.homes.get(user)
        return self.view(ident) if ident else None
