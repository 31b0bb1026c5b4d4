"""Messages as Block Kit, drawn from the state at the moment of showing."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, select

from bot.alerts import Question
from bot.alerts.questions import answer_of
from bot.catalog import Catalog
from bot.chat.blocks import (
    FIELD,
    LINKABLE,
    TEXT,
    Block,
    actions,
    button,
    clip,
    context,
    cut,
    escape,
    fields,
    header,
    joined,
    section,
    when,
)
from bot.chat.evidence_card import evidence_blocks
from bot.chat.question_card import question_blocks, question_text
from bot.chat.run_card import run_blocks
from bot.chat.ways import drilled
from bot.delivery import Binding, Message
from bot.incidents import ACTIVE, Incident, under
from bot.incidents.flow import MOVED, NO_CHANNEL
from bot.incidents.merging import UNMERGE_WITHIN, merged_at
from bot.runbooks import Run, StepAttempt, approvers
from bot.store import now

SIGN = {"sev1": "🔴", "sev2": "🟠", "sev3": "🟡", "sev4": "🔵"}
_LINK = 1000  # characters kept free for an alert's link


@dataclass(frozen=True)
class Rendered:
    """A message ready for a surface: ``text`` for notifications, ``file`` a picture's name.

    ``files`` are longer answers of the same folder, as text.

    ``text`` is mrkdwn as the blocks are: what people and alerts wrote is escaped in it.
    """

    text: str
    blocks: list[Block] = field(default_factory=list)
    file: str = ""
    title: str = ""
    files: tuple[str, ...] = ()

    def marked(self, late: str) -> "Rendered":
        """With a word that it comes late, if there is one."""
        if not late:
            return self
        blocks = [*self.blocks, context(f"🕒 {late}")]
        return replace(self, text=f"{self.text} ({late})", blocks=blocks)


class Cards:
    """Renders every kind of message. Reads only.

    ``inside`` the console, what leads there is a link to another page of it.
    """

    def __init__(
        self, catalog: Callable[[], Catalog], public_url: str, *, inside: bool = False
    ) -> None:
        self.catalog = catalog
        self.public_url = public_url.rstrip("/")
        self.inside = inside

    async def render(self, session: AsyncSession, message: Message) -> Rendered:
        """What the message looks like now."""
        match message.kind:
            case "card":
                return await self._card(session, await self._incident(session, message))
            case "digest":
                return await self._digest(session, await self._incident(session, message))
            case "run":
                return await self._run(session, int(message.payload["run_id"]))
            case "regrouped":
                return await self._regrouped(session, message)
            case "question":
                asked = await session.get_one(Question, message.payload["question"])
                return self.question(asked, hide=True)
        return self._plain(message)

    def _plain(self, message: Message) -> Rendered:
        """Kinds that show no state but their own payload."""
        match message.kind:
            case "evidence":
                return _evidence(message.payload)
            case "alert":
                return self._alert(message.payload)
            case "note":
                return self._note(message)
            case "drill":
                told, blocks = drilled(message.payload)
                return Rendered(escape(told), blocks)
        text = escape(str(message.payload.get("text", message.kind)))
        blocks = [context(f"{text} · {self.name(message.author)}")]
        if number := message.payload.get("reopens"):
            blocks.append(actions(button("Reopen", "incident_reopen", str(number))))
        return Rendered(text, blocks)

    def question(self, question: Question, *, hide: bool = False) -> Rendered:
        """``hide``: where everybody reads, a private one is without its words."""
        sign = SIGN[question.severity]
        services = [self._service(s) for s in question.opening["services"]]
        answer = answer_of(self.catalog(), question)
        blocks = question_blocks(question, sign, ", ".join(services), answer, hide=hide)
        if self.public_url:
            number = question.incident_id
            page, name = (f"incidents/{number}", f"#{number}") if number else ("", "the questions")
            blocks.append(context(f"<{self.public_url}/{page}|Open {name} in the console>"))
        return Rendered(escape(question_text(question, sign)), blocks)

    def name(self, actor: str) -> str:
        """An actor as people call them."""
        if actor.startswith("person:"):
            person = self.catalog().person(actor.removeprefix("person:"))
            return escape(person.name if person else actor.removeprefix("person:"))
        return "Jackline" if actor == "jackline" else escape(actor.removeprefix("source:"))

    async def _incident(self, session: AsyncSession, message: Message) -> Incident:
        return await session.get_one(Incident, message.incident_id)

    async def _card(self, session: AsyncSession, incident: Incident) -> Rendered:
        query = select(Run).where(Run.incident_id == incident.id).order_by(col(Run.id).desc())
        run = (await session.execute(query.limit(1))).scalar_one_or_none()
        number, inner = str(incident.number), await under(session, [incident.number])
        title = f"{SIGN[incident.severity]} {incident.severity.upper()} · {incident.title}"
        commander = (
            self.name(f"person:{incident.commander}") if incident.commander else "_nobody yet_"
        )
        services = joined([self._service(s) for s in incident.services], FIELD - 50, ", ")
        blocks = [
            header(
                ("🔒 " if incident.private else "") + ("[drill] " if incident.drill else "") + title
            ),
            fields(
                f"*Status*\n{incident.standing}",
                f"*Since*\n{when(incident.declared_at)}",
                f"*Commander*\n{commander}",
                f"*Services*\n{services or '_not known_'}",
            ),
        ]
        if run is not None:
            blocks.append(section(f"*Runbook* {escape(run.title)} — *{run.state}*"))
        if inner:
            merged = [f"#{each.number} {escape(cut(each.title, 100))}" for each in inner]
            blocks.append(context(f"Merged into it: {joined(merged, TEXT - 100, ', ')}"))
        if incident.merged_into:
            blocks.append(
                section(f"All goes on in {await self._way(session, incident.merged_into)}")
            )
        buttons = self._buttons(incident, number)
        if buttons:
            blocks.append(actions(*buttons))
        if self.public_url:
            blocks.append(context(f"<{self.public_url}/incidents/{number}|Open in the console>"))
        return Rendered(escape(f"{title} ({incident.standing})"), blocks)

    async def _way(self, session: AsyncSession, number: int) -> str:
        """To another incident: its channel in Slack, where there is one, and its page."""
        if self.inside:
            return f"*</incidents/{number}|#{number}>*"
        channel = await session.get(Binding, ("slack", f"channel:{number}"))
        found = f"<#{channel.value['channel']}|{channel.value['name']}>" if channel else ""
        page = f"<{self.public_url}/incidents/{number}|in the console>" if self.public_url else ""
        return ", ".join(part for part in (f"*#{number}*", found, page) if part)

    async def _regrouped(self, session: AsyncSession, message: Message) -> Rendered:
        """Merged, split or joined by hand, and the way to the other incident."""
        text, other = str(message.payload["text"]), message.payload.get("other")
        blocks = [section(f"🔀 {escape(clip(text, TEXT - 500))}")]
        if other:
            blocks.append(section(f"→ {await self._way(session, int(other))}"))
        return Rendered(escape(text), [*blocks, context(self.name(message.author))])

    def _buttons(self, incident: Incident, number: str) -> list[Block]:
        if incident.merged_into and now() - merged_at(incident) < UNMERGE_WITHIN:
            at = int(merged_at(incident).timestamp() * 1e6)  # each merge is taken back once
            confirm = f"Incident {number} becomes {incident.merge['was']} again, with its alerts."
            return [button("Unmerge", "incident_unmerge", f"{number}|{at}", confirm=confirm)]
        if incident.status not in ACTIVE:
            return []
        buttons = []
        if not incident.commander:
            buttons.append(button("Take command", "incident_lead", number, style="primary"))
        if incident.status != "monitoring":
            buttons.append(button("Mitigated, monitoring", "incident_monitoring", number))
        confirm = f"Resolve incident {number}? Its postmortem is drafted then."
        buttons.append(button("Resolve", "incident_resolve", number, confirm=confirm))
        return buttons

    def _service(self, service_id: str) -> str:
        service = self.catalog().service(service_id)
        return f"{escape(service.title)} ({service.tier})" if service else escape(service_id)

    async def _digest(self, session: AsyncSession, incident: Incident) -> Rendered:
        """Where everybody reads: of a private incident that there is one, and no more."""
        keys = {f"{incident.number}:{each}" for each in (NO_CHANNEL, MOVED)}
        query = select(Message.key).where(col(Message.key).in_(keys))
        said = {key.partition(":")[2] for key in (await session.execute(query)).scalars()}
        title = "🔒 a private incident" if incident.private else incident.title
        text = (
            f"{SIGN[incident.severity]} *#{incident.number}* {escape(title)} — "
            f"{incident.severity}, {incident.standing}, since {when(incident.declared_at)}"
        )
        if MOVED in said:
            channel = await session.get(Binding, ("slack", f"channel:{incident.number}"))
            way = f": <#{channel.value['channel']}>" if channel and not incident.private else ""
            text += f". *Its channel was archived or deleted*, it goes on in a new one{way}"
        elif NO_CHANNEL in said:
            text += ". *Its channel could not be opened*: it is in the console alone"
        return Rendered(escape(f"#{incident.number} {title}"), [section(text)])

    async def _run(self, session: AsyncSession, run_id: int) -> Rendered:
        run = await session.get_one(Run, run_id)
        incident = await session.get_one(Incident, run.incident_id)
        attempts = (
            select(StepAttempt).where(StepAttempt.run_id == run_id).order_by(col(StepAttempt.id))
        )
        blocks = run_blocks(
            run,
            list((await session.execute(attempts)).scalars()),
            [self.name(f"person:{p}") for p in await approvers(session, run)],
            self.name(f"person:{run.requester}") if run.requester else "",
        )
        if incident.merged_into and run.state == "proposed":
            blocks = [block for block in blocks if block["type"] != "actions"]
            blocks.append(context(f"Withdrawn: #{incident.number} is {incident.standing}"))
        return Rendered(escape(f"Runbook {run.title}: {run.state}"), blocks)

    def _alert(self, payload: dict[str, Any]) -> Rendered:
        sign = "🔥" if payload.get("firing") else "✅"
        text = clip(f"{sign} {escape(str(payload['text']))}", TEXT - _LINK)
        link = escape(str(payload.get("link", "")))
        if LINKABLE.fullmatch(link):
            text += f"  <{link}|source>"
        return Rendered(escape(str(payload["text"])), [section(text)])

    def _note(self, message: Message) -> Rendered:
        text = escape(str(message.payload["text"]))
        via = f" (in {message.origin})" if message.origin else " (in the console)"
        blocks = [section(text), context(f"{self.name(message.author)}{via}")]
        return Rendered(text, blocks)


def _evidence(payload: dict[str, Any]) -> Rendered:
    title = str(payload["title"])
    files = tuple(str(name) for name in payload.get("files", []))
    text = escape(f"Evidence: {title}" if title else "Evidence")
    return Rendered(text, evidence_blocks(payload), str(payload["file"]), title, files)
