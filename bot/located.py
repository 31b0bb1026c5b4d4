"""Files that people write: strict YAML, and what is wrong with it by file and line."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from bot.errors import BadInput


@dataclass(frozen=True)
class Problem:
    """One thing wrong with a file, and where; ``line`` and ``column`` count from 1."""

    path: str
    line: int
    message: str
    column: int = 1

    @property
    def place(self) -> str:
        """``file:line:column``."""
        return f"{self.path}:{self.line}:{self.column}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message}"


class BadFile(BadInput):
    """A file that cannot be used, as far as it was read; its text is ``file:line:column: message``."""

    def __init__(self, problem: Problem, *, field: str = "") -> None:
        super().__init__(str(problem), field=field)
        self.problem = problem


# libyaml's reader takes a tenth of the time of PyYAML's own, on which a reload would keep all else
# waiting; where PyYAML was built without it there is only that one.
_Reader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST = 100  # collections in each other: libyaml's reader would overrun the stack
_Opened, _Closed = yaml.CollectionStartEvent, yaml.CollectionEndEvent


class StrictLoader(_Reader):  # type: ignore[misc]  # one of two, which the stubs do not know
    """YAML that refuses a key given twice: ``safe_load`` would keep the last one silently."""

    def __init__(self, text: str) -> None:
        self._text = text
        try:
            super().__init__(text)
        except UnicodeEncodeError:  # libyaml takes UTF-8: half a pair is none
            yaml.SafeLoader(text)
            raise

    def get_single_node(self) -> Any:  # noqa: ANN401 - PyYAML's signature
        """The document's node. What is wrong with it is said in the words of PyYAML's own reader."""
        try:
            _require_shallow(self._text)
            return super().get_single_node()
        except yaml.YAMLError:
            yaml.compose(self._text, Loader=yaml.SafeLoader)
            raise

    def construct_object(self, node: yaml.Node, deep: bool = False) -> Any:  # noqa: ANN401 - PyYAML's signature
        try:
            return super().construct_object(node, deep=deep)
        except (ValueError, LookupError, AttributeError) as error:
            # PyYAML lets a date such as 2026-13-45 or a `!!bool perhaps` fail as what it is.
            raise refusal(f"{str(node.value)[:80]!r} cannot be read: {error}", node) from None


def _require_shallow(text: str) -> None:
    """Raises `RecursionError` where it is nested too deeply, or what is wrong with it as YAML."""
    depth = 0
    for event in yaml.parse(text, Loader=_Reader):
        depth += isinstance(event, _Opened) - isinstance(event, _Closed)
        if depth > _DEEPEST:
            raise RecursionError


def refusal(message: str, node: yaml.Node) -> yaml.MarkedYAMLError:
    """An error of our own that has its place, as PyYAML's have theirs."""
    return yaml.constructor.ConstructorError(None, None, message, node.start_mark)


def unique_keys(node: yaml.MappingNode) -> None:
    """Raises `refusal` for a key that is given twice or is no plain text."""
    seen: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise refusal("a key must be plain text", key)
        if key.value in seen:
            raise refusal(f"{key.value!r} is given twice", key)
        seen.add(key.value)


def _mapping(loader: yaml.SafeLoader, node: yaml.MappingNode) -> dict[Any, Any]:
    unique_keys(node)
    return loader.construct_mapping(node, deep=True)


StrictLoader.add_constructor(yaml.resolver.BaseResolver.DEFAULT_MAPPING_TAG, _mapping)


def read_text(path: Path) -> str:
    """The file's text. Raises `BadFile` where it cannot be read or is not UTF-8."""
    try:
        return path.read_text("utf-8")
    except UnicodeDecodeError as error:
        line = error.object[: error.start].count(b"\n") + 1
        raise BadFile(Problem(str(path), line, "is not UTF-8 text")) from None
    except OSError as error:
        raise BadFile(Problem(str(path), 1, f"cannot be read: {error.strerror}")) from None


def unreadable(error: yaml.YAMLError | RecursionError, text: str, path: str, above: int) -> Problem:
    """What a YAML error says, and where; ``above`` lines of the file stand before ``text``."""
    if isinstance(error, yaml.MarkedYAMLError):
        mark = error.problem_mark
        line, column = (mark.line, mark.column) if mark else (0, 0)
        return Problem(path, above + 1 + line, str(error.problem), column + 1)
    if isinstance(error, yaml.reader.ReaderError):
        at = text[: error.position].count("\n")
        return Problem(path, above + 1 + at, "has a character that YAML does not allow")
    return Problem(path, above + 1, "is nested too deeply")


def place_of(node: yaml.Node, path: Sequence[int | str]) -> tuple[int, int]:
    """The 1-based line and column of the deepest part of ``path`` that exists below ``node``."""
    mark = node.start_mark
    for part in path:
        if isinstance(node, yaml.MappingNode):
            match = next(((k, v) for k, v in node.value if k.value == part), None)
            if match is None:
                break
            mark, node = match[0].start_mark, match[1]
        elif isinstance(node, yaml.SequenceNode) and isinstance(part, int):
            if part >= len(node.value):
                break
            node = node.value[part]
            mark = node.start_mark
    return mark.line + 1, mark.column + 1


def shown(name: str) -> str:
    """A name as it is written, or quoted where it would not show or break the line."""
    return name if name.strip() and name.isprintable() else repr(name)


def near(word: str, known: Iterable[str]) -> str:
    """``; did you mean X?`` for a near miss, else an empty string."""
    close = difflib.get_close_matches(word, list(known), n=1)
    return f"; did you mean {close[0]!r}?" if close else ""
