"""What people ask for in Slack is on disk first, done once, and answered whatever happens between."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg  # type: ignore[import-untyped]  # it has none
import pytest
from slack_sdk.web.async_client import AsyncWebClient
from sqlalchemy import text, update
from sqlalchemy.exc import DBAPIError
from sqlmodel import col, select

from bot.chat.slack import Inbox, inbox
from bot.chat.slack.home import Home
from bot.chat.slack.tables import SlackRequest
from bot.errors import Unavailable
from bot.incidents import Incident
from bot.store import is_away, now
from tests.chat.room import ChatRoom
from tests.chat.spoken import workspaces
from tests.slackstub import C_GENERAL, U_ANA, SlackStub

pytestmark = pytest.mark.server  # the stub listens on a port


class Open:
    """An inbox over a room, and what is left in it."""

    def __init__(self, room: ChatRoom, slack: SlackStub) -> None:
        self.room = room
        self.slack = slack
        self.client = AsyncWebClient(slack.bot_token, base_url=slack.api_url)
        self.inbox = self.again()

    def again(self) -> Inbox:
        """Another process's inbox over the same database."""
        room, at = self.room, workspaces(self.client).at
        return Inbox(
            room.store, room.commands, room.clicks, room.incidents,
            lambda: room.library.catalog, at,
            Home(at, room.store, lambda: room.library.catalog, ()),
        )  # fmt: skip

    def asked(self, text: str, **more: Any) -> dict[str, Any]:
        """A slash command of Ana's, as the bolt app hands it over."""
        return {
            "name": "incident", "text": text, "team": self.slack.team_id, "user": U_ANA,
            "channel": C_GENERAL, **more,
        }  # fmt: skip

    async def put(self, key: str, kind: str, body: dict[str, Any], **columns: Any) -> None:
        """A request that a process stored before it died, long ago."""
        async with self.room.store.write() as session:
            given = {"received_at": now() - timedelta(minutes=1)} | columns
            session.add(SlackRequest(key=key, kind=kind, body=body, **given))

    async def states(self) -> list[str]:
        async with self.room.store.read() as session:
            query = select(SlackRequest.state).order_by(col(SlackRequest.id))
            return list((await session.execute(query)).scalars())

    async def titles(self) -> list[str]:
        async with self.room.store.read() as session:
            query = select(Incident.title).order_by(col(Incident.id))
            return list((await session.execute(query)).scalars())

    async def settled(self) -> None:
        """Waits until nothing is in hand."""
        for _ in range(1000):
            if set(await self.states()) <= {"done"}:
                return
            await asyncio.sleep(0.02)
        raise AssertionError(await self.states())

    def heard(self) -> list[str]:
        """What Ana alone was told."""
        return [m.text for m in self.slack.ephemerals(C_GENERAL, U_ANA)]


@pytest.fixture
async def opened(room: ChatRoom, slack: SlackStub) -> AsyncIterator[Open]:
    room.library.catalog.people[0].slack[:] = [f"{slack.team_id}:{U_ANA}"]
    await slack.join(C_GENERAL, slack.bot_user_id)
    opened = Open(room, slack)
    writer = asyncio.create_task(opened.inbox.run())
    yield opened
    writer.cancel()
    await asyncio.gather(writer, return_exceptions=True)
    await opened.inbox.close()
    if opened.client.session is not None:
        await opened.client.session.close()


async def test_done_answered_and_forgotten(opened: Open) -> None:
    """One request, from disk to its answer; afterwards nothing of what was said stays behind."""
    await opened.inbox.accept("mention", "1", opened.asked("declare sev2 Down"))
    await opened.settled()
    assert await opened.titles() == ["Down"]
    assert "Incident 1 (sev2) is declared" in opened.heard()[0]
    async with opened.room.store.read() as session:
        row = (await session.execute(select(SlackRequest))).scalar_one()
    assert (row.body, row.answer) == ({}, {})


async def test_the_same_request_again_changes_nothing(opened: Open) -> None:
    for _ in range(3):
        await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    await opened.settled()
    await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    await opened.settled()
    assert await opened.titles() == ["Down"]
    assert len(opened.heard()) == 1


async def test_many_at_once_are_done_in_their_order(opened: Open) -> None:
    await asyncio.gather(
        *(opened.inbox.accept("mention", f"{n}", opened.asked(f"declare N{n}")) for n in range(20))
    )
    await opened.settled()
    assert await opened.titles() == [f"N{n}" for n in range(20)]


async def test_died_before_the_work_it_is_done_by_the_next(opened: Open) -> None:
    await opened.put("slack:mention:1", "mention", opened.asked("declare Down"))
    again = opened.again()
    await again.work_late()
    await opened.settled()
    await again.work_late()
    assert await opened.titles() == ["Down"]
    assert len(opened.heard()) == 1
    await again.close()


async def test_died_before_the_answer_it_is_only_answered(opened: Open) -> None:
    """The work is in the same commit as its mark, so it is not done twice."""
    said = {"text": "Done.", "blocks": []}
    await opened.put(
        "slack:mention:1", "mention", opened.asked("declare Down"), state="answering", answer=said,
        worked_at=now() - timedelta(minutes=1),
    )  # fmt: skip
    await opened.inbox.work_late()
    assert (await opened.states(), await opened.titles()) == (["done"], [])
    assert opened.heard() == ["Done."]


async def test_what_somebody_has_in_hand_is_left_to_them(opened: Open) -> None:
    """Two replicas: a request that has just come in is not taken from the one that took it."""
    await opened.put("slack:mention:1", "mention", opened.asked("declare Down"), received_at=now())
    await opened.inbox.work_late()
    assert (await opened.states(), await opened.titles()) == (["new"], [])


async def test_slack_away_the_answer_is_given_later_and_not_for_ever(opened: Open) -> None:
    """An answer that cannot be sent is tried again; after half an hour nobody can hear it."""
    opened.slack.configure(down=True)
    await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    for _ in range(1000):
        if await opened.states() == ["answering"]:
            break
        await asyncio.sleep(0.02)
    await opened.inbox.close()
    await _long_ago(opened, worked_at=now() - timedelta(minutes=1))
    await opened.inbox.work_late()
    assert await opened.states() == ["answering"]
    opened.slack.configure(down=False)
    await _long_ago(opened, worked_at=now() - timedelta(minutes=1))
    await opened.inbox.work_late()
    assert (await opened.states(), len(opened.heard())) == (["done"], 1)

    said = {"text": "Too late.", "blocks": []}
    hour = now() - timedelta(hours=1)
    await opened.put("slack:mention:2", "mention", opened.asked(""), state="answering", answer=said,
                     worked_at=hour, received_at=hour)  # fmt: skip
    await opened.inbox.work_late()
    assert (await opened.states(), len(opened.heard())) == (["done", "done"], 1)


async def test_a_bug_at_one_request_does_not_hold_up_the_others(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its sender is told, nothing of it stays, and the next one is done."""
    real = opened.room.incidents.declare

    async def broken(session: Any, **given: Any) -> Incident:
        made = await real(session, **given)
        if "poison" in given["title"]:
            raise ZeroDivisionError
        return made

    monkeypatch.setattr(opened.room.incidents, "declare", broken)
    await opened.inbox.accept("mention", "1", opened.asked("declare poison"))
    await opened.inbox.accept("mention", "2", opened.asked("declare Down"))
    await opened.settled()
    assert await opened.titles() == ["Down"]
    assert any("Something in Jackline broke" in text for text in opened.heard())


@pytest.mark.parametrize("victim_of", [1, inbox._TRIES - 1])
async def test_what_gave_way_to_another_is_done_again(
    opened: Open, monkeypatch: pytest.MonkeyPatch, victim_of: int
) -> None:
    """A deadlock's victim, as PostgreSQL says it: the click was in order, and nobody is bothered."""
    tried = giving_way(opened, monkeypatch, victim_of)
    await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    await opened.settled()
    assert (len(tried), await opened.titles()) == (victim_of + 1, ["Down"])
    (heard,) = opened.heard()
    assert "is declared" in heard


async def test_what_gives_way_always_is_told_to_who_asked(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After a few times nothing stays of it, its asker knows, and the next one is done meanwhile."""
    tried = giving_way(opened, monkeypatch, 1000)
    await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    await opened.inbox.accept("mention", "2", opened.asked("list"))
    await opened.settled()
    assert (len(tried), await opened.titles()) == (inbox._TRIES, [])
    assert set(opened.heard()) == {"No incident is open.", inbox._GAVE_WAY}


def giving_way(opened: Open, monkeypatch: pytest.MonkeyPatch, times: int) -> list[object]:
    """Declaring is taken back so many times, by PostgreSQL itself; one entry for each try."""
    if opened.room.store.is_sqlite:
        pytest.skip("SQLite lets one write at a time: nobody waits for each other")
    real, tried = opened.room.incidents.declare, list[object]()

    async def victim(session: Any, **given: Any) -> Incident:
        made = await real(session, **given)
        tried.append(made.id)
        if len(tried) <= times:
            raised = "DO $$ BEGIN RAISE 'gave way' USING ERRCODE = 'deadlock_detected'; END $$"
            await session.execute(text(raised))
        return made

    monkeypatch.setattr(opened.room.incidents, "declare", victim)
    monkeypatch.setattr(inbox, "_PAUSE", 0.01)
    return tried


async def test_cut_off_from_the_database_it_is_done_later(
    opened: Open, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A restart or a failover of PostgreSQL in the middle of it: nothing is refused, nothing lost."""
    if opened.room.store.is_sqlite:
        pytest.skip("nobody cuts SQLite off")
    real, tried = opened.room.incidents.declare, []

    async def cut_off(session: Any, **given: Any) -> Incident:
        made = await real(session, **given)
        tried.append(made.id)
        if len(tried) == 1:
            await session.execute(text("SELECT pg_terminate_backend(pg_backend_pid())"))
        return made

    monkeypatch.setattr(opened.room.incidents, "declare", cut_off)
    await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    for _ in range(500):
        if tried and not opened.inbox._tasks:
            break
        await asyncio.sleep(0.02)
    assert (await opened.states(), await opened.titles()) == (["new"], [])
    await _long_ago(opened, received_at=now() - timedelta(minutes=1))
    await opened.inbox.work_late()
    await opened.settled()
    assert await opened.titles() == ["Down"]
    (heard,) = opened.heard()
    assert "is declared" in heard


@pytest.mark.parametrize("problem", ["too many connections", "starting up", "a replica"])
def test_what_is_no_fault_of_the_request(problem: str) -> None:
    """What PostgreSQL says while it starts comes from the driver as it is; the rest is wrapped."""
    error: Exception = asyncpg.CannotConnectNowError("the database system is starting up")
    if problem != "starting up":
        kinds = {
            "too many connections": asyncpg.TooManyConnectionsError,
            "a replica": asyncpg.ReadOnlySQLTransactionError,
        }
        error = DBAPIError("", {}, kinds[problem](problem))
    assert is_away(error)


@pytest.mark.parametrize("orig", [asyncpg.UniqueViolationError, asyncpg.UndefinedColumnError, asyncpg.DataError])  # fmt: skip
def test_what_is_one(orig: type[Exception]) -> None:
    """Tried again it would fail again, for ever."""
    assert not is_away(DBAPIError("", {}, orig("x")))
    assert not is_away(ZeroDivisionError())


async def test_what_is_not_done_goes_before_what_is_not_answered(opened: Open) -> None:
    """Fifty answers that Slack does not take must not keep what a dead process left from being done."""
    said = {"text": "Done.", "blocks": []}
    hour = now() - timedelta(minutes=20)
    for number in range(50):
        body = opened.asked("", response_url="http://127.0.0.1:9/nobody")
        await opened.put(f"slack:command:{number}", "command", body, state="answering", answer=said,
                         received_at=hour, worked_at=hour)  # fmt: skip
    await opened.put("slack:mention:1", "mention", opened.asked("declare Down"))
    await opened.inbox.work_late()
    assert await opened.titles() == ["Down"]


async def test_an_answer_that_breaks_us_holds_up_nobody(opened: Open) -> None:
    """It stays behind, for half an hour at most; those after it are answered."""
    said = {"text": "Done.", "blocks": []}
    ago = now() - timedelta(minutes=1)
    given = {"state": "answering", "answer": said, "worked_at": ago}
    await opened.put("slack:click:1", "click", {"home": True, "of": "no one"}, **given)
    await opened.put("slack:mention:1", "mention", opened.asked(""), **given)
    await opened.inbox.work_late()
    assert await opened.states() == ["answering", "done"]
    assert opened.heard() == ["Done."]
    await opened.inbox.work_late()  # what was just tried waits a little
    async with opened.room.store.read() as session:
        query = select(SlackRequest.worked_at).where(SlackRequest.state == "answering")
        tried = (await session.execute(query)).scalar_one()
    assert (tried or ago) > ago


async def test_a_refusal_takes_back_what_it_began(opened: Open) -> None:
    await opened.inbox.accept("mention", "1", opened.asked("severity sev9"))
    await opened.settled()
    assert "Which incident?" in opened.heard()[0]


async def test_what_takes_long_is_answered_twice(opened: Open) -> None:
    """At once, so that the asker knows; then with the result, also where that is a refusal."""
    asked = opened.asked("drill slack", name="access")
    await opened.inbox.accept("mention", "1", asked)
    for _ in range(1000):
        if len(opened.heard()) == 2:
            break
        await asyncio.sleep(0.02)
    assert opened.heard() == [
        "A drill with slack down is under way: the result follows.",
        "With slack down, 0% of the runbooks run.",
    ]
    assert await opened.states() == ["done"]


async def test_without_the_database_nothing_is_promised(opened: Open) -> None:
    async with opened.room.store.engine.begin() as connection:
        await connection.exec_driver_sql("ALTER TABLE slack_request RENAME TO gone")
    with pytest.raises(Unavailable, match="did not take the requests"):
        await opened.inbox.accept("mention", "1", opened.asked("declare Down"))
    async with (
        opened.room.store.engine.begin() as connection
    ):  # the next test has the same database
        await connection.exec_driver_sql("ALTER TABLE gone RENAME TO slack_request")


async def _long_ago(opened: Open, **columns: Any) -> None:
    async with opened.room.store.write() as session:
        await session.execute(update(SlackRequest).values(**columns))


async def test_what_slack_no_longer_repeats_is_forgotten(opened: Open) -> None:
    """A month after it was done; what waits is never too old."""
    long_ago = now() - timedelta(days=31)
    await opened.put("old", "mark", {}, state="done", received_at=long_ago)
    await opened.put("new", "mark", {}, state="done")
    await opened.put("waits", "command", opened.asked("declare Down"), received_at=long_ago)
    for _ in range(2):
        await opened.inbox.work_late()
    await opened.settled()
    async with opened.room.store.read() as session:
        keys = (await session.execute(select(SlackRequest.key))).scalars()
        assert "new" in (left := set(keys))
    assert "old" not in left
    assert await opened.titles() == ["Down"]
