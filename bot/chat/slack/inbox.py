"""What people asked for in Slack, worked off in the order in which it came.

Slack waits three seconds for an acknowledgement, and a database in an outage may take longer than
that. So a request is stored (`Inbox.accept`), acknowledged, then done in one transaction with the
note that it is done, and answered last: a process that dies anywhere in between repeats nothing
but, at worst, the answer.
"""

import asyncio
import random
from collections.abc import Awaitable, Callable, Mapping
from datetime import timedelta
from typing import Any

import aiohttp
from sqlalchemy import delete, update
from sqlalchemy.exc import DBAPIError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, func, select

from bot.catalog import Audience, Catalog, Person
from bot.chat.blocks import escape
from bot.chat.clicks import Clicks
from bot.chat.command import Later, Reply
from bot.chat.commands import Commands
from bot.chat.slack.client import respond
from bot.chat.slack.home import Home
from bot.chat.slack.marks import Marks, told_by
from bot.chat.slack.pace import At
from bot.chat.slack.requests import Requests
from bot.chat.slack.tables import SlackRequest
from bot.chat.slack.who import asked_in
from bot.errors import (
    AuthFailed,
    JacklineError,
    NotSent,
    Rejected,
    Retryable,
    TargetError,
)
from bot.incidents import Incident, Incidents
from bot.incidents.drafts import draft
from bot.incidents.updates import may_tell
from bot.log import get
from bot.store import Batch, Store, gave_way, is_away, now

log = get("slack")
_LATE = timedelta(seconds=5)  # then whoever had it in hand is taken for dead
_PATIENCE = 1.5  # seconds: what opens a form is good for three
_EXPIRED = timedelta(minutes=30)  # a response URL is good that long
_REPEATED = timedelta(days=30)  # Slack repeats for some hours
_DAY = timedelta(days=1)
_AT_ONCE = 50
_Done = tuple[dict[str, Any], Reply | None]
_NOT_SAID = (TargetError, aiohttp.ClientError, OSError, TimeoutError)
_BROKEN = "Something in Jackline broke at that, and nothing was done. The log has the details."
_TRIES = 5  # of what PostgreSQL takes back for the sake of another, a second or so each
_PAUSE = 0.1  # seconds before the second of them, twice as long before each further one
_GAVE_WAY = (
    f"The database took that back {_TRIES} times, because others change the same things at the same "
    "moment. Nothing was done: try again in a moment."
)


class Inbox:
    """``accept`` returns when a request is on disk; ``run`` and ``work_late`` are workers."""

    def __init__(
        self,
        store: Store,
        commands: Commands,
        clicks: Clicks,
        incidents: Incidents,
        catalog: Callable[[], Catalog],
        at: At,
        home: Home,
    ) -> None:
        self.store = store
        self.catalog = catalog
        self.at = at
        self.home = home
        self.marks = Marks(incidents, at)
        self.requests = Requests(commands, clicks, incidents, catalog, self.marks)
        table = SlackRequest.__table__  # type: ignore[attr-defined]  # SQLModel sets it on table classes
        self._batch = Batch(store, table, "requests", silent=True)
        self._turn = asyncio.Lock()  # requests are done in the order in which they came
        self._tasks: set[asyncio.Task[bool]] = set()
        self._forgets_at = now()

    async def accept(self, kind: str, key: str, body: dict[str, Any]) -> None:
        """Stores a request and begins to work on it; the same ``key`` again changes nothing.

        Raises `Unavailable` where it could not be stored.
        """
        full = f"slack:{kind}:{told_by(body)}{key}"
        row = {
            "key": full, "kind": kind, "body": body, "answer": {}, "state": "new",
            "received_at": now(), "worked_at": None,
        }  # fmt: skip
        await self._batch.accept([row])
        self._begin(self._work, full)

    async def run(self) -> None:
        """Writes what is accepted, until cancelled."""
        await self._batch.run()

    def show_home(self, asked: dict[str, Any]) -> None:
        """Draws somebody's home tab; where that fails, they see it as it was."""
        self._begin(self.home.show, asked)

    async def work_late(self) -> bool:
        """Does and answers what a process that died, or a database that was away, left over.

        What was not done goes first. The answers go all at once: a silent Slack takes its time.
        """
        late = now() - _LATE
        begun = func.coalesce(col(SlackRequest.worked_at), col(SlackRequest.received_at))
        query = (
            select(SlackRequest.key, SlackRequest.state)
            .where(col(SlackRequest.state).in_(("new", "answering")), begun < late)
            .order_by(col(SlackRequest.state).desc(), col(SlackRequest.id))
            .limit(_AT_ONCE)
        )
        async with self.store.read() as session:
            found = (await session.execute(query)).all()
        for key in (key for key, state in found if state == "new"):
            if not await self._survived(self._work, key):
                await self._later(key)
        answers = [key for key, state in found if state == "answering"]
        tried = await asyncio.gather(*(self._survived(self._answer, key) for key in answers))
        for key in (key for key, well in zip(answers, tried, strict=True) if not well):
            await self._later(key)
        if now() > self._forgets_at:
            self._forgets_at = now() + _DAY
            await self._forget_old()
        return len(found) == _AT_ONCE

    async def _forget_old(self) -> None:
        """Keys of what was done so long ago that Slack does not send it again."""
        old = col(SlackRequest.received_at) < now() - _REPEATED
        async with self.store.write(silent=True) as session:
            await session.execute(
                delete(SlackRequest).where(col(SlackRequest.state) == "done", old)
            )

    async def close(self) -> None:
        """Drops what is under way; whoever starts next does it."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def incident_of(self, session: AsyncSession, asked: Mapping[str, Any]) -> int | None:
        """The incident whose channel it was asked in."""
        return await self.requests.incident_of(session, asked)

    def person(self, asked: dict[str, Any]) -> Person | None:
        """The person of the catalog behind a user of Slack's."""
        return self.requests.person(asked)

    async def draft(self, by: dict[str, Any], channel: str, audience: Audience) -> str | None:
        """What an update's form opens with; None where its command has to say why there is none."""
        person, asked = self.person(by), {**by, "channel": channel}
        try:
            async with asyncio.timeout(_PATIENCE), self.store.read() as session:
                number = await self.incident_of(session, asked)
                incident = await session.get(Incident, number) if number else None
            if person is None or incident is None:
                return None
            may_tell(person, incident, audience)
            return draft(self.catalog(), incident, audience, now())
        except (JacklineError, SQLAlchemyError, OSError) as error:
            log.warning("form_not_opened", error=str(error))
            return None

    def _begin(self, work: Callable[..., Awaitable[None]], *given: Any) -> None:  # noqa: ANN401 - as the work takes them
        task = asyncio.create_task(self._survived(work, *given), name="slack request")
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _survived(self, work: Callable[..., Awaitable[None]], *given: Any) -> bool:  # noqa: ANN401 - as above
        """Whether it went well; what did not is still there, and `work_late` comes back to it."""
        try:
            await work(*given)
        except (SQLAlchemyError, OSError, TargetError) as error:
            log.error("request_delayed", error=str(error))
            return False
        except Exception:  # one that breaks us must not hold up the others
            log.exception("request_delayed")
            return False
        return True

    async def _work(self, key: str) -> None:
        """One request and its mark in one commit; a refusal takes back all but the mark."""
        try:
            done = await self._tried(key)
        except (NotSent, Retryable, AuthFailed) as error:  # Slack is away: the request is still new
            log.warning("request_delayed", error=str(error))
            await self._later(key)
            return
        except JacklineError as error:
            await self._refuse(key, Reply(str(error)))
        except Exception as error:  # a bug at one request must not hold up the others in an outage
            if is_away(error):
                raise  # the request is still new
            if gave_way(error):
                log.warning("request_gave_way", request=key, error=str(error))
                await self._refuse(key, Reply(_GAVE_WAY))
            else:
                log.exception("request_crashed", request=key)
                await self._refuse(key, Reply(_BROKEN))
        else:
            if done is None:
                return
            body, reply = done
            if reply is not None and reply.later is not None:
                self._begin(self._answer_twice, key, body, reply.later)
                return
        self._begin(self._answer, key)

    async def _tried(self, key: str) -> _Done | None:
        """`_once`, again and each time a little later where PostgreSQL took it back for another's sake."""
        tried = 0
        while True:
            try:
                return await self._once(key)
            except DBAPIError as error:
                tried += 1
                if tried == _TRIES or not gave_way(error):
                    raise
            await asyncio.sleep(_PAUSE * 2**tried * random.uniform(0.5, 1.0))  # noqa: S311 - jitter

    async def _once(self, key: str) -> _Done | None:
        """What was asked, and the reply to it; None where another process has it or did it."""
        marked = await self._marked(key)
        async with self._turn, self.store.write() as session:
            request = await _taken(session, key)
            if request is None:
                return None
            request.body = request.body | marked
            body, reply = request.body, await self.requests.do(session, request)
            _mark(request, reply)
        return body, reply

    async def _later(self, key: str) -> None:
        """Leaves a request for a while, so that it does not keep those behind it waiting."""
        open_ = (col(SlackRequest.key) == key, col(SlackRequest.state).in_(("new", "answering")))
        async with self.store.write(silent=True) as session:
            await session.execute(update(SlackRequest).where(*open_).values(worked_at=now()))

    async def _marked(self, key: str) -> dict[str, Any]:
        """The message at which a reaction was put: asked of Slack, before anything is locked."""
        if not key.startswith("slack:mark:"):
            return {}
        query = select(SlackRequest.body).where(
            SlackRequest.key == key, SlackRequest.state == "new"
        )
        async with self.store.read() as session:
            body = (await session.execute(query)).scalar_one_or_none()
        if not body or body["mark"] == "acknowledge" or "message" in body:
            return {}
        return {"message": await self.marks.fetch(body)}

    async def _refuse(self, key: str, reply: Reply) -> None:
        async with self.store.write(silent=True) as session:
            if request := await _taken(session, key):
                _mark(request, reply)

    async def _answer(self, key: str) -> None:
        """Says the answer to its asker alone; whatever becomes of that, the request is done."""
        query = select(SlackRequest).where(
            SlackRequest.key == key, SlackRequest.state == "answering"
        )
        async with self.store.read() as session:
            request = (await session.execute(query)).scalar_one_or_none()
        if request is None:
            return
        if now() - request.received_at < _EXPIRED:
            try:
                await self._say(key, request.body, request.answer)
            except _NOT_SAID as error:
                log.warning("answer_not_sent", request=key, error=str(error))
                await self._later(key)
                return
        async with self.store.write(silent=True) as session:
            _forget(await session.get_one(SlackRequest, request.id))

    async def _answer_twice(self, key: str, body: dict[str, Any], later: Later) -> None:
        """At once, and again when what takes long is there; who died in between says no more."""
        await self._answer(key)
        told = await later()
        if told is None:
            return
        try:
            await self._say(key, body, {"text": escape(told[0]), "blocks": told[1]})
        except _NOT_SAID as error:
            log.warning("answer_not_sent", request=key, error=str(error))

    async def _say(self, key: str, body: dict[str, Any], said: dict[str, Any]) -> None:
        if url := body.get("response_url"):
            await respond(url, said["text"], said["blocks"])
            return
        if body.get("home"):
            await self.home.show(body, said["text"])
            return
        try:
            there = self.at(asked_in(body))
            async with there.limits.calling("chat.postEphemeral", once=False):
                await there.client.chat_postEphemeral(
                    channel=body["channel"], user=body["user"], text=said["text"],
                    blocks=said["blocks"] or None, thread_ts=body.get("thread"),
                )  # fmt: skip
        except Rejected as error:
            log.warning("answer_refused", request=key, error=str(error))


async def _taken(session: AsyncSession, key: str) -> SlackRequest | None:
    """The request, ours until the commit; None where another process has it or did it."""
    query = (
        select(SlackRequest)
        .where(SlackRequest.key == key, SlackRequest.state == "new")
        .with_for_update(skip_locked=True)
    )
    return (await session.execute(query)).scalar_one_or_none()


def _mark(request: SlackRequest, reply: Reply | None) -> None:
    request.worked_at = now()
    answerable = (
        request.kind in ("mention", "mark", "joined")
        or {"response_url", "home"} & request.body.keys()
    )
    if reply is None or not answerable:
        _forget(request)
        return
    request.answer = {"text": escape(reply.text), "blocks": reply.blocks}
    request.state = "answering"


def _forget(request: SlackRequest) -> None:
    request.state, request.body, request.answer = "done", {}, {}
