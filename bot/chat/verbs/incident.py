"""``/incident``: an incident from its declaration to its end."""

from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, person_of, usage
from bot.chat.finding import Finder
from bot.chat.verbs.ends import OF_STATUS, EndVerbs
from bot.errors import BadInput
from bot.incidents import Incidents, require_unmerged, severity_first
from bot.runbooks.roles import must_respond

LIFE_FORMS = (
    Form("/incident declare [sev1…sev4] TITLE", "opens an incident and its channel",
         ("new", "open", "create"), verbatim=True, anybody=True),
    Form("/incident drill [sev1…sev4] TITLE", "the same as practice: marked, and in no figure",
         ("practice",), verbatim=True),
    Form("/incident status [STATUS]", "where this incident stands, or moves it on", anybody=True),
    Form("/incident severity SEVERITY", "changes the severity", ("sev",)),
    Form("/incident lead", "makes you incident commander", ("commander",)),
    Form("/incident note TEXT", "puts a line on the timeline", verbatim=True, anybody=True),
)  # fmt: skip


class LifeVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, ends: EndVerbs) -> None:
        self.incidents = incidents
        self.ends = ends
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "declare": self._declare, "drill": self._declare, "status": self._status,
            "severity": self._severity, "lead": self._lead, "note": self._note,
        }  # fmt: skip

    async def declare(
        self, session: AsyncSession, command: Command, severity: str, title: str, *,
        drill: bool = False,
    ) -> Reply:  # fmt: skip
        """The same as ``/incident declare``, for menus."""
        incident = await self.incidents.declare(
            session, title=title, severity=severity, actor=actor_of(command),
            origin=command.key, drill=drill, workspace=command.workspace,
        )  # fmt: skip
        what = "Drill" if incident.drill else "Incident"
        text = f"{what} {incident.number} ({incident.severity}) is declared. Its channel is being opened."
        return Reply(text, incident_id=incident.number)

    async def _declare(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        severity, title = severity_first(" ".join(words))
        drill = command.verb == "drill"
        return await self.declare(session, command, severity or "sev2", title, drill=drill)

    async def _status(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        if words:  # it may be opened again: in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident, words = await self.finder.which(session, command, words)
        if not words:
            commander = incident.commander or "nobody"
            return Reply(
                f"{'DRILL ' if incident.drill else ''}#{incident.number} {incident.severity}, "
                f"{incident.standing}: {incident.title}. "
                f"Commander: {commander}.", incident_id=incident.number,
            )  # fmt: skip
        if len(words) > 1:
            raise BadInput("Say one status.", hint=usage(LIFE_FORMS, "status"))
        must_respond(person_of(command))
        if verb := OF_STATUS.get(words[0].lower()):
            at = replace(command, verb=verb, incident_id=incident.number)
            return await self.ends.end(session, at, [])
        await self.incidents.set_status(session, incident, words[0].lower(), actor_of(command))
        return Reply(f"#{incident.number} is {incident.status} now.", incident_id=incident.number)

    async def _severity(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        if len(words) != 1:
            raise BadInput("Say one severity.", hint="Usage: /incident severity sev1")
        actor = actor_of(command)
        await self.incidents.set_severity(session, incident, words[0], actor)
        return Reply(f"#{incident.number} is {incident.severity} now.", incident_id=incident.number)

    async def _lead(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(LIFE_FORMS, "lead"))
        await self.incidents.take_command(session, incident, person_of(command).id)
        return Reply(f"You are commander of #{incident.number}.", incident_id=incident.number)

    async def _note(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, text = await self.finder.text(session, command, words[0])
        require_unmerged(incident)
        actor = actor_of(command)
        await self.incidents.note(session, incident, text, actor, key=command.key)
        return Reply("Noted on the timeline.", incident_id=incident.number)
