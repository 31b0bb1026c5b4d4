"""``jackline postmortem lint``: the house style over a file, or over a stored postmortem."""

import json
from pathlib import Path
from typing import Annotated

import typer

from bot import settings
from bot.app import Jackline
from bot.catalog import load_catalog
from bot.cli.parts import AsJson, from_record, out
from bot.errors import BadInput, NotFound
from bot.located import read_text
from bot.postmortems.style import Remark, check_style

Paper = Annotated[
    str, typer.Argument(metavar="FILE|NUMBER", help="A Markdown file, or an incident's number.")
]


def lint(paper: Paper, as_json: AsJson = False) -> None:
    """Check a postmortem's wording: blame, counterfactuals, names; each as file:line:column."""
    path, text = _read(paper)
    people = load_catalog(settings.load().runbooks_dir / "catalog").people
    remarks = check_style(text, path, people)
    if as_json:
        out.print_json(json.dumps([_row(each) for each in remarks]))
    else:
        for each in remarks:
            out.print(str(each), markup=False)
        words = "1 remark" if len(remarks) == 1 else f"{len(remarks)} remarks"
        out.print(f"{path}: {words}", markup=False)
    raise SystemExit(1 if remarks else 0)


def _row(each: Remark) -> dict[str, object]:
    return {
        "path": each.path, "line": each.line, "column": each.column, "rule": each.rule,
        "found": each.found, "suggestion": each.suggestion,
    }  # fmt: skip


def _read(paper: str) -> tuple[str, str]:
    """Its name and its text. Raises `NotFound`, `BadFile`."""
    path = Path(paper)
    if path.is_file():
        return paper, read_text(path)
    if not paper.isdecimal():
        raise NotFound(f"There is no file {paper}.", hint="Give a Markdown file, or a number.")
    number = int(paper)
    if number > 2**31 - 1:
        raise BadInput(f"There is no incident {paper}.")

    async def work(parts: Jackline) -> str:
        async with parts.store.read() as session:
            return (await parts.postmortems.get(session, number)).markdown

    return f"INC-{number}.md", from_record(work)
