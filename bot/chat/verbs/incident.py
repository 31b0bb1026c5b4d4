"""``/incident``: an incident from its declaration to its end."""

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import TEXT, escape, joined, section, when
from bot.chat.command import Command, Form, Handler, Reply, actor_of, only, person_of, usage
from bot.chat.finding import Finder
from bot.errors import BadInput
from bot.incidents import Incidents, require_unmerged
from bot.runbooks import Decisions, Runs
from bot.runbooks.requests import must_respond

LIFE_FORMS = (
    Form("/incident declare [sev1…sev4] TITLE", "opens an incident and its channel",
         ("new", "open", "create"), verbatim=True, anybody=True),
    Form("/incident list [all]", "the open incidents, or all", ("ls",), anybody=True),
    Form("/incident status [STATUS]", "where this incident stands, or moves it on",
         anybody=True),
    Form("/incident severity SEVERITY", "changes the severity", ("sev",)),
    Form("/incident lead", "makes you incident commander", ("commander",)),
    Form("/incident note TEXT", "puts a line on the timeline", verbatim=True,
         anybody=True),
    Form("/incident resolve", "ends the incident and drafts its postmortem", ("close", "done")),
)  # fmt: skip


class LifeVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents, runs: Runs) -> None:
        self.incidents = incidents
        self.runs = runs
        self.decisions = Decisions(runs)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "declare": self._declare, "list": self._list, "status": self._status,
            "severity": self._severity, "lead": self._lead, "note": self._note,
            "resolve": self._resolve,
        }  # fmt: skip

    async def declare(
        self, session: AsyncSession, command: Command, severity: str, title: str
    ) -> Reply:
        """The same as ``/incident declare``, for menus."""
        incident = await self.incidents.declare(
            session, title=title, severity=severity, actor=actor_of(command),
            origin=command.key,
        )  # fmt: skip
        text = f"Incident {incident.number} ({incident.severity}) is declared. Its channel is being opened."
        return Reply(text, incident_id=incident.number)

    async def _declare(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        severity, words = "sev2", " ".join(words).split()
        if words and words[0].lower().replace("-", "") in ("sev1", "sev2", "sev3", "sev4"):
            severity, words = words[0], words[1:]
        return await self.declare(session, command, severity, " ".join(words))

    async def _list(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        everything = only(words, ("all",), usage(LIFE_FORMS, "list")) == "all"
        found = await self.finder.seen(session, command, everything=everything)
        if not found:
            return Reply("No incident is open." if not everything else "There was no incident yet.")
        lines = [
            f"*#{i.number}* {i.severity} · {i.standing} · {escape(i.title)} · since {when(i.declared_at)}"
            for i in found
        ]
        return Reply(f"{len(found)} incidents", [section(joined(lines, TEXT))])

    async def _status(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        if words:  # it may be opened again: in the order in which all who route take their locks
            await self.incidents.one_at_a_time(session)
        incident, words = await self.finder.which(session, command, words)
        if not words:
            commander = incident.commander or "nobody"
            return Reply(
                f"#{incident.number} {incident.severity}, {incident.standing}: {incident.title}. "
                f"Commander: {commander}.", incident_id=incident.number,
            )  # fmt: skip
        if len(words) > 1:
            raise BadInput("Say one status.", hint=usage(LIFE_FORMS, "status"))
        must_respond(person_of(command))
        actor = actor_of(command)
        if words[0].lower() == "resolved":
            await self.runs.require_ended(session, incident.number)
        if words[0].lower() == "closed":
            await self.decisions.require_reviewed(session, incident.number)
        await self.incidents.set_status(session, incident, words[0].lower(), actor)
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

    async def _resolve(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        only(words, (), usage(LIFE_FORMS, "resolve"))
        await self.runs.require_ended(session, incident.number)
        await self.incidents.set_status(session, incident, "resolved", actor_of(command))
        text = f"#{incident.number} is resolved. Its postmortem is being drafted."
        return Reply(text, incident_id=incident.number)
