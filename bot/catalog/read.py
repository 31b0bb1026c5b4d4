"""Reads ``catalog/*.yaml`` into one `Catalog`; every error has its file and line."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pydantic import ValidationError

from bot.catalog.model import Catalog
from bot.errors import BadInput

SECTIONS = ("services", "people", "rules", "targets", "paths")


def load_catalog(folder: Path) -> Catalog:
    """The merged catalog of a folder; an absent folder is an empty catalog.

    Raises `BadInput` with ``file:line: field: problem``.
    """
    merged: dict[str, list[Any]] = {}
    origin: dict[tuple[str, int], tuple[Path, yaml.Node]] = {}
    for path in sorted(folder.glob("*.yaml")):
        for section, entries, nodes in _sections(path):
            for entry, node in zip(entries, nodes, strict=True):
                origin[section, len(merged.setdefault(section, []))] = (path, node)
                merged[section].append(entry)
    try:
        catalog = Catalog.model_validate(merged)
    except ValidationError as error:
        first = error.errors()[0]
        name, index, *rest = first["loc"]
        path, node = origin[str(name), int(index)]
        field = ".".join(str(part) for part in rest)
        raise BadInput(f"{path}:{line_of(node, rest)}: {field}: {first['msg']}") from None
    _references(catalog, folder)
    return catalog


def _sections(path: Path) -> list[tuple[str, list[Any], list[yaml.Node]]]:
    try:
        text = path.read_text("utf-8")
        root = yaml.compose(text, Loader=yaml.SafeLoader)
        data = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else 1
        raise BadInput(f"{path}:{line}: {error.problem}") from None
    if root is None:
        return []
    if not isinstance(root, yaml.MappingNode):
        raise BadInput(f"{path}:1: must be a mapping of {', '.join(SECTIONS)}")
    found = []
    for key, value in root.value:
        line = key.start_mark.line + 1
        if key.value not in SECTIONS:
            raise BadInput(f"{path}:{line}: {key.value}: unknown section; use {SECTIONS}")
        if not isinstance(value, yaml.SequenceNode):
            raise BadInput(f"{path}:{line}: {key.value}: must be a list")
        found.append((key.value, data[key.value], list(value.value)))
    return found


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


def _references(catalog: Catalog, folder: Path) -> None:
    """Names used but never defined, and names defined twice."""
    for kind, names in {
        "service": [s.id for s in catalog.services],
        "person": [p.id for p in catalog.people],
        "target": [t.name for t in catalog.targets],
        "path": [p.name for p in catalog.paths],
        "check": [c.id for s in catalog.services for c in s.checks],
    }.items():
        double = next((n for n in names if names.count(n) > 1), None)
        if double:
            raise BadInput(f"{folder}: {kind} {double!r} is defined twice")
    for where, name, found in _uses(catalog):
        if found is None:
            raise BadInput(f"{folder}: {where}: there is no {name!r}")


def _uses(catalog: Catalog) -> Iterator[tuple[str, str, object]]:
    """Every reference from one entry to another: where it stands, the name, what it leads to."""
    for service in catalog.services:
        for needed in service.depends_on:
            yield f"service {service.id}: depends_on", needed, catalog.service(needed)
        for evidence in service.evidence:
            yield (
                f"service {service.id}: evidence",
                evidence.target,
                catalog.target(evidence.target),
            )
    for target in catalog.targets:
        for via in target.via:
            yield f"target {target.name}: via", via, catalog.path(via)
