"""One catalog file's text → its entries with the YAML nodes that know their lines. Pure but for
the reading; raises nothing but `BadInput`.
"""

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import BadInput

SECTIONS = ("services", "people", "rules", "targets", "paths")


@dataclass(frozen=True)
class Origin:
    """Where an entry stands."""

    path: Path
    node: yaml.Node

    def problem(self, where: list[int | str], text: str) -> BadInput:
        """``file:line: field: text``, for raising; the line says which one of a list."""
        field = ".".join(str(part) for part in where).rstrip(".0123456789")
        said = f"{shown(field)}: {text}" if field else text
        return BadInput(f"{self.path}:{line_of(self.node, where)}: {said}", field=field)


class _Strict(yaml.SafeLoader):
    """YAML that refuses a key given twice: ``safe_load`` would keep the last one silently."""

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - PyYAML's signature
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:
            # PyYAML lets a date such as 2026-13-45 or a `!!bool perhaps` fail as what it is.
            raise _refusal(f"{str(node.value)[:80]!r} cannot be read: {error}", node) from None


def _refusal(message: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    _unique_keys(node)
    return loader.construct_mapping(node, deep=True)


_Strict.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def _unique_keys(node: yaml.MappingNode) -> None:
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise _refusal("a key must be plain text", key)
        if key.value in seen:
            raise _refusal(f"{key.value!r} is given twice", key)
        seen.add(key.value)


def entries(path: Path) -> list[tuple[str, Any, Origin]]:
    """Every (section, entry, origin) of a file. Raises `BadInput` with ``file:line``."""
    try:
        text = path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadInput(f"{path}:{line}: is not UTF-8 text") from None
    except OSError as error:
        raise BadInput(f"{path}:1: cannot be read: {error.strerror}") from None
    try:
        return _entries(text, path)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: {error.problem}") from None
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        raise BadInput(f"{path}:{line}: has a character that YAML does not allow") from None
    except RecursionError:
        raise BadInput(f"{path}:1: is nested too deeply") from None


def _entries(text: str, path: Path) -> list[tuple[str, Any, Origin]]:
    loader = _Strict(text)
    root = loader.get_single_node()
    if root is None or root.tag == "tag:yaml.org,2002:null":
        return []
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(f"{path}:1: must be a mapping of {', '.join(SECTIONS)}")
    _unique_keys(root)
    found = []
    for key, value in root.value:
        at = f"{path}:{key.start_mark.line + 1}: {shown(key.value)}"
        if key.value not in SECTIONS:
            guess = near(key.value, SECTIONS) or f"; use {', '.join(SECTIONS)}"
            raise BadInput(f"{at}: unknown section{guess}", field=key.value)
        if not isinstance(value, yaml.SequenceNode):
            raise BadInput(f"{at}: must be a list", field=key.value)
        found += [
            (key.value, loader.construct_document(node), Origin(path, node)) for node in value.value
        ]
    return found


def shown(name: str) -> str:
    """A name as it is written, or quoted where it would not show or break the line."""
    return name if name.strip() and name.isprintable() else repr(name)


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for a near miss, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""


def line_of(node: yaml.Node, path: list[int | str] | tuple[int | str, ...]) -> int:
    """The 1-based line of the deepest part of ``path`` that exists below ``node``."""
    line = node.start_mark.line + 1
    for part in path:
        if isinstance(node, yaml.MappingNode):
            match = next(((k, v) for k, v in node.value if k.value == part), None)
            if match is None:
                return line
            line, node = match[0].start_mark.line + 1, match[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                return line
            node = node.value[part]
            line = node.start_mark.line + 1
    return line
