"""``/incident update``: what others are told, seen by its author before it goes out."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Audience
from bot.chat.blocks import cut
from bot.chat.click import Click
from bot.chat.command import Command, Draft, Form, Handler, Reply, actor_of, person_of, usage
from bot.chat.finding import Finder
from bot.chat.standing import clock
from bot.chat.update_card import preview_blocks
from bot.errors import BadInput
from bot.incidents import Incident, Incidents
from bot.incidents.drafts import audience_of, draft, ours, split_next
from bot.incidents.due_tables import Update
from bot.incidents.updates import Updates, may_tell
from bot.store import now

UPDATE_FORMS = (
    Form("/incident update [internal|executives|customers] [TEXT] [next in 30m]",
         "tells them where it stands; others than us see it after your second look, and without "
         "words you get a draft", ("say",), verbatim=True),
    Form("/incident correct [internal|executives|customers] TEXT",
         "puts other words in the place of the last update", verbatim=True),
)  # fmt: skip


class UpdateVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.updates = Updates(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {"update": self._update, "correct": self._update}

    async def _update(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, text = await self.finder.text(session, command, words[0])
        audience, text, _ = audience_of(text)
        person = person_of(command)
        may_tell(person, incident, audience)
        text, next_at = split_next(text, now(), person.timezone)
        correcting = command.verb == "correct"
        if not text:
            if correcting or next_at:
                raise BadInput("Say what it is.", hint=usage(UPDATE_FORMS, command.verb))
            return await self.drafted(session, incident, audience, command)
        update = await self.updates.write(
            session, incident, audience, text, actor_of(command), key=command.key,
            next_at=next_at, correcting=correcting,
        )  # fmt: skip
        if audience != "internal":
            return await self._preview(session, incident, update)
        if update.sent_at is None:  # a repeat of the same command finds it sent
            update = await self.updates.send(session, update.number, actor_of(command))
        return Reply(_sent(update), incident_id=incident.number)

    async def drafted(
        self, session: AsyncSession, incident: Incident, audience: Audience, command: Command
    ) -> Reply:
        """What might be said, with its button; where there are forms, one to change it in."""
        text = draft(self.incidents.catalog(), incident, audience, now())
        update = await self.updates.write(
            session, incident, audience, text, actor_of(command), key=command.key
        )
        reply = await self._preview(session, incident, update)
        return Reply(reply.text, reply.blocks, incident.number, draft=Draft(audience, update.text))

    async def _preview(self, session: AsyncSession, incident: Incident, update: Update) -> Reply:
        catalog = self.incidents.catalog()
        doubtful = ours(catalog, incident, update.text) if update.audience == "customers" else []
        places = await self.updates.places(session, incident, update)
        author = catalog.person(update.author.removeprefix("person:"))
        blocks = preview_blocks(
            incident, update, places, doubtful, lambda actor: author.name if author else actor
        )
        text = f"Not sent yet. To {update.audience} it will read: {cut(update.text, 500)}"
        return Reply(text, blocks, incident.number)


class UpdateClicks:
    """What the buttons of updates do; the role is looked at again."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.verbs = UpdateVerbs(incidents)

    async def handle(self, session: AsyncSession, click: Click) -> Reply:
        """``update_send`` of a preview, ``update_write`` of a reminder: ``12|customers``.

        The incident may be seen by the person.
        """
        if click.action_id == "update_write":
            return await self._write(session, click)
        updates = self.verbs.updates
        update = await updates.get(session, click.number)
        incident = await self.incidents.get(session, update.incident_id)
        may_tell(click.person, incident, update.audience)
        update = await updates.send(session, update.number, click.actor)
        return Reply(_sent(update), incident_id=incident.number)

    async def _write(self, session: AsyncSession, click: Click) -> Reply:
        incident = await self.incidents.get(session, click.number)
        known, _, _ = audience_of(click.rest)
        may_tell(click.person, incident, known)
        key = (
            f"draft-{click.number}-{known}-{now().timestamp()}"  # one that is not sent does no harm
        )
        command = Command("incident", "update", click.person, key, click.surface, click.number)
        return await self.verbs.drafted(session, incident, known, command)


def _sent(update: Update) -> str:
    promise = f" The next is promised for {clock(update.next_at)}." if update.next_at else ""
    return f"The update is out to {update.audience}.{promise}"
