"""The two practice people, acting through the console as a browser would."""

from typing import Self

import httpx

from bot.practice.jackline import BotProcess

ANA, BEN = "ana", "ben"


class Browser:
    """One person's signed-in session."""

    def __init__(self, bot: BotProcess, person: str) -> None:
        self.bot = bot
        self.person = person
        self._http = httpx.AsyncClient(
            base_url=bot.url, headers={"Origin": bot.url}, follow_redirects=True, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._http.aclose()

    async def sign_in(self) -> None:
        """Follows the person's own sign-in link."""
        (await self._http.get(self.bot.signin_link(self.person))).raise_for_status()

    async def click(self, action_id: str, value: str) -> None:
        """Presses a button of the console."""
        answer = await self._http.post("/click", data={"action_id": action_id, "value": value})
        answer.raise_for_status()
