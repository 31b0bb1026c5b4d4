"""Installing Jackline in a further workspace: off to Slack, and back with a code for a token.

What is brought back must have been begun by the same person in the same browser, not long ago, and
works once. A token is never shown; what went wrong is said with what to do.
"""

import secrets
from dataclasses import dataclass

from slack_sdk.oauth.authorize_url_generator import AuthorizeUrlGenerator
from slack_sdk.web.async_client import AsyncWebClient
from slack_sdk.web.async_slack_response import AsyncSlackResponse

from bot.catalog import Person
from bot.chat.slack.calls import code_of, granted_scopes, slack_errors
from bot.chat.slack.installations import Installations
from bot.chat.slack.manifest import missing_scopes, wanted_scopes
from bot.chat.slack.tables import SlackInstallation
from bot.chat.slack.workspaces import Workspaces
from bot.errors import BadInput, NotAllowed, NotFound, Rejected, TargetError, Unavailable
from bot.log import get
from bot.settings import Settings
from bot.store import now

log = get("slack")
BACK = "/slack/oauth_redirect"
_AGAIN = "Begin again at /slack/install."
# Slack's codes, in words for who installs; others are said as they are
_WORDS = {
    "access_denied": "Nobody allowed it in Slack, so nothing was installed.",
    "invalid_code": "Slack does not know the code: it is too old, or was used before.",
    "code_already_used": "Slack's code was used before.",
    "bad_redirect_uri": "Slack led back to another address than the one it was asked for.",
    "invalid_client_id": "Slack does not know the client id: look at JACKLINE_SLACK__CLIENT_ID.",
    "bad_client_secret": "Slack refuses the client secret: look at JACKLINE_SLACK__CLIENT_SECRET.",
    "invalid_team_for_non_distributed_app": "The app may be installed in its own workspace alone: "
    "switch on public distribution at api.slack.com/apps, Manage Distribution.",
}  # fmt: skip


@dataclass(frozen=True)
class Done:
    """What came of it. ``own``: the workspace of the settings' bot token, of which nothing is kept."""

    key: str
    name: str
    missing: list[str]
    own: bool = False


def back_to(settings: Settings) -> str:
    """Where Slack leads people back to."""
    return f"{settings.console.public_url.rstrip('/')}{BACK}"


def may_install(person: Person) -> None:
    """Raises `NotAllowed`."""
    if not person.has("admin"):
        raise NotAllowed(
            "Jackline is installed in a workspace by the platform team: that needs the role 'admin'."
        )


class Installer:
    """`begin` leads to Slack, `finish` takes what Slack leads back with."""

    def __init__(
        self, settings: Settings, installations: Installations, workspaces: Workspaces
    ) -> None:
        self.settings = settings.slack
        self.installations = installations
        self.workspaces = workspaces
        self.back = back_to(settings)

    async def begin(self, person: Person) -> tuple[str, str]:
        """Slack's page, and the state that the browser must bring back. Raises `NotAllowed`."""
        self._set_up()
        may_install(person)
        state = secrets.token_urlsafe(32)
        await self.installations.begun(state, person.id)
        pages = AuthorizeUrlGenerator(
            client_id=self.settings.client_id,
            scopes=wanted_scopes(),
            redirect_uri=self.back,
            authorization_url=f"{self.settings.api_url.removesuffix('api/')}oauth/v2/authorize",
        )
        return pages.generate(state), state

    async def finish(self, person: Person, *, state: str, kept: str, code: str, error: str) -> Done:
        """``kept`` is the state in the browser's cookie. Raises `BadInput`, `NotAllowed`, `Unavailable`."""
        self._set_up()
        may_install(person)
        mine = bool(state) and secrets.compare_digest(
            state.encode("utf-8", "replace"), kept.encode("utf-8", "replace")
        )
        if not mine or not await self.installations.came_back(state, person.id):
            raise BadInput(
                "This was not begun here by you, it was used before, or it took too long.",
                hint=_AGAIN,
            )
        if error or not code:
            raise _refused(error or "no code")
        return await self._installed(person, await self._exchanged(code))

    def _set_up(self) -> None:
        if not self.settings.installable:
            raise NotFound(
                "Installing Jackline in further workspaces is not set up.",
                hint="Set JACKLINE_SLACK__CLIENT_ID and JACKLINE_SLACK__CLIENT_SECRET.",
            )

    async def _exchanged(self, code: str) -> AsyncSlackResponse:
        client = AsyncWebClient(base_url=self.settings.api_url, retry_handlers=[])
        secret = self.settings.client_secret
        try:
            async with slack_errors("oauth.v2.access", once=True):
                return await client.oauth_v2_access(
                    client_id=self.settings.client_id, code=code, redirect_uri=self.back,
                    client_secret=secret.get_secret_value() if secret else "",
                )  # fmt: skip
        except Rejected as error:
            raise _refused(code_of(error)) from error
        except TargetError as error:
            raise Unavailable(f"Nothing was installed. {error.message}", hint=_AGAIN) from error

    async def _installed(self, person: Person, answer: AsyncSlackResponse) -> Done:
        token, team = str(answer.get("access_token") or ""), answer.get("team") or {}
        enterprise, whole = (
            answer.get("enterprise") or {},
            bool(answer.get("is_enterprise_install")),
        )
        key = str((enterprise if whole else team).get("id") or "")
        if not key or not token.startswith("xoxb-"):
            raise BadInput("Slack gave no bot token for a workspace.", hint=_AGAIN)
        if answer.get("refresh_token"):
            raise BadInput(
                "The app's tokens expire, which Jackline does not take part in.",
                hint="Make a new app without token rotation: Slack does not take that back.",
            )
        client = AsyncWebClient(token=token, base_url=self.settings.api_url, retry_handlers=[])
        try:
            async with slack_errors("auth.test", once=False):
                test = await client.auth_test()
            await self.workspaces.own.me()
        except TargetError as error:
            raise Unavailable(f"Nothing was installed. {error.message}", hint=_AGAIN) from error
        row = SlackInstallation(
            key=key, team_id=str(team.get("id") or ""), team_name=str(team.get("name") or ""),
            enterprise_id=str(enterprise.get("id") or ""),
            enterprise_name=str(enterprise.get("name") or ""), is_enterprise_install=whole,
            app_id=str(answer.get("app_id") or ""), token="", bot_id=str(test.get("bot_id") or ""),
            bot_user_id=str(test["user_id"]), scopes=str(answer.get("scope") or ""),
            installed_by=person.id, installed_at=now(),
        )  # fmt: skip
        missing = missing_scopes(granted_scopes(test) or row.scopes)
        if key in self.workspaces.own.keys:
            return Done(key, row.name, missing, own=True)
        await self.installations.save(row, token)
        await self.workspaces.refresh()
        log.info("slack_installed", workspace=key, by=person.id)
        return Done(key, row.name, missing)


def _refused(code: str) -> BadInput:
    return BadInput(_WORDS.get(code, f"Slack refused to install it: {code[:80]}."), hint=_AGAIN)
