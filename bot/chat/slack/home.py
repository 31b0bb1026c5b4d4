"""The app's home tab: what waits for one person, drawn when they open it and after each click there.

It is a list of sections, each a function of its own; `bot.app` says which there are and in which
order. Nothing here changes anything: the buttons are those of the cards.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from sqlalchemy.ext.asyncio import AsyncSession
from sqlmodel import col, or_, select

from bot.alerts import Question
from bot.alerts.questions import about, may_answer
from bot.catalog import Catalog, Person
from bot.chat.blocks import (
    TEXT,
    Block,
    actions,
    button,
    context,
    cut,
    dated,
    escape,
    header,
    joined,
    section,
)
from bot.chat.cards import SIGN, Cards
from bot.chat.oncall import OnCall
from bot.chat.places import channel_link
from bot.chat.slack.pace import At
from bot.chat.slack.who import asked_in
from bot.chat.task_card import task_block
from bot.chat.ways import Ways
from bot.delivery import Binding
from bot.errors import NotAllowed
from bot.incidents import ACTIVE, Incident, Task
from bot.incidents.seeing import belonging, may_see
from bot.paging.roster import Roster
from bot.store import Store

# the last one is the workspace in which it is read
Section = Callable[[AsyncSession, Person, str], Awaitable[list[Block]]]
_SHOWN = 10  # of one kind; the lists in the console have all


class Home:
    """`show` publishes it; ``sections`` are drawn in their order, and an empty one is left out."""

    def __init__(
        self,
        at: At,
        store: Store,
        catalog: Callable[[], Catalog],
        sections: Sequence[Section],
    ) -> None:
        self.at = at
        self.store = store
        self.catalog = catalog
        self.sections = sections

    async def show(self, asked: dict[str, Any], notice: str = "") -> None:
        """Publishes it for who ``asked``, with what was just answered on top."""
        user = asked["user"]
        blocks = [section(f"▸ {notice}")] if notice else []
        person = person_of_slack(self.catalog(), asked)
        if person is None:
            who = escape(f"{asked['team']}:{user}")
            blocks.append(section(
                "I do not know you yet, so I can show you nothing. Ask the platform team to add "
                f"`{who}` to the catalog's people."
            ))  # fmt: skip
        else:
            async with self.store.read() as session:
                for each in self.sections:
                    blocks += await each(session, person, asked_in(asked))
        blocks.append(context("`/incident help` lists all that can be typed."))
        there = self.at(asked_in(asked))
        async with there.limits.calling("views.publish", once=False):
            await there.client.views_publish(user_id=user, view={"type": "home", "blocks": blocks})


def person_of_slack(catalog: Catalog, asked: dict[str, Any]) -> Person | None:
    """By the workspace, or by the enterprise: on Enterprise Grid a user is the same in all of them."""
    places = [place for place in (asked["team"], asked.get("enterprise")) if place]
    found = (catalog.person_of_slack(place, asked["user"]) for place in places)
    return next((person for person in found if person), None)


def my_incidents(catalog: Callable[[], Catalog]) -> Section:
    """The open incidents that are this person's, with their part in each; of the others how many."""

    async def drawn(session: AsyncSession, person: Person, here: str) -> list[Block]:
        query = (
            select(Incident).where(col(Incident.status).in_(ACTIVE))
            .order_by(col(Incident.severity), col(Incident.id).desc())
        )  # fmt: skip
        seen = [
            i for i in (await session.execute(query)).scalars() if may_see(catalog(), i, person)
        ]
        mine = [(i, part) for i in seen if (part := _part(catalog(), i, person))]
        blocks = [header("My incidents")]
        for incident, part in mine[:_SHOWN]:
            blocks += await _incident(session, incident, part, here)
        others = len(seen) - len(mine[:_SHOWN])
        if not seen:
            blocks.append(section("No incident is open."))
        elif others:
            blocks.append(context(f"{others} more open: `/incident list` shows all."))
        return blocks

    return drawn


def _part(catalog: Catalog, incident: Incident, person: Person) -> str:
    if incident.commander == person.id:
        return "you are the incident commander"
    if incident.declared_by == f"person:{person.id}":
        return "you declared it"
    return "you were called in" if person.id in belonging(catalog, incident) else ""


async def _incident(session: AsyncSession, incident: Incident, part: str, here: str) -> list[Block]:
    number = str(incident.number)
    channel = await session.get(Binding, ("slack", f"channel:{number}"))
    way = f" · {channel_link(channel.value, here)}" if channel else ""
    text = (
        f"{SIGN[incident.severity]} *#{number}* {escape(cut(incident.title, 150))}{way}\n"
        f"{incident.severity} · {incident.standing} · since {dated(incident.declared_at)} · {part}"
    )
    lead = button("Take command", "incident_lead", number, style="primary")
    return [section(text), *([] if incident.commander else [actions(lead)])]


def my_tasks(catalog: Callable[[], Catalog]) -> Section:
    """What this person is to do, the first due first, each with the button that ends it."""

    async def drawn(session: AsyncSession, person: Person, here: str) -> list[Block]:
        del here
        query = (
            select(Task, Incident).join(Incident, col(Incident.id) == col(Task.incident_id))
            .where(Task.owner == person.id, Task.state == "open")
            .where(or_(col(Task.after), col(Incident.status).not_in(("closed", "cancelled"))))
            .order_by(col(Task.due_at).is_(None), col(Task.due_at), col(Task.id))
        )  # fmt: skip
        found = [
            task for task, incident in (await session.execute(query)).all()
            if may_see(catalog(), incident, person)
        ]  # fmt: skip
        blocks = [task_block(catalog(), task, here=0) for task in found[:_SHOWN]]
        more = [context(f"{len(found) - _SHOWN} more")] if len(found) > _SHOWN else []
        return [header("My tasks"), *blocks, *more] if blocks else []

    return drawn


def on_call(oncall: OnCall) -> Section:
    """Who is on call now by our own schedules; where it is this person, or will be next, that stands out."""

    async def drawn(session: AsyncSession, person: Person, here: str) -> list[Block]:
        del here
        lines = [_duty(each, person) for each in await oncall.rosters(session)]
        return [header("On call"), section(joined(lines, TEXT))] if lines else []

    return drawn


def _duty(roster: Roster, person: Person) -> str:
    mine = next((s for s in roster.shifts if s.person == person.id), None)
    sign = "⚠️" if not roster.person else "📟"
    text = f"{sign} *{escape(roster.schedule.name)}*: {escape(roster.words)}"
    if roster.person == person.id:
        return f"{text} · *that is you*"
    return f"{text} · you from {escape(roster.local(mine.since))}" if mine else text


def open_questions(catalog: Callable[[], Catalog], cards: Cards) -> Section:
    """Questions whether alerts are an incident, with their buttons, for who may answer."""

    async def drawn(session: AsyncSession, person: Person, here: str) -> list[Block]:
        del here
        try:
            may_answer(person)
        except NotAllowed:
            return []
        query = select(Question).where(Question.state == "open").order_by(col(Question.id))
        found = [
            question
            for question in (await session.execute(query)).scalars()
            if may_see(catalog(), about(question), person)
        ]
        blocks = [block for each in found[:_SHOWN] for block in cards.question(each).blocks]
        return [header("Questions waiting"), *blocks] if blocks else []

    return drawn


def access_health(ways: Ways) -> Section:
    """How many ways in are proven; each of them only where one is not."""

    async def drawn(session: AsyncSession, person: Person, here: str) -> list[Block]:
        del session, person, here  # it is the same for all
        proofs = await ways.proofs()
        if not proofs:
            return []
        text, blocks = await ways.status()
        broken = any(proof.standing != "proven" for proof in proofs)
        return [header("Ways in"), *(blocks[:4] if broken else [section(f"✅ {text}")])]

    return drawn
