"""``/incident task``, ``tasks`` and ``followup``: what is to be done, by whom and by when."""

import re

from sqlalchemy.ext.asyncio import AsyncSession

from bot.chat.blocks import section
from bot.chat.command import Command, Form, Handler, Reply, only, person_of, usage
from bot.chat.finding import Finder
from bot.chat.task_card import task_block
from bot.chat.task_words import read_task
from bot.incidents import Incidents, family
from bot.incidents.tasks import Tasks, tasks_of
from bot.store import now

TASK_FORMS = (
    Form("/incident task TEXT [@who] [by TIME]",
         "something to do; `/incident task done N`, `undo N` or `drop N` ends it or takes that back",
         ("todo",), verbatim=True),
    Form("/incident tasks [all]", "what is open, with its buttons", ("todos",), anybody=True),
    Form("/incident followup TEXT [@who] [by TIME]", "something that goes on when it is closed",
         ("follow-up",), verbatim=True),
)  # fmt: skip
_PUT = re.compile(r"(?P<verb>done|undo|drop)\s+#?(?P<number>[0-9]{1,4})", re.IGNORECASE)
_STATE = {"done": "done", "undo": "open", "drop": "dropped"}
_SHOWN = 40  # Slack takes 50 blocks


class TaskVerbs:
    """Their handlers, by verb."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents
        self.tasks = Tasks(incidents)
        self.finder = Finder(incidents)
        self.handlers: dict[str, Handler] = {
            "task": self._task, "followup": self._task, "tasks": self._list,
        }  # fmt: skip

    async def _task(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, text = await self.finder.text(session, command, words[0])
        by, catalog = person_of(command), self.incidents.catalog()
        if put := _PUT.fullmatch(text.strip()):
            state = _STATE[put["verb"].lower()]
            task = await self.tasks.put(session, incident, int(put["number"]), state, by)
        else:
            said = read_task(text, catalog, by, now())
            task = await self.tasks.add(
                session, incident, said.text, by, owner=said.owner, due_at=said.due_at,
                after=command.verb == "followup", origin=command.key,
            )  # fmt: skip
        text = f"{task.name.capitalize()} of #{incident.number}: {task.state}."
        return Reply(text, [task_block(catalog, task)], incident_id=incident.number)

    async def _list(self, session: AsyncSession, command: Command, words: list[str]) -> Reply:
        incident, words = await self.finder.which(session, command, words)
        every = only(words, ("all",), usage(TASK_FORMS, "tasks")) == "all"
        number, catalog = incident.number, self.incidents.catalog()
        found = await tasks_of(session, await family(session, number), all_states=every)
        blocks = [task_block(catalog, task, number) for task in found[:_SHOWN]]
        if len(found) > _SHOWN:
            blocks.append(section(f"… and {len(found) - _SHOWN} more"))
        text = f"#{incident.number} has {len(found)} {'' if every else 'open '}task{'' if len(found) == 1 else 's'}."
        return Reply(text, blocks, incident_id=incident.number)
