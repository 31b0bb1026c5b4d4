"""What people mark and correct in Slack: messages put on the timeline, made tasks, edited, deleted.

Everything here is done in the inbox's transaction and kept under Slack's own name of a message, its
channel and time. So events that come doubled, out of order or under another id do nothing twice.
A file is recorded as the link that Slack's members can follow, and is never made public.
"""

import re
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import select

from bot.catalog import Person
from bot.chat.blocks import cut
from bot.chat.places import address
from bot.chat.slack.pace import At
from bot.chat.slack.plain import plain
from bot.chat.slack.who import asked_in
from bot.delivery import Message
from bot.errors import BadInput, Rejected
from bot.incidents import Incident, Incidents, Task
from bot.incidents.flow import NOTE_LIMIT
from bot.incidents.tasks import TEXT_LIMIT, Tasks
from bot.settings import Mark

TICK = "white_check_mark"
_SKIN = re.compile(r"::skin-tone-[2-6]$")
_Does = Callable[[AsyncSession, Incident, Person, dict[str, Any]], Awaitable[None]]


def meant(reaction: str, reactions: Mapping[str, Mark]) -> Mark | None:
    """What a reaction asks for, whatever the skin tone."""
    return reactions.get(_SKIN.sub("", reaction))


def told(message: dict[str, Any]) -> str:
    """What a message says, as it was typed, with a line for each of its files."""
    files = [
        f"📎 {file.get('name') or 'file'} {file.get('permalink') or ''}".rstrip()
        for file in message.get("files") or []
    ]
    return cut(
        "\n".join(filter(None, (plain(str(message.get("text") or "")).strip(), *files))), NOTE_LIMIT
    )


def link_to(body: Mapping[str, Any]) -> str:
    """The address in Slack of the message that a request is about."""
    return address(asked_in(body), body["channel"], body["ts"])


def name_of(body: Mapping[str, Any]) -> str:
    """Slack's own name of that message: it means nothing without its workspace."""
    return f"{told_by(body)}{body['channel']}:{body['ts']}"


def told_by(body: Mapping[str, Any]) -> str:
    """What goes before a name of Slack's; nothing in the workspace of the bot token."""
    return f"{workspace}:" if (workspace := asked_in(body)) else ""


class Marks:
    """``verbs`` says what each mark does; a mark more is an entry more."""

    def __init__(self, incidents: Incidents, at: At) -> None:
        self.incidents = incidents
        self.at = at
        self.tasks = Tasks(incidents)
        self.verbs: dict[Mark, _Does] = {
            "timeline": self._pin,
            "acknowledge": self._acknowledge,
            "task": self._task,
        }

    async def fetch(self, body: dict[str, Any]) -> dict[str, Any]:
        """The message that was marked: a reaction does not bring it. Raises `TargetError`."""
        there, channel, ts = self.at(asked_in(body)), body["channel"], body["ts"]
        async with there.limits.calling("conversations.history", once=False):
            page = await there.client.conversations_history(
                channel=channel, latest=ts, oldest=ts, inclusive=True, limit=1
            )
        found = [m for m in page["messages"] if m.get("ts") == ts]
        if not found:  # in a thread, whose first message always comes along
            async with there.limits.calling("conversations.replies", once=False):
                page = await there.client.conversations_replies(
                    channel=channel, ts=ts, latest=ts, oldest=ts, inclusive=True, limit=2
                )
            found = [m for m in page["messages"] if m.get("ts") == ts]
        if not found:
            raise Rejected("Slack has no such message any more.")
        return dict(found[0])

    async def mark(
        self, session: AsyncSession, incident: Incident, person: Person, body: dict[str, Any]
    ) -> None:
        """Does what the mark asks for; again, or by another event, it changes nothing more."""
        await self.verbs[body["mark"]](session, incident, person, body)

    async def _pin(
        self, session: AsyncSession, incident: Incident, person: Person, body: dict[str, Any]
    ) -> None:
        channel, ts, text = body["channel"], body["ts"], told(body["message"])
        key = f"pin-{name_of(body)}"
        if not text:
            raise BadInput("There is nothing in that message to put on the timeline.")
        if await self.incidents.outbox.said(session, incident.number, key):
            return
        actor = f"person:{person.id}"
        await self.incidents.outbox.say(
            session,
            incident.number,
            key,
            "note",
            {"text": f"📌 {text}"},
            author=actor,
            origin="slack",
        )
        await self.incidents.ledger.append(
            session, incident.number, "message_pinned", actor, text,
            data={"channel": channel, "ts": ts, "said_by": str(body["message"].get("user") or "")},
            link=link_to(body),
        )  # fmt: skip
        await self._tick(session, incident, body)

    async def _task(
        self, session: AsyncSession, incident: Incident, person: Person, body: dict[str, Any]
    ) -> None:
        """One for each message, whoever asks; its words stay its words, whatever they look like."""
        origin, text = f"slack:task:{name_of(body)}", told(body["message"])
        query = select(Task.id).where(Task.origin == origin)
        if (await session.execute(query)).first():
            return
        await self.tasks.add(
            session, incident, cut(" ".join(text.split()), TEXT_LIMIT), person, owner=None,
            due_at=None, after=False, origin=origin, link=link_to(body),
        )  # fmt: skip
        await self._tick(session, incident, body)

    async def _tick(self, session: AsyncSession, incident: Incident, body: dict[str, Any]) -> None:
        """✅ back at the message, where it was marked by an emoji."""
        if body.get("react"):
            mark = {"channel": body["channel"], "ts": body["ts"], "name": TICK}
            await self.incidents.outbox.react(session, incident.number, mark)

    async def _acknowledge(
        self, session: AsyncSession, incident: Incident, person: Person, body: dict[str, Any]
    ) -> None:
        del body
        key, text = f"acknowledged-{person.id}", f"{person.name} has seen it"
        if await self.incidents.outbox.said(session, incident.number, key):
            return
        actor = f"person:{person.id}"
        await self.incidents.outbox.say(
            session, incident.number, key, "line", {"text": text}, author=actor, origin="slack"
        )
        await self.incidents.ledger.append(
            session, incident.number, "incident_acknowledged", actor, text
        )

    async def correct(
        self, session: AsyncSession, number: int, actor: str, body: dict[str, Any]
    ) -> None:
        """An edit or a deletion of what stands on the record: another row, and the new text.

        ``body`` has the message's ``channel`` and ``ts``, its new ``text`` (empty: deleted) and
        ``edited``, the time of the change: an older one that comes late changes nothing.
        """
        text, at = body["text"], body["edited"]
        name = name_of(body)
        kept = [
            await self._kept(session, number, f"{kind}{name}")
            for kind in ("note-slack:said:", "pin-")
        ]
        for message, sign in zip(kept, ("", "📌 "), strict=True):
            if message is None or str(message.payload.get("edited", "")) >= at:
                continue
            was = str(message.payload["text"]).removeprefix(sign)
            if was == text:
                continue
            shown = f"{sign}{text}" if text else f"{sign}(deleted in Slack)"
            await self.incidents.outbox.say(
                session, number, message.key.partition(":")[2], "note",
                {"text": shown, "edited": at}, author=message.author, origin="slack",
            )  # fmt: skip
            await self.incidents.ledger.append(
                session, number, "note_corrected" if text else "note_withdrawn", actor,
                text or f"Deleted in Slack: {was}",
                data={"was": was, "channel": body["channel"], "ts": body["ts"]},
                link=link_to(body),
            )  # fmt: skip
        if not any(kept):
            await self._early(session, number, actor, body)

    async def _early(
        self, session: AsyncSession, number: int, actor: str, body: dict[str, Any]
    ) -> None:
        """The change overtook the message: it is recorded as it is now, and the message then finds that."""
        key = f"note-slack:said:{name_of(body)}"
        text = body["text"] or "(deleted in Slack)"
        await self.incidents.outbox.say(
            session, number, key, "note", {"text": text, "edited": body["edited"]},
            author=actor, origin="slack",
        )  # fmt: skip
        if body["text"]:
            await self.incidents.ledger.append(
                session, number, "note_added", actor, text, data={"surface": "slack"},
                link=link_to(body),
            )  # fmt: skip

    async def _kept(self, session: AsyncSession, number: int, key: str) -> Message | None:
        query = select(Message).where(Message.key == f"{number}:{key}")
        return (await session.execute(query)).scalar_one_or_none()
