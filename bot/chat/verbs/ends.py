"""``/incident resolve``, ``close``, ``cancel`` and ``reopen``."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Form, Handler, Reply, only, person_of, usage
from bot.chat.ends import Ends
from bot.chat.finding import Finder
from bot.incidents import Incident, Incidents
from bot.runbooks import Runs

END_FORMS = (
    Form("/incident resolve", "the impact is over: drafts the postmortem", ("done", "resolved")),
    Form(
        "/incident close [anyway]",
        "ends for good what is resolved and has no open tasks",
        ("closed",),
    ),
    Form("/incident cancel", "it was no incident: no postmortem", ("cancelled",)),
    Form("/incident reopen", "takes an end back: resolved, closed or cancelled"),
)
OF_STATUS = {"resolved": "resolve", "closed": "close", "cancelled": "cancel"}


class EndVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.finder = Finder(incidents)
        self.ends = ends = Ends(incidents, runs)
        self.doing = {
            "resolve": ends.resolve, "close": ends.close, "cancel": ends.cancel,
            "reopen": ends.reopen,
        }  # fmt: skip
        self.handlers: dict[str, Handler] = dict.fromkeys(self.doing, self.end)

    async def end(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        """Does the command's verb."""
        if command.verb == "reopen":  # in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident, words = await self.finder.which(session, command, words)
        closes = command.verb == "close"
        word = only(words, ("anyway",) if closes else (), usage(END_FORMS, command.verb))
        if word:
            return await self._close_anyway(session, command, incident)
        do, person = self.doing[command.verb], person_of(command)
        text = await do(session, incident, person, command.key)
        return Reply(text, incident_id=incident.number)

    async def _close_anyway(
        self, session: AsyncSession, command: Command, incident: Incident
    ) -> Reply:
        person, number = person_of(command), incident.number
        text = await self.ends.close(session, incident, person, command.key, anyway=True)
        return Reply(text, incident_id=number)
