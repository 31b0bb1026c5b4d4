"""``/access``: which ways in are proven, and what still runs when something is down. Words only."""

from collections.abc import Awaitable, Callable, Sequence

from bot.access import PathProof
from bot.access.graph import named
from bot.access.proof import age_words
from bot.chat.blocks import Block, cut, escape, section
from bot.errors import BadInput
from bot.runbooks.library import Library
from bot.runbooks.whatif import WhatIf, ways

ACCESS_HELP = (
    ("/access status", "which paths to which targets are proven"),
    ("/access whatif NODE[,NODE …]", "which runbooks still run with that down, and how"),
    ("/access help", "this list"),
)
_SIGN = {"proven": "✅", "failing": "❌", "stale": "⌛", "never": "▫️"}
_LINES = 40  # of one answer
Proofs = Callable[[], Awaitable[Sequence[PathProof]]]


class Ways:
    """Answers for every surface. Reads only."""

    def __init__(self, proofs: Proofs, library: Library) -> None:
        self.proofs = proofs
        self.library = library

    async def status(self) -> tuple[str, list[Block]]:
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

    def whatif(self, down: str) -> tuple[str, list[Block]]:
        """A line for each runbook. Raises `BadInput` for a node that is not there."""
        if not down:
            raise BadInput("Say what is down.", hint=f"Usage: {ACCESS_HELP[1][0]}")
        question = WhatIf(self.library.runbooks, self.library.catalog, self.library.registry)
        failed = named(question.graph, down)
        answers = [question.down(each, failed) for each in self.library.runbooks.values()]
        lines = []
        for answer in answers:
            sign = "✅" if answer.runs and not answer.partly else "⚠️" if answer.runs else "❌"
            lines.append(f"{sign} *{escape(answer.runbook.id)}*")
            if not answer.runs or answer.partly:
                lines += [f"      {escape(cut(w, 250))}" for w in ways(answer) if w.startswith("✗")]
        still = sum(answer.runs for answer in answers)
        text = f"With {', '.join(failed)} down, {still} of {len(answers)} runbooks still run."
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
