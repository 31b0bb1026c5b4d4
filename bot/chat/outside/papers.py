"""Gets final postmortems to where they are published, and records what came of it.

Only what is final, only through the gate. A place finds what it has by the paper's own name, so what a
crash or a lost answer left unfinished is simply put there again; the record has one row a version.
"""

import hashlib
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncSession

from bot.access import Dialer
from bot.catalog.papers import PaperPlace
from bot.chat.outside.paths import asking, first
from bot.contract import Paper, Published
from bot.delivery import Job
from bot.errors import AuthFailed, Conflict, NotFound, Rejected, TargetError
from bot.incidents import Incident, Incidents
from bot.log import get
from bot.postmortems import Postmortem
from bot.postmortems.editing.publishing import PAPERS, place_of, require_public, show_places
from bot.postmortems.editing.tables import PaperCopy
from bot.postmortems.exports import Exports
from bot.registry import Registry
from bot.store import Store, now

log = get("papers")
LEASE = timedelta(seconds=75)  # a large DOCX is made in it, and a place may convert it
LIMIT = 45.0  # seconds over all paths, within the lease


@dataclass(frozen=True)
class _Asked:
    """What is to be put where, as it stood when it was read."""

    copy: PaperCopy
    place: PaperPlace
    paper: Paper
    version: int

    @property
    def digest(self) -> str:
        return hashlib.sha256(self.paper.markdown.encode()).hexdigest()


class PaperSurface:
    """Implements ``bot.delivery.Surface`` for all places of the catalog."""

    name = PAPERS

    def __init__(
        self, store: Store, incidents: Incidents, registry: Registry, dialer: Dialer, exports: Exports
    ) -> None:  # fmt: skip
        self.store = store
        self.incidents = incidents
        self.registry = registry
        self.dialer = dialer
        self.exports = exports

    async def deliver(self, job: Job) -> dict[str, Any]:
        """Puts it there. What a person has to put right is final; the rest is tried on."""
        if await self.find(job) is not None:
            return {}
        try:
            asked = await self._asked(job)
            done = await self._put(asked)
        except (Rejected, AuthFailed, Conflict, NotFound) as error:
            await self._refused(job, str(error))
            raise Rejected(str(error)) from error
        except TargetError as error:
            await self._late(job, str(error))
            raise
        except (SQLAlchemyError, ConnectionError):
            raise
        except Exception as error:  # what cannot be drawn cannot be the next time either
            log.exception("paper_broke", incident_id=job.incident_id)
            reason = f"it cannot be drawn: {type(error).__name__}."
            await self._refused(job, reason)
            raise Rejected(reason) from error
        await self._done(job, asked, done)
        return {}

    async def find(self, job: Job) -> dict[str, Any] | None:
        """Nothing where its end is on record; else it may be put there again: that does no harm."""
        async with self.store.read() as session:
            copy = await session.get_one(PaperCopy, (job.incident_id, job.payload["place"]))
        return None if copy.state == "pending" else {}

    async def _asked(self, job: Job) -> _Asked:
        """Raises `NotFound`, and `Conflict` for what must not leave any more."""
        number = job.incident_id
        async with self.store.read() as session:
            copy = await session.get_one(PaperCopy, (number, job.payload["place"]))
            place = place_of(self.incidents.catalog(), copy.place)
            require_public(await session.get_one(Incident, number))
            paper = await self.exports.published(session, number)
            version = (await session.get_one(Postmortem, number)).version
        known = paper.model_copy(update={"reference": copy.reference})
        return _Asked(copy, place, known, version)

    async def _put(self, asked: _Asked) -> Published:
        place = asked.place
        keeper = self.registry.papers.get(place.integration)
        if keeper is None:
            raise Rejected(f"The integration {place.integration!r} keeps no papers.")
        async with asking(place.id, place.integration, LIMIT):
            done, _ = await first(
                self.dialer, place.target, lambda there: keeper.put_paper(asked.paper, there), LIMIT
            )
        return done

    async def _done(self, job: Job, asked: _Asked, done: Published) -> None:
        async with self.store.write() as session:
            copy = await self._locked(session, job)
            if copy.state != "pending":
                return
            same = (copy.reference, copy.digest) == (done.reference, asked.digest)
            copy.state, copy.error, copy.version = "published", "", asked.version
            copy.url = done.url
            if not same:
                copy.reference, copy.digest = done.reference, asked.digest
                copy.by, copy.at = copy.asked_by, now()
                text = f"The postmortem is published: {asked.place.name}"
                data = {
                    "reference": done.reference,
                    "digest": asked.digest,
                    "version": asked.version,
                }
                await self._record(session, copy, "postmortem_published", text, data)
            await self._show(session, copy)

    async def _refused(self, job: Job, reason: str) -> None:
        async with self.store.write() as session:
            copy = await self._locked(session, job)
            if copy.state != "pending":
                return
            copy.state, copy.error = "refused", reason[:500]
            text = f"⚠️ The postmortem is not published at {copy.place}: {copy.error}"
            await self._record(session, copy, "postmortem_publish_refused", text, {})
            await self._show(session, copy)

    async def _late(self, job: Job, reason: str) -> None:
        """Said once: it is tried on."""
        async with self.store.write() as session:
            copy = await self._locked(session, job)
            if copy.state != "pending" or copy.error:
                return
            copy.error = reason[:500]
            text = f"⚠️ {copy.place} has not taken the postmortem yet, and is tried on: {copy.error}"
            await self._record(session, copy, "postmortem_publish_late", text, {})
            await self._show(session, copy)

    async def _locked(self, session: AsyncSession, job: Job) -> PaperCopy:
        await self.incidents.get(session, job.incident_id)
        key = (job.incident_id, job.payload["place"])
        return await session.get_one(PaperCopy, key, populate_existing=True)

    async def _record(
        self, session: AsyncSession, copy: PaperCopy, kind: str, text: str, data: dict[str, Any]
    ) -> None:
        """A row by whoever asked for it where it worked, else by Jackline; and a line in the channel."""
        number, done = copy.incident_id, kind == "postmortem_published"
        author, link = (f"person:{copy.asked_by}", copy.url) if done else ("jackline", "")
        await self.incidents.ledger.append(
            session, number, kind, author, text.removeprefix("⚠️ "),
            data={"place": copy.place, **data}, link=link,
        )  # fmt: skip
        key = f"{kind}-{copy.place}-{now().timestamp()}"
        said = {"text": f"{text} {link}".strip()}
        await self.incidents.outbox.say(session, number, key, "line", said, author=author)

    async def _show(self, session: AsyncSession, copy: PaperCopy) -> None:
        paper = await session.get_one(Postmortem, copy.incident_id)
        await show_places(session, self.incidents, paper)
