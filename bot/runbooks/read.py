"""Markdown → `Runbook`, with every problem's line. Pure: text in, runbook or problems out."""

import hashlib
from typing import Any, TypeVar

import yaml
from markdown_it import MarkdownIt
from markdown_it.token import Token
from pydantic import BaseModel, ValidationError

from bot.catalog.read import line_of
from bot.runbooks.model import Front, Problem, Runbook, Step, Written

_M = TypeVar("_M", bound=BaseModel)
_FENCE = "yaml step"


class _Strict(yaml.SafeLoader):
    """YAML that refuses a key given twice: ``safe_load`` would keep the last one silently."""


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    seen: set[str] = set()
    for key, _ in node.value:
        if key.value in seen:
            raise yaml.constructor.ConstructorError(
                None, None, f"{key.value!r} is given twice", key.start_mark
            )
        seen.add(key.value)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


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
        Problem(path, item.line, f"id: {item.step.id!r} is given twice")
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
    for token, title in _blocks(MarkdownIt("commonmark").parse(body)):
        start, end = token.map or (0, 0)
        if title is not None:
            if not heading:
                intro = "\n".join(lines[prose_from:start]).strip()
            heading, prose_from = title, end
            continue
        line = offset + start + 1
        if not heading:
            problems.append(Problem(path, line, "a step must stand under a ## heading"))
            continue
        step = _model(Step, token.content, line, path, problems)
        if step is not None:
            prose = "\n".join(lines[prose_from:start]).strip()
            found.append(Written(step, heading, prose, line))
        prose_from = end
    return found, intro


def _blocks(tokens: list[Token]) -> list[tuple[Token, str | None]]:
    """Second-level headings (with their text) and step fences, in order."""
    blocks: list[tuple[Token, str | None]] = []
    for index, token in enumerate(tokens):
        if token.type == "heading_open" and token.tag == "h2":
            blocks.append((token, tokens[index + 1].content))
        elif token.type == "fence" and token.info.strip() == _FENCE:
            blocks.append((token, None))
    return blocks


def _model(model: type[_M], text: str, line: int, path: str, problems: list[Problem]) -> _M | None:
    """Validates a YAML block that starts after line ``line``; problems get their own lines."""
    try:
        node = yaml.compose(text, Loader=_Strict)
        data = yaml.load(text, Loader=_Strict)  # noqa: S506 - a SafeLoader
    except yaml.MarkedYAMLError as error:
        at = line + 1 + (error.problem_mark.line if error.problem_mark else 0)
        problems.append(Problem(path, at, str(error.problem)))
        return None
    if not isinstance(data, dict) or node is None:
        problems.append(Problem(path, line + 1, "must be a YAML mapping"))
        return None
    try:
        return model.model_validate(data)
    except ValidationError as error:
        for item in error.errors():
            where = [p for p in item["loc"] if p not in ("Undo", "NoUndo")]
            field = ".".join(str(part) for part in where)
            at = line + line_of(node, where)
            problems.append(
                Problem(path, at, f"{field}: {item['msg'].removeprefix('Value error, ')}")
            )
        return None
