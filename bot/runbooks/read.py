"""Markdown → `Runbook`, with every problem's line. Pure: text in, runbook or problems out."""

import hashlib
from collections.abc import Sequence
from typing import Any, TypeVar, get_args

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel, ValidationError

from bot.located import Problem, StrictLoader, near, place_of, refusal, unreadable
from bot.runbooks.model import Front, Runbook, Step, Written

_M = TypeVar("_M", bound=BaseModel)
_FENCE = "yaml step"
_READER = MarkdownIt("commonmark")
_LARGEST = 5_000  # values in one block with its aliases written out: a few could stand for 10**9


def read(text: str, path: str) -> tuple[Runbook | None, list[Problem]]:
    """The runbook, or None and what is wrong with it."""
    problems: list[Problem] = []
    front_text, body, offset = _split(text)
    if front_text is None:
        return None, [Problem(path, 1, "must begin with YAML front matter between --- lines")]
    front = _model(Front, front_text, 1, path, problems)
    written, intro = _steps(body, offset, path, problems)
    ids = [w.step.id for w in written]
    problems += [
        Problem(path, _line_of_id(item), f"id: {item.step.id!r} is given twice")
        for index, item in enumerate(written)
        if ids.index(item.step.id) != index
    ]
    if not written and not problems:
        problems.append(
            Problem(path, offset + 1, f"has no step: add a ```{_FENCE} block under a ## heading")
        )
    if front is None or problems:
        return None, sorted(problems, key=lambda p: p.line)
    digest = hashlib.sha256(text.encode()).hexdigest()
    return Runbook(path, text, digest, front, intro, tuple(written)), []


def _split(text: str) -> tuple[str | None, str, int]:
    lines = text.splitlines()
    if not lines or lines[0].strip() != "---":
        return None, text, 0
    for number, line in enumerate(lines[1:], start=1):
        if line.strip() == "---":
            return "\n".join(lines[1:number]), "\n".join(lines[number + 1 :]), number + 1
    return None, text, 0


def _steps(body: str, offset: int, path: str, problems: list[Problem]) -> tuple[list[Written], str]:
    lines = body.splitlines()
    found: list[Written] = []
    heading, prose_from, intro = "", 0, ""
    for token, title in _blocks(_READER.parse(body)):
        start, end = token.map or (0, 0)
        if title is not None:
            if not heading:
                intro = "\n".join(lines[prose_from:start]).strip()
            heading, prose_from = title, end
            continue
        line = offset + start + 1
        if token.info.strip() != _FENCE:
            problems.append(Problem(path, line, f"```{token.info}: write ```{_FENCE} for a step"))
            continue
        if not heading:
            problems.append(Problem(path, line, "a step must stand under a ## heading"))
            continue
        step = _model(Step, token.content, line, path, problems)
        if step is not None:
            prose = "\n".join(lines[prose_from:start]).strip()
            found.append(Written(step, heading, prose, line, token.content))
        prose_from = end
    return found, intro


def _blocks(tokens: list[Token]) -> list[tuple[Token, str | None]]:
    """Second-level headings (with their text) and fences meant as steps, in order."""
    blocks: list[tuple[Token, str | None]] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            blocks.append((token, tokens[index + 1].content))
        elif token.type == "fence" and _looks_like_a_step(token.info):
            blocks.append((token, None))
    return blocks


def _looks_like_a_step(info: str) -> bool:
    """A typo in the fence must not make a step into mere prose."""
    words = info.lower().split()
    return len(words) > 1 and words[0] in ("yaml", "yml")


def _model(model: type[_M], text: str, line: int, path: str, problems: list[Problem]) -> _M | None:
    """Validates a YAML block that starts after line ``line``; problems get their own lines."""
    try:
        loader = StrictLoader(text)
        node = loader.get_single_node()
        if node is not None and _size(node, {}) > _LARGEST:
            raise refusal(f"holds more than {_LARGEST} values", node)
        data = loader.construct_document(node) if node is not None else None
    except (yaml.YAMLError, RecursionError) as error:
        problems.append(unreadable(error, text, path, line))
        return None
    if not isinstance(data, dict) or node is None:
        problems.append(Problem(path, line + 1, "must be a YAML mapping"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            where = _written(node, item["loc"])
            field, message = ".".join(map(str, where)), item["msg"].removeprefix("Value error, ")
            if item["type"] == "extra_forbidden":
                message = f"unknown field{near(str(where[-1]), _fields(model, where[:-1]))}"
            at, column = place_of(node, where)
            said = f"{field}: {message}" if field else message
            found = Problem(path, line + at, said, column)
            if not any(p.line == found.line and p.column == column for p in problems):
                problems.append(found)  # of a choice between forms, the first one's finding
        return None


def _written(node: yaml.Node, loc: Sequence[int | str]) -> list[int | str]:
    """A finding's place without the names of the forms that pydantic tried."""
    where: list[int | str] = []
    for index, part in enumerate(loc):
        inside: yaml.Node | None = None
        if isinstance(node, yaml.MappingNode):
            inside = next((v for k, v in node.value if k.value == part), None)
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            inside = node.value[part] if part < len(node.value) else None
        if inside is not None:
            node = inside
            where.append(part)
        elif index == len(loc) - 1 and isinstance(node, yaml.MappingNode) and _is_field(part):
            where.append(part)
    return where


def _is_field(part: int | str) -> bool:
    """A missing field's name, rather than the name of a form such as ``function-after[…]``."""
    return isinstance(part, str) and part.isidentifier() and part.islower()


def _size(node: yaml.Node, known: dict[int, int]) -> int:
    """The values below a node, an alias counted as often as it is used."""
    if id(node) not in known:
        known[id(node)] = 1  # a node inside itself is refused later, when it is constructed
        parts = (
            [part for pair in node.value for part in pair]
            if isinstance(node, yaml.MappingNode)
            else node.value
        )
        if isinstance(node, yaml.CollectionNode):
            known[id(node)] += sum(_size(part, known) for part in parts)
    return known[id(node)]


def _fields(model: type[BaseModel], where: Sequence[int | str]) -> list[str]:
    """The fields that could stand at a place of a model."""
    models = [model]
    for part in where:
        types = [
            f.annotation for m in models for n, f in m.model_fields.items() if part in (n, f.alias)
        ]
        if types:
            models = [m for each in types for m in _models(each)]
    return [field.alias or name for m in models for name, field in m.model_fields.items()]


def _models(annotation: Any) -> list[type[BaseModel]]:  # noqa: ANN401 - a type or a form of typing
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return [annotation]
    return [model for each in get_args(annotation) for model in _models(each)]


def _line_of_id(written: Written) -> int:
    node = yaml.compose(written.source, Loader=StrictLoader)
    return written.line + (place_of(node, ("id",))[0] if node is not None else 1)


def place_in(
    runbook: Runbook, written: Written | None, where: Sequence[int | str]
) -> tuple[int, int]:
    """Line and column of a part of a step, or of the front matter if there is no step."""
    text, start = (written.source, written.line) if written else (_split(runbook.text)[0] or "", 1)
    node = yaml.compose(text, Loader=StrictLoader)
    line, column = place_of(node, tuple(where)) if node is not None else (1, 1)
    return start + line, column
