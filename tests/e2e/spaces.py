"""A Jackline that speaks in one workspace, a second one beside it, and browsers of the platform team."""

import json
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx

from bot.chat.console import signin_link
from bot.store import Store
from tests.e2e.harness import Bot
from tests.slackstub import C_INCIDENTS, U_ANA, U_BEN, U_CAROL, SlackStub, Team

KEY = "k" * 32


class Spaces:
    """``one`` is the workspace of the bot token; ``two`` has users and channels with the same ids."""

    def __init__(self, one: SlackStub, two: Team, bot: Bot) -> None:
        self.one, self.two, self.bot = one, two, bot

    @asynccontextmanager
    async def browser(self, person: str = "") -> AsyncIterator[httpx.AsyncClient]:
        """Of somebody who is signed in, or of a stranger."""
        async with httpx.AsyncClient(base_url=self.bot.url, trust_env=False, timeout=20) as made:
            if person:
                link = signin_link(KEY.encode(), person, self.bot.url)
                assert (await made.get(link)).status_code == 303
            yield made

    async def to_slack(self, browser: httpx.AsyncClient) -> str:
        """Off to Slack, where a person allows it (or not); where that leads back to."""
        off = await browser.get("/slack/install")
        assert off.status_code == 303, off.text
        async with httpx.AsyncClient(trust_env=False) as elsewhere:
            back = await elsewhere.get(off.headers["location"])
        assert back.status_code == 302, back.text
        return str(back.headers["location"])

    async def install(self) -> httpx.Response:
        """In the second workspace, by the platform team."""
        self.one.consent(self.two.team_id)
        async with self.browser("dora") as browser:
            return await browser.get(await self.to_slack(browser))

    async def channel(self, number: int, team: SlackStub | Team) -> str:
        """The incident's channel there, once its card is in it."""

        def look() -> str:
            names = (f"inc-{number}-",)
            found = [c for c in team.ws.channels.values() if c.name.startswith(names)]
            return found[0].id if found and found[0].messages else ""

        return str(await team.wait_for(look, 20, f"the channel of {number}"))

    @asynccontextmanager
    async def store(self) -> AsyncIterator[Store]:
        opened = Store(self.bot.env["JACKLINE_DATABASE_URL"])
        yield opened
        await opened.close()


def words(page: httpx.Response) -> str:
    """A page's text without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", page.text).split())


def write(folder: Path, one: str, two: str) -> Path:
    """Ana is in the first workspace alone, Cleo in the second, with the same id; Ben in both."""
    (folder / "catalog").mkdir(parents=True, exist_ok=True)
    catalog = {
        "services": [
            {"id": "shop", "title": "Shop", "tier": "p0", "owner": "shop"},
            {"id": "far", "title": "Far", "tier": "p1", "owner": "far", "workspace": two},
        ],
        "people": [
            {"id": "ana", "name": "Ana", "slack": [f"{one}:{U_ANA}"], "groups": ["shop"]},
            {"id": "cleo", "name": "Cleo", "slack": [f"{two}:{U_ANA}"], "groups": ["far"]},
            {"id": "ben", "name": "Ben", "slack": [f"{one}:{U_BEN}", f"{two}:{U_CAROL}"],
             "groups": ["shop", "far"]},
            {"id": "dora", "name": "Dora", "roles": ["admin"]},
        ],
    }  # fmt: skip
    (folder / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    return folder


@asynccontextmanager
async def spaces(mode: str, database_url: str, folder: Path) -> AsyncIterator[Spaces]:
    """Not installed in the second one yet."""
    async with SlackStub(retry_delays=(0.2, 0.5, 1), trigger_ttl=10) as one:
        two = one.add_team()
        runbooks = write(folder / "runbooks", one.team_id, two.team_id)
        bot = Bot(folder, runbooks, database_url, **Bot.slack_env(one, mode))
        bot.env |= {
            "JACKLINE_SLACK__CLIENT_ID": one.client_id,
            "JACKLINE_SLACK__CLIENT_SECRET": one.client_secret,
            "JACKLINE_CONSOLE__PUBLIC_URL": bot.url,
            "JACKLINE_CONSOLE__SESSION_KEY": KEY,
            "JACKLINE_SLACK__DIGEST_CHANNEL": C_INCIDENTS,
            "JACKLINE_SLACK__DIGEST_CHANNELS": json.dumps({two.team_id: C_INCIDENTS}),
        }
        for team in (one, two):
            await team.join(C_INCIDENTS, team.bot_user_id)
        if mode == "http":
            url = f"{bot.url}/slack/events"
            one.configure(delivery="http", events_url=url, commands_url=url, interactivity_url=url)
        async with bot:
            if mode == "socket":
                await one.wait_sockets()
            yield Spaces(one, two, bot)
