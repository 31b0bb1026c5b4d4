"""What a newcomer does in an incident, in Slack: each within two actions of the channel.

An action is a line that is sent, a tap, an answer to "are you sure?", or a form that is sent.
"""

from collections.abc import Awaitable, Callable

import pytest

from bot.store import Store
from tests.chat.every_button import prepare, run
from tests.chat.slack_world import SlackWorld
from tests.chat.test_every_button import settled
from tests.slackstub import U_ANA

pytestmark = pytest.mark.server
MOST = 2


@pytest.fixture
def store(sqlite_store: Store) -> Store:
    """What they do to each database is told where each is tested."""
    return sqlite_store


class Newcomer:
    """Ana, whose actions are counted."""

    def __init__(self, world: SlackWorld) -> None:
        self.slack = world.slack
        self.channel = world.channel(1)
        self.actions = 0

    async def types(self, line: str) -> str:
        """The form that opens, if one does."""
        self.actions += 1
        done = await self.slack.command(line, U_ANA, self.channel, wait=20)
        return str(done.views[0]["id"]) if done.views else ""

    async def taps(self, action_id: str) -> None:
        """The newest such button of the channel; where it asks once more, that is another tap."""
        place = self.slack.ws.channels[self.channel]
        with_it = [m for m in place.messages.values() if f"'{action_id}'" in str(m.blocks)]
        newest = max(with_it, key=lambda message: message.ts)
        (found,) = [
            element
            for block in newest.blocks
            for element in block.get("elements", [])
            if element.get("action_id") == action_id
        ]
        self.actions += 2 if "confirm" in found else 1
        await self.slack.click(self.channel, newest.ts, action_id, U_ANA)

    async def sends(self, form: str, **values: str) -> None:
        self.actions += 1
        done = await self.slack.submit_view(form, values or None)
        assert not done.errors


async def declares(ana: Newcomer) -> None:
    await ana.types("/incident declare Mail is late")


async def takes_command(ana: Newcomer) -> None:
    await ana.taps("incident_lead")


async def runs_what_is_proposed(ana: Newcomer) -> None:
    await ana.taps("run_request")


async def sends_an_update(ana: Newcomer) -> None:
    await ana.sends(await ana.types("/incident update"))


async def resolves_and_exports(ana: Newcomer) -> None:
    await ana.taps("incident_resolve_export")


# task → the rows of the timeline that show that it is done
TASKS: dict[Callable[[Newcomer], Awaitable[None]], set[str]] = {
    declares: {"incident_declared"},
    takes_command: {"commander_assigned"},
    runs_what_is_proposed: {"run_requested"},
    sends_an_update: {"communication_sent"},
    resolves_and_exports: {"status_changed", "incident_exported"},
}


@pytest.mark.parametrize("task", TASKS, ids=lambda task: task.__name__)
async def test_a_newcomer_gets_there_in_two(
    workspace: SlackWorld, task: Callable[[Newcomer], Awaitable[None]]
) -> None:
    """What was exported is in the channel, with the resolution in it."""
    await prepare(workspace.room)
    await run("proposed")(workspace.room, 1)
    await settled(workspace)
    ana, before = Newcomer(workspace), len(await workspace.rows(*TASKS[task]))
    await task(ana)
    await settled(workspace)
    done = (await workspace.rows(*TASKS[task]))[before:]
    assert {row.kind for row in done} == TASKS[task]
    assert {row.actor for row in done} == {"person:ana"}
    assert ana.actions <= MOST
    if task is resolves_and_exports:
        files = {f.name: f.content for f in workspace.slack.ws.files.values()}
        assert set(files) == {f"incident-1.{kind}" for kind in ("md", "json", "csv")}
        assert b"resolved" in files["incident-1.md"]
