"""``/incident rename``, ``private``, ``service``, ``decide`` and ``link``: what it is about."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Catalog, Service
from bot.chat.blocks import actions, button, cut, section
from bot.chat.command import Command, Form, Handler, Reply, actor_of, person_of, usage
from bot.chat.finding import Finder
from bot.chat.persons import find_person
from bot.errors import BadInput, Conflict
from bot.incidents import Incident, Incidents
from bot.incidents.facts import Facts, read_decision
from bot.incidents.naming import rename
from bot.incidents.privacy import Privacy, may_open_up
from bot.incidents.roles import require_responder
from bot.incidents.seeing import belonging
from bot.located import near

ABOUT_FORMS = (
    Form("/incident rename TITLE", "another title, and another name for its channel",
         ("retitle",), verbatim=True),
    Form("/incident private [PERSON …]", "only those who belong, and these, see it from here on; "
         "`/incident private off` opens it up", ("hide",)),
    Form("/incident service [add|remove NAME …]", "which services are affected; their owners are "
         "asked to the channel", ("services", "affects")),
    Form("/incident decide DECISION because WHY [instead of A, B]",
         "a decision with its reason, for the timeline", ("decision", "decided"), verbatim=True),
    Form("/incident link URL [TITLE]", "a bookmark of the channel, such as the call"),
)  # fmt: skip


class AboutVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.privacy = Privacy(incidents)
        self.finder = Finder(incidents)
        self.facts = Facts(incidents)
        self.handlers: dict[str, Handler] = {
            "rename": self._rename, "private": self._private, "service": self._service,
            "decide": self._decide, "link": self._link,
        }  # fmt: skip

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

    async def _service(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        hint = usage(ABOUT_FORMS, "service")
        catalog, number, by = self.incidents.catalog(), incident.number, person_of(command)
        if words and words[0].lower() not in ("add", "remove"):
            raise BadInput(f"I did not understand {cut(words[0], 40)!r}.", hint=hint)
        if len(words) == 1:
            raise BadInput("Say which service.", hint=hint)
        if words:
            services = [find_service(catalog, word) for word in words[1:]]
            change = self.facts.affect if words[0].lower() == "add" else self.facts.spare
            await change(session, incident, services, by)
        named = [s.title if (s := catalog.service(each)) else each for each in incident.services]
        text = f"#{number} affects {', '.join(named) or 'no service that is known'}."
        return Reply(text, incident_id=number)

    async def _decide(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, text = await self.finder.text(session, command, words[0])
        decision, by = read_decision(text), person_of(command)
        await self.facts.decide(session, incident, decision, by, command.key)
        return Reply("The decision is on the timeline.", incident_id=incident.number)

    async def _link(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        if not words:
            raise BadInput("Say which address.", hint=usage(ABOUT_FORMS, "link"))
        url, *title = words
        await self.facts.link(session, incident, url, " ".join(title), person_of(command))
        return Reply(f"The link is kept with #{incident.number}.", incident_id=incident.number)


def find_service(catalog: Catalog, word: str) -> Service:
    """By id, or by title. Raises `BadInput` with the nearest."""
    plain = word.lower()
    for service in catalog.services:
        if plain in (service.id, service.title.lower()):
            return service
    known = [name for s in catalog.services for name in (s.id, s.title.lower())]
    raise BadInput(
        f"There is no service {cut(word, 40)!r}{near(plain, known) or '.'}",
        hint="Services are those of the catalog.",
    )


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
