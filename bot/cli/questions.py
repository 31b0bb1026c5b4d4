"""``jackline alerts pending`` and ``answer``: what people are asked about alerts."""

import json
from typing import Annotated, Any, Literal

import typer
from rich.markup import escape
from rich.table import Table

from bot.alerts import Question
from bot.alerts.questions import may_answer
from bot.app import Jackline
from bot.cli.alerts import alerts_app
from bot.cli.parts import LARGEST, AsJson, from_record, known_person, out
from bot.cli.silences import By


@alerts_app.command()
def pending(as_json: AsJson = False) -> None:
    """List the alerts that wait for an answer whether they are an incident."""

    async def work(parts: Jackline) -> list[Question]:
        async with parts.store.read() as session:
            return await parts.questions.pending(session)

    found = from_record(work)
    if as_json:
        out.print_json(json.dumps([_json(question) for question in found]))
        return
    table = Table("question", "", "is it an incident?", "fires", "declared by itself at")
    for question in found:
        due = f"{question.due_at:%Y-%m-%d %H:%M:%S} UTC"
        title = str(question.opening["title"])
        cells = str(question.number), question.severity, title, _fires(question), due
        table.add_row(*map(escape, cells))
    out.print(table if found else "Nothing waits for an answer.")


@alerts_app.command()
def answer(
    number: Annotated[int, typer.Argument(min=1, max=LARGEST)],
    what: Annotated[Literal["declare", "refuse"], typer.Argument(help="declare or refuse")],
    by: By = "",
) -> None:
    """Answer a question: declare an incident, or say that it is none."""

    async def work(parts: Jackline) -> str:
        person = known_person(parts, by)
        if person is not None:
            may_answer(person)
        actor = f"person:{by}" if by else "source:cli"
        async with parts.store.write() as session:
            if what == "declare":
                incident = await parts.questions.declare(session, number, actor)
                return f"#{incident.number} is declared: {incident.title}"
            question = await parts.questions.refuse(session, number, actor)
            return f"Noted: {parts.questions.words(question)}"

    out.print(from_record(work), markup=False)


def _fires(question: Question) -> str:
    ended = f", {question.ended} resolved" if question.ended else ""
    names = ", ".join(name for name, _ in question.names)
    return f"{names} ({question.fired}{ended})"


def _json(question: Question) -> dict[str, Any]:
    opening = question.opening
    return {
        "question": question.number, "title": opening["title"], "severity": question.severity,
        "services": opening["services"], "group": opening["open_key"],
        "private": opening["private"], "fired": question.fired, "resolved": question.ended,
        "firing": question.firing, "asked_at": question.asked_at.isoformat(),
        "due_at": question.due_at.isoformat(),
    }  # fmt: skip
