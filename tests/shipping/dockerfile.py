"""Reads a Dockerfile and a .dockerignore, as much of them as ours use.

An unknown form is an error, so that a test never passes because a line was not understood.
"""

import json
import re
import shlex
from dataclasses import dataclass, field
from fnmatch import fnmatch
from pathlib import Path, PurePosixPath

KNOWN = {
    *("ARG", "CMD", "COPY", "ENTRYPOINT", "ENV", "EXPOSE", "FROM", "HEALTHCHECK", "LABEL"),
    *("RUN", "STOPSIGNAL", "USER", "VOLUME", "WORKDIR"),
}


@dataclass(frozen=True)
class Instruction:
    """One instruction: its flags (``--from=build``), the rest, and a here-document if any."""

    name: str
    flags: dict[str, str]
    rest: str
    heredoc: str = ""

    @property
    def argv(self) -> list[str]:
        """The exec form, as a list; the shell form is an error."""
        argv: list[str] = json.loads(self.rest)
        return argv

    @property
    def pairs(self) -> dict[str, str]:
        """``A=b C="d e"`` as a mapping."""
        return dict(word.split("=", 1) for word in shlex.split(self.rest))


@dataclass(frozen=True)
class Stage:
    """What lies between two FROMs."""

    name: str
    base: str
    steps: list[Instruction] = field(default_factory=list)

    def all(self, name: str) -> list[Instruction]:
        """Every instruction of a kind."""
        return [step for step in self.steps if step.name == name]

    def one(self, name: str) -> Instruction:
        """The only instruction of a kind."""
        (found,) = self.all(name)
        return found

    @property
    def env(self) -> dict[str, str]:
        """All of the stage's ENV."""
        return {key: value for step in self.all("ENV") for key, value in step.pairs.items()}


@dataclass(frozen=True)
class Dockerfile:
    """The global ARGs and the stages."""

    args: dict[str, str]
    stages: list[Stage]


def read(path: Path) -> Dockerfile:
    """Parses a Dockerfile."""
    found = Dockerfile({}, [])
    for step in _instructions(path.read_text("utf-8").splitlines()):
        if step.name == "FROM":
            base, _, name = step.rest.partition(" AS ")
            found.stages.append(Stage(name, base))
        elif found.stages:
            found.stages[-1].steps.append(step)
        else:
            assert step.name == "ARG", f"{step.name} before the first FROM"
            found.args.update(step.pairs)
    return found


def _instructions(lines: list[str]) -> list[Instruction]:
    found = []
    rest = iter(lines)
    for raw in rest:
        line = raw.strip()
        if not line or line.startswith("#"):
            continue
        while line.endswith("\\"):
            line = f"{line[:-1].rstrip()} {next(rest).strip()}"
        name, _, body = line.partition(" ")
        assert name in KNOWN, f"unknown instruction: {line}"
        flags = {}
        while flag := re.match(r"--([a-z-]+)=(\S+)\s+", body):
            flags[flag[1]] = flag[2]
            body = body[flag.end() :]
        heredoc = ""
        if mark := re.match(r"<<'([A-Z]+)' ", body):
            body = body[mark.end() :]
            while (text := next(rest)) != mark[1]:
                heredoc += text + "\n"
        found.append(Instruction(name, flags, body, heredoc))
    return found


def sources(step: Instruction) -> tuple[list[str], str]:
    """What a COPY takes, and where it puts it."""
    *taken, target = step.rest.split()
    return ([] if step.heredoc else taken), target


def context_takes(ignore_file: Path, path: str) -> bool:
    """Whether the build context contains a path; the last matching line decides."""
    taken = True
    for line in ignore_file.read_text("utf-8").splitlines():
        if line and not line.startswith("#"):
            pattern = line.removeprefix("!")
            if _matches(pattern, PurePosixPath(path)):
                taken = line.startswith("!")
    return taken


def _matches(pattern: str, path: PurePosixPath) -> bool:
    """A pattern matches a path or any folder above it; ``**/`` matches at any depth."""
    deep = pattern.startswith("**/")
    plain = pattern.removeprefix("**/")
    assert "/" not in plain, f"not understood: {pattern}"
    return any(fnmatch(part, plain) for part in (path.parts if deep else path.parts[:1]))
