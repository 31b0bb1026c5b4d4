"""Runbooks that the catalog's rules name must be there."""

from collections.abc import Collection
from pathlib import Path

from bot.catalog import catalog_files, entries
from bot.located import BadFile, Problem, near


def check_rules(folder: Path, runbooks: Collection[str]) -> list[Problem]:
    """Every rule of the catalog's folder that proposes a runbook that is not among these."""
    found = []
    try:
        for path in catalog_files(folder):
            for section, entry, origin in entries(path):
                name = entry.get("runbook") if section == "rules" else None
                if name is not None and name not in runbooks:
                    text = f"there is no runbook {name!r}{near(name, runbooks)}"
                    found.append(origin.problem(["runbook"], text).problem)
    except BadFile:  # told when it was read; the catalog before it is in force
        return []
    return found
