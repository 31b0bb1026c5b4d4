"""More than one workspace: the same app, the same sockets, and nothing else in common.

Each counts its ids from the same beginning: two of them have users and channels with the same ids.
"""

import secrets
import time
from urllib.parse import urlencode

from aiohttp import web

from .controls import Controls
from .state import U_ANA, Grant, Workspace


class Team(Controls):
    """A further workspace; the app is not installed there until somebody installs it."""

    async def uninstall(self, *, at: int | None = None) -> None:
        """A person takes the app out: its token is worth nothing, and the app is told twice."""
        self.ws.revoked.add(self.ws.bot_token)
        bot = {"type": "tokens_revoked", "tokens": {"bot": [self.ws.bot_user_id]}}
        for event in ({"type": "app_uninstalled"}, bot):
            payload = self.deliverer.wrap(event)
            payload["event_time"] = at or payload["event_time"]
            self.deliverer.start_event(payload)


class Teams(Controls):
    """What the stub of the first workspace knows of the others."""

    teams: dict[str, Team]

    def add_team(self) -> Team:
        """Once the stub listens."""
        ws = Workspace(self.settings, len(self.teams) + 2, self.ws)
        team = Team(self.settings, ws, self.hub)
        self.teams[ws.team_id] = team
        return team

    def consent(self, team_id: str = "", *, allow: bool = True) -> None:
        """What the person at the authorize page does: which workspace, and whether they allow it."""
        self.ws.app.chosen, self.ws.app.allowed = team_id, allow

    def of_token(self, header: str) -> Controls:
        """Whose bot token it is; the first workspace's where it is nobody's."""
        token = header.removeprefix("Bearer ").strip()
        return next(
            (t for t in self.teams.values() if token in {t.bot_token, *t.ws.revoked} - {""}), self
        )

    async def _authorize(self, request: web.Request) -> web.Response:
        """Slack's own page, at which a person chose and pressed a button."""
        app, asked = self.ws.app, request.query
        if asked.get("client_id") != app.client_id:
            return web.Response(status=400, text="invalid client_id parameter")
        back = asked.get("redirect_uri", "")
        if not app.allowed:
            given = {"error": "access_denied", "state": asked.get("state", "")}
        else:
            code = f"{secrets.token_hex(6)}.{secrets.token_hex(16)}"
            ws = self.teams[app.chosen].ws if app.chosen else self.ws
            app.grants[code] = Grant(ws, asked.get("scope", ""), back, U_ANA, time.monotonic())
            given = {"code": code, "state": asked.get("state", "")}
        return web.Response(status=302, headers={"Location": f"{back}?{urlencode(given)}"})
