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
    dated,
    escape,
    fields,
    header,
    joined,
    section,
)
from bot.chat.due_blocks import due_blocks, updates_words
from bot.chat.evidence_card import evidence_blocks
from bot.chat.handover_card import handover_blocks, handover_text
from bot.chat.life_card import life_buttons, now_blocks, overview_blocks
from bot.chat.page_card import page_blocks, page_text
from bot.chat.paper_card import paper_text
from bot.chat.paper_shown import shown_paper
from bot.chat.places import channel_link
from bot.chat.question_card import question_blocks, question_text
from bot.chat.reminder_card import mention, reminder_blocks
from bot.chat.run_card import may_approve, run_blocks
from bot.chat.task_card import task_blocks, task_text
from bot.chat.update_card import update_blocks
from bot.chat.ways import drilled
from bot.chat.weekly_card import weekly_blocks, weekly_text
from bot.delivery import Binding, Message
from bot.incidents import Incident, Task, under
from bot.incidents.flow import MOVED, NO_CHANNEL
from bot.incidents.merging import UNMERGE_WITHIN, merged_at
from bot.incidents.roles import ROLES
from bot.incidents.updates import chain
from bot.paging.tables import Page
from bot.postmortems import Postmortem
from bot.postmortems.learning import digest
from bot.postmortems.learning.weeks import week_of
from bot.runbooks import Run, StepAttempt, approvers, held_up
from bot.runbooks.output import words
from bot.store import now

SIGN = {"sev1": "🔴", "sev2": "🟠", "sev3": "🟡", "sev4": "🔵"}
_HEAD, _BEGINNING = 300, 1200  # characters for the title of an output; of a long one shown
_LINK = 1000  # characters kept free for an alert's link


@dataclass(frozen=True)
class Rendered:
    """A message ready for a surface: ``text`` for notifications, ``file`` a picture's name.

    ``files`` are longer answers of the same folder, as text; ``whole`` is the text of which the
    blocks show only the beginning.

    ``text`` is mrkdwn as the blocks are: what people and alerts wrote is escaped in it.
    """

    text: str
    blocks: list[Block] = field(default_factory=list)
    file: str = ""
    title: str = ""
    files: tuple[str, ...] = ()
    whole: str = ""

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
        draw = {
            "card": self._of_incident, "digest": self._of_incident, "run": self._of_run,
            "output": self._of_run, "regrouped": self._regrouped, "handover": self._handover,
            "task": self._task, "page": self._asking, "question": self._asking,
            "update": self._update, "reminder": self._reminder, "paper": self._paper,
            "weekly": self._weekly,
        }.get(message.kind)  # fmt: skip
        if draw is not None:
            return await draw(session, message)
        return self._plain(message)

    async def _of_incident(self, session: AsyncSession, message: Message) -> Rendered:
        """Its live card, or its line where everybody reads."""
        draw = self._card if message.kind == "card" else self._digest
        return await draw(session, await self._incident(session, message))

    async def _asking(self, session: AsyncSession, message: Message) -> Rendered:
        """What waits for somebody: a page, or whether alerts are an incident."""
        if message.kind == "page":
            page = await session.get_one(Page, message.payload["page"])
            return Rendered(page_text(page, self.name), page_blocks(page, self.name))
        asked = await session.get_one(Question, message.payload["question"])
        return self.question(asked, hide=True)

    async def _paper(self, session: AsyncSession, message: Message) -> Rendered:
        """A final postmortem's own message, with its places."""
        incident = await self._incident(session, message)
        paper = await session.get_one(Postmortem, incident.number)
        base = "" if self.inside else self.public_url or None
        blocks = await shown_paper(session, self.catalog(), incident, paper, base)
        return Rendered(escape(paper_text(paper)), blocks)

    def _plain(self, message: Message) -> Rendered:
        """Kinds that show no state but their own payload."""
        match message.kind:
            case "evidence":
                return _evidence(message.payload)
            case "alert":
                return self._alert(message.payload)
            case "note":
                return self._note(message)
            case "decision":
                return self._decision(message)
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

    async def overview(self, session: AsyncSession, incident: Incident) -> Rendered:
        """The card with all that stands besides: what was tried, what is open, the last words."""
        card = await self._card(session, incident)
        more = await overview_blocks(session, self.catalog(), incident)
        at = next(
            (i for i, b in enumerate(card.blocks) if b["type"] == "actions"), len(card.blocks)
        )
        return replace(card, blocks=[*card.blocks[:at], *more, *card.blocks[at:]])

    async def _card(self, session: AsyncSession, incident: Incident) -> Rendered:
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
                f"*Since*\n{dated(incident.declared_at)}",
                f"*Commander*\n{commander}",
                f"*Services*\n{services or '_not known_'}",
            ),
        ]
        if others := joined([
            f"*{title.capitalize()}* {self.name(f'person:{incident.roles[role]}')}"
            for role, title in ROLES.items() if role in incident.roles
        ], TEXT, " · "):  # fmt: skip
            blocks.append(context(others))
        blocks += await now_blocks(session, incident)
        if inner:
            merged = [f"#{each.number} {escape(cut(each.title, 100))}" for each in inner]
            blocks.append(context(f"Merged into it: {joined(merged, TEXT - 100, ', ')}"))
        if incident.merged_into:
            blocks.append(
                section(
                    f"All goes on in {await self._way(session, incident.merged_into, incident)}"
                )
            )
        blocks += await due_blocks(session, self.catalog(), incident)
        buttons = self._buttons(incident, number)
        if buttons:
            blocks.append(actions(*buttons))
        if self.public_url:
            blocks.append(context(f"<{self.public_url}/incidents/{number}|Open in the console>"))
        drill = "[drill] " if incident.drill else ""
        return Rendered(escape(f"{drill}{title} ({incident.standing})"), blocks)

    async def _way(self, session: AsyncSession, number: int, of: Incident) -> str:
        """From one to another incident: its channel in Slack, where there is one, and its page."""
        if self.inside:
            return f"*</incidents/{number}|#{number}>*"
        channel = await session.get(Binding, ("slack", f"channel:{number}"))
        found = channel_link(channel.value, of.workspace) if channel else ""
        page = f"<{self.public_url}/incidents/{number}|in the console>" if self.public_url else ""
        return ", ".join(part for part in (f"*#{number}*", found, page) if part)

    async def _regrouped(self, session: AsyncSession, message: Message) -> Rendered:
        """Merged, split or joined by hand, and the way to the other incident."""
        text, other = str(message.payload["text"]), message.payload.get("other")
        blocks = [section(f"🔀 {escape(clip(text, TEXT - 500))}")]
        if other:
            incident = await self._incident(session, message)
            blocks.append(section(f"→ {await self._way(session, int(other), incident)}"))
        return Rendered(escape(text), [*blocks, context(self.name(message.author))])

    async def _handover(self, session: AsyncSession, message: Message) -> Rendered:
        incident, to = await self._incident(session, message), message.payload["to"]
        name = self.name(f"person:{to}") if to else ""
        blocks = handover_blocks(incident, message.payload, name, self.name(message.author))
        return Rendered(handover_text(message.payload, name), blocks)

    async def _task(self, session: AsyncSession, message: Message) -> Rendered:
        query = select(Task).where(
            Task.incident_id == message.incident_id, Task.number == message.payload["task"]
        )
        task = (await session.execute(query)).scalar_one()
        by = self.name(f"person:{task.created_by}")
        return Rendered(escape(task_text(task)), task_blocks(self.catalog(), task, by))

    async def _update(self, session: AsyncSession, message: Message) -> Rendered:
        """In the incident's channel, or ``outside`` where its audience reads."""
        sent = await chain(session, int(message.payload["update"]))
        incident = await session.get_one(Incident, sent[-1].incident_id)
        outside = bool(message.payload.get("outside"))
        blocks = update_blocks(incident, sent, self.name, outside=outside)
        return Rendered(escape(sent[-1].text), blocks)

    async def _reminder(self, session: AsyncSession, message: Message) -> Rendered:
        catalog, number = self.catalog(), message.incident_id
        incident = await self._incident(session, message)
        people = [
            self.name(f"person:{each}")
            if self.inside
            else mention(catalog.person(each), self.name(f"person:{each}"), incident.workspace)
            for each in message.payload["to"]
        ]
        link = f"{self.public_url}/incidents/{number}" if self.public_url or self.inside else ""
        blocks = reminder_blocks(number, message.payload, people, link)
        return Rendered(escape(str(message.payload["text"])), blocks)

    async def _weekly(self, session: AsyncSession, message: Message) -> Rendered:
        said = message.payload
        week = week_of(said["week"], said["timezone"], now())
        found = await digest(session, self.catalog(), week)
        base = "" if self.inside else self.public_url or None
        return Rendered(weekly_text(found), weekly_blocks(found, base, said["missed"]))

    def _buttons(self, incident: Incident, number: str) -> list[Block]:
        if incident.merged_into and now() - merged_at(incident) < UNMERGE_WITHIN:
            at = int(merged_at(incident).timestamp() * 1e6)  # each merge is taken back once
            confirm = f"Incident {number} becomes {incident.merge['was']} again, with its alerts."
            return [button("Unmerge", "incident_unmerge", f"{number}|{at}", confirm=confirm)]
        return life_buttons(incident)

    def _service(self, service_id: str) -> str:
        service = self.catalog().service(service_id)
        return f"{escape(service.title)} ({service.tier})" if service else escape(service_id)

    async def _digest(self, session: AsyncSession, incident: Incident) -> Rendered:
        """Where everybody reads: of a private incident that there is one, and no more."""
        keys = {f"{incident.number}:{each}" for each in (NO_CHANNEL, MOVED)}
        query = select(Message.key).where(col(Message.key).in_(keys))
        said = {key.partition(":")[2] for key in (await session.execute(query)).scalars()}
        title = "🔒 a private incident" if incident.private else incident.title
        title = f"[drill] {title}" if incident.drill else title
        text = (
            f"{SIGN[incident.severity]} *#{incident.number}* {escape(title)} — "
            f"{incident.severity}, {incident.standing}, since {dated(incident.declared_at)}"
        )
        if updates := await updates_words(session, self.catalog(), incident):
            text += f" · updates: {updates}"
        if MOVED in said:
            channel = await session.get(Binding, ("slack", f"channel:{incident.number}"))
            way = f": <#{channel.value['channel']}>" if channel and not incident.private else ""
            text += f". *Its channel was archived or deleted*, it goes on in a new one{way}"
        elif NO_CHANNEL in said:
            text += ". *Its channel could not be opened*: it is in the console alone"
        unheard = select(Page.id).where(
            Page.incident_id == incident.number, Page.state == "unanswered"
        )
        if (await session.execute(unheard.limit(1))).first():
            text += ". 🚨 *Nobody acknowledged the page*"
        return Rendered(escape(f"#{incident.number} {title}"), [section(text)])

    async def _of_run(self, session: AsyncSession, message: Message) -> Rendered:
        """Its live card, or in the thread of that what a step gave back."""
        if message.kind == "run":
            return await self._run(session, int(message.payload["run_id"]))
        return _output(await session.get_one(StepAttempt, message.payload["attempt"]))

    async def _run(self, session: AsyncSession, run_id: int) -> Rendered:
        run = await session.get_one(Run, run_id)
        incident = await session.get_one(Incident, run.incident_id)
        attempts = (
            select(StepAttempt).where(StepAttempt.run_id == run_id).order_by(col(StepAttempt.id))
        )
        agreed = await approvers(session, run)
        may = may_approve(self.catalog(), run, agreed)
        blocks = run_blocks(
            run,
            list((await session.execute(attempts)).scalars()),
            [self.name(f"person:{p}") for p in agreed],
            self.name(f"person:{run.requester}") if run.requester else "",
            [self.name(f"person:{p}") for p in may],
            await held_up(session, run, self.catalog()),
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

    def _decision(self, message: Message) -> Rendered:
        said = message.payload
        lines = [f"⚖️ *Decided:* {escape(said['what'])}", f"*Because* {escape(said['why'])}"]
        if said["instead"]:
            lines.append(f"_Instead of_ {escape(', '.join(said['instead']))}")
        text = escape(f"Decided: {said['what']}")
        return Rendered(text, [section("\n".join(lines)), context(self.name(message.author))])

    def _note(self, message: Message) -> Rendered:
        text = escape(str(message.payload["text"]))
        via = f" (in {message.origin})" if message.origin else " (in the console)"
        blocks = [section(text), context(f"{self.name(message.author)}{via}")]
        return Rendered(text, blocks)


def _output(attempt: StepAttempt) -> Rendered:
    """What a step gave back: as code, in which nothing becomes a link or a name."""
    title, text = f"Output of {attempt.step}", words(attempt.output)
    cutting = len(text) > TEXT - _HEAD
    shown = clip(text, _BEGINNING) if cutting else text
    code = clip(escape(shown.replace("`" * 3, "'" * 3)), TEXT - _HEAD)
    blocks = [section(f"*{escape(cut(title, 150))}*\n```{code}```")]
    if cutting:
        blocks.append(context(f"The beginning of {len(text):,} characters"))
    return Rendered(escape(title), blocks, title=title, whole=text if cutting else "")


def _evidence(payload: dict[str, Any]) -> Rendered:
    title = str(payload["title"])
    files = tuple(str(name) for name in payload.get("files", []))
    text = escape(f"Evidence: {title}" if title else "Evidence")
    return Rendered(text, evidence_blocks(payload), str(payload["file"]), title, files)
