"""What each test does, read from its source: what it writes down, and which methods it calls.

A test is read together with its fixtures and with the functions and tables of tests/ that it names.
"""

import ast
import importlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path

from bot.chat.command import Form

ROOT = Path(__file__).resolve().parents[2]
FOLDERS = ("e2e", "browser", "chat")  # the one that has most of Jackline in it first
_WAYS = ("socket", "http")
_STUB = "tests.slackstub"  # what it can do is no test's doing
Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass
class Read:
    """One test. ``sent`` are the fields of the forms that it submits in Slack.

    ``passed`` are the words that it passes over where it goes through a table.
    """

    file: str
    name: str
    words: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return self.where

    @property
    def folder(self) -> str:
        """One of `FOLDERS`."""
        return self.file.partition("/")[0]

    @property
    def where(self) -> str:
        """``e2e/test_x.py::test_y``."""
        return f"{self.file}::{self.name}"


class Source:
    """A module of tests/: what it defines, and what it takes from others."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.defined: dict[str, ast.AST] = {}
        self.taken: dict[str, tuple[str, str]] = {}
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, Function | ast.ClassDef):
                self.defined[node.name] = node
            elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
                self.taken |= {a.asname or a.name: (node.module, a.name) for a in node.names}
            elif isinstance(node, ast.Assign | ast.AnnAssign):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                self.defined |= {t.id: node for t in targets if isinstance(t, ast.Name)}

    @property
    def tests(self) -> Iterator[Function]:
        """Its tests."""
        for name, node in self.defined.items():
            if name.startswith("test_") and isinstance(node, Function):
                yield node

    def fixture(self, name: str) -> "tuple[Source, ast.AST] | None":
        """Its own, or that of the nearest conftest."""
        folders = [self.path.parent, *self.path.parent.parents]
        near = [folder / "conftest.py" for folder in folders[: folders.index(ROOT)]]
        for found in (self, *(source(path) for path in near if path.exists())):
            if name in found.defined:
                return found, found.defined[name]
        return None

    def named(self, name: str) -> "tuple[Source, ast.AST] | None":
        """A function, class or table of tests/, wherever it stands."""
        if name in self.defined:
            return self, self.defined[name]
        module, original = self.taken.get(name, ("", ""))
        path = ROOT / (module.replace(".", "/") + ".py")
        if not module.startswith("tests.") or module.startswith(_STUB) or not path.exists():
            return None
        return source(path).named(original)

    def listed(self, name: str) -> set[str]:
        """The strings of a table of bot/, such as the ids of buttons."""
        module, original = self.taken.get(name, ("", ""))
        if not module.startswith("bot."):
            return set()
        return strings(getattr(importlib.import_module(module), original))


@cache
def source(path: Path) -> Source:
    return Source(path)


def strings(value: object) -> set[str]:
    """Of a tuple of ids, or of tables of commands."""
    if isinstance(value, Form):
        return {value.usage}
    if isinstance(value, str):
        return {value}
    if isinstance(value, Mapping):
        return {each for part in value.values() for each in strings(part)}
    if isinstance(value, tuple | list):
        return {each for part in value for each in strings(part)}
    return set()


@dataclass
class Part:
    """What one function or table of tests/ has of its own, and the names it uses."""

    words: set[str] = field(default_factory=set)
    calls: set[str] = field(default_factory=set)
    ways: set[str] = field(default_factory=set)
    sent: set[str] = field(default_factory=set)
    passed: set[str] = field(default_factory=set)
    names: set[str] = field(default_factory=set)


@cache
def tests() -> tuple[Read, ...]:
    """Those that use Jackline as people do."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / "tests" / folder).rglob("test_*.py")):
            found += [_read(source(path), test) for test in source(path).tests]
    return tuple(found)


def _read(module: Source, test: Function) -> Read:
    read = Read(str(module.path.relative_to(ROOT / "tests")), test.name)
    read.ways |= {
        str(arg.value) for node in ast.walk(test) if isinstance(node, ast.Call)
        for arg in node.args if isinstance(arg, ast.Constant) and arg.value in _WAYS
    }  # fmt: skip
    left: list[tuple[Source, ast.AST]] = [(module, test)]
    seen: set[ast.AST] = set()
    while left:
        at, node = left.pop()
        if node in seen:
            continue
        seen.add(node)
        part = _part(at, node)
        read.words |= part.words
        read.calls |= part.calls
        read.ways |= part.ways
        read.sent |= part.sent
        read.passed |= part.passed
        left += [found for name in part.names if (found := at.named(name))]
        if isinstance(node, Function):
            fixtures = (at.fixture(arg.arg) for arg in node.args.args)
            left += [found for found in fixtures if found]
    return read


@cache
def _part(module: Source, top: ast.AST) -> Part:
    part = Part()
    said = {id(n.value) for n in ast.walk(top) if isinstance(n, ast.Expr)}  # docstrings do nothing
    for node in ast.walk(top):
        match node:
            case ast.Constant(value=str(word)) if id(node) not in said:
                part.words.add(word)
            case ast.Name(id=name):
                part.names.add(name)
                part.words |= module.listed(name)
            case ast.If(
                test=ast.Compare(comparators=[ast.Constant(value=str(word))]), body=[ast.Continue()]
            ):
                part.passed.add(word)
            case ast.Call(func=ast.Attribute(attr=method)):
                part.calls.add(method)
                _called(part, method, node)
    return part


def _called(part: Part, method: str, call: ast.Call) -> None:
    values = [*call.args, *(k.value for k in call.keywords)]
    for value in values:
        if method == "submit_view" and isinstance(value, ast.Dict):
            part.sent |= {str(k.value) for k in value.keys if isinstance(k, ast.Constant)}
        if method in ("parametrize", "fixture") and isinstance(value, ast.List):
            found = {str(e.value) for e in value.elts if isinstance(e, ast.Constant)}
            part.ways |= found & set(_WAYS)
