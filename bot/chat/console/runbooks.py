"""The pages of the runbooks: which there are, and what one does, step by step."""

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response

from bot.catalog import Person
from bot.chat.console import reads
from bot.chat.console.completion import asked
from bot.chat.console.desk import Desk
from bot.runbooks import Runbook
from bot.runbooks.pages import prose, step_rows
from bot.runbooks.requests import typed_with_inputs
from bot.runbooks.roles import has_role

_LONGEST = 200  # of what is looked for


async def listing(desk: Desk, request: Request, person: Person) -> Response:
    """All of them, or those that hold every word of ``?q=``; broken ones are named."""
    library, q = desk.runs.library, request.query_params.get("q", "").strip()[:_LONGEST]
    words = q.casefold().split()
    found = [r for r in library.runbooks.values() if all(w in _text(r) for w in words)]
    broken = [library.words(p) for problems in library.problems.values() for p in problems[:1]]
    return HTMLResponse(
        desk.draw(
            "runbooks.html", me=person, q=q, broken=broken,
            runbooks=sorted(found, key=lambda r: r.front.title),
        )
    )  # fmt: skip


async def one(desk: Desk, request: Request, person: Person) -> Response:
    """One runbook, and the open incidents in which it can be planned."""
    runbook = desk.runs.library.get(str(request.path_params["runbook"]))
    async with desk.store.read() as session:
        incidents, _ = await reads.listed(desk, session, person)
    steps = [
        (written.heading, _prose(written.prose), step_rows(written, desk.runs.library.registry))
        for written in runbook.steps
    ]
    front = runbook.front
    problems = [str(p) for p in desk.runs.library.problems.get(runbook.path, ())]
    page = desk.draw(
        "runbook.html", me=person, runbook=runbook, front=front, intro=_prose(runbook.intro),
        steps=steps, incidents=incidents if has_role(person) else [],
        inputs=[(name, asked(spec)) for name, spec in front.inputs.items()],
        typed=typed_with_inputs(runbook), problems=problems,
    )  # fmt: skip
    return HTMLResponse(page)


def _prose(text: str) -> Markup:
    return Markup(prose(text))  # noqa: S704 - rendered with HTML switched off


def _text(runbook: Runbook) -> str:
    front = runbook.front
    return " ".join((runbook.id, front.title, front.owner, *front.triggers, *front.repairs,
                     runbook.text)).casefold()  # fmt: skip
