"""The action items of a postmortem, read from the table that people write, and written into it. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from markdown_it import MarkdownIt

from bot.errors import BadInput
from bot.postmortems.escape import text as escaped

TYPES = ("prevent", "detect", "mitigate", "recover")
SECTION = "action-items"
HEAD = ("Action", "Type", "Owner role", "Due", "Ticket", "Done when (measurable)", "From finding")
_COLUMNS = (  # the beginning of a column's title, and what is in it
    ("action", "text"), ("type", "kind"), ("owner", "owner"), ("due", "due"), ("done", "done_when"),
    ("from", "finding"), ("finding", "finding"), ("source", "finding"), ("ticket", "ticket"),
)  # fmt: skip
_TAKEN = re.compile(r"\s*\(follow-up (?P<number>[0-9]{1,4})\)\s*$")
_THERE = re.compile(
    r"(?:task|follow-up) (?P<number>[0-9]{1,4}) of #"
)  # the draft's own: it is one already
_CELL = re.compile(r"(?:\\.|[^|\\])*")
_READER = MarkdownIt("commonmark", {"html": False}).enable("table")


@dataclass(frozen=True)
class Item:
    """One row. ``line`` is where it stands in the section; ``task`` the follow-up it became, or 0."""

    line: int
    text: str
    kind: str = ""
    owner: str = ""
    due: str = ""
    done_when: str = ""
    finding: str = ""
    task: int = 0


def items_of(body: str) -> list[Item]:
    """All rows of tables with a column of actions."""
    found: list[Item] = []
    columns: list[str] = []
    cells: list[str] = []
    line = 0
    for token in _READER.parse(body):
        match token.type:
            case "thead_open":
                columns = []
            case "tr_open":
                cells, line = [], token.map[0] if token.map else 0
            case "inline" if token.level > 2:  # noqa: PLR2004 - in a cell of a table
                cells.append(token.content.strip())
            case "thead_close":
                columns = [_column(title) for title in cells]
            case "tr_close" if columns and "text" in columns and cells:
                row = dict(zip(columns, cells, strict=False))
                if row.get("text"):
                    found.append(_item(line, row))
            case _:
                pass
    return found


def _column(title: str) -> str:
    plain = title.lower().strip("*_ ")
    return next((name for start, name in _COLUMNS if plain.startswith(start)), "")


def _item(line: int, row: Mapping[str, str]) -> Item:
    taken = _TAKEN.search(row["text"]) or _THERE.match(_plain(row.get("ticket", "")))
    given = {name: _plain(cell) for name, cell in row.items() if name not in ("", "ticket")}
    given["text"] = _plain(_TAKEN.sub("", row["text"]))
    return Item(line, task=int(taken["number"]) if taken else 0, **given)


def _plain(cell: str) -> str:
    """A cell as text: its Markdown's signs taken back."""
    tokens = _READER.parseInline(cell)[0].children or []
    words = "".join(" " if t.type in ("softbreak", "hardbreak") else t.content for t in tokens)
    return " ".join(words.split())


def check_item(item: Item) -> date:
    """Raises `BadInput` with everything that it lacks; what it is due on."""
    wrong = []
    if item.kind.lower() not in TYPES:
        wrong.append(f"type is {item.kind[:40]!r}, not one of {', '.join(TYPES)}")
    wrong += [f"no {what}" for what, given in (("owner", item.owner), ("done criterion", item.done_when)) if not given]  # fmt: skip
    due: date | None = None
    try:
        due = date.fromisoformat(item.due)
    except ValueError:
        wrong.append(f"due is {item.due[:40]!r}, not a day such as 2027-01-31")
    if wrong or due is None:
        raise BadInput(
            f"The action item {item.text[:60]!r} is not whole: {'; '.join(wrong)}.",
            hint="Write it into the table of the section Action items.",
        )
    return due


def with_number(body: str, line: int, number: int) -> str:
    """The section with a row's action saying which follow-up it became."""
    lines = body.split("\n")
    start = re.match(r"\s*\|?", lines[line])
    head = start.end() if start else 0
    cell = _CELL.match(lines[line], head)
    end = cell.end() if cell else head
    own = lines[line][head:end].rstrip()
    lines[line] = f"{lines[line][:head]}{own} (follow-up {number}) {lines[line][end:].lstrip(' ')}"
    return "\n".join(lines)


def with_row(body: str, item: Item) -> tuple[str, int]:
    """The section with one row more below its last table, or with a table; and the row's line."""
    lines = body.split("\n") if body else []
    last, columns = _last_table(body)
    if last is None:
        head = [f"| {' | '.join(HEAD)} |", f"|{' --- |' * len(HEAD)}"]
        lines = [*lines, *([""] if lines else []), *head]
        last, columns = len(lines) - 1, [_column(title) for title in HEAD]
    values = {**vars(item), "ticket": "", "": ""}
    cells = (escaped(str(values[column])) for column in columns)
    lines.insert(last + 1, f"| {' | '.join(cells)} |")
    return "\n".join(lines), last + 1


def _last_table(body: str) -> tuple[int | None, list[str]]:
    """Where the last table with a column of actions ends, and its columns."""
    found: tuple[int | None, list[str]] = (None, [])
    columns, cells, end = list[str](), list[str](), 0
    for token in _READER.parse(body):
        if token.type == "tr_open":
            cells = []
        elif token.type == "inline" and token.level > 2:  # noqa: PLR2004 - as above
            cells.append(token.content.strip())
        elif token.type == "thead_close":
            columns = [_column(title) for title in cells]
        elif token.type == "table_open" and token.map:
            end = token.map[1]
        elif token.type == "table_close" and "text" in columns:
            found = (end - 1, columns)
    return found
