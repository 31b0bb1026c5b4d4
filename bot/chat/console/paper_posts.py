"""What people send from a postmortem's pages: a section's words, a preview, a step of its review."""

from collections.abc import Awaitable, Callable

from sqlalchemy.ext.asyncio import AsyncSession
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.desk import Desk
from bot.chat.console.guard import by_htmx
from bot.chat.console.paper import Typed, section_page, sheet_of
from bot.chat.console.posts import key_of, number_of, word
from bot.chat.persons import find_person
from bot.errors import BadInput, NotAllowed, NotFound
from bot.incidents import Incident
from bot.incidents.times import parse_time
from bot.postmortems.editing.actions import Item
from bot.postmortems.editing.followups import FollowUps
from bot.postmortems.editing.papers import Papers
from bot.postmortems.editing.preview import preview
from bot.postmortems.editing.publishing import Publishing
from bot.postmortems.editing.reviews import Reviews
from bot.postmortems.editing.sections import LARGEST
from bot.postmortems.editing.states import DRAFT, FINAL, may_edit
from bot.store import now

_ITEM = ("text", "kind", "owner", "due", "done_when", "finding")
Step = Callable[[AsyncSession, Incident, FormData, Person], Awaitable[object]]


async def save(desk: Desk, request: Request, person: Person) -> Response:
    """A section's words. By htmx as people type; as a form it leads back to the section's page."""
    form = await request.form()
    key, text, seen = str(request.path_params["section"]), word(form, "text"), word(form, "seen")
    number = int(request.path_params["id"])
    async with desk.store.read() as session:
        await reads.incident_of(desk, session, number, person)
    try:
        async with desk.store.write() as session:
            incident = await desk.incidents.get(session, number)
            papers = Papers(desk.incidents)
            saved = await papers.save(session, incident, key, text, seen, person)
    except NotAllowed:
        raise
    except BadInput as error:
        if by_htmx(request):
            raise
        typed = Typed(text, seen, str(error))
        return await section_page(desk, request, person, key, typed, 422)
    if by_htmx(request):
        body = desk.draw("paper_saved.html", saved=saved, at=now(), incident=incident)
        return HTMLResponse(body, 409 if saved.clash else 200)
    where = f"/incidents/{number}/postmortem/edit/{key}"
    return RedirectResponse(f"{where}#conflicts" if saved.clash else where, status_code=303)


async def look(desk: Desk, request: Request, person: Person) -> Response:
    """What was typed, as it will read; nothing is stored."""
    form = await request.form()
    text, key = word(form, "text"), word(form, "section")
    async with desk.store.read() as session:
        sheet = await sheet_of(desk, session, request, person)
    may_edit(person)
    sheet.part(key)
    if len(text) > LARGEST:
        raise BadInput(f"The section has {len(text)} characters; {LARGEST} is the limit.")
    shown = preview(text)
    if by_htmx(request):
        return HTMLResponse(shown)
    typed = Typed(text, word(form, "seen"), shown=shown)
    return await section_page(desk, request, person, key, typed)


async def step(desk: Desk, request: Request, person: Person) -> Response:
    """One step of the way to final, a note, a version taken back; leads to where the person was."""
    form = await request.form()
    number, what = int(request.path_params["id"]), str(request.path_params["what"])
    does = _steps(desk).get(what)
    async with desk.store.read() as session:
        await reads.incident_of(desk, session, number, person)
    if does is None:
        raise NotFound(f"There is no step {what[:40]!r}.")
    async with desk.store.write() as session:
        incident = await desk.incidents.get(session, number)
        await does(session, incident, form, person)
    base = f"/incidents/{number}/postmortem"
    section = word(form, "section")
    back = f"{base}/edit/{section}" if section.replace("-", "").isalnum() else f"{base}/edit"
    back = f"{base}/history" if what == "restore" else back
    if by_htmx(request):
        return Response(headers={"HX-Redirect": back})
    return RedirectResponse(back, status_code=303)


def _steps(desk: Desk) -> dict[str, Step]:
    papers = Papers(desk.incidents)
    reviews = Reviews(papers)
    actions, publishing = FollowUps(papers), Publishing(papers)

    def item(form: FormData) -> Item:
        text, kind, owner, due, done_when, finding = (
            word(form, name).strip()[:500] for name in _ITEM
        )
        return Item(0, text, kind, owner, due, done_when, finding)

    def who(form: FormData, by: Person) -> Person:
        return find_person(desk.catalog(), word(form, "person"), by)

    def settled(*, take: bool) -> Step:
        async def does(session: AsyncSession, of: Incident, form: FormData, by: Person) -> object:
            number = number_of(word(form, "number"))
            return await papers.settle(session, of, number, by, take=take)

        return does

    return {
        "review": lambda s, of, form, by: reviews.ask(s, of, [who(form, by)], by),
        "owner": lambda s, of, form, by: reviews.name(s, of, "owner", who(form, by), by),
        "facilitator": lambda s, of, form, by: reviews.name(s, of, "facilitator", who(form, by), by),
        "approve": lambda s, of, form, by: reviews.approve(
            s, of, by, version=number_of(word(form, "number"))
        ),
        "final": lambda s, of, _, by: reviews.move(s, of, FINAL, by),
        "draft": lambda s, of, _, by: reviews.move(s, of, DRAFT, by),
        "regenerate": lambda s, of, _, by: papers.redraw(s, of, by),
        "meeting": lambda s, of, form, by: reviews.meet(
            s, of, parse_time(word(form, "at"), now(), by.timezone), by
        ),
        "publish": lambda s, of, form, by: publishing.ask(s, of, word(form, "place")[:64], by),
        "restore": lambda s, of, form, by: papers.restore(s, of, number_of(word(form, "number")), by),
        "actions": lambda s, of, form, by: actions.take_up(
            s, of, [each for each in form.getlist("pick") if isinstance(each, str)], by
        ),
        "action": lambda s, of, form, by: actions.add(s, of, item(form), by),
        "keep": settled(take=False),
        "take": settled(take=True),
        "note": lambda s, of, form, by: reviews.note(
            s, of, word(form, "section"), word(form, "text"), by, key_of(form, by)
        ),
        "resolve": lambda s, of, form, by: reviews.resolve(s, of, number_of(word(form, "number")), by),
    }  # fmt: skip
