"""What the console's pages work with, handed in once by `build_console`."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from jinja2 import Environment
from sqlalchemy.ext.asyncio import AsyncSession
from starlette.requests import Request

from bot.access import PathProof
from bot.catalog import Catalog, Person
from bot.chat.cards import Cards
from bot.chat.clicks import Clicks
from bot.chat.commands import Commands
from bot.chat.console.looks import Looks
from bot.chat.console.passwords import Passwords
from bot.chat.console.sessions import Sessions
from bot.chat.slack.oauth import Installer
from bot.incidents import Incidents
from bot.postmortems.exports import Exports
from bot.runbooks import Runs
from bot.settings import Shown
from bot.store import Store


class Postmortem(Protocol):
    """A drafted postmortem in the two forms people download."""

    @property
    def markdown(self) -> str:
        """The document as Markdown."""

    @property
    def html(self) -> str:
        """The document as one HTML file."""


Postmortems = Callable[[AsyncSession, int], Awaitable[Postmortem | None]]


@dataclass(frozen=True)
class Desk:
    """Everything a page may ask; no page reaches past it."""

    store: Store
    cards: Cards
    commands: Commands
    clicks: Clicks
    incidents: Incidents
    runs: Runs
    postmortem: Postmortems
    exports: Exports
    catalog: Callable[[], Catalog]
    sessions: Sessions
    passwords: Passwords
    data_dir: Path
    notice: Callable[[], str]
    settings: Callable[[], Sequence[Shown]]
    proofs: Callable[[], Awaitable[Sequence[PathProof]]]
    templates: Environment
    installer: Installer | None = None  # of further workspaces of Slack, where one is connected
    looks: Looks = field(default_factory=Looks)

    async def person(self, request: Request) -> Person | None:
        """Who is signed in, once the database was asked whether the session has ended."""
        if found := self.sessions.read(request):
            await self.passwords.look(found.person_id)
        return self.sessions.person(request)

    def draw(self, template: str, **values: Any) -> str:  # noqa: ANN401 - a template's own values
        """A template with its values, escaped. Every page says what `notice` does."""
        return self.templates.get_template(template).render(notice=self.notice(), **values)
