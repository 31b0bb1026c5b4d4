"""Installing the app in a workspace: a code of the authorize page for a token, once."""

import secrets
import time

from .args import Args
from .errors import SlackError
from .state import Json, Workspace
from .webapi import method


@method("oauth.v2.access", 4)
def access(ws: Workspace, args: Args) -> Json:
    app = ws.app
    if args.need("client_id") != app.client_id:
        raise SlackError("invalid_client_id")
    if args.need("client_secret") != app.client_secret:
        raise SlackError("bad_client_secret")
    grant = app.grants.pop(args.text("code"), None)
    if grant is None or time.monotonic() - grant.born > app.code_ttl:
        raise SlackError("invalid_code")
    if args.text("redirect_uri") != grant.redirect_uri:
        raise SlackError("bad_redirect_uri")
    team = grant.ws
    if not team.bot_token or team.bot_token in team.revoked:
        team.bot_token = f"xoxb-{secrets.token_hex(12)}"
    return {
        "app_id": team.app_id,
        "authed_user": {"id": grant.user},
        "scope": grant.scopes,
        "token_type": "bot",
        "access_token": team.bot_token,
        "bot_user_id": team.bot_user_id,
        "team": {"id": team.team_id, "name": team.team_name},
        "enterprise": None,
        "is_enterprise_install": False,
    }
