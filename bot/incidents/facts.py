"""What people put into an incident's record: decisions, links, and which services are affected."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from urllib.parse import urlsplit

from sqlalchemy.ext.asyncio import AsyncSession

from bot.catalog import Person, Service
from bot.errors import BadInput, Conflict
from bot.incidents.family import require_unmerged
from bot.incidents.flow import Incidents
from bot.incidents.roles import require_responder
from bot.incidents.tables import Incident
from bot.store import now

TITLE_LIMIT, PART_LIMIT = 100, 1000  # characters of a link's title, and of each part of a decision
MOST_LINKS = 20
_URL = re.compile(r"https?://[^\s|<>\"]{1,900}")


@dataclass(frozen=True)
class Decision:
    """What was decided, why, and what else could have been."""

    what: str
    why: str
    instead: tuple[str, ...] = ()

    def __str__(self) -> str:
        rather = f", instead of {', '.join(self.instead)}" if self.instead else ""
        return f"Decided: {self.what}, because {self.why}{rather}"


class Facts:
    """The incident is locked by whoever calls; ``by`` is the person who does it."""

    def __init__(self, incidents: Incidents) -> None:
        self.incidents = incidents

    async def decide(
        self, session: AsyncSession, incident: Incident, decision: Decision, by: Person, key: str
    ) -> None:
        """Records it once for each ``key``. Raises `BadInput` for a part that is too long."""
        require_responder(by, "recording decisions")
        require_unmerged(incident)
        number, actor = incident.number, f"person:{by.id}"
        for part in (decision.what, decision.why, ", ".join(decision.instead)):
            if len(part) > PART_LIMIT:
                raise BadInput(f"A part has {len(part)} characters; {PART_LIMIT} is the limit.")
        if await self.incidents.outbox.said(session, number, f"decision-{key}"):
            return
        data = {"what": decision.what, "why": decision.why, "instead": list(decision.instead)}
        await self.incidents.ledger.append(
            session, number, "decision_made", actor, str(decision), data=data
        )
        await self.incidents.outbox.say(
            session, number, f"decision-{key}", "decision", data, author=actor
        )

    async def link(
        self, session: AsyncSession, incident: Incident, url: str, title: str, by: Person
    ) -> None:
        """A bookmark of the channel; an address that is there already changes nothing."""
        require_responder(by, "adding links")
        require_unmerged(incident)
        url, title = check_url(url), " ".join(title.split()) or url[:TITLE_LIMIT]
        if len(title) > TITLE_LIMIT:
            raise BadInput(f"The title has {len(title)} characters; {TITLE_LIMIT} is the limit.")
        if any(link["url"] == url for link in incident.links):
            return
        if len(incident.links) >= MOST_LINKS:
            raise Conflict(f"#{incident.number} has {MOST_LINKS} links already.")
        incident.links = [*incident.links, {"url": url, "title": title}]
        self.incidents.bookmark(session, incident, incident.links[-1:])
        await self._record(session, incident, "link_added", f"Link: {title}", by, {"url": url}, url)

    async def affect(
        self, session: AsyncSession, incident: Incident, services: Iterable[Service], by: Person
    ) -> list[Service]:
        """Further services that are affected, whose owners are asked to the channel: the new ones."""
        require_responder(by, "changing the services")
        require_unmerged(incident)
        new = [service for service in services if service.id not in incident.services]
        if not new:
            return []
        ids = [service.id for service in new]
        incident.services = [*incident.services, *ids]
        self.incidents.bookmark(session, incident, self.incidents.adopt_links(incident, ids))
        owners = [f"@{service.owner}" for service in new if service.owner]
        people = self.incidents.catalog().among(owners)
        await self.incidents.outbox.invite(session, incident.number, people)
        text = f"Affected as well: {', '.join(service.title for service in new)}"
        await self._record(session, incident, "service_added", text, by, {"services": ids})
        return new

    async def spare(
        self, session: AsyncSession, incident: Incident, services: Iterable[Service], by: Person
    ) -> list[Service]:
        """Services that are not affected after all; who came for them stays."""
        require_responder(by, "changing the services")
        require_unmerged(incident)
        gone = [service for service in services if service.id in incident.services]
        if not gone:
            return []
        ids = [service.id for service in gone]
        incident.services = [each for each in incident.services if each not in ids]
        text = f"Not affected after all: {', '.join(service.title for service in gone)}"
        await self._record(session, incident, "service_removed", text, by, {"services": ids})
        return gone

    async def _record(
        self, session: AsyncSession, incident: Incident, kind: str, text: str, by: Person,
        data: dict[str, object], link: str = "",
    ) -> None:  # fmt: skip
        actor, number = f"person:{by.id}", incident.number
        await self.incidents.ledger.append(session, number, kind, actor, text, data=data, link=link)
        await self.incidents.outbox.say(
            session, number, f"{kind}-{now().timestamp()}", "line", {"text": text}, author=actor
        )
        await self.incidents.refresh(session, incident)


def read_decision(text: str) -> Decision:
    """``DECISION because WHY [instead of A, B]``. Raises `BadInput` where a part is missing."""
    hint = "Usage: /incident decide DECISION because WHY [instead of A, B]"
    rest, _, instead = _parted(text, "instead of")
    what, because, why = _parted(rest, "because")
    if not because:  # said the other way round
        instead, because, why = _parted(instead, "because")
    if not what:
        raise BadInput("Say what was decided.", hint=hint)
    if not why:
        raise BadInput("Say why: those who come later need it.", hint=hint)
    options = tuple(option for part in instead.split(",") if (option := part.strip()))
    return Decision(what, why, options)


def _parted(text: str, word: str) -> tuple[str, str, str]:
    before, found, after = "", "", ""
    if match := re.search(rf"(?:^|\s){word}(?=\s|$)", text, re.IGNORECASE):
        before, found, after = text[: match.start()], word, text[match.end() :]
    else:
        before = text
    return " ".join(before.split()).rstrip(" ,;"), found, " ".join(after.split())


def check_url(url: str) -> str:
    """The address, also as Slack writes one. Raises `BadInput`; a password in it is refused."""
    plain = url.strip("<>").partition("|")[0]
    try:
        host, user = urlsplit(plain).hostname, urlsplit(plain).username
    except ValueError:
        host, user = None, None
    if not _URL.fullmatch(plain) or not host:
        raise BadInput(
            f"{plain[:60]!r} is no address.",
            hint="For example: /incident link https://call.example.com Call",
        )
    if user is not None:
        raise BadInput("The address has a user or password in it.", hint="Give it without.")
    return plain
