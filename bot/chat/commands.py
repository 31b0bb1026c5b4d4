"""What a person types, on any surface: text in, a domain call, a reply out."""

import shlex
from dataclasses import replace

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import cut
from bot.chat.command import Command, Form, Handler, Reply, helped, person_of
from bot.chat.oncall import OnCall
from bot.chat.silences import Silencing
from bot.chat.verbs import FORMS
from bot.chat.verbs.about import AboutVerbs
from bot.chat.verbs.access import AccessVerbs
from bot.chat.verbs.alerts import AlertVerbs
from bot.chat.verbs.clocks import ClockVerbs
from bot.chat.verbs.ends import EndVerbs
from bot.chat.verbs.incident import LifeVerbs
from bot.chat.verbs.learning import LearningVerbs
from bot.chat.verbs.looking import LookVerbs
from bot.chat.verbs.oncall import OnCallVerbs
from bot.chat.verbs.papers import PaperVerbs
from bot.chat.verbs.postmortem import PostmortemVerbs
from bot.chat.verbs.reminders import ReminderVerbs
from bot.chat.verbs.roles import RoleVerbs
from bot.chat.verbs.runbook import RunbookVerbs
from bot.chat.verbs.running import RunningVerbs
from bot.chat.verbs.searching import SearchVerbs
from bot.chat.verbs.tasks import TaskVerbs
from bot.chat.verbs.updates import UpdateVerbs
from bot.chat.ways import Ways
from bot.errors import BadInput
from bot.incidents import Incidents
from bot.located import near
from bot.runbooks import Runs
from bot.runbooks.roles import must_respond


class Commands:
    """`handle` is the one door for commands of every surface."""

    def __init__(
        self, incidents: Incidents, runs: Runs, ways: Ways, silencing: Silencing,
        oncall: OnCall, public_url: str = "",
    ) -> None:  # fmt: skip
        ends = EndVerbs(incidents, runs)
        self.life = LifeVerbs(incidents, ends)
        alerts = AlertVerbs(incidents, runs, silencing)
        self.regroup = alerts.regroup
        self.oncall = oncall
        self.ways = ways
        self.updates = UpdateVerbs(incidents)
        self.handlers: dict[str, dict[str, Handler]] = {
            "incident": {
                **self.life.handlers,
                **ends.handlers,
                **LookVerbs(incidents, public_url).handlers,
                **SearchVerbs(incidents, public_url).handlers,
                **LearningVerbs(incidents, public_url).handlers,
                **RoleVerbs(incidents).handlers,
                **TaskVerbs(incidents).handlers,
                **AboutVerbs(incidents).handlers,
                **PaperVerbs(incidents, public_url).handlers,
                **PostmortemVerbs(incidents, public_url).handlers,
                **alerts.handlers,
                **OnCallVerbs(incidents, oncall).handlers,
                **self.updates.handlers,
                **ReminderVerbs(incidents).handlers,
                **ClockVerbs(incidents).handlers,
            },
            "runbook": {
                **RunbookVerbs(incidents, runs).handlers,
                **RunningVerbs(incidents, runs).handlers,
            },
            "access": AccessVerbs(incidents, ways).handlers,
        }

    async def handle(self, session: AsyncSession, command: Command) -> Reply:
        """Does what was asked. Raises `BadInput`, `Conflict`, `NotFound` with words for people.

        Who has no role may look, declare and note. Verbs that need a certain role ask for it
        themselves.
        """
        name = command.name if command.name in FORMS else "incident"
        head, *rest = command.text.split(maxsplit=1) or ["help"]
        form = known(name, head)
        if form.verb == "help":
            return helped(FORMS[name])
        person = person_of(command)
        if not form.anybody:
            must_respond(person)
        words = _words(form, "".join(rest).strip())
        handler = self.handlers[name][form.verb]
        return await handler(session, replace(command, verb=form.verb), words)

    async def declare(
        self, session: AsyncSession, command: Command, severity: str, title: str
    ) -> Reply:
        """The same as ``/incident declare``, for menus."""
        return await self.life.declare(session, command, severity, title)


def known(name: str, word: str) -> Form:
    """The form whose verb the word is, or is a synonym of. Raises `BadInput`, with the nearest."""
    verbs = {each: form for form in FORMS[name] for each in (form.verb, *form.synonyms)}
    if form := verbs.get(word.lower()):
        return form
    raise BadInput(
        f"I do not know {cut(word.lower(), 40)!r}{near(word.lower(), verbs) or '.'}",
        hint=f"/{name} help lists all.",
    )


def _words(form: Form, text: str) -> list[str]:
    if form.verbatim:
        return [text]
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
