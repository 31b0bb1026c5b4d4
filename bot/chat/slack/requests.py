"""What a stored request of Slack's asks for, done in the session's transaction."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.catalog import Catalog, Person
from bot.chat.catchup import caught_up
from bot.chat.clicks import Clicks
from bot.chat.clock_card import CLOCK_CLICKS
from bot.chat.command import Command, Reply, person_of
from bot.chat.commands import Commands
from bot.chat.life_clicks import LIFE_CLICKS
from bot.chat.paper_card import PAPER_CLICKS
from bot.chat.places import installation
from bot.chat.regroup import REGROUP_CLICKS
from bot.chat.reminder_card import REMINDER_CLICKS
from bot.chat.slack.home import person_of_slack
from bot.chat.slack.marks import Marks
from bot.chat.slack.tables import SlackRequest
from bot.chat.slack.who import asked_in
from bot.chat.update_card import UPDATE_CLICKS
from bot.delivery import Binding
from bot.errors import BadInput
from bot.incidents import Incident, Incidents
from bot.incidents.channels import Channels
from bot.incidents.seeing import may_see

_ANSWERED = (
    *REGROUP_CLICKS, *LIFE_CLICKS, *UPDATE_CLICKS, *REMINDER_CLICKS, *CLOCK_CLICKS, *PAPER_CLICKS,
)  # fmt: skip
_Kind = Callable[[AsyncSession, SlackRequest, Person | None], Awaitable[Reply | None]]


class Requests:
    """By their kind; what is no other is a command."""

    def __init__(
        self,
        commands: Commands,
        clicks: Clicks,
        incidents: Incidents,
        catalog: Callable[[], Catalog],
        marks: Marks,
    ) -> None:
        self.commands = commands
        self.clicks = clicks
        self.incidents = incidents
        self.channels = Channels(incidents)
        self.catalog = catalog
        self.marks = marks
        self._kinds: dict[str, _Kind] = {
            "click": self._clicked, "form": self._submitted, "mark": self._shortcut,
            "corrected": self._corrected, "said": self._note, "channel": self._happened,
            "joined": self._caught_up,
        }  # fmt: skip

    async def do(self, session: AsyncSession, request: SlackRequest) -> Reply | None:
        """Raises what the domain raises, with words for people; None where nothing is answered."""
        person = self.person(request.body)
        return await self._kinds.get(request.kind, self._typed)(session, request, person)

    async def incident_of(self, session: AsyncSession, asked: Mapping[str, Any]) -> int | None:
        """The incident whose channel it was asked in: a channel of this workspace."""
        query = (
            select(Binding)
            .where(Binding.surface == "slack", col(Binding.key).startswith("channel:"))
            .where(col(Binding.value)["channel"].as_string() == asked.get("channel", ""))
        )
        here = installation(asked_in(asked))
        found = (await session.execute(query)).scalars()
        key = next((b.key for b in found if b.value.get("workspace", "") == here), None)
        return int(key.removeprefix("channel:")) if key else None

    def person(self, asked: dict[str, Any]) -> Person | None:
        """The person of the catalog behind a user of Slack's: of the workspace or the enterprise."""
        return person_of_slack(self.catalog(), asked)

    async def _typed(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> Reply | None:
        body = request.body
        at = await self.incident_of(session, body)
        command = Command(
            body["name"], body["text"], _from_here(person, body), request.key, "slack", at,
            workspace=asked_in(body),
        )  # fmt: skip
        return await self.commands.handle(session, command)

    async def _clicked(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> Reply | None:
        body = request.body
        at_home = body.get("home", False)  # there it is no channel that says who may see
        at = await self.incident_of(session, body)
        surface = "home" if at_home else "slack"
        reply = await self.clicks.handle(
            session, body["action"], body["value"], person, surface, at
        )
        # what else it did shows on the card; this may be clicked far from the incident
        return reply if at_home or body["action"] in _ANSWERED else None

    async def _submitted(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> Reply:
        where = asked_in(request.body)
        command = Command("incident", "", person, request.key, "slack", workspace=where)
        return await self._declare(session, command, request.body)

    async def _shortcut(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> Reply | None:
        return await self._mark_message(session, request.body, person)

    async def _corrected(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> None:
        body = request.body
        number = await self.incident_of(session, body)
        if number is not None:
            await self.marks.correct(session, number, _actor(body, person), body)

    async def _happened(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> None:
        """To an incident's channel."""
        del person
        body = request.body
        number = await self.incident_of(session, body)
        if number is None:
            return
        match body["what"]:
            case "archive":
                await self.channels.archived(session, number)
            case "unarchive":
                await self.channels.unarchived(session, number)
            case "deleted":
                await self.channels.deleted(session, number)
            case "rename":
                await self.channels.renamed(session, number, body["name"])

    async def _caught_up(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> Reply | None:
        number = await self.incident_of(session, request.body)
        if number is None or person is None:
            return None
        incident = await self.incidents.get(session, number)
        return await caught_up(session, self.catalog(), incident)

    async def _note(
        self, session: AsyncSession, request: SlackRequest, person: Person | None
    ) -> None:
        body = request.body
        number = await self.incident_of(session, body)
        if number is None:
            return
        incident = await self.incidents.get(session, number)
        await self.incidents.note(
            session, incident, body["text"], _actor(body, person), key=request.key, origin="slack"
        )

    async def _declare(
        self, session: AsyncSession, command: Command, body: dict[str, Any]
    ) -> Reply:
        """From the form; the message that it was opened at comes first on the timeline."""
        reply = await self.commands.declare(session, command, body["severity"], body["title"])
        source = body.get("source") or {}
        if source.get("text") and reply.incident_id and not await self._private(session, body):
            incident = await self.incidents.get(session, reply.incident_id)
            await self.incidents.note(
                session, incident, source["text"], f"person:{person_of(command).id}",
                key=f"{command.key}:source", link=source.get("link", ""),
            )  # fmt: skip
        return reply

    async def _private(self, session: AsyncSession, body: dict[str, Any]) -> bool:
        """Whether the message stands where not everybody reads: then only the form's words are told."""
        asked = {**body, "channel": body["source"]["channel"]}
        number = await self.incident_of(session, asked)
        incident = await session.get(Incident, number) if number else None
        return incident is not None and incident.private

    async def _mark_message(
        self, session: AsyncSession, body: dict[str, Any], person: Person | None
    ) -> Reply | None:
        known = person_of(Command("incident", "", person, "", "slack"))
        number = await self.incident_of(session, body)
        if number is None and body.get("react"):
            return None  # the channel is no incident's any more: what was said there stays there
        if number is None:  # by the shortcut, in another channel
            active = await self.incidents.listed(session)
            seen = [i.number for i in active if may_see(self.catalog(), i, known)]
            if len(seen) != 1:
                raise BadInput("Which incident? Use it in the incident's channel.")
            number = seen[0]
        incident = await self.incidents.get(session, number)
        await self.marks.mark(session, incident, known, body)
        return Reply(f"On the timeline of #{number}.") if "response_url" in body else None


def _from_here(person: Person | None, body: dict[str, Any]) -> Person | None:
    """Who is mentioned is of the workspace where it was typed, not of another one of the asker's."""
    if person is None:
        return None
    places = (body["team"], body.get("enterprise"))
    here = [each for each in person.slack if each.partition(":")[0] in places]
    return person.model_copy(update={"slack": here})


def _actor(body: dict[str, Any], person: Person | None) -> str:
    return f"person:{person.id}" if person else f"source:slack:{body['user'] or '?'}"
