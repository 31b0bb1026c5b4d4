"""One catalog file's text → its entries with the YAML nodes that know their lines. Pure but for
the reading; raises nothing but `BadFile`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

import yaml

from bot.located import (
    BadFile,
    Problem,
    StrictLoader,
    near,
    place_of,
    read_text,
    shown,
    unique_keys,
    unreadable,
)

SECTIONS = (
    "services",
    "people",
    "rules",
    "targets",
    "paths",
    "credentials",
    "nodes",
    "freezes",
    "maintenance",
    "sources",
    "heartbeats",
    "notifiers",
    "contacts",
    "drills",
    "schedules",
    "escalations",
    "status_pages",
    "paper_places",
    "severities",
    "audiences",
    "regulations",
    "redactions",
    "trackers",
    "digests",
)


@dataclass(frozen=True)
class Origin:
    """Where an entry stands."""

    path: Path
    node: yaml.Node

    def problem(self, where: list[int | str], text: str) -> BadFile:
        """``file:line: field: text``, for raising; the line says which one of a list."""
        field = ".".join(str(part) for part in where).rstrip(".0123456789")
        said = f"{shown(field)}: {text}" if field else text
        line, column = place_of(self.node, where)
        return BadFile(Problem(str(self.path), line, said, column), field=field)


def entries(path: Path) -> Sequence[tuple[str, Any, Origin]]:
    """Every (section, entry, origin) of a file; to be read only. Raises `BadFile`."""
    text = read_text(path)
    try:
        return _entries(text, path)
    except (yaml.YAMLError, RecursionError) as error:
        raise BadFile(unreadable(error, text, str(path), 0)) from None


def sections(path: Path) -> set[str]:
    """Those that a file has, empty ones too. For one whose `entries` could be read."""
    root = StrictLoader(read_text(path)).get_single_node()
    return {key.value for key, _ in root.value} if isinstance(root, yaml.MappingNode) else set()


@lru_cache(maxsize=64)  # each check of a catalog asks for its files again
def _entries(text: str, path: Path) -> Sequence[tuple[str, Any, Origin]]:
    loader = StrictLoader(text)
    root = loader.get_single_node()
    if root is None or root.tag == "tag:yaml.org,2002:null":
        return ()
    if not isinstance(root, yaml.MappingNode):
        raise BadFile(Problem(str(path), 1, f"must be a mapping of {', '.join(SECTIONS)}"))
    unique_keys(root)
    found: list[tuple[str, Any, Origin]] = []
    for key, value in root.value:
        name, line = key.value, key.start_mark.line + 1
        if name not in SECTIONS:
            guess = near(name, SECTIONS) or f"; use {', '.join(SECTIONS)}"
            said = f"{shown(name)}: unknown section{guess}"
            raise BadFile(Problem(str(path), line, said), field=name)
        if not isinstance(value, yaml.SequenceNode):
            raise BadFile(Problem(str(path), line, f"{name}: must be a list"), field=name)
        found += [
            (name, loader.construct_document(node), Origin(path, node)) for node in value.value
        ]
    return tuple(found)
