"""A shipped runbook, as it is, over targets that really are there."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from bot.registry import Registry
from bot.store import Store
from tests.conftest import ENGINES
from tests.runbooks.room import PEOPLE, Room

SHIPPED = Path(__file__).parents[3] / "runbooks"
on_both = pytest.mark.parametrize("database_url", ENGINES, indirect=True)


def shipped(
    name: str,
    store: Store,
    registry: Registry,
    folder: Path,
    targets: Mapping[str, str | dict[str, Any]],
    **instead: str,
) -> Room:
    """The file ``runbooks/<name>.md``; ``instead`` are texts of it that a test must replace."""
    text = (SHIPPED / f"{name}.md").read_text("utf-8")
    for old, new in instead.items():
        assert old in text, old
        text = text.replace(old, new)
    return placed(text, name, store, registry, folder, targets)


def placed(
    text: str,
    name: str,
    store: Store,
    registry: Registry,
    folder: Path,
    targets: Mapping[str, str | dict[str, Any]],
) -> Room:
    """A runbook of that text, over these targets alone."""
    (folder / "runbooks" / "catalog").mkdir(parents=True)
    (folder / "runbooks" / f"{name}.md").write_text(text)
    entries = [
        {"name": target, **({"url": entry} if isinstance(entry, str) else entry)}
        for target, entry in targets.items()
    ]
    nodes = yaml.safe_load((SHIPPED / "catalog" / "nodes.yaml").read_text("utf-8"))["nodes"]
    # What leads to a test's servers is loopback: it stands on nothing that a runbook repairs.
    direct = {"name": "direct", "depends_on": []}
    catalog = {"people": PEOPLE, "targets": entries, "nodes": nodes, "paths": [direct]}
    (folder / "runbooks" / "catalog" / "all.yaml").write_text(json.dumps(catalog))
    room = Room(store, folder / "runbooks", registry)
    assert room.library.problems == {}
    return room
