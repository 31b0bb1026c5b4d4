"""Who is let in: each request is of a workspace that Jackline is installed in, or goes no further."""

from collections.abc import Awaitable, Callable
from typing import Any

from slack_bolt.async_app import AsyncBoltContext
from slack_bolt.authorization import AuthorizeResult
from slack_bolt.authorization.async_authorize import AsyncAuthorize
from slack_bolt.response import BoltResponse
from sqlalchemy.exc import SQLAlchemyError

from bot.chat.slack.who import WORKSPACE
from bot.chat.slack.workspaces import Workspaces
from bot.errors import TargetError
from bot.log import get

log = get("slack")
_NOT_HERE = "Jackline is not installed in this workspace. Ask the platform team to install it."
_OF_NOBODY = ("url_verification", "ssl_check")  # what Slack asks of the app itself


class Door(AsyncAuthorize):
    """bolt's two questions about a request: whose it is, and with which token it is answered."""

    def __init__(self, workspaces: Workspaces) -> None:
        super().__init__()  # type: ignore[no-untyped-call]  # bolt's is not annotated
        self.workspaces = workspaces
        self._refused: set[str] = set()  # said once of each

    async def enter(
        self,
        body: dict[str, Any],
        context: AsyncBoltContext,
        next_: Callable[[], Awaitable[BoltResponse]],
    ) -> BoltResponse:
        """Before all else: notes the workspace, whatever the request itself says of it."""
        body.pop(WORKSPACE, None)
        if body.get("type") in _OF_NOBODY or "ssl_check" in body:
            return await next_()
        team, enterprise = context.team_id or "", context.enterprise_id or ""
        try:
            workspace = await self.workspaces.find_team(team, enterprise)
            if workspace is not None:
                await self.workspaces.at(workspace).me()
        except (TargetError, SQLAlchemyError, OSError) as error:
            # Slack brings an event again; a person is told that it failed
            log.warning("slack_request_not_taken", team=team, error=str(error))
            return BoltResponse(status=503, body="")
        if workspace is None:
            if (place := team or enterprise) not in self._refused:
                self._refused.add(place)
                log.warning("slack_workspace_unknown", team=team, enterprise=enterprise)
            return BoltResponse(status=200, body=_NOT_HERE if "command" in body else "")
        context[WORKSPACE] = body[WORKSPACE] = workspace
        return await next_()

    async def __call__(
        self,
        *,
        context: AsyncBoltContext,
        enterprise_id: str | None,
        team_id: str | None,
        user_id: str | None,
        **_: Any,  # noqa: ANN401 - bolt's, which we have no use for
    ) -> AuthorizeResult:
        """As whom it is answered: bolt leaves out what our own bot did there."""
        surface = self.workspaces.at(context[WORKSPACE])
        me = await surface.me()
        return AuthorizeResult(
            enterprise_id=enterprise_id, team_id=team_id, bot_id=me["bot"],
            bot_user_id=me["user"], bot_token=surface.client.token, user_id=user_id,
        )  # fmt: skip
