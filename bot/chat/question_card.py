"""A question about alerts, with its two buttons, as every surface shows it. Pure."""

from bot.alerts import Question
from bot.chat.blocks import (
    FIELD,
    Block,
    actions,
    button,
    context,
    escape,
    fields,
    header,
    joined,
    section,
    when,
)

QUESTION_CLICKS = ("question_declare", "question_refuse")
_HIDDEN = "An alert of a private rule asks for an answer"


def question_text(question: Question, sign: str) -> str:
    """One line, for notifications; plain."""
    title = _HIDDEN if question.opening["private"] else f"Is it an incident? {_title(question)}"
    return f"{sign} {question.severity.upper()} · {title}"


def question_blocks(
    question: Question, sign: str, service: str, answer: str, *, hide: bool
) -> list[Block]:
    """``answer`` is what was answered, or what comes if nobody does; ``service`` is mrkdwn.

    ``hide``: others read it as well, and a private one tells them nothing.
    """
    head = f"{sign} {question.severity.upper()}"
    last = context(escape(f"Question {question.number}. {answer}"))
    if hide and question.opening["private"]:
        return [
            section(f"🔒 *{head}* {_HIDDEN}: those who may see it answer in the console."),
            last,
        ]
    blocks = [
        header(f"{head} · Is it an incident? {_title(question)}"),
        fields(
            f"*Fires*\n{_fires(question)}",
            f"*Service*\n{service or '_not known_'}",
            f"*Proposed*\n{question.severity}",
            f"*Asked*\n{when(question.asked_at)}",
        ),
    ]
    if question.state == "open":
        number = str(question.number)
        yes, no = QUESTION_CLICKS
        blocks.append(
            actions(
                button("Declare", yes, number, style="primary"),
                button("Not an incident", no, number),
            )
        )
    return [*blocks, last]


def _title(question: Question) -> str:
    return str(question.opening["title"])


def _fires(question: Question) -> str:
    """Names as they came, inert; in a storm not all of them."""
    names = [f"{escape(n)} ({c})" if c > 1 else escape(n) for n, c in question.names]
    unnamed = question.fired - sum(question.firing.values())
    if unnamed:
        names.append(f"{unnamed} of other names")
    ended = f"{question.ended} resolved" if question.ended else ""
    return joined([*names, *([ended] if ended else [])], FIELD - 50)
