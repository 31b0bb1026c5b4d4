"""The runbooks of a folder, re-read when they change; a broken edit leaves the last good one."""

import asyncio
from pathlib import Path
from typing import Any

from bot.access.drills import check_drills
from bot.catalog import Catalog, catalog_files, load_catalog
from bot.errors import NotFound
from bot.located import BadFile, Problem, near, read_text
from bot.log import get
from bot.registry import (
    Registry,
    check_evidence,
    check_pagers,
    check_paper_places,
    check_sources,
    check_status_pages,
    check_trackers,
)
from bot.runbooks.check import check
from bot.runbooks.lint import lint_calls
from bot.runbooks.loops import lint_loops
from bot.runbooks.model import Runbook
from bot.runbooks.named import check_rules
from bot.runbooks.read import read

log = get("runbooks")
_PAUSE = 2.0  # seconds


class Library:
    """All runbooks and the catalog beside them."""

    def __init__(self, folder: Path, registry: Registry) -> None:
        self.folder = folder
        self.registry = registry
        self.catalog: Catalog = _checked(folder / "catalog", registry)
        self.runbooks: dict[str, Runbook] = {}
        self.problems: dict[str, list[Problem]] = {}
        self.between: set[Problem] = set()  # of runbooks that are good by themselves, and in force
        self._seen: dict[Path, int] = {}
        self.reload()

    def reload(self) -> bool:
        """Reads what changed since the last time; whether anything did."""
        files = {p: p.stat().st_mtime_ns for p in sorted(self.folder.glob("*.md"))}
        catalogs = {p: p.stat().st_mtime_ns for p in catalog_files(self.folder / "catalog")}
        if files | catalogs == self._seen:
            return False
        broken = self._reload_catalog()
        for path in files:
            self._read(path)
        kept = {str(p) for p in files}
        self.runbooks = {i: r for i, r in self.runbooks.items() if r.path in kept}
        self.problems = {p: e for p, e in self.problems.items() if p in kept and e} | broken
        between = lint_calls(self.runbooks, self.catalog)
        between += lint_loops(self.runbooks, self.catalog, self.registry)
        between += check_rules(self.folder / "catalog", self.runbooks)
        for problem in between:
            self.problems.setdefault(problem.path, []).append(problem)
            if problem not in self.between:
                log.error("runbook_cannot_be_relied_on", problem=str(problem))
        self.between = set(between)
        self._seen = files | catalogs
        return True

    async def watch(self) -> None:
        """Re-reads every two seconds until cancelled."""
        while True:
            await asyncio.sleep(_PAUSE)
            try:
                await asyncio.to_thread(self.reload)
            except OSError as error:
                log.warning("runbooks_not_readable", error=str(error))
            except Exception:  # what is in force stays: one file's fault ends no bot in an outage
                log.exception("runbooks_not_read")

    def get(self, runbook_id: str) -> Runbook:
        """Raises `NotFound` with the nearest name."""
        if runbook_id not in self.runbooks:
            known = ", ".join(sorted(self.runbooks)) or "none"
            guess = near(runbook_id, self.runbooks) or "."
            raise NotFound(f"There is no runbook {runbook_id!r}{guess}", hint=f"Known: {known}.")
        return self.runbooks[runbook_id]

    def words(self, problem: Problem) -> str:
        """What a problem means for the version that is in force."""
        if problem in self.between:
            return f"There is an error, and a run may fail by it: {problem}"
        return f"The last good version is used, as there is an error: {problem}"

    def matching(
        self, trigger: dict[str, Any], services: list[str], severity: str
    ) -> list[Runbook]:
        """Runbooks whose triggers name the incident's alert, check or service.

        First comes the one that the rule names which opened it.
        """
        name = str(trigger.get("alert", ""))
        words = {f"alert:{name}", *(f"service:{s}" for s in services)}
        if trigger.get("source") == "check":
            words.add(f"check:{name}")
        named = self.runbooks.get(str(trigger.get("runbook", "")))
        others = [
            r
            for r in self.runbooks.values()
            if words & set(r.front.triggers)
            and (not r.front.severity or severity in r.front.severity)
            and r is not named
        ]
        return [named, *others] if named else others

    def _reload_catalog(self) -> dict[str, list[Problem]]:
        """What keeps the catalog from being read, if anything does: then the last one stays."""
        folder = self.folder / "catalog"
        try:
            self.catalog = _checked(folder, self.registry)
        except BadFile as error:
            log.error("catalog_kept", error=str(error))
            return {str(folder): [error.problem]}
        return {}

    def _read(self, path: Path) -> None:
        runbook, problems = self._parse(path)
        if runbook is not None and not problems:
            twin = self.runbooks.get(runbook.id)
            if twin is not None and twin.path != str(path) and Path(twin.path).exists():
                problems = [Problem(str(path), 1, f"id: {runbook.id!r} is also in {twin.path}")]
            else:
                self.runbooks = {i: r for i, r in self.runbooks.items() if r.path != str(path)}
                self.runbooks[runbook.id] = runbook
        for problem in problems:
            log.error("runbook_not_loaded", problem=str(problem))
        self.problems[str(path)] = problems

    def _parse(self, path: Path) -> tuple[Runbook | None, list[Problem]]:
        try:
            text = read_text(path)
        except BadFile as error:
            return None, [error.problem]
        runbook, problems = read(text, str(path))
        return runbook, check(runbook, self.registry, self.catalog) if runbook else problems


def _checked(folder: Path, registry: Registry) -> Catalog:
    catalog = load_catalog(folder)
    check_sources(folder, catalog, registry)
    check_evidence(folder, catalog, registry)
    check_pagers(folder, catalog, registry)
    check_status_pages(folder, catalog, registry)
    check_trackers(folder, catalog, registry)
    check_paper_places(folder, catalog, registry)
    check_drills(folder, catalog)
    return catalog
