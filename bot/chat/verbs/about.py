"""``/incident rename`` and ``/incident private``: what it is called, and who sees it."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import actions, button, section
from bot.chat.command import Command, Form, Handler, Reply, actor_of, person_of
from bot.chat.finding import Finder
from bot.chat.persons import find_person
from bot.errors import BadInput, Conflict
from bot.incidents import Incident, Incidents
from bot.incidents.naming import rename
from bot.incidents.privacy import Privacy, may_open_up
from bot.incidents.roles import require_responder
from bot.incidents.seeing import belonging

ABOUT_FORMS = (
    Form("/incident rename TITLE", "another title, and another name for its channel",
         ("retitle",), verbatim=True),
    Form("/incident private [PERSON …]", "only those who belong, and these, see it from here on; "
         "`/incident private off` opens it up", ("hide",)),
)  # fmt: skip


class AboutVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.privacy = Privacy(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"rename": self._rename, "private": self._private}

    async def _rename(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, title = await self.finder.text(session, command, words[0])
        require_responder(person_of(command), "renaming")
        if not title.strip():
            raise BadInput("Say the new title.", hint="Usage: /incident rename TITLE")
        await rename(session, self.incidents, incident, title, actor_of(command))
        return Reply(
            f"#{incident.number} is called {incident.title!r} now.", incident_id=incident.number
        )

    async def _private(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        person, catalog = person_of(command), self.incidents.catalog()
        if [word.lower() for word in words] == ["off"]:
            return _asked(incident, command)
        along = [find_person(catalog, word, person).id for word in words]
        await self.privacy.hide(session, incident, person, along, command.key)
        who = len(belonging(catalog, incident))
        text = (
            f"#{incident.number} is private now. In Slack it goes on in a new private channel with "
            f"{who} {'person' if who == 1 else 'people'}; the old channel is archived. "
            "What was said there until now, the title too, can still be read and found there."
        )
        return Reply(text, incident_id=incident.number)


def _asked(incident: Incident, command: Command) -> Reply:
    """Opening up is asked for once more: it cannot be taken back."""
    may_open_up(incident, person_of(command))
    if not incident.private:
        raise Conflict(f"#{incident.number} is not private.")
    number = incident.number
    text = (
        f"Open #{number} up? Everybody then sees it in the console and in the digest, with all that "
        "was said. Its channel in Slack stays private."
    )
    confirm = f"Everybody will see incident {number}. That cannot be taken back."
    ask = button("Open it up", "incident_open_up", f"{number}|", confirm=confirm)
    return Reply(text, [section(text), actions(ask)], incident_id=number)
