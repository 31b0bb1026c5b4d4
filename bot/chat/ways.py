"""``/access``: which ways in are proven, what still runs when something is down, and drills."""

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from bot.access import PathProof
from bot.access.graph import named
from bot.access.proof import age_words
from bot.catalog import Person
from bot.chat.blocks import Block, cut, escape, section
from bot.chat.command import Form, Told, usage
from bot.errors import BadInput, NotAllowed
from bot.runbooks import Drills
from bot.runbooks.whatif import WhatIf, ways
from bot.store import now

ACCESS_FORMS = (
    Form("/access status", "which paths to which targets are proven", anybody=True),
    Form(
        "/access whatif NODE[,NODE …]",
        "which runbooks still run with that down, and how",
        anybody=True,
    ),
    Form(
        "/access drills",
        "the drills of the catalog: when, and how the last ones went",
        anybody=True,
    ),
    Form(
        "/access drill NAME|NODE[,NODE …]", "really tries every way that is left; scored, on record"
    ),
)
_SIGN = {"proven": "✅", "failing": "❌", "stale": "⌛", "never": "▫️"}
_LINES = 40  # of one answer
Proofs = Callable[[], Awaitable[Sequence[PathProof]]]
Result = dict[str, Any]  # of a drill, as `Drill.as_dict` makes it


class Ways:
    """Answers for every surface. Changes nothing."""

    def __init__(self, proofs: Proofs, drills: Drills) -> None:
        self.proofs = proofs
        self.drills = drills

    async def status(self) -> Told:
        """A line for each target: its paths, the one that is counted on first, and why one is not."""
        found = await self.proofs()
        lines = []
        for target in dict.fromkeys(proof.target for proof in found):
            mine = [proof for proof in found if proof.target == target]
            shown = "  ".join(f"{_SIGN[p.standing]} {escape(p.path)}{_took(p)}" for p in mine)
            lines.append(f"*{escape(target)}*  {shown}")
            lines += [f"      {escape(p.path)} {escape(cut(p.words, 150))}"
                      for p in mine if p.standing in ("failing", "stale")]  # fmt: skip
        good = sum(proof.standing == "proven" for proof in found)
        text = f"{good} of {len(found)} access paths are proven."
        return text, _blocks(text, lines)

    def whatif(self, down: str) -> Told:
        """A line for each runbook. Raises `BadInput` for a node that is not there."""
        if not down:
            raise BadInput("Say what is down.", hint=usage(ACCESS_FORMS, "whatif"))
        library = self.drills.library
        question = WhatIf(library.runbooks, library.catalog, library.registry)
        failed = named(question.graph, down)
        answers = [question.down(each, failed) for each in library.runbooks.values()]
        lines = []
        for answer in answers:
            sign = "✅" if answer.runs and not answer.partly else "⚠️" if answer.runs else "❌"
            lines.append(f"{sign} *{escape(answer.runbook.id)}*")
            if not answer.runs or answer.partly:
                lines += [f"      {escape(cut(w, 250))}" for w in ways(answer) if w.startswith("✗")]
        still = sum(answer.runs for answer in answers)
        text = f"With {', '.join(failed)} down, {still} of {len(answers)} runbooks still run."
        return text, _blocks(text, lines)

    async def calendar(self) -> Told:
        """Two lines for each drill of the catalog: when it is due, and how the last one went."""
        found = await self.drills.standings()
        lines = []
        for each in found:
            name, down, next_at, last, score, change = each.cells()
            lines.append(f"*{escape(name)}* with {escape(down)} down, next {next_at}")
            told = f"{score}{f', {change}' if change else ''}" if score else "was not held yet"
            sign = "▫️" if not score else "❌" if each.wrong else "✅"
            lines.append(f"      {sign} {told}" + (f", last held {last}" if score else ""))
            lines += [f"      {escape(cut(each.wrong, 250))}"] if each.wrong else []
        if bag := await self.drills.bag():
            lines.append(f"*go-bag* {escape(bag.words(now()))}")
        text = f"{len(found)} drills are in the catalog." if found else "The catalog has no drill."
        return text, _blocks(text, lines)

    def drill(self, words: str, person: Person) -> tuple[str, Callable[[], Awaitable[Result]]]:
        """What is about to be held, and what holds it.

        Raises `BadInput` for what is no drill and no node, `NotAllowed` for who may not ask.
        """
        if not (person.has("responder") or person.has("commander")):
            raise NotAllowed("Holding a drill needs the role 'responder'.")
        if not words:
            raise BadInput("Say what is down.", hint=usage(ACCESS_FORMS, "drill"))
        name, down = self.drills.asked(words)

        async def hold() -> Result:
            return (await self.drills.hold(words, f"person:{person.id}")).as_dict()

        title = f"The drill {name}" if name else "A drill"
        return f"{title} with {', '.join(down)} down is under way: the result follows.", hold


def drilled(result: Result) -> Told:
    """A drill's result: a line for each runbook, and for each way that does not work."""
    lines = []
    for each in result["runbooks"]:
        sign = "✅" if each["proven"] else "❌" if each["should_run"] else "▫️"
        lines.append(f"{sign} *{escape(each['id'])}*{'' if each['should_run'] else ' cannot run'}")
        lines += [f"      {escape(cut(way, 250))}" for way in each["failed"]]
    text = f"With {', '.join(result['down'])} down, {result['score']:.0%} of the runbooks run."
    return text, _blocks(text, lines)


def _took(proof: PathProof) -> str:
    if proof.standing != "proven" or proof.age is None:
        return ""
    return f" ({proof.ms or 0:.0f} ms, {age_words(proof.age)} ago)"


def _blocks(text: str, lines: list[str]) -> list[Block]:
    shown = lines[:_LINES]
    if len(lines) > _LINES:
        shown.append(f"… and {len(lines) - _LINES} more: the console has all, at /access")
    groups = [shown[at : at + 10] for at in range(0, len(shown), 10)]
    return [section(f"*{escape(text)}*"), *(section("\n".join(group)) for group in groups)]
